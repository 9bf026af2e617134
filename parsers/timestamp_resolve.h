/* From what a text says of a time to the moment that it means. Internal to parsers/timestamp*.c.
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_TIMESTAMP_RESOLVE_H
#define SHIP_PARSERS_TIMESTAMP_RESOLVE_H

#include <stdbool.h>

#include "parsers/timestamp.h"
#include "parsers/timestamp_civil.h"

/* Of formats in our own tables: a fraction behind '.' or ',', a zone; if they are there. */
#define TIMESTAMP_MAYBE_FRACTION "\1"
#define TIMESTAMP_MAYBE_ZONE "\2"

/* A zone that is not said is the rules', a year that is not said the one that brings the time near
 * c->near_ns. False for what is not in the calendar. Changes *t. */
bool timestamp_resolve(const struct time_context *c, struct civil *t, struct time_said *out);

#endif
