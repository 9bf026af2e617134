/* Is ship doing what it is for? Decided from a snapshot.
 *
 * Thread: any. */
#ifndef SHIP_OBSERVE_HEALTH_H
#define SHIP_OBSERVE_HEALTH_H

#include <stdbool.h>

#include "shipper/base/buffer.h"
#include "shipper/observe/snapshot.h"

enum { HEALTH_STALLED_MS = 60000 };

/* False: events wait for an output, and for so long none was settled. A line for each such output
 * is appended to *why: its name, for how long, what the last failure said. */
bool health_is_ready(const struct snapshot *s, struct buffer *why);

#endif
