/* A user's pattern: PCRE2 with JIT, bounded, so that no pattern and no line can hang ship. */
#include "parsers/regex.h"

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "parsers/level.h"
#include "parsers/parser.h"
#include "parsers/timestamp.h"
#include "parsers/trace_context.h"

enum { PATTERN_MAX = 65536, HEAP_LIMIT_KIB = 4096, JIT_STACK_MAX = 512 * 1024 };

enum group_type { GROUP_STRING, GROUP_INT, GROUP_FLOAT, GROUP_BOOL };

/* What a group of a known name fills. */
enum group_role {
    ROLE_FIELD,
    ROLE_TIME,
    ROLE_LEVEL,
    ROLE_MESSAGE,
    ROLE_REQUEST,
    ROLE_TRACE,
    ROLE_SPAN,
    ROLE_SERVICE,
    ROLE_LOGGER,
    ROLE_ERROR_TYPE,
    ROLE_ERROR_MESSAGE,
    ROLE_FUNCTION,
};

static const struct {
    const char *name;
    enum group_role role;
} roles[] = {
    {"timestamp", ROLE_TIME},
    {"time", ROLE_TIME},
    {"ts", ROLE_TIME},
    {"level", ROLE_LEVEL},
    {"severity", ROLE_LEVEL},
    {"message", ROLE_MESSAGE},
    {"msg", ROLE_MESSAGE},
    {"request_id", ROLE_REQUEST},
    {"requestId", ROLE_REQUEST},
    {"trace_id", ROLE_TRACE},
    {"span_id", ROLE_SPAN},
    {"service", ROLE_SERVICE},
    {"logger", ROLE_LOGGER},
    {"error_type", ROLE_ERROR_TYPE},
    {"error_message", ROLE_ERROR_MESSAGE},
    {"function_name", ROLE_FUNCTION},
};

struct group {
    struct slice name; /* in the compiled pattern */
    uint32_t number;
    enum group_role role;
    enum group_type type;
};

struct regex {
    const struct regex_options *options;
    pcre2_code *code;
    pcre2_match_context *limits;
    struct group *groups;
    size_t n_groups;
};

static void regex_free(void *self)
{
    struct regex *r = self;

    if (!r)
        return;
    pcre2_code_free(r->code);
    pcre2_match_context_free(r->limits);
    free(r->groups);
    free(r);
}

/* --- compiling --- */

static int compile(struct regex *r, struct err *e)
{
    int code;
    PCRE2_SIZE at;
    PCRE2_UCHAR text[160];
    size_t len = strlen(r->options->pattern);

    if (len > PATTERN_MAX)
        return err_set(e, ERR_CONFIG, "the pattern is longer than %d bytes", PATTERN_MAX);
    /* Lines may be no UTF-8: with this flag what is none simply does not match a character. */
    r->code = pcre2_compile((PCRE2_SPTR)r->options->pattern, len,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, &code,
                            &at, NULL);
    if (!r->code) {
        pcre2_get_error_message(code, text, sizeof text);
        err_set(e, ERR_CONFIG, "at offset %zu of the pattern: %s", (size_t)at, text);
        return err_at(e, "pattern");
    }
    pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without JIT it is slower, nothing else */
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits)
        return err_set(e, ERR_NOMEM, "out of memory");
    pcre2_set_match_limit(r->limits, (uint32_t)r->options->match_limit);
    pcre2_set_heap_limit(r->limits, HEAP_LIMIT_KIB);
    return 0;
}

static enum group_role role_of(struct slice name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (slice_is(name, roles[i].name))
            return roles[i].role;
    return ROLE_FIELD;
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
    r->groups = calloc(n ? n : 1, sizeof *r->groups);
    if (!r->groups)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++, table += size) {
        struct group *g = &r->groups[r->n_groups++];

        g->number = (uint32_t)table[0] << 8 | table[1];
        g->name = slice_str((const char *)table + 2);
        g->role = role_of(g->name);
    }
    return 0;
}

static int set_type(struct regex *r, const char *text, struct err *e)
{
    static const char *const names[] = {"string", "int", "float", "bool"};
    const char *colon = strrchr(text, ':');

    for (int type = 0; colon && type < 4; type++) {
        bool is_known = false;

        if (strcmp(colon + 1, names[type]) != 0)
            continue;
        for (size_t i = 0; i < r->n_groups; i++)
            if (slice_eq(r->groups[i].name, slice_of(text, (size_t)(colon - text)))) {
                r->groups[i].type = (enum group_type)type;
                is_known = true;
            }
        return is_known ? 0
                        : err_set(e, ERR_CONFIG, "the pattern has no group \"%.*s\"",
                                  (int)(colon - text), text);
    }
    return err_set(e, ERR_CONFIG, "\"%s\" is not NAME:TYPE with one of string, int, float, bool",
                   text);
}

static bool is_word(const char *format, const char *word)
{
    return strcmp(format, word) == 0;
}

static int check_time_format(const char *format, struct err *e)
{
    char bad;

    if (!format || is_word(format, "rfc3339") || is_word(format, "epoch") ||
        timestamp_format_is_known(format, &bad))
        return 0;
    err_set(e, ERR_CONFIG, "%%%c is not known", bad ? bad : ' ');
    return err_at(e, "time_format");
}

