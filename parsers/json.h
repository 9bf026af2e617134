/* A JSON object on a line to a record: parser_json, and what parser_auto calls for such lines.
 *
 * Thread: a worker's. */
#ifndef SHIP_PARSERS_JSON_H
#define SHIP_PARSERS_JSON_H

#include <stdbool.h>

#include "parsers/parser.h"
#include "parsers/record.h"
#include "shipper/base/slice.h"

/* False, with *out reset, if the line is no JSON object. Bad encoding is repaired
 * (RECORD_REPAIRED); then the record's slices point into scratch->repaired. */
bool json_record_parse(struct slice line, struct parse_scratch *scratch, struct record *out);

/* The same for an object that stands within a line whose request is known by other means: a request
 * id in it stays one of its own keys, and it is never a platform event. *out is reset first. */
bool json_record_parse_within(struct slice text, struct parse_scratch *scratch, struct record *out);

#endif
