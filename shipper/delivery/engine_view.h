/* What the delivery engine is doing at this moment, for metrics and health: counted when asked.
 *
 * Thread: the loop's. Cost: a step for each batch that the output has. */
#ifndef SHIP_DELIVERY_ENGINE_VIEW_H
#define SHIP_DELIVERY_ENGINE_VIEW_H

#include <stddef.h>
#include <stdint.h>

struct engine;
struct err;

/* Why a batch is where it is. */
enum batch_place {
    BATCH_READY,    /* goes when there is a request free */
    BATCH_SENDING,  /* with the far side */
    BATCH_RETRYING, /* was refused, and waits for its own turn; others flow */
    BATCH_FAILING,  /* the output as a whole does not answer, or has no room */
    BATCH_HOLDING,  /* somebody must mend the far side: credentials, read-only */
    BATCH_ASIDE,    /* being taken apart, or written to the dead letters */
    BATCH_PLACES,
};

struct engine_view {
    uint64_t batches[BATCH_PLACES];
    int64_t oldest_ms;  /* how long ago the oldest event in them was read; 0: there is none */
    int64_t stalled_ms; /* events wait, and for so long none was settled; 0: all is well */
    const struct err *trouble; /* what the last failure said, while there is one; else NULL */
};

void engine_view(const struct engine *en, size_t output, int64_t now_ms, struct engine_view *out);

#endif
