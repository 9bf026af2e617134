/* Intake: what happens to a sealed batch before the engine has it.
 *
 * One for each output. It counts what comes in, holds the output to its share of the memory, puts
 * batches into the output's disk queue, reads them back when there is room, and, if so configured,
 * drops and counts what does not fit. So an output that is stuck holds up no other, as far as its
 * configuration (on_full) allows.
 *
 *   lanes ──▶ intake ──▶ engine                                   no queue
 *               ├─ put ─▶ queue (durable: the chunks are settled here, positions move)
 *               │           │ kept in memory if its share has room, else
 *               └──◀─ get ──┘ read back later ──▶ engine            with a queue
 *
 * Owner:  the agent. Thread: the loop's only. */
#ifndef SHIP_DELIVERY_INTAKE_H
#define SHIP_DELIVERY_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/batch.h"

struct engine;
struct queue;
struct queue_stats;
struct stream;

/* In the order of the option's choices (config/common_options.c). */
enum on_full {
    ON_FULL_AUTO,  /* what the configuration makes spill of where there is a queue, else block */
    ON_FULL_BLOCK, /* hold it; reading stops, for all outputs, when its share is used up */
    ON_FULL_DROP,  /* drop the batch, and count its events; with a queue, when that is full */
    ON_FULL_SPILL, /* to the disk queue; reading stops when that is full */
};

struct intake_options {
    unsigned output; /* its index */
    const char *name;
    enum on_full on_full;
    int64_t memory_bytes; /* share of limits.memory that its batches may hold; one always may */
    struct queue *queue;  /* NULL: none. Owned */
    bool keeps_order;     /* nothing overtakes what is in the queue */
    bool doubles;         /* what is sent twice is there twice (engine.h) */
    struct budget *budget;
    struct tracker *tracker;
    struct engine *engine;
    void (*log)(void *ctx, const struct err *what);
    void *log_ctx;
};

struct intake_stats {
    uint64_t events_in;     /* of batches from the lanes, and of the queue's earlier life */
    uint64_t dropped;       /* events; those that were damaged in the queue, too */
    uint64_t dropped_bytes; /* plain, of their documents */
    uint64_t queued_events; /* neither dropped nor with the engine: on disk, or on the way there */
    int64_t held_bytes;     /* in memory, from intake to verdict */
    bool is_full;           /* it would block, spill or drop now */
};

struct intake;

/* Copies the options; `name` is borrowed. NULL and *e: out of memory (the queue is the caller's
 * still). */
struct intake *intake_new(const struct intake_options *options, struct err *e);
/* A ready batch from the lanes; takes it. */
void intake_offer(struct intake *in, struct batch *batch);
/* Moves batches on; returns when it wants to be called again. */
int64_t intake_tick(struct intake *in, int64_t now_ms);
/* May inputs read on? False: this output blocks them (its queue is full, and it does not drop). */
bool intake_is_open(const struct intake *in);
/* Nothing here that is not durable or with the engine. */
bool intake_is_idle(const struct intake *in);
/* The tracker settled all events of a stand-in's chunk (tracker_moved_fn; stream->is_stand_in):
 * some intake's, which is found through it. */
void intake_settled(struct stream *stream);
/* Nothing more is read back from the queue, nor kept beside it: ship is about to stop. */
void intake_stop(struct intake *in);
/* Chunks of the tracker that are stand-ins: durable, and with the engine. */
uint64_t intake_stand_ins(const struct intake *in);
const struct intake_stats *intake_stats(const struct intake *in);
/* Of its queue; NULL: it has none. */
const struct queue_stats *intake_queue_stats(const struct intake *in);
/* After sinks and pools are closed. -1 and *e when what was settled could not be remembered. */
int intake_free(struct intake *in, struct err *e);

#endif
