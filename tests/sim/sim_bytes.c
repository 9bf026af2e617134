#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_bytes.h"
#include "tests/support/failing_malloc.h"

enum { SECTOR = 512 };

struct sim_pending {
    struct sim_pending *next;
    size_t offset;
    size_t len;
    bool is_cut; /* the file's length became offset */
    char bytes[];
};

static void set_len(struct buffer *b, size_t len)
{
    size_t old = b->len;

    if (len > old)
        cr_assert(buffer_reserve(b, len - old));
    b->len = len;
    if (len > old)
        memset(b->ptr + old, 0, len - old);
}

static void put(struct buffer *b, size_t offset, const char *bytes, size_t len)
{
    if (offset + len > b->len)
        set_len(b, offset + len);
    if (len)
        memcpy(b->ptr + offset, bytes, len);
}

static void note(struct sim_bytes *b, size_t offset, struct slice bytes, bool is_cut)
{
    unsigned left = failing_malloc_suspend();
    struct sim_pending *p = malloc(sizeof *p + bytes.len);

    cr_assert_not_null(p);
    failing_malloc_resume(left);
    *p = (struct sim_pending){.offset = offset, .len = bytes.len, .is_cut = is_cut};
    if (bytes.len)
        memcpy(p->bytes, bytes.ptr, bytes.len);
    if (b->pending)
        b->last->next = p;
    else
        b->pending = p;
    b->last = p;
}

void sim_bytes_write(struct sim_bytes *b, size_t offset, struct slice bytes)
{
    put(&b->now, offset, bytes.ptr, bytes.len);
    note(b, offset, bytes, false);
}

void sim_bytes_truncate(struct sim_bytes *b, size_t len)
{
    set_len(&b->now, len);
    note(b, len, (struct slice){0}, true);
}

static void apply(struct sim_bytes *b, const struct sim_pending *p)
{
    if (p->is_cut)
        set_len(&b->durable, p->offset);
    else
        put(&b->durable, p->offset, p->bytes, p->len);
}

static void apply_torn(struct sim_bytes *b, const struct sim_pending *p, struct random *random)
{
    for (size_t at = 0; at < p->len; at += SECTOR)
        if (sim_draw(random, 2))
            put(&b->durable, p->offset + at, p->bytes + at,
                p->len - at < SECTOR ? p->len - at : SECTOR);
}

/* random NULL: all of it. */
static void flush(struct sim_bytes *b, struct random *random)
{
    while (b->pending) {
        struct sim_pending *p = b->pending;
        unsigned fate = random ? sim_draw(random, 4) : 3;

        if (fate == 1 && !p->is_cut)
            apply_torn(b, p, random);
        else if (fate > 0)
            apply(b, p);
        b->pending = p->next;
        free(p);
    }
}

void sim_bytes_sync(struct sim_bytes *b)
{
    flush(b, NULL);
}

void sim_bytes_sync_fails(struct sim_bytes *b, struct random *random)
{
    flush(b, random);
}

void sim_bytes_cut_power(struct sim_bytes *b, struct random *random)
{
    flush(b, random);
    b->now.len = 0;
    buffer_add_slice(&b->now, buffer_slice(&b->durable));
}

void sim_bytes_free(struct sim_bytes *b)
{
    while (b->pending) {
        struct sim_pending *p = b->pending;

        b->pending = p->next;
        free(p);
    }
    buffer_free(&b->now);
    buffer_free(&b->durable);
}
