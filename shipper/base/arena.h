/* An arena: many small texts with one life.
 *
 * Owner:  the caller's storage; zero it to begin, arena_free gives everything back at once.
 * Errors: NULL (and an empty slice) when memory is out.
 * Thread: one at a time. */
#ifndef SHIP_BASE_ARENA_H
#define SHIP_BASE_ARENA_H

#include <stddef.h>

#include "shipper/base/slice.h"

struct arena {
    struct arena_block *blocks;
};

/* n bytes, aligned for anything; not zeroed. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy that lives as long as the arena. */
struct slice arena_copy(struct arena *a, struct slice s);
void arena_free(struct arena *a);

#endif
