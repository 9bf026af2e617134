#include "shipper/pipeline/frame.h"

void frame_init(struct frame *f, struct slice bytes, int64_t max_line, bool is_in_long_line,
                bool is_last)
{
    *f = (struct frame){bytes, (size_t)max_line, 0, is_in_long_line, is_last, 0};
}

static void skip(struct frame *f, size_t n)
{
    f->at += n;
    f->skipped_bytes += n;
}

/* The rest of a line that was cut. False: it does not end here. */
static bool skip_rest(struct frame *f)
{
    struct slice rest = slice_from(f->bytes, f->at);
    const char *end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;

    skip(f, end ? (size_t)(end - rest.ptr) + 1 : rest.len);
    f->is_in_long_line = !end;
    return end;
}

static void skip_hole(struct frame *f)
{
    size_t n = 0;

    while (f->at + n < f->bytes.len && f->bytes.ptr[f->at + n] == '\0')
        n++;
    skip(f, n);
}

/* Not in the middle of a UTF-8 character, if there is one to be in the middle of. */
static size_t cut_len(const char *ptr, size_t len)
{
    size_t back = 0;

    while (back < 3 && len > back && ((unsigned char)ptr[len - back] & 0xC0) == 0x80)
        back++;
    return ((unsigned char)ptr[len - back] & 0xC0) == 0xC0 ? len - back : len;
}

bool frame_next(struct frame *f, struct frame_line *line)
{
    struct slice rest;
    const char *end;
    size_t len;

    if (f->is_in_long_line && !skip_rest(f))
        return false;
    if (f->at < f->bytes.len && f->bytes.ptr[f->at] == '\0')
        skip_hole(f);
    rest = slice_from(f->bytes, f->at);
    end = rest.len ? memchr(rest.ptr, '\n', rest.len) : NULL;
    len = end ? (size_t)(end - rest.ptr) : rest.len;
    if (!end && (len == 0 || (!f->is_last && len <= f->max_line + 1)))
        return false;
    line->offset = f->at;
    line->text = slice_of(rest.ptr, len);
    if (len && rest.ptr[len - 1] == '\r')
        line->text.len--;
    line->is_cut = line->text.len > f->max_line;
    if (line->is_cut) {
        line->text.len = cut_len(rest.ptr, f->max_line);
        f->at += line->text.len;
        f->is_in_long_line = true;
        if (end)
            skip_rest(f);
        else if (f->is_last)
            skip(f, f->bytes.len - f->at);
        return true;
    }
    f->at += len + (end ? 1 : 0);
    return true;
}
