#include "shipper/verbs/dead/tally.h"

#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/letter.h"
#include "shipper/verbs/trace/page.h"
#include "shipper/verbs/trace/safe_text.h"

enum { OUTPUT_COLUMNS = 16, TYPE_COLUMNS = 34, REASON_COLUMNS = 100 };

/* Plain text of what stands between the quotes; NULL when memory is out. */
static char *plain(struct slice escaped)
{
    struct buffer text = {0};

    json_unescape(escaped, &text);
    buffer_add_char(&text, '\0');
    if (text.failed)
        buffer_free(&text);
    return text.ptr;
}

static bool is_of(const struct tally_kind *k, const char *output, const char *type, int64_t status)
{
    return k->status == status && strcmp(k->output, output) == 0 && strcmp(k->type, type) == 0;
}

/* Takes output and type. */
static struct tally_kind *find_kind(struct tally *t, char *output, char *type, int64_t status)
{
    struct tally_kind *k;

    for (size_t i = 0; i < t->n_kinds; i++)
        if (is_of(&t->kinds[i], output, type, status) || i == TALLY_KINDS - 1) {
            free(output);
            free(type);
            return &t->kinds[i];
        }
    k = &t->kinds[t->n_kinds++];
    *k = (struct tally_kind){.output = output,
                             .type = type,
                             .status = status,
                             .first_ns = INT64_MAX,
                             .last_ns = INT64_MIN,
                             .last_file = SIZE_MAX};
    return k;
}

static void count(struct tally *t, struct tally_kind *k, const struct letter *letter)
{
    size_t file = t->n_files - 1;

    k->n_letters++;
    k->n_files += k->last_file != file;
    k->last_file = file;
    if (letter->time_ns < k->first_ns)
        k->first_ns = letter->time_ns;
    if (letter->time_ns < k->last_ns)
        return;
    k->last_ns = letter->time_ns;
    free(k->reason);
    k->reason = plain(letter->reason);
}

static void on_line(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct tally *t = ctx;
    struct letter letter;
    bool is_letter = letter_read(line, &t->scan, &letter);
    char *output = plain(letter.output);
    char *type = is_letter ? plain(letter.type) : strdup(TALLY_UNREADABLE);

    (void)offset;
    (void)out;
    t->n_letters++;
    t->files[t->n_files - 1].n_letters++;
    t->files[t->n_files - 1].bytes += line.len + 1;
    if (!output || !type) {
        t->is_out_of_memory = true;
        free(output);
        free(type);
        return;
    }
    count(t, find_kind(t, output, type, letter.status), &letter);
}

int tally_files(struct tally *t, const struct letter_files *files, struct err *e)
{
    t->files = calloc(files->n + 1, sizeof *t->files);
    if (!t->files)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < files->n; i++) {
        t->files[t->n_files++].path = files->paths[i];
        if (letter_file_each(files->paths[i], false, on_line, t, e) < 0)
            return -1;
    }
    return t->is_out_of_memory ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

void tally_fini(struct tally *t)
{
    for (size_t i = 0; i < t->n_kinds; i++) {
        free(t->kinds[i].output);
        free(t->kinds[i].type);
        free(t->kinds[i].reason);
    }
    free(t->files);
    json_object_free(&t->scan);
}

/* --- the page -------------------------------------------------------------------------------- */

/* Foreign text in so many columns, blanks behind it. */
static void add_column(struct buffer *out, const char *text, size_t columns)
{
    size_t used = safe_text_add(out, slice_str(text), columns);

    buffer_printf(out, "%*s", (int)(columns - used + 2), "");
}

static void render_kind(const struct tally_kind *k, struct buffer *out)
{
    char first[PAGE_TEXT_MAX] = "-";
    char last[PAGE_TEXT_MAX] = "-";

    if (k->first_ns) {
        page_time(k->first_ns, first);
        page_time(k->last_ns, last);
    }
    buffer_printf(out, "%9llu  ", (unsigned long long)k->n_letters);
    add_column(out, k->output, OUTPUT_COLUMNS);
    buffer_printf(out, "%6lld  ", (long long)k->status);
    add_column(out, k->type, TYPE_COLUMNS);
    buffer_printf(out, "%-23s  %-23s  %zu\n", first, last, k->n_files);
    if (!k->reason || !*k->reason)
        return;
    buffer_printf(out, "%11s", "");
    safe_text_add(out, slice_str(k->reason), REASON_COLUMNS);
    buffer_add_char(out, '\n');
}

void tally_render(const struct tally *t, const char *directory, struct buffer *out)
{
    buffer_printf(out, "%llu dead letter%s in ", (unsigned long long)t->n_letters,
                  t->n_letters == 1 ? "" : "s");
    safe_text_add(out, slice_str(directory), 0);
    buffer_printf(out, "\n\n%9s  %-*s  %6s  %-*s  %-23s  %-23s  %s\n", "letters", OUTPUT_COLUMNS,
                  "output", "status", TYPE_COLUMNS, "type", "first refused (UTC)", "last", "files");
    for (size_t i = 0; i < t->n_kinds; i++)
        render_kind(&t->kinds[i], out);
    buffer_add_char(out, '\n');
    for (size_t i = 0; i < t->n_files; i++) {
        const struct tally_file *f = &t->files[i];

        buffer_printf(out, "%9llu  %8.1f kB  ", (unsigned long long)f->n_letters,
                      (double)f->bytes / 1000);
        safe_text_add(out, slice_str(f->path), 0);
        buffer_add_char(out, '\n');
    }
}
