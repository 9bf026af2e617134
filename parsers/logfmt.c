/* logfmt, as Go's loggers and Heroku write it: every word of the line is a name, mostly with a
 * value. */
#include "parsers/logfmt.h"

#include <stdlib.h>

#include "parsers/pairs.h"
#include "parsers/parser.h"
#include "parsers/regex_fill.h"

static void *logfmt_make(const void *options, struct err *e)
{
    const struct logfmt_options *o = options;
    struct pair_rules *rules;

    if (regex_check_time_format(o->time_format, e) < 0)
        return NULL;
    rules = calloc(1, sizeof *rules);
    if (!rules) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    for (int c = 0; c <= ' '; c++)
        rules->separates[c] = true;
    rules->assigns['='] = true;
    rules->quotes['"'] = true;
    rules->is_strict = true;
    rules->time_format = o->time_format;
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

static const struct option options[] = {
    {.name = "time_format",
     .type = OPTION_STRING,
     .offset = offsetof(struct logfmt_options, time_format),
     .help = "of the time: strptime's letters (%f a fraction), rfc3339, epoch; else both of these"},
};

const struct parser_ops parser_logfmt = {
    .name = "logfmt",
    .help = "name=value pairs and nothing else, values with blanks in double quotes",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct logfmt_options)},
    .make = logfmt_make,
    .free = logfmt_free,
    .parse = logfmt_parse,
    .is_after_platform = true,
};
