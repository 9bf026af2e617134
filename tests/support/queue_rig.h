/* A rig for the disk queue: one on a disk in memory (or another), with no threads, and batches that
 * are made out of a tag and known again by it.
 *
 * Thread: one. */
#ifndef SHIP_TESTS_SUPPORT_QUEUE_RIG_H
#define SHIP_TESTS_SUPPORT_QUEUE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"
#include "tests/support/memory_disk.h"

enum { QUEUE_RIG_TAGS = 4096, QUEUE_RIG_ITEMS = 3, QUEUE_RIG_CHUNKS = 128 };

struct queue_rig {
    struct memory_disk disk;
    struct queue_options options; /* of the next rig_open */
    struct pool *writer;
    struct budget budget;
    struct tracker tracker;
    struct queue *queue;
    int64_t now_ms;
    struct err why; /* of what failed last */
    struct buffer log;

    struct stream streams[2];
    struct chunk chunks[QUEUE_RIG_CHUNKS][2]; /* of a batch, by its tag */

    bool keeps; /* each batch that is put stays in memory, until queue_rig_settle_kept */
    uint64_t kept[64];
    unsigned n_kept;
    uint64_t number[QUEUE_RIG_TAGS]; /* a batch of that tag is durable as */
    unsigned n_got[QUEUE_RIG_TAGS];  /* so often read back */
    struct queue_record *got;        /* the last that queue_rig_get answered; NULL */
    unsigned got_tag;
    bool has_answer;
};

void queue_rig_init(struct queue_rig *r);
/* Checks that the budget is given back. */
void queue_rig_fini(struct queue_rig *r);
/* False: r->why. */
bool queue_rig_open(struct queue_rig *r);
/* The same with a writer that is a thread, for a test that reaps by itself. */
bool queue_rig_open_threads(struct queue_rig *r);
/* In order; true if queue_close said that all is well. */
bool queue_rig_close(struct queue_rig *r);
/* As SIGKILL: what comes now does not reach the disk. */
void queue_rig_kill(struct queue_rig *r);

/* `bytes` of body, about. */
struct batch *queue_rig_batch(struct queue_rig *r, unsigned tag, size_t bytes);
/* Without a reap: several may wait for one fsync. */
void queue_rig_put(struct queue_rig *r, unsigned tag, size_t bytes);
void queue_rig_reap(struct queue_rig *r);
/* One record into r->got; checks that it is what was put. False: there was none, or r->why. */
bool queue_rig_get(struct queue_rig *r);
/* In two steps: r->has_answer, once it was reaped. */
void queue_rig_start_get(struct queue_rig *r);
/* Frees what was got last; its number. */
uint64_t queue_rig_drop_got(struct queue_rig *r);
/* Gets and settles until there is no more; how many. */
unsigned queue_rig_drain(struct queue_rig *r);
void queue_rig_settle_kept(struct queue_rig *r);
/* Lets so much time pass, in steps. */
void queue_rig_run(struct queue_rig *r, int64_t ms);
/* Is the text in the log? */
bool queue_rig_said(const struct queue_rig *r, const char *text);

#endif
