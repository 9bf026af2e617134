#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#include "shipper/base/arena.h"

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t len;
    size_t cap;
    alignas(max_align_t) char bytes[];
};

static struct arena_block *grow(struct arena *a, size_t n)
{
    size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct arena_block *b = malloc(sizeof *b + cap);

    if (!b)
        return NULL;
    b->next = a->blocks;
    b->len = 0;
    b->cap = cap;
    a->blocks = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    struct arena_block *b = a->blocks;
    void *out;

    n = (n + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (!b || b->cap - b->len < n)
        b = grow(a, n);
    if (!b)
        return NULL;
    out = b->bytes + b->len;
    b->len += n;
    return out;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
    char *copy = s.len ? arena_alloc(a, s.len) : NULL;

    if (!copy)
        return slice_of("", 0);
    memcpy(copy, s.ptr, s.len);
    return slice_of(copy, s.len);
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;

        free(a->blocks);
        a->blocks = next;
    }
}
