/* How an invocation ended: success, error, timeout, out of memory.
 *
 * Thread: any; pure. */
#ifndef SHIP_PIPELINE_OUTCOME_H
#define SHIP_PIPELINE_OUTCOME_H

#include "parsers/record.h"
#include "shipper/pipeline/correlate.h"

/* Remembers what a line of the request says about its end. */
void outcome_note_line(struct invocation *inv, const struct record *r);
/* Decides; `last` is the REPORT, or the timeout or exit line behind it. */
void outcome_decide(struct invocation *inv, const struct record *last);

#endif
