#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MADV_DONTDUMP */
#include "config/keep.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN = 16 };

struct block {
    struct block *next;
    size_t cap; /* this header included */
    size_t used;
};

struct keep {
    struct block *blocks; /* the one that is being filled first */
    size_t n_bytes;
};

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static struct block *block_new(size_t cap)
{
    void *pages = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct block *b;

    if (pages == MAP_FAILED)
        return NULL;
    madvise(pages, cap, MADV_DONTDUMP); /* a kernel that cannot is no reason not to start */
    b = pages;
    b->cap = cap;
    b->used = aligned(sizeof *b);
    return b;
}

struct keep *keep_new(void)
{
    return calloc(1, sizeof(struct keep));
}

void keep_free(struct keep *k)
{
    if (!k)
        return;
    while (k->blocks) {
        struct block *b = k->blocks;

        k->blocks = b->next;
        munmap(b, b->cap);
    }
    free(k);
}

static struct block *block_with_room(struct keep *k, size_t n_bytes)
{
    size_t need = aligned(sizeof(struct block)) + n_bytes;
    size_t cap = (need + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    struct block *b = k->blocks;

    if (b && b->cap - b->used >= n_bytes)
        return b;
    if (k->n_bytes + cap > KEEP_MAX_BYTES)
        return NULL;
    b = block_new(cap);
    if (!b)
        return NULL;
    k->n_bytes += cap;
    b->next = k->blocks;
    k->blocks = b;
    return b;
}

void *keep_alloc(struct keep *k, size_t n_bytes)
{
    size_t n = aligned(n_bytes ? n_bytes : 1);
    struct block *b = n_bytes < KEEP_MAX_BYTES ? block_with_room(k, n) : NULL;
    void *p;

    if (!b)
        return NULL;
    p = (char *)b + b->used;
    b->used += n;
    return p;
}

char *keep_text(struct keep *k, struct slice text)
{
    char *copy = keep_alloc(k, text.len + 1);

    if (copy && text.len)
        memcpy(copy, text.ptr, text.len);
    return copy;
}
