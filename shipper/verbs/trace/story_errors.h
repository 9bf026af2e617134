/* What went wrong in a story, and where in the code.
 *
 * Thread: any; pure. */
#ifndef SHIP_VERBS_TRACE_STORY_ERRORS_H
#define SHIP_VERBS_TRACE_STORY_ERRORS_H

#include "shipper/base/slice.h"
#include "shipper/verbs/trace/story.h"

/* Fills s->errors: a row for each invocation that failed; if none did, for each that logged an
 * error. Sets s->failed when memory is out. */
void story_find_errors(struct story *s);

/* The place that a stack trace names as its origin, into `arena`: "/var/task/app.py:27 in charge",
 * "charge (/var/task/index.js:10:5)"; empty if it is none that we can read. */
struct slice stack_origin(struct slice stack, struct arena *arena);

#endif
