#include "parsers/chain.h"

#include <stdlib.h>

struct link {
    struct parser parser;
    const struct time_rules *times; /* may be NULL */
};

struct chain {
    size_t n_links;
    struct link links[];
};

static void chain_free(void *self)
{
    struct chain *c = self;

    for (size_t i = 0; i < c->n_links; i++)
        parser_free(&c->links[i].parser);
    free(c);
}

/* A parser that gives up on a line (its pattern's limit) leaves it to the next. */
static bool accepts(const struct parser *p, struct parse_scratch *scratch, struct slice line,
                    struct record *out)
{
    return p->ops && p->ops->parse(p->self, scratch, line, out) &&
           !(out->flags & RECORD_MATCH_LIMIT);
}

static bool chain_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                        struct record *out)
{
    const struct chain *c = self;
    unsigned given_up = 0;

    for (size_t i = 0; i < c->n_links; i++) {
        scratch->times.rules = c->links[i].times;
        if (accepts(&c->links[i].parser, scratch, line, out))
            return true;
        given_up |= out->flags & RECORD_MATCH_LIMIT;
        record_reset(out);
        parse_scratch_restart(scratch);
    }
    out->flags = given_up;
    return false;
}

static const struct parser_ops chain_ops = {
    .name = "chain",
    .help = "the first parser that accepts the line",
    .free = chain_free,
    .parse = chain_parse,
    .is_after_platform = true,
};

int chain_new(size_t n, struct parser *out)
{
    struct chain *c = calloc(1, sizeof *c + n * sizeof c->links[0]);

    if (!c)
        return -1;
    c->n_links = n;
    *out = (struct parser){&chain_ops, c};
    return 0;
}

struct parser *chain_link(const struct parser *chain, size_t i)
{
    struct chain *c = chain->self;

    return &c->links[i].parser;
}

void chain_set_times(const struct parser *chain, size_t i, const struct time_rules *times)
{
    struct chain *c = chain->self;

    c->links[i].times = times;
}
