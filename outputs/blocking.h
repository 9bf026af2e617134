/* A sink whose writing blocks: its batches are written one at a time, on a thread of its own.
 *
 * Shared by the outputs that write files and pipes (stdout, local).
 * Owner:  blocking_new makes the struct sink; the output's own state is in `self`.
 * Thread: write runs on the sink's thread, everything else on the loop. */
#ifndef SHIP_OUTPUTS_BLOCKING_H
#define SHIP_OUTPUTS_BLOCKING_H

#include "outputs/output.h"

struct blocking_ops {
    /* Writes the batch and fills *reply (zeroed, retry_after_ms -1;
     * verdicts has room for n_items). A batch that comes again after SINK_RETRY is the same one. */
    void (*write)(void *self, struct batch *batch, struct sink_reply *reply);
    /* For `ship check`: 0 or -1 and *e. On the loop. May be NULL. */
    int (*probe)(void *self, struct err *e);
    /* On the loop, before the end: a write that waits must come back soon, and say what of the
     * batch it has written. May be NULL. */
    void (*stop)(void *self);
    void (*close)(void *self);
};

/* Takes self, also when it fails (then self is closed). `where` is copied. NULL and *e. */
struct sink *blocking_new(const struct blocking_ops *ops, void *self, const char *where,
                          const struct sink_world *world, struct err *e);

/* For struct output_ops. */
unsigned blocking_max_in_flight(const struct sink *sink);
void blocking_send(struct sink *sink, struct batch *batch, sink_done_fn *done, void *ctx);
void blocking_probe(struct sink *sink, sink_probe_fn *done, void *ctx);
const char *blocking_where(const struct sink *sink);
void blocking_finish(struct sink *sink);
void blocking_close(struct sink *sink);

#endif
