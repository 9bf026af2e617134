/* The options of the regex parser: a user's own pattern.
 *
 * Named groups become fields; those with a known name fill the record (regex.c lists them).
 * Thread: read-only. */
#ifndef SHIP_PARSERS_REGEX_H
#define SHIP_PARSERS_REGEX_H

#include "shipper/base/option.h"

struct regex_options {
    const char *pattern;
    struct option_list types; /* "latency:float" */
    const char *time_format;  /* strptime's letters, or "rfc3339", "epoch"; NULL: tries both */
    int64_t match_limit;
};

#endif
