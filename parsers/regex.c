/* A user's pattern, compiled with PCRE2 and its JIT; regex_match.c applies it. */
#include "parsers/regex.h"

#include <stdlib.h>

#include "parsers/lambda.h"
#include "parsers/parser.h"
#include "parsers/regex_fill.h"
#include "parsers/regex_match.h"
#include "parsers/regex_types.h"

enum { PATTERN_MAX = 65536 };

static void regex_free(void *self)
{
    struct regex *r = self;

    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r->groups);
    free(r);
}

static void mark(struct regex *r, uint32_t byte)
{
    if (byte < 256)
        r->may_start[byte] = true;
}

/* What a long line's limits depend on: at how many of its bytes a match is tried. */
static void note_starts(struct regex *r)
{
    uint32_t options = 0;
    uint32_t type = 0;
    uint32_t first = 0;
    const uint8_t *map = NULL;

    pcre2_pattern_info(r->code, PCRE2_INFO_ALLOPTIONS, &options);
    pcre2_pattern_info(r->code, PCRE2_INFO_FIRSTCODETYPE, &type);
    pcre2_pattern_info(r->code, PCRE2_INFO_FIRSTCODEUNIT, &first);
    pcre2_pattern_info(r->code, PCRE2_INFO_FIRSTBITMAP, (void *)&map);
    r->is_anchored = (options & PCRE2_ANCHORED) || type == 2; /* 2: at a line's start only */
    if (type == 1) { /* one byte; in either case, since it is not told whether case matters */
        mark(r, first);
        if ((first | 0x20) >= 'a' && (first | 0x20) <= 'z')
            mark(r, first ^ 0x20);
        return;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        if (!map || map[byte / 8] & 1u << (byte & 7))
            mark(r, byte);
}

static int compile(struct regex *r, struct slice plain, struct err *e)
{
    /* Lines may be no UTF-8: with this flag what is none simply does not match a character. */
    static const uint32_t flags =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR text[120];
    uint32_t captures = 0;

    r->code = pcre2_compile((PCRE2_SPTR)plain.ptr, plain.len, flags, &code, &at, NULL);
    if (!r->code) {
        pcre2_get_error_message(code, text, sizeof text);
        err_set(e, ERR_CONFIG, "at offset %zu: %s", regex_types_offset(r->options->pattern, at),
                text);
        return err_at(e, "pattern");
    }
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without JIT it is slower, nothing else */
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &captures);
    r->n_pairs = captures + 1;
    note_starts(r);
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const struct group *x = a;
    const struct group *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* As for JSON keys; but "event", a message there, is the user's own here, and "request_id", which
 * there may be anybody's, is the request. */
static enum json_slot slot_of(struct slice name)
{
    const struct json_name *known = json_name_find(name);

    if (slice_is(name, "request_id"))
        return JSON_SLOT_REQUEST_ID;
    if (!known || (known->slot == JSON_SLOT_MESSAGE && known->rank > 2))
        return JSON_SLOT_NONE;
    return (enum json_slot)known->slot;
}

/* PCRE2's table of names: two bytes of number, then the name, in entries of one size. */
static int list_groups(struct regex *r, struct err *e)
{
    uint32_t n = 0;
    uint32_t size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &n);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
    if (n == 0) {
        err_set(e, ERR_CONFIG, "it has no named group, (?<name>...): nothing would become a field");
        return err_at(e, "pattern");
    }
    r->groups = calloc(n, sizeof *r->groups);
    if (!r->groups)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++, table += size) {
        struct group *g = &r->groups[r->n_groups++];

        g->number = (uint32_t)table[0] << 8 | table[1];
        g->name = slice_str((const char *)table + 2);
        g->slot = slot_of(g->name);
    }
    /* The table is in the order of names. */
    for (uint32_t i = 1; i < n; i++)
        r->has_twins |= slice_eq(r->groups[i - 1].name, r->groups[i].name);
    qsort(r->groups, n, sizeof *r->groups, by_number);
    return 0;
}

/* A group with a type is one of the user's own, whatever its name. */
static bool set_type(struct regex *r, struct slice name, enum group_type type)
{
    bool is_there = false;

    for (size_t i = 0; i < r->n_groups; i++)
        if (slice_eq(r->groups[i].name, name)) {
            r->groups[i].type = type;
            if (type != GROUP_STRING)
                r->groups[i].slot = JSON_SLOT_NONE;
            is_there = true;
        }
    return is_there;
}

static int set_types(struct regex *r, const struct regex_types *within, struct err *e)
{
    const struct option_map *types = &r->options->types;
    enum group_type type;

    for (size_t i = 0; i < within->n_groups; i++)
        set_type(r, within->groups[i].name, within->groups[i].type);
    for (size_t i = 0; i < types->n_items; i++) {
        if (!group_type_parse(slice_str(types->values[i]), &type)) {
            err_set(e, ERR_CONFIG, "\"%.40s\" is not one of string, int, float, bool",
                    types->values[i]);
            return err_at(e, "types.%.40s", types->keys[i]);
        }
        if (!set_type(r, slice_str(types->keys[i]), type)) {
            err_set(e, ERR_CONFIG, "the pattern has no group of that name");
            return err_at(e, "types.%.60s", types->keys[i]);
        }
    }
    return 0;
}

static int build(struct regex *r, struct buffer *plain, struct regex_types *within, struct err *e)
{
    if (strlen(r->options->pattern) > PATTERN_MAX) {
        err_set(e, ERR_CONFIG, "it is longer than %d bytes", PATTERN_MAX);
        return err_at(e, "pattern");
    }
    if (regex_types_take(r->options->pattern, plain, within, e) < 0)
        return err_at(e, "pattern");
    if (regex_check_time_format(r->options->time_format, e) < 0 ||
        compile(r, buffer_slice(plain), e) < 0 || list_groups(r, e) < 0)
        return -1;
    return set_types(r, within, e);
}

static void *regex_make(const void *options, struct err *e)
{
    struct regex *r = calloc(1, sizeof *r);
    struct buffer plain = {0};
    struct regex_types within = {NULL, 0};

    if (!r) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    r->options = options;
    if (build(r, &plain, &within, e) < 0) {
        regex_free(r);
        r = NULL;
    }
    buffer_free(&plain);
    regex_types_free(&within);
    return r;
}

static bool regex_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                        struct record *out)
{
    /* The platform's lines are not the user's, whatever the pattern: they say whose the others are.
     */
    return lambda_platform_parse(line, out) || regex_match(self, scratch, line, out);
}

static const struct option options[] = {
    {.name = "pattern",
     .type = OPTION_STRING,
     .offset = offsetof(struct regex_options, pattern),
     .is_required = true,
     .help = "PCRE2 pattern; named groups become fields, with a type if wanted: (?<ms:float>...)"},
    {.name = "types",
     .type = OPTION_MAP,
     .offset = offsetof(struct regex_options, types),
     .help = "group: string, int, float or bool; for groups whose type is not in the pattern"},
    {.name = "time_format",
     .type = OPTION_STRING,
     .offset = offsetof(struct regex_options, time_format),
     .help =
         "of the group timestamp, time or ts: strptime's letters (%f a fraction), rfc3339, epoch"},
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
};
