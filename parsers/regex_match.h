/* Compiled patterns, and a line held against them. Internal to parsers/regex*.c and grok*.c.
 *
 * Owner:  the parser that compiled them; regex_set_fini.
 * Thread: workers; patterns are read-only, what a match writes is the scratch's. */
#ifndef SHIP_PARSERS_REGEX_MATCH_H
#define SHIP_PARSERS_REGEX_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "parsers/fill.h"
#include "parsers/parser.h"
#include "parsers/regex_types.h"

struct group {
    struct fill_name name; /* its key is in the compiled pattern, or in the configuration */
    uint32_t number;
};

struct regex {
    pcre2_code *code;
    struct group *groups; /* the named ones, as they stand in the pattern */
    size_t n_groups;
    uint32_t n_pairs;    /* of offsets that a match gives */
    bool is_anchored;    /* it is tried at the start of the line only */
    bool may_start[256]; /* the bytes that a match can begin with; all if that is not known */
};

struct regex_set {
    struct regex *patterns;
    size_t n_patterns;
    int64_t match_limit;
};

/* Room for n patterns, of which none is compiled. -1: memory is out. */
int regex_set_init(struct regex_set *set, size_t n);
void regex_set_fini(struct regex_set *set);

/* Compiles *r. `types` says which field a group fills, and of what type; a group that it does not
 * name fills the field of its own name. -1 and *e->what; if PCRE2 refused it, *at is the byte of
 * `plain`, else SIZE_MAX. flags: more of PCRE2's. */
int regex_compile(struct regex *r, struct slice plain, uint32_t flags,
                  const struct regex_types *types, size_t *at, struct err *e);

/* The groups of the first pattern that matches into *out; with RECORD_MATCH_LIMIT and nothing else
 * where a pattern's limits were hit and no other matched. False: none matches, or memory is out. */
bool regex_match(const struct regex_set *set, struct parse_scratch *scratch, struct slice line,
                 struct record *out);

#endif
