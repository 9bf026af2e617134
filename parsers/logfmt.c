/* logfmt, as Go's loggers and Heroku write it: every word of the line is a name, mostly with a
 * value. */
#include <stdlib.h>

#include "parsers/pairs.h"
#include "parsers/parser.h"

static void *logfmt_make(const void *options, struct err *e)
{
    struct pair_rules *rules = calloc(1, sizeof *rules);

    (void)options;
    if (!rules) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    for (int c = 0; c <= ' '; c++)
        rules->separates[c] = true;
    rules->assigns['='] = true;
    rules->quotes['"'] = true;
    rules->is_strict = true;
    return rules;
}

static void logfmt_free(void *self)
{
    free(self);
}

static bool logfmt_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                         struct record *out)
{
    return pairs_parse(self, scratch, line, out);
}

const struct parser_ops parser_logfmt = {
    .name = "logfmt",
    .help = "name=value pairs and nothing else, values with blanks in double quotes",
    .make = logfmt_make,
    .free = logfmt_free,
    .parse = logfmt_parse,
    .is_after_platform = true,
};