static void *regex_make(const void *options, struct err *e)
{
    struct regex *r = calloc(1, sizeof *r);

    if (!r) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    r->options = options;
    if (check_time_format(r->options->time_format, e) < 0 || compile(r, e) < 0 ||
        list_groups(r, e) < 0)
        goto fail;
    for (size_t i = 0; i < r->options->types.n_items; i++)
        if (set_type(r, r->options->types.items[i], e) < 0) {
            err_at(e, "types[%zu]", i);
            goto fail;
        }
    return r;

fail:
    regex_free(r);
    return NULL;
}

/* --- matching --- */

static bool parse_time(const struct regex *r, struct slice s, int64_t *ns)
{
    const char *format = r->options->time_format;

    if (!format)
        return timestamp_parse(s, ns) || timestamp_parse_epoch(s, ns);
    if (is_word(format, "rfc3339"))
        return timestamp_parse(s, ns);
    if (is_word(format, "epoch"))
        return timestamp_parse_epoch(s, ns);
    return timestamp_parse_format(s, format, ns);
}

/* The grammar of a JSON number: what stands there goes into the document as it is. */
static bool is_json_number(struct slice s, bool is_integer)
{
    size_t at = s.len && *s.ptr == '-';
    size_t from = at;

    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    if (at == from || (s.ptr[from] == '0' && at > from + 1) || at - from > 18)
        return false;
    if (at == s.len || is_integer)
        return at == s.len;
    if (s.ptr[at++] != '.')
        return false;
    from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at > from && at == s.len;
}

static struct value typed(enum group_type type, struct slice s)
{
    bool is_literal = type == GROUP_BOOL
                          ? slice_is(s, "true") || slice_is(s, "false")
                          : type != GROUP_STRING && is_json_number(s, type == GROUP_INT);

    /* What is not of its type stays text: nothing is lost, nothing refused. */
    return (struct value){s, is_literal ? VALUE_JSON : VALUE_TEXT};
}

static bool set_level(struct slice s, struct record *out)
{
    out->level = level_parse(s);
    if (out->level == LEVEL_NONE)
        out->level_text = s;
    return true;
}

/* True if the group's text went into the record; else it becomes a field. */
static bool fill(const struct regex *r, enum group_role role, struct slice s, struct record *out)
{
    switch (role) {
    case ROLE_FIELD:
        return false;
    case ROLE_TIME:
        return out->has_time = parse_time(r, s, &out->time_ns);
    case ROLE_LEVEL:
        return set_level(s, out);
    case ROLE_MESSAGE:
        out->message = value_text(s);
        return true;
    case ROLE_REQUEST:
        out->request_id = s;
        return true;
    case ROLE_TRACE:
        return trace_parse_id(s, out) || trace_parse_xray(s, out) ||
               trace_parse_traceparent(s, out);
    case ROLE_SPAN:
        return trace_parse_span_id(s, out);
    case ROLE_SERVICE:
        out->service_name = value_text(s);
        return true;
    case ROLE_LOGGER:
        out->logger = value_text(s);
        return true;
    case ROLE_ERROR_TYPE:
        out->error_type = value_text(s);
        return true;
    case ROLE_ERROR_MESSAGE:
        out->error_message = value_text(s);
        return true;
    case ROLE_FUNCTION:
        out->faas_name = value_text(s);
        return true;
    }
    return false;
}

static bool take_groups(const struct regex *r, struct parse_scratch *scratch, struct slice line,
                        int n_set, struct record *out)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch->match);
    struct field *fields = parse_scratch_fields(scratch, r->n_groups);

    if (!fields && r->n_groups)
        return false;
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct group *g = &r->groups[i];
        PCRE2_SIZE from = at[2 * g->number];
        struct slice s;

        if ((int)g->number >= n_set || from == PCRE2_UNSET)
            continue;
        s = slice_of(line.ptr + from, at[2 * g->number + 1] - from);
        if (!fill(r, g->role, s, out))
            fields[out->n_fields++] = (struct field){g->name, typed(g->type, s)};
    }
    out->fields = fields;
    return true;
}

static bool prepare_match(const struct regex *r, struct parse_scratch *scratch)
{
    if (scratch->match && scratch->match_owner == r)
        return true;
    pcre2_match_data_free(scratch->match);
    scratch->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    scratch->match_owner = (void *)r;
    return scratch->match;
}

static bool regex_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                        struct record *out)
{
    const struct regex *r = self;
    int n;

    if (!prepare_match(r, scratch))
        return false;
    n = pcre2_match(r->code, (PCRE2_SPTR)line.ptr, line.len, 0, 0, scratch->match, r->limits);
    if (n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_HEAPLIMIT || n == PCRE2_ERROR_DEPTHLIMIT ||
        n == PCRE2_ERROR_JIT_STACKLIMIT) {
        out->flags |= RECORD_MATCH_LIMIT;
        return true; /* the line is its message */
    }
    return n > 0 && take_groups(r, scratch, line, n, out);
}

static const struct option options[] = {
    {.name = "pattern",
     .type = OPTION_STRING,
     .offset = offsetof(struct regex_options, pattern),
     .is_required = true,
     .help = "PCRE2 pattern; named groups (?<name>...) become fields"},
    {.name = "types",
     .type = OPTION_LIST,
     .offset = offsetof(struct regex_options, types),
     .help = "NAME:TYPE of groups: string, int, float, bool"},
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
     .help = "steps of a match after which the line stays text"},
};

const struct parser_ops parser_regex = {
    .name = "regex",
    .help = "a pattern of yours (PCRE2); named groups become fields",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct regex_options)},
    .make = regex_make,
    .free = regex_free,
    .parse = regex_parse,
};
