#include "shipper/verbs/dead/one.h"

#include <string.h>

#include "shipper/delivery/letter.h"
#include "shipper/verbs/trace/safe_text.h"

static bool fits(struct one *o, struct slice line)
{
    struct letter letter;

    if (!o->want)
        return true;
    if (o->number)
        return o->n_seen == (uint64_t)o->number;
    return letter_read(line, &o->scan, &letter) && slice_starts(letter.id, slice_str(o->want));
}

static void on_line(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct one *o = ctx;

    (void)offset;
    (void)out;
    o->n_seen++;
    if (!fits(o, line))
        return;
    o->at = o->n_seen;
    o->path = o->file;
    o->line.len = 0;
    buffer_add_slice(&o->line, line);
}

int one_find(struct one *o, const char *want, const struct letter_files *files, struct err *e)
{
    o->want = want;
    if (want && strlen(want) < 10 && !slice_to_int(slice_str(want), &o->number))
        o->number = 0;
    for (size_t i = 0; i < files->n; i++) {
        o->file = files->paths[i];
        if (letter_file_each(o->file, false, on_line, o, e) < 0)
            return -1;
    }
    return o->line.failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

void one_fini(struct one *o)
{
    buffer_free(&o->line);
    json_object_free(&o->scan);
}

static void add_label(struct buffer *out, const char *label)
{
    buffer_printf(out, "  %-10s", label);
}

/* What stands between the quotes of a JSON string. */
static void add_value(struct buffer *out, struct slice escaped)
{
    struct buffer plain = {0};

    json_unescape(escaped, &plain);
    safe_text_add(out, buffer_slice(&plain), 0);
    out->failed |= plain.failed;
    buffer_free(&plain);
}

static void add_line(struct buffer *out, const char *label, struct slice escaped)
{
    if (!escaped.len)
        return;
    add_label(out, label);
    add_value(out, escaped);
    buffer_add_char(out, '\n');
}

static void render_letter(const struct letter *letter, struct buffer *out)
{
    add_line(out, "event", letter->id);
    add_label(out, "refused");
    add_value(out, letter->time);
    buffer_add_lit(out, " by ");
    add_value(out, letter->output);
    buffer_add_char(out, '\n');
    add_label(out, "status");
    buffer_add_int(out, letter->status);
    buffer_add_char(out, ' ');
    add_value(out, letter->type);
    buffer_add_char(out, '\n');
    add_line(out, "reason", letter->reason);
    add_label(out, "from");
    if (letter->path.len)
        add_value(out, letter->path);
    else
        buffer_add_lit(out, "standard input");
    buffer_printf(out, ", byte %lld\n", (long long)letter->offset);
    add_line(out, "original", letter->original);
    add_line(out, "base64", letter->original_base64);
    add_label(out, "document");
    safe_text_add(out, letter->document, 0);
    buffer_add_char(out, '\n');
}

void one_render(struct one *o, struct buffer *out)
{
    struct letter letter;

    buffer_printf(out, "letter %llu of %llu, in ", (unsigned long long)o->at,
                  (unsigned long long)o->n_seen);
    safe_text_add(out, slice_str(o->path), 0);
    buffer_add_char(out, '\n');
    if (letter_read(buffer_slice(&o->line), &o->scan, &letter)) {
        render_letter(&letter, out);
        return;
    }
    add_label(out, "no letter");
    safe_text_add(out, buffer_slice(&o->line), 0);
    buffer_add_char(out, '\n');
}
