/* Walks through the records of one segment file, by their headers; finds the next one again where
 * bytes are damaged.
 *
 * Owner:  the caller's storage; queue_walk_fini. The file is lent.
 * Thread: one that may block. */
#ifndef SHIP_DELIVERY_QUEUE_WALK_H
#define SHIP_DELIVERY_QUEUE_WALK_H

#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/disk.h"
#include "shipper/delivery/queue_format.h"

struct queue_walk {
    const struct disk *disk;
    int file;
    uint64_t segment; /* that its headers must name */
    uint64_t size;    /* where to stop: what is behind is not there */
    uint64_t at;      /* of the next header */

    struct queue_entry entry;  /* where it stands now */
    uint64_t bad_from, bad_to; /* damaged bytes before it, or before the end; none: equal */
    struct buffer window;      /* what is searched */
};

/* Opens nothing. Begins behind the segment's head, or at `at`, the offset of a header. */
void queue_walk_init(struct queue_walk *w, const struct disk *disk, int file, uint64_t segment,
                     uint64_t size, uint64_t at);
/* To the next record. 1: it is in w->entry, and all of its bytes lie before `size`; 0: there is
 * none; a negative errno: could not be read (-ENOMEM too); the walk stands where it stood. */
int queue_walk_next(struct queue_walk *w);
void queue_walk_fini(struct queue_walk *w);

#endif
