/* The inside of intake, shared by the files that make it: intake.c (what comes in, its share of the
 * memory, what is dropped) and intake_queue.c (into the disk queue and out of it).
 *
 * Thread: the loop's. */
#ifndef SHIP_DELIVERY_INTAKE_INSIDE_H
#define SHIP_DELIVERY_INTAKE_INSIDE_H

#include "shipper/delivery/intake.h"

/* What was dropped and not yet told. */
struct untold {
    uint64_t events;
    int64_t told_ms; /* 0: nothing was ever told */
};

struct pending;
struct lent;

/* The side of the disk queue.
 *
 * A batch is pending (waiting, or being put), then durable: lent, while the engine has it, or on
 * disk only. Nothing that is pending may be kept in memory while older ones are on disk only: all
 * goes out in the order in which it came. */
struct spool {
    struct pending *oldest; /* in the order of their offers */
    struct pending **end;
    int64_t pending_bytes; /* of their batches */
    unsigned n_putting;
    struct lent *lent;
    uint64_t n_stand_ins; /* streams of theirs that are not settled */
    uint64_t n_on_disk;   /* records that are not in memory; exact after each queue_get */
    bool is_getting;
    bool is_stopping;
    int64_t largest_bytes; /* of a batch that was read back so far */
    uint64_t damaged_events;

    struct err put_trouble; /* what was told last */
    int64_t put_again_ms;
    struct err get_trouble;
    int64_t get_again_ms;
    int64_t full_told_ms; /* 0: never */
};

struct intake {
    struct intake_options options;
    struct intake_stats stats;
    struct budget memory; /* what its batches hold, here and in the engine */
    struct untold untold;
    struct spool spool; /* if it has a queue */
    int64_t now_ms;     /* of the last tick */
};

/* --- intake.c --- */

/* Settles a batch that goes no further, and frees it. */
void intake_drop(struct intake *in, struct batch *batch);
/* To the engine. */
void intake_pass_on(struct intake *in, struct batch *batch);

/* --- intake_queue.c: all of it only where there is a queue --- */

void spool_open(struct intake *in);
/* Would this batch have to be dropped? */
bool spool_is_full(const struct intake *in, const struct batch *batch);
void spool_offer(struct intake *in, struct batch *batch);
int64_t spool_tick(struct intake *in);
/* Batches wait for room in the queue. */
bool spool_has_waiting(const struct intake *in);
int spool_close(struct intake *in, struct err *e);

#endif
