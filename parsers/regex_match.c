/* Matching, bounded: no pattern and no line can hang ship. */
#include "parsers/regex_match.h"

#include <stdlib.h>

enum {
    HEAP_LIMIT_KIB = 4096,
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 512 * 1024,
    LEAST_STEPS = 1000, /* what a sane pattern may need: a good one takes tens */
};

/* A step of a match may run over the whole line, and a pattern without an anchor is tried at every
 * byte. So that one line costs about a second at the very worst, steps * starts * bytes stay below
 * this. */
static const uint64_t most_work = UINT64_C(1) << 33;

/* What a worker keeps for its matches, of whatever pattern. */
struct matching {
    pcre2_match_data *data;
    pcre2_match_context *limits;
    pcre2_jit_stack *stack;
};

static void matching_free(void *arg)
{
    struct matching *m = arg;

    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
    pcre2_jit_stack_free(m->stack);
    free(m);
}

static struct matching *matching_new(void)
{
    struct matching *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->limits = pcre2_match_context_create(NULL);
    m->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (!m->limits || !m->stack) {
        matching_free(m);
        return NULL;
    }
    pcre2_set_heap_limit(m->limits, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(m->limits, NULL, m->stack);
    return m;
}

/* The worker's matching, with room for the pattern's groups; NULL when memory is out. */
static struct matching *prepare(const struct regex *r, struct parse_scratch *scratch)
{
    struct matching *m = scratch->match;

    if (!m) {
        m = scratch->match = matching_new();
        scratch->match_free = matching_free;
    }
    if (m && (!m->data || pcre2_get_ovector_count(m->data) < r->n_pairs)) {
        pcre2_match_data_free(m->data);
        m->data = pcre2_match_data_create(r->n_pairs, NULL);
    }
    return m && m->data ? m : NULL;
}

static uint64_t count_starts(const struct regex *r, struct slice line)
{
    uint64_t n = 1; /* an empty match at the end */

    if (r->is_anchored)
        return 1;
    if (line.len * line.len < most_work / LEAST_STEPS)
        return line.len + 1; /* not worth counting */
    for (size_t i = 0; i < line.len; i++)
        n += r->may_start[(uint8_t)line.ptr[i]];
    return n;
}

/* False: the pattern is not tried at every byte of the line. */
static bool set_limits(const struct regex_set *set, const struct regex *r, struct matching *m,
                       struct slice line)
{
    uint64_t of_one_start = most_work / set->n_patterns / (line.len + 1);
    uint64_t starts = count_starts(r, line);
    uint64_t steps = of_one_start / starts;
    uint64_t most = (uint64_t)set->match_limit;
    bool is_whole = steps >= LEAST_STEPS || starts == 1;

    if (steps < LEAST_STEPS)
        steps = LEAST_STEPS;
    pcre2_set_match_limit(m->limits, (uint32_t)(steps < most ? steps : most));
    pcre2_set_offset_limit(m->limits, is_whole ? PCRE2_UNSET : of_one_start / steps);
    return is_whole;
}

static bool is_limit(int code)
{
    return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT ||
           code == PCRE2_ERROR_DEPTHLIMIT || code == PCRE2_ERROR_JIT_STACKLIMIT;
}

static bool take_groups(const struct regex *r, struct parse_scratch *scratch, struct slice line,
                        int n_set, struct record *out)
{
    struct matching *m = scratch->match;
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
    struct filling f;

    if (!fill_start(&f, scratch, out, r->n_groups))
        return false;
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct group *g = &r->groups[i];
        PCRE2_SIZE from = at[2 * g->number];
        PCRE2_SIZE to = at[2 * g->number + 1];

        if ((int)g->number < n_set && from != PCRE2_UNSET && from <= to)
            fill_put(&f, &g->name, slice_of(line.ptr + from, to - from));
    }
    return true;
}

enum found { FOUND_NONE, FOUND, FOUND_LIMIT };

static enum found try_one(const struct regex_set *set, const struct regex *r,
                          struct parse_scratch *scratch, struct slice line, struct record *out)
{
    struct matching *m = prepare(r, scratch);
    bool is_whole;
    int n;

    if (!m)
        return FOUND_NONE;
    is_whole = set_limits(set, r, m, line);
    n = pcre2_match(r->code, (PCRE2_SPTR)line.ptr, line.len, 0, 0, m->data, m->limits);
    if (is_limit(n) || (n == PCRE2_ERROR_NOMATCH && !is_whole))
        return FOUND_LIMIT;
    return n > 0 && take_groups(r, scratch, line, n, out) ? FOUND : FOUND_NONE;
}

bool regex_match(const struct regex_set *set, struct parse_scratch *scratch, struct slice line,
                 struct record *out)
{
    bool is_given_up = false;

    for (size_t i = 0; i < set->n_patterns; i++) {
        enum found found = try_one(set, &set->patterns[i], scratch, line, out);

        if (found == FOUND)
            return true;
        is_given_up |= found == FOUND_LIMIT;
    }
    if (is_given_up)
        out->flags |= RECORD_MATCH_LIMIT;
    return is_given_up; /* the line is its message */
}
