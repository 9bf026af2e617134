/* A compiled pattern, and a line held against it. Internal to parsers/regex*.c.
 *
 * Thread: workers; the pattern is read-only, what a match writes is the scratch's. */
#ifndef SHIP_PARSERS_REGEX_MATCH_H
#define SHIP_PARSERS_REGEX_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "parsers/json_names.h"
#include "parsers/parser.h"
#include "parsers/regex.h"
#include "parsers/regex_types.h"

struct group {
    struct slice name; /* in the compiled pattern */
    uint32_t number;
    enum json_slot slot;
    enum group_type type;
};

struct regex {
    const struct regex_options *options;
    pcre2_code *code;
    struct group *groups; /* the named ones, as they stand in the pattern */
    size_t n_groups;
    uint32_t n_pairs;    /* of offsets that a match gives */
    bool is_anchored;    /* it is tried at the start of the line only */
    bool may_start[256]; /* the bytes that a match can begin with; all if that is not known */
    bool has_twins;      /* (?J): several groups of one name */
};

/* The groups into *out; with RECORD_MATCH_LIMIT and nothing else where the limits were hit. False:
 * the pattern does not match, or memory is out. */
bool regex_match(const struct regex *r, struct parse_scratch *scratch, struct slice line,
                 struct record *out);

#endif
