/* Names and values of a line: `level=info msg="two words"`. What logfmt and kv share.
 *
 * Thread: any; rules are read-only once made. */
#ifndef SHIP_PARSERS_PAIRS_H
#define SHIP_PARSERS_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/parser.h"
#include "shipper/base/slice.h"

enum {
    PAIRS_MAX = 512, /* of one line; a line with more is none of pairs */
    PAIRS_KEY_MAX = 256,
    PAIRS_PREFIX_MAX = 64,
};

struct pair_rules {
    bool separates[256]; /* between pairs */
    bool assigns[256];   /* between a name and its value */
    bool quotes[256];    /* around a value; closed by itself */
    /* Every word is a name, and nothing else stands in the line: else words that are no pairs are
     * passed over. */
    bool is_strict;
    struct slice prefix; /* of the application's own names; JSON-escaped */
};

/* The line's pairs into the record. False: there are none, it is not of this form, or memory is
 * out. */
bool pairs_parse(const struct pair_rules *rules, struct parse_scratch *scratch, struct slice line,
                 struct record *out);

#endif
