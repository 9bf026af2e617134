/* The default parser: decides line by line, by first bytes. */
#include "parsers/json.h"
#include "parsers/lambda_parts.h"
#include "parsers/parser.h"

static bool parse(const void *self, struct parse_scratch *scratch, struct slice line,
                  struct record *out)
{
    struct slice text = slice_trim(line);

    (void)self;
    if (text.len && *text.ptr == '{') {
        if (json_record_parse(text, scratch, out))
            return true;
        record_reset(out);
        out->flags |= RECORD_BAD_JSON;
        return true;
    }
    if (lambda_platform_parse(line, out))
        return true;
    if (lambda_text_parse(line, scratch, out))
        return true;
    record_reset(out); /* what a refused form had filled */
    line = slice_trim_end(line);
    if (line.len && memchr(line.ptr, '\r', line.len) && lambda_reserve_texts(line, scratch))
        out->message = lambda_with_newlines(line, scratch);
    return true;
}

static void *make(const void *options, struct err *e)
{
    static char none; /* it has no state: any address will do */

    (void)options;
    (void)e;
    return &none;
}

static void free_nothing(void *self)
{
    (void)self;
}

const struct parser_ops parser_auto = {
    .name = "auto",
    .help = "decides line by line: Lambda platform lines, runtime text, JSON, plain text",
    .options = {NULL, 0, 0},
    .make = make,
    .free = free_nothing,
    .parse = parse,
};
