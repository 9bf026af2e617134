#include "config/expand.h"

#include <stdlib.h>
#include <string.h>

#include "config/text_file.h"

enum { DEPTH_MAX = 4 };

struct expansion {
    struct buffer *out;
    struct expand_notes *notes; /* may be NULL */
    struct err *e;
    bool may_quote;
    unsigned depth;
};

static int append_all(struct expansion *x, struct slice text);

static bool is_name_byte(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!is_first && c >= '0' && c <= '9');
}

/* How long the name is that the text begins with; 0: none. */
static size_t name_length(struct slice text)
{
    size_t n = 0;

    while (n < text.len && is_name_byte(text.ptr[n], n == 0))
        n++;
    return n;
}

/* The offset of the "}" that ends the reference whose inside begins the text; -1: none. */
static ptrdiff_t find_end(struct slice text)
{
    unsigned open = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{')
            open++;
        if (text.ptr[i] == '}' && open-- == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* --- ${file:/path} --- */

static int append_first_line(struct expansion *x, const char *path)
{
    struct buffer text = {0};
    struct slice line;
    int rc = text_file_read(path, EXPAND_MAX_BYTES, &text, x->e);

    if (rc == 0) {
        struct slice rest = buffer_slice(&text);

        if (!slice_cut(&rest, '\n', &line))
            line = rest;
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0)
            rc = err_set(x->e, ERR_CONFIG, "its first line is empty");
        buffer_add_slice(x->out, line);
    }
    text_wipe(&text);
    return rc;
}

static int append_file(struct expansion *x, struct slice inside)
{
    struct buffer path = {0};
    struct expansion inner = {&path, x->notes, x->e, x->may_quote, x->depth + 1};
    char reason[sizeof x->e->what];
    int rc = append_all(&inner, inside);

    buffer_add_char(&path, '\0');
    if (rc == 0 && path.failed)
        rc = err_set(x->e, ERR_NOMEM, "out of memory");
    if (rc == 0 && x->notes)
        x->notes->on_file(x->notes->ctx, path.ptr);
    if (rc == 0 && append_first_line(x, path.ptr) < 0) {
        memcpy(reason, x->e->what, sizeof reason);
        rc = err_set(x->e, x->e->code, "%s%.200s: %.200s",
                     x->may_quote ? "the file " : "a file that it names",
                     x->may_quote ? path.ptr : "", reason);
    }
    buffer_free(&path);
    return rc;
}

/* --- ${NAME}, ${NAME:-default} --- */

static int append_variable(struct expansion *x, struct slice name, bool has_default,
                           struct slice fallback)
{
    char text[256];
    const char *value;

    if (name.len >= sizeof text)
        return err_set(x->e, ERR_CONFIG, "a name in ${...} has at most %zu bytes", sizeof text - 1);
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    value = getenv(text);
    if (has_default && (!value || !*value)) {
        struct expansion inner = *x;

        inner.depth++;
        return append_all(&inner, fallback);
    }
    if (!value)
        return err_set(x->e, ERR_CONFIG,
                       "the environment variable %s is not set; set it, or give ${NAME:-default}",
                       x->may_quote ? text : "in it");
    buffer_add_slice(x->out, slice_str(value));
    return 0;
}

static int append_reference(struct expansion *x, struct slice inside)
{
    struct slice file = SLICE_LIT("file:");
    struct slice mark = SLICE_LIT(":-");
    size_t len = name_length(inside);
    struct slice rest = slice_from(inside, len);
    struct slice none = {0};

    if (x->notes)
        x->notes->has_reference = true;
    if (x->depth >= DEPTH_MAX)
        return err_set(x->e, ERR_CONFIG, "${...} inside each other, more than %d deep", DEPTH_MAX);
    if (slice_starts(inside, file))
        return append_file(x, slice_from(inside, file.len));
    if (len && rest.len == 0)
        return append_variable(x, inside, false, none);
    if (len && slice_starts(rest, mark))
        return append_variable(x, slice_of(inside.ptr, len), true, slice_from(rest, mark.len));
    return err_set(x->e, ERR_CONFIG,
                   "what stands in ${...} is none of NAME, NAME:-default and file:/path; write "
                   "$${ for a plain ${");
}

static int append_all(struct expansion *x, struct slice text)
{
    struct slice escaped = SLICE_LIT("$${");
    struct slice opening = SLICE_LIT("${");

    while (text.len) {
        ptrdiff_t end;

        if (slice_starts(text, escaped)) {
            buffer_add_slice(x->out, opening);
            text = slice_from(text, escaped.len);
            continue;
        }
        if (!slice_starts(text, opening)) {
            buffer_add_char(x->out, *text.ptr);
            text = slice_from(text, 1);
            continue;
        }
        text = slice_from(text, opening.len);
        end = find_end(text);
        if (end < 0)
            return err_set(x->e, ERR_CONFIG, "a ${ without its }; write $${ for a plain ${");
        if (append_reference(x, slice_of(text.ptr, (size_t)end)) < 0)
            return -1;
        text = slice_from(text, (size_t)end + 1);
    }
    return 0;
}

int expand(struct slice text, bool is_secret, struct buffer *out, struct expand_notes *notes,
           struct err *e)
{
    struct slice opening = SLICE_LIT("${");
    size_t from = out->len;
    bool is_whole = slice_starts(text, opening) &&
                    find_end(slice_from(text, opening.len)) == (ptrdiff_t)(text.len - 3);
    struct expansion x = {out, notes, e, !is_secret || is_whole, 0};

    if (notes)
        notes->has_reference = false;
    if (append_all(&x, text) < 0)
        return -1;
    if (out->failed)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (out->len - from > EXPAND_MAX_BYTES)
        return err_set(e, ERR_CONFIG, "its text is longer than %d KiB", EXPAND_MAX_BYTES / 1024);
    return 0;
}
