#include "tests/support/memory_source.h"

static ssize_t read_some(struct source *base, uint64_t offset, char *buf, size_t cap, struct err *e)
{
    struct memory_source *s = (struct memory_source *)base;
    size_t left = offset < s->text.len ? s->text.len - (size_t)offset : 0;
    size_t n = left < cap ? left : cap;

    s->n_wrong += s->is_sequential && offset != s->given;
    if (s->bite && n > s->bite)
        n = s->bite;
    if (s->fails_at && offset + n >= s->fails_at) {
        s->fails_at = 0;
        return err_set(e, ERR_INPUT, "Input/output error");
    }
    if (n)
        memcpy(buf, s->text.ptr + offset, n);
    s->given = (size_t)offset + n;
    return (ssize_t)n;
}

static bool reread(struct source *base, uint64_t offset, char *buf, size_t len)
{
    struct memory_source *s = (struct memory_source *)base;

    if (offset + len > s->text.len)
        return false;
    memcpy(buf, s->text.ptr + offset, len);
    return true;
}

static void close_source(struct source *base)
{
    (void)base;
}

static const struct source_ops seekable = {
    .read = read_some, .reread = reread, .close = close_source};
static const struct source_ops sequential = {.read = read_some, .close = close_source};

void memory_source_init(struct memory_source *s, struct slice text, bool is_sequential)
{
    *s = (struct memory_source){
        {is_sequential ? &sequential : &seekable}, text, .is_sequential = is_sequential};
}
