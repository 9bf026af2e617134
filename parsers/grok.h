/* The options of the grok parser: patterns made of named ones, %{IP:source.ip} %{NUMBER:ms:float}.
 *
 * They are PCRE2 otherwise, and what a field's name means is as in parsers/fill.h.
 * Thread: read-only. */
#ifndef SHIP_PARSERS_GROK_H
#define SHIP_PARSERS_GROK_H

#include "shipper/base/option.h"

struct grok_options {
    struct option_list match;   /* tried in their order; the first that matches counts */
    struct option_map patterns; /* NAME: pattern, of the user's own; before the library's */
    int64_t match_limit;
};

#endif
