/* Lanes: one for each output; where open batches stand between the chunks that fill them.
 *
 * A worker takes an open batch off a lane's shelf (or makes one), appends a chunk's events, and
 * puts it back, or seals it: then it is packed, as a job of its own or, when the workers are
 * behind, at once, and comes to the loop through on_ready. Taking and putting back is all that is
 * locked: twice a chunk, never per event. Owner:  the agent. Thread: as said at each function. */
#ifndef SHIP_PIPELINE_LANES_H
#define SHIP_PIPELINE_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "shipper/base/clock.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pool.h"

/* A sealed (and packed, if the output wants it) batch, on the loop; takes it. */
typedef void lane_ready_fn(void *ctx, struct batch *batch);

struct lane_options {
    const struct output_ops *ops;
    const void *options; /* the output's; borrowed */
    struct batch_limits limits;
    const char *identity; /* who it is, in each life again, whatever its place among the outputs;
                             borrowed. NULL: that cannot be told */
};

struct lanes;

struct lanes *lanes_new(const struct lane_options *options, size_t n_lanes, struct pool *pool,
                        struct budget *budget, const struct clock *clock, lane_ready_fn *on_ready,
                        void *ctx, struct err *e);
size_t lanes_count(const struct lanes *l);
struct budget *lanes_budget(const struct lanes *l);
const struct lane_options *lanes_options(const struct lanes *l, size_t lane);

/* Worker: an open batch to append to. NULL when memory is out. */
struct batch *lanes_take(struct lanes *l, size_t lane);
/* Worker: gives it back; seals it if it is full. */
void lanes_put(struct lanes *l, struct batch *batch, struct worker *w);
/* Worker: it is full in the middle of a chunk: seals it, and takes another. */
struct batch *lanes_exchange(struct lanes *l, struct batch *batch, struct worker *w);

/* Loop: seals what is older than its linger (all of it if flush_all: memory is short). Returns when
 * the next one is due, on the clock's mono_ms; INT64_MAX if none is open. */
int64_t lanes_tick(struct lanes *l, int64_t now_ms, bool flush_all);
/* Loop: batches open, sealed or being packed. */
size_t lanes_pending(const struct lanes *l);
/* Frees open batches. */
void lanes_free(struct lanes *l);

#endif
