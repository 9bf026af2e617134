/* The options of the regex parser: a user's own patterns.
 *
 * Named groups become fields. A group whose name is one that loggers use for what a record holds
 * (timestamp, level, message, request_id, trace_id, ...: parsers/json_names.c) fills the record.
 * A type may stand in the pattern, (?<latency:float>...), or in `types`.
 * Thread: read-only. */
#ifndef SHIP_PARSERS_REGEX_H
#define SHIP_PARSERS_REGEX_H

#include "shipper/base/option.h"

struct regex_options {
    struct option_list pattern; /* tried in their order; the first that matches counts */
    struct option_map types;    /* latency: float */
    int64_t match_limit;
};

#endif
