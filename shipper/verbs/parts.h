/* An agent's parts, as far as its decisions ask them: without inputs, which are of many kinds, and
 * without the loop. The simulator's ship has the same parts.
 *
 * Owner:  the agent, which fills it in on the fly; all is borrowed. Thread: the loop's. */
#ifndef SHIP_VERBS_PARTS_H
#define SHIP_VERBS_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/delivery/intake.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/budget.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/verbs/ending.h"

struct parts {
    struct budget *budget;
    const struct tracker *tracker;
    const struct lanes *lanes;
    struct engine *engine;
    struct intake *const *intakes; /* one for each output */
    size_t n_outputs;
};

/* Everything in them, once. An output that is full and must not lose anything stops reading, for
 * all outputs. When the next wants to be called. */
int64_t parts_tick_intakes(const struct parts *p, int64_t now_ms);
/* Open batches must not wait for their linger when nothing more is being read, or when it is they
 * that hold the room that reading waits for. */
bool parts_is_flush_due(const struct parts *p, bool is_read_out);
/* What they say of an end; the rest of *f is the caller's to fill in, before. *why: of the engine's
 * state. */
void parts_look(const struct parts *p, const struct ending *e, int64_t now_ms,
                struct ending_facts *f, struct err *why);

#endif
