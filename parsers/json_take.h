/* One JSON value into its place in the record.
 *
 * Thread: a worker's. Internal to parsers/json.c. */
#ifndef SHIP_PARSERS_JSON_TAKE_H
#define SHIP_PARSERS_JSON_TAKE_H

#include <stdbool.h>

#include "parsers/json_names.h"
#include "parsers/json_scan.h"
#include "parsers/parser.h"
#include "parsers/record.h"

/* False, with the record as it was, if the value is not what the slot means (a time that is none):
 * it is then one of the application's own. Uses scratch->third. */
bool json_take(enum json_slot slot, const struct json_member *m, struct parse_scratch *scratch,
               struct record *out);

/* The member as a field's value: strings escaped as they stand, what is unsafe as text. */
struct value json_member_value(const struct json_member *m);

#endif
