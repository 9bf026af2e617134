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

struct intake {
    struct intake_options options;
    struct intake_stats stats;
    struct budget memory; /* what its batches hold, here and in the engine */
    struct untold untold;
};

/* Settles a batch that goes no further, and frees it. */
void intake_drop(struct intake *in, struct batch *batch);
/* To the engine. */
void intake_pass_on(struct intake *in, struct batch *batch);

#endif
