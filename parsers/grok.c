/* grok: patterns made of named ones. They become PCRE2 (grok_expand.c), and all else is the regex
 * parser's (regex_compile.c, regex_match.c). */
#include "parsers/grok.h"

#include <stdio.h>
#include <stdlib.h>

#include "parsers/grok_expand.h"
#include "parsers/parser.h"
#include "parsers/regex_match.h"

struct grok {
    struct regex_set set;
    struct arena arena; /* names of fields */
};

/* What a pattern is on its way to being compiled. */
struct making {
    struct buffer expanded; /* with types in groups of the user's own */
    struct buffer plain;    /* without */
    struct regex_types types;
};

static void making_free(struct making *m)
{
    buffer_free(&m->expanded);
    buffer_free(&m->plain);
    regex_types_free(&m->types);
}

static void grok_free(void *self)
{
    struct grok *g = self;

    if (!g)
        return;
    regex_set_fini(&g->set);
    arena_free(&g->arena);
    free(g);
}

/* PCRE2's words, and what stands around the place in the pattern as it was written out. */
static int near_offset(struct slice plain, size_t at, struct err *e)
{
    char what[sizeof e->what];
    size_t from = at > 20 ? at - 20 : 0;
    size_t len = plain.len - from < 30 ? plain.len - from : 30;

    snprintf(what, sizeof what, "%s", e->what);
    return err_set(e, ERR_CONFIG, "%.150s, at \"%.*s\"", what, (int)len, plain.ptr + from);
}

static int compile(struct grok *g, const struct grok_options *o, const char *pattern,
                   struct making *m, struct regex *r, struct err *e)
{
    size_t at = SIZE_MAX;

    if (grok_expand(pattern, &o->patterns, &g->arena, &m->expanded, &m->types, e) < 0)
        return -1;
    buffer_add_char(&m->expanded, '\0');
    if (m->expanded.failed)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (regex_types_take(m->expanded.ptr, &m->plain, &m->types, e) < 0)
        return -1;
    /* A definition may be used twice, with the groups in it. */
    if (regex_compile(r, buffer_slice(&m->plain), PCRE2_DUPNAMES, &m->types, &at, e) < 0)
        return at == SIZE_MAX ? -1 : near_offset(buffer_slice(&m->plain), at, e);
    return 0;
}

static int add_match(struct grok *g, const struct grok_options *o, size_t i, struct err *e)
{
    struct regex *r = &g->set.patterns[i];
    struct making m = {.types = {NULL, 0}};
    int rc = compile(g, o, o->match.items[i], &m, r, e);

    making_free(&m);
    if (rc == 0 && r->n_groups == 0)
        rc = err_set(e, ERR_CONFIG, "it names no field, %%{WORD:user}: nothing would become one");
    if (rc == 0)
        return 0;
    return o->match.n_items == 1 ? err_at(e, "match") : err_at(e, "match[%zu]", i);
}

/* Each by itself, so that an error is told where it was made. */
static int check_definition(struct grok *g, const struct grok_options *o, size_t i, struct err *e)
{
    struct regex_set alone = {.patterns = NULL};
    struct making m = {.types = {NULL, 0}};
    int rc = regex_set_init(&alone, 1);

    if (rc < 0)
        err_set(e, ERR_NOMEM, "out of memory");
    else
        rc = compile(g, o, o->patterns.values[i], &m, alone.patterns, e);
    making_free(&m);
    regex_set_fini(&alone);
    return rc < 0 ? err_at(e, "patterns.%.60s", o->patterns.keys[i]) : 0;
}

static int build(struct grok *g, const struct grok_options *o, struct err *e)
{
    for (size_t i = 0; i < o->patterns.n_items; i++)
        if (check_definition(g, o, i, e) < 0)
            return -1;
    if (regex_set_init(&g->set, o->match.n_items) < 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < o->match.n_items; i++)
        if (add_match(g, o, i, e) < 0)
            return -1;
    g->set.match_limit = o->match_limit;
    return 0;
}

static void *grok_make(const void *options, struct err *e)
{
    struct grok *g = calloc(1, sizeof *g);

    if (!g) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (build(g, options, e) == 0)
        return g;
    grok_free(g);
    return NULL;
}

static bool grok_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                       struct record *out)
{
    const struct grok *g = self;

    return regex_match(&g->set, scratch, line, out);
}

static const struct option options[] = {
    {.name = "match",
     .type = OPTION_LIST,
     .offset = offsetof(struct grok_options, match),
     .is_required = true,
     .help = "pattern of named ones: %{IP:source.ip} %{NUMBER:ms:float} %{GREEDYDATA:message}; of "
             "several the first that matches"},
    {.name = "patterns",
     .type = OPTION_MAP,
     .offset = offsetof(struct grok_options, patterns),
     .help = "NAME: pattern, of your own, for use as %{NAME}"},
    {.name = "match_limit",
     .type = OPTION_INT,
     .offset = offsetof(struct grok_options, match_limit),
     .fallback = "100000",
     .min = 1000,
     .max = 10000000,
     .help = "steps of a match after which the line stays text; fewer for very long lines"},
};

const struct parser_ops parser_grok = {
    .name = "grok",
    .help = "patterns made of named ones, %{IP:source.ip}; named parts become fields",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct grok_options)},
    .make = grok_make,
    .free = grok_free,
    .parse = grok_parse,
    .is_after_platform = true,
};
