/* The checkpoint store: where each stream goes on after a restart. SQLite, WAL, synchronous=FULL.
 *
 * Positions come from the tracker, after the acks; the newest of each stream is written in one
 * transaction, at most every CHECKPOINT_EVERY_MS, on a thread of its own; the first at once and the
 * next ones sooner, so that a ship that is killed again and again gets on, and knows which files it
 * met. Losing the last of them repeats events, whose ids make that harmless; it never loses one.
 * Owner:  the agent. Thread: all calls on the loop, but for open and close, which block. */
#ifndef SHIP_DELIVERY_CHECKPOINTS_H
#define SHIP_DELIVERY_CHECKPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/pool.h"

enum { CHECKPOINT_EVERY_MS = 250 };

/* What a row says: which bytes, how far, and the state there. */
struct checkpoint {
    const char *key;  /* unique: input kind, device, inode, generation */
    const char *path; /* as it was last seen */
    uint64_t position;
    uint64_t head_hash; /* of the first line; 0: not known yet */
    bool is_finished;   /* rotated away and read to its end, or gone */
    int64_t seen_s;     /* wall clock, for forgetting old rows */
    struct slice state; /* stream_state_save's */
};

struct checkpoints;

/* Makes directory and file, takes the lock that keeps a second ship out. NULL and *e (ERR_STORE).
 */
struct checkpoints *checkpoints_open(const char *directory, struct pool *writer, struct err *e);
/* Calls fn for each row, before anything was put. -1 and *e. */
typedef void checkpoint_fn(void *ctx, const struct checkpoint *c);
int checkpoints_each(struct checkpoints *s, checkpoint_fn *fn, void *ctx, struct err *e);
/* The same for what outputs have had of streams behind their positions (pipeline/had.h), as the
 * life before left it at its end. */
typedef void checkpoint_had_fn(void *ctx, const char *key, struct slice had);
int checkpoints_each_had(struct checkpoints *s, checkpoint_had_fn *fn, void *ctx, struct err *e);
/* Replaces that: forget all of it, then put what there is now, before the close, which writes it
 * together with the last positions. */
void checkpoints_forget_had(struct checkpoints *s);
void checkpoints_put_had(struct checkpoints *s, const char *key, struct slice had);
/* The newest word on this key; copied. */
void checkpoints_put(struct checkpoints *s, const struct checkpoint *c);
/* And of what outputs have had of it. */
void checkpoints_remove(struct checkpoints *s, const char *key);
/* What was put last should not wait its full time: a crash before it is written forgets that the
 * stream was ever met. */
void checkpoints_hurry(struct checkpoints *s);
/* Starts a write when one is due; returns when it wants to be called again. */
int64_t checkpoints_tick(struct checkpoints *s, int64_t now_ms);
/* What the last write said; ERR_NONE when it worked. */
const struct err *checkpoints_trouble(const struct checkpoints *s);
/* After the writer pool was freed: writes what is left, blocking; closes. NULL is fine. -1 and *e:
 * some did not get written. */
int checkpoints_close(struct checkpoints *s, struct err *e);

#endif
