/* Looks at all segments of a queue, header by header: what waits, what is damaged, where to go on.
 *
 * Changes nothing but *.damaged. Owner:  the caller's storage; queue_scan_fini.
 * Thread: one that may block. */
#ifndef SHIP_DELIVERY_QUEUE_SCAN_H
#define SHIP_DELIVERY_QUEUE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/disk.h"
#include "shipper/base/error.h"
#include "shipper/base/number_set.h"
#include "shipper/delivery/queue_damage.h"

#define QUEUE_SETTLED_NAME "settled"
#define QUEUE_LOCK_NAME "lock"

struct queue_segment {
    uint64_t id;
    uint64_t first, end; /* numbers of its records: [first, end), not all of them need be there */
    uint64_t first_sum;  /* queue_entry.sum of the first */
    uint64_t readable;   /* bytes of its file in which records may be looked for */
    int64_t bytes;       /* of its file */
    bool is_in_doubt;    /* behind `readable` there may be records that nobody was told of */
};

struct queue_scan {
    struct queue_damage *damage; /* disk and directory, too */
    const char *output_type;     /* what it must be; NULL: any */

    struct queue_segment *segments; /* by id */
    size_t n_segments;
    size_t cap;
    struct number_set waiting; /* records that are there and not settled */
    uint64_t n_waiting;
    uint64_t n_events;
    int64_t bytes;
    uint64_t next_number;
    uint64_t next_segment;
};

/* damage and output_type are the caller's to set, all else zero. -1 and *e: a file cannot be read,
 * or is of a newer version or another output's type. */
int queue_scan_run(struct queue_scan *s, struct err *e);
void queue_scan_fini(struct queue_scan *s);

#endif
