/* The text of a regex's group into its place in the record.
 *
 * Thread: any; pure. Internal to parsers/regex.c. */
#ifndef SHIP_PARSERS_REGEX_FILL_H
#define SHIP_PARSERS_REGEX_FILL_H

#include "parsers/json_names.h"
#include "parsers/parser.h"
#include "parsers/record.h"
#include "parsers/regex_types.h"

/* "rfc3339", "epoch", or strptime's letters, which must give a day. -1 and *e if it does not. */
int regex_check_time_format(const char *format, struct err *e);

/* False, with the record as it was, if the text is not what the slot means: it is then a field. */
bool regex_fill(enum json_slot slot, const struct time_context *times, struct slice text,
                struct record *out);

/* A number or truth value of its type goes into the document as such; what is none stays text:
 * nothing is lost, nothing refused. */
struct value regex_typed(enum group_type type, struct slice text);

#endif
