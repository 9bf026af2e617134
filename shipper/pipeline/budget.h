/* limits.memory: how many bytes of events are held, from read to acknowledgement.
 *
 * Before reading, the loop asks for a chunk and what it may grow into; no room, no read. What the
 * encoder makes of it is then counted as it is, so the sum is true at every moment.
 * Thread: any, two atomic counters; trying and shutting are the loop's. */
#ifndef SHIP_PIPELINE_BUDGET_H
#define SHIP_PIPELINE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct budget {
    int64_t limit_bytes;
    _Atomic int64_t held_bytes;
    _Atomic int64_t peak_bytes;
    struct budget *whole; /* what this is a part of; NULL: of nothing */
    bool is_shut;         /* the loop's: nothing is given out ... */
    bool has_refused;     /* ... and budget_try said no */
};

void budget_init(struct budget *b, int64_t limit_bytes);
/* What one output holds of it: what is added here is added to `whole` too. */
void budget_init_part(struct budget *b, struct budget *whole, int64_t limit_bytes);
/* Takes the bytes if they fit; nothing held means that anything fits, so that a single batch larger
 * than the limit still moves. */
bool budget_try(struct budget *b, int64_t bytes);
/* Shut: budget_try refuses, whatever is held. */
void budget_shut(struct budget *b, bool is_shut);
/* Did budget_try refuse since this was last asked? Somebody waits for room. */
bool budget_has_refused(struct budget *b);
/* Takes (or, negative, gives back) without asking. */
void budget_add(struct budget *b, int64_t bytes);
int64_t budget_held(const struct budget *b);

#endif
