/* One pattern, compiled with PCRE2 and its JIT. */
#include <stdlib.h>

#include "parsers/regex_match.h"

int regex_set_init(struct regex_set *set, size_t n)
{
    set->patterns = calloc(n, sizeof *set->patterns);
    set->n_patterns = set->patterns ? n : 0;
    return set->patterns ? 0 : -1;
}

void regex_set_fini(struct regex_set *set)
{
    for (size_t i = 0; i < set->n_patterns; i++) {
        pcre2_code_free(set->patterns[i].code);
        free(set->patterns[i].groups);
    }
    free(set->patterns);
    *set = (struct regex_set){.patterns = NULL};
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

static int compile(struct regex *r, struct slice plain, uint32_t flags, size_t *at, struct err *e)
{
    /* Lines may be no UTF-8: with this flag what is none simply does not match a character. */
    static const uint32_t always =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    int code;
    PCRE2_UCHAR text[120];
    uint32_t captures = 0;

    if (!plain.len) /* PCRE2 takes no NULL */
        plain = slice_str("");
    r->code = pcre2_compile((PCRE2_SPTR)plain.ptr, plain.len, always | flags, &code, at, NULL);
    if (!r->code) {
        pcre2_get_error_message(code, text, sizeof text);
        return err_set(e, ERR_CONFIG, "%s", text);
    }
    *at = SIZE_MAX;
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
 * there may be anybody's, is the request. Of two groups for one member the first that matched
 * counts. A group with a type is one of the user's own, whatever its name. */
static void name_group(struct slice field, enum group_type type, struct fill_name *out)
{
    fill_name_find(field, type, out);
    if (slice_is(field, "request_id"))
        out->slot = JSON_SLOT_REQUEST_ID;
    if (type != GROUP_STRING || (out->slot == JSON_SLOT_MESSAGE && out->rank > 2))
        out->slot = JSON_SLOT_NONE;
    out->rank = 0;
}

static const struct typed_group *find_type(const struct regex_types *types, struct slice name)
{
    for (size_t i = types->n_groups; i-- > 0;)
        if (slice_eq(types->groups[i].name, name))
            return &types->groups[i];
    return NULL;
}

static void fill_group(struct group *g, PCRE2_SPTR entry, const struct regex_types *types)
{
    struct slice name = slice_str((const char *)entry + 2);
    const struct typed_group *said = find_type(types, name);

    g->number = (uint32_t)entry[0] << 8 | entry[1];
    name_group(said && said->field.len ? said->field : name, said ? said->type : GROUP_STRING,
               &g->name);
}

/* PCRE2's table of names: two bytes of number, then the name, in entries of one size. */
static int list_groups(struct regex *r, const struct regex_types *types, struct err *e)
{
    uint32_t n = 0;
    uint32_t size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &n);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
    if (n == 0)
        return 0;
    r->groups = calloc(n, sizeof *r->groups);
    if (!r->groups)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < n; i++, table += size)
        fill_group(&r->groups[r->n_groups++], table, types);
    qsort(r->groups, n, sizeof *r->groups, by_number);
    return 0;
}

int regex_compile(struct regex *r, struct slice plain, uint32_t flags,
                  const struct regex_types *types, size_t *at, struct err *e)
{
    return compile(r, plain, flags, at, e) < 0 ? -1 : list_groups(r, types, e);
}
