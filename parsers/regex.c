/* A user's patterns: their options. regex_compile.c compiles one, regex_match.c applies them. */
#include "parsers/regex.h"

#include <stdio.h>
#include <stdlib.h>

#include "parsers/parser.h"
#include "parsers/regex_match.h"
#include "parsers/regex_types.h"

enum { PATTERN_MAX = 65536 };

static void regex_free(void *self)
{
    if (self)
        regex_set_fini(self);
    free(self);
}

/* "pattern", or of several "pattern[1]". */
static int at_pattern(const struct regex_options *o, size_t i, struct err *e)
{
    if (o->pattern.n_items == 1)
        return err_at(e, "pattern");
    return err_at(e, "pattern[%zu]", i);
}

static bool has_group(const struct regex *r, struct slice name)
{
    for (size_t i = 0; i < r->n_groups; i++)
        if (slice_eq(r->groups[i].name.key, name))
            return true;
    return false;
}

/* Those of the option, behind the pattern's own: the last counts. */
static int add_types(const struct regex_options *o, struct regex_types *types, struct err *e)
{
    for (size_t i = 0; i < o->types.n_items; i++) {
        struct typed_group group = {.name = slice_str(o->types.keys[i])};

        if (!group_type_parse(slice_str(o->types.values[i]), &group.type)) {
            err_set(e, ERR_CONFIG, "\"%.40s\" is not one of string, int, float, bool",
                    o->types.values[i]);
            return err_at(e, "types.%.40s", o->types.keys[i]);
        }
        if (regex_types_add(types, &group, e) < 0)
            return -1;
    }
    return 0;
}

static int check_types(const struct regex_options *o, const struct regex_set *set, struct err *e)
{
    for (size_t i = 0; i < o->types.n_items; i++) {
        bool is_there = false;

        for (size_t p = 0; p < set->n_patterns; p++)
            is_there |= has_group(&set->patterns[p], slice_str(o->types.keys[i]));
        if (is_there)
            continue;
        err_set(e, ERR_CONFIG, "the pattern has no group of that name");
        return err_at(e, "types.%.60s", o->types.keys[i]);
    }
    return 0;
}

/* PCRE2's words behind the place in the user's pattern. */
static int at_offset(const char *pattern, size_t at, struct err *e)
{
    char what[sizeof e->what];

    snprintf(what, sizeof what, "%s", e->what);
    return err_set(e, ERR_CONFIG, "at offset %zu: %.150s", regex_types_offset(pattern, at), what);
}

static int compile(const struct regex_options *o, const char *pattern, struct regex *r,
                   struct buffer *plain, struct regex_types *types, struct err *e)
{
    size_t at = SIZE_MAX;

    if (regex_types_take(pattern, plain, types, e) < 0 || add_types(o, types, e) < 0)
        return -1;
    if (regex_compile(r, buffer_slice(plain), 0, types, &at, e) < 0)
        return at == SIZE_MAX ? -1 : at_offset(pattern, at, e);
    if (r->n_groups == 0)
        return err_set(e, ERR_CONFIG,
                       "it has no named group, (?<name>...): nothing would become a field");
    return 0;
}

static int add_pattern(const struct regex_options *o, size_t i, struct regex *r, struct err *e)
{
    const char *pattern = o->pattern.items[i];
    struct buffer plain = {0};
    struct regex_types types = {NULL, 0};
    int rc;

    if (strlen(pattern) > PATTERN_MAX) {
        err_set(e, ERR_CONFIG, "it is longer than %d bytes", PATTERN_MAX);
        return at_pattern(o, i, e);
    }
    rc = compile(o, pattern, r, &plain, &types, e);
    buffer_free(&plain);
    regex_types_free(&types);
    return rc < 0 && !*e->where ? at_pattern(o, i, e) : rc;
}

static int build(const struct regex_options *o, struct regex_set *set, struct err *e)
{
    if (regex_set_init(set, o->pattern.n_items) < 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < o->pattern.n_items; i++)
        if (add_pattern(o, i, &set->patterns[i], e) < 0)
            return -1;
    set->match_limit = o->match_limit;
    return check_types(o, set, e);
}

static void *regex_make(const void *options, struct err *e)
{
    struct regex_set *set = calloc(1, sizeof *set);

    if (!set) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (build(options, set, e) == 0)
        return set;
    regex_free(set);
    return NULL;
}

static bool regex_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                        struct record *out)
{
    return regex_match(self, scratch, line, out);
}

static const struct option options[] = {
    {.name = "pattern",
     .type = OPTION_LIST,
     .offset = offsetof(struct regex_options, pattern),
     .is_required = true,
     .help = "PCRE2 pattern; named groups become fields, with a type if wanted: (?<ms:float>...); "
             "of several the first that matches"},
    {.name = "types",
     .type = OPTION_MAP,
     .offset = offsetof(struct regex_options, types),
     .help = "group: string, int, float or bool; for groups whose type is not in the pattern"},
    {.name = "match_limit",
     .type = OPTION_INT,
     .offset = offsetof(struct regex_options, match_limit),
     .fallback = "100000",
     .min = 1000,
     .max = 10000000,
     .help = "steps of a match after which the line stays text; fewer for very long lines"},
};

const struct parser_ops parser_regex = {
    .name = "regex",
    .help = "a pattern of yours (PCRE2); named groups become fields",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct regex_options)},
    .make = regex_make,
    .free = regex_free,
    .parse = regex_parse,
    .is_after_platform = true,
};
