/* The disk queue of one output: sealed batches that are durable before their positions move.
 *
 * A directory of append-only segment files; each batch is one checksummed record with a number of
 * its own, ascending from 1 for ever. A record that is torn or damaged is set aside and counted;
 * what is before and after it is read. A segment goes when all of its records are settled. What was
 * settled is remembered (lazily: what a crash forgets of it is sent again, and answers 409). Owner:
 * intake (shipper/delivery/intake.h), one for each output that has a queue. Thread: the loop's, but
 * for open and close, which block; disk work is done on the writer pool. Errors: ERR_STORE; the
 * text names the file. */
#ifndef SHIP_DELIVERY_QUEUE_H
#define SHIP_DELIVERY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pool.h"

struct disk;         /* shipper/base/disk.h: the files it writes, as an argument */
struct queue_record; /* queue_record.h */

struct queue_options {
    const char *directory;   /* made if it is not there, 0700 */
    const char *output_type; /* "elasticsearch": whose encoding the bodies have; a queue of another
                                type is refused */
    int64_t max_bytes;       /* of all its files */
    const struct disk *disk; /* disk_posix, or the simulator's */
    struct pool *writer;     /* one thread */
    struct budget *budget;   /* counts the batches that are read back */
    unsigned output;         /* batch.output of those */
};

struct queue_stats {
    uint64_t records;         /* on disk and not settled ... */
    uint64_t events;          /* ... in them ... */
    int64_t bytes;            /* ... and all that its files hold, settled ones included */
    uint64_t damaged_records; /* since it was opened; at least: a damaged stretch counts as one */
    uint64_t damaged_events;  /* of those that were counted in `events` before */
    int64_t damaged_bytes;
    bool is_in_doubt; /* batches whose put failed may be in it all the same, to be found by the next
                         life: after a failed fsync, and where it could not be cut off either. Over
                         as soon as that works, or another batch is durable */
};

struct queue;

/* Durable as number; or (why->code set, number 0) not: the batch is as it was. The batch is the
 * caller's again. Loop. */
typedef void queue_put_fn(void *ctx, struct batch *batch, uint64_t number, const struct err *why);
/* A record read back (the caller's now), or NULL: there is none that is not in memory (why->code
 * ERR_NONE), or it could not be read now (why). Damaged ones are passed over. Loop. */
typedef void queue_get_fn(void *ctx, struct queue_record *record, const struct err *why);
/* One line for a person: what was found damaged, what is in the way. */
typedef void queue_log_fn(void *ctx, const struct err *what);

/* Opens and recovers: reads headers, not bodies. NULL and *e: another ship has it, it cannot be
 * written, it is of a newer version or another output type. */
struct queue *queue_open(const struct queue_options *options, queue_log_fn *log, void *ctx,
                         struct err *e);
/* Room for a batch of this size, all that is being put counted. A batch larger than max_bytes fits
 * if the queue is empty. */
bool queue_has_room(const struct queue *q, const struct batch *batch);
/* Appends it; one fsync for all that wait. The batch is lent until done, which comes from inside
 * this call only when memory is out. */
bool queue_put(struct queue *q, struct batch *batch, queue_put_fn *done, void *ctx);
/* The oldest record that was neither given out by this call nor stayed in memory after its put
 * (queue_keep). One call at a time. */
void queue_get(struct queue *q, queue_get_fn *done, void *ctx);
/* The record `number`, just put, stays in memory with the caller: queue_get passes over it. To be
 * called in queue_put_fn, else it is to be got later. */
void queue_keep(struct queue *q, uint64_t number);
/* A record that was got or kept goes back, unsettled: queue_get gives it again. */
void queue_give_back(struct queue *q, uint64_t number);
/* All of its events have their last verdict. */
void queue_settle(struct queue *q, uint64_t number);
/* Writes what is due; returns when it wants to be called again. */
int64_t queue_tick(struct queue *q, int64_t now_ms);
/* Is there a record that queue_get would give? */
bool queue_has_more(const struct queue *q);
const struct queue_stats *queue_stats(const struct queue *q);
/* After the writer pool's end; remembers what was settled, and frees batches that were lent and did
 * not come back. -1 and *e. NULL is fine. */
int queue_close(struct queue *q, struct err *e);

/* For `ship check`: what waits in the directory; changes nothing, takes no lock. False: *e. A
 * directory that is not there is empty. */
bool queue_peek(const char *directory, const struct disk *disk, struct queue_stats *out,
                struct err *e);

#endif
