/* Access logs: which of the formats a line is of, is seen by the line. */
#include "parsers/access_parts.h"
#include "parsers/parser.h"

typedef bool format_fn(struct parse_scratch *scratch, struct slice line, struct record *out);

/* A format that refuses may have filled the record, and the scratch. */
static bool try_format(format_fn *parse, struct parse_scratch *scratch, struct slice line,
                       struct record *out)
{
    if (parse(scratch, line, out))
        return true;
    record_reset(out);
    parse_scratch_restart(scratch);
    return false;
}

static bool has_tab(struct slice line)
{
    return line.len && memchr(line.ptr, '\t', line.len < 64 ? line.len : 64);
}

static bool access_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                         struct record *out)
{
    (void)self;
    if (!line.len)
        return false;
    if (*line.ptr == '{')
        return try_format(access_gateway_parse, scratch, line, out);
    if (*line.ptr == '#' || has_tab(line))
        return try_format(access_cloudfront_parse, scratch, line, out);
    return try_format(access_clf_parse, scratch, line, out) ||
           try_format(access_alb_parse, scratch, line, out);
}

const struct parser_ops parser_access = {
    .name = "access",
    .help = "access logs: common, combined, ALB, API Gateway, CloudFront; it sees which",
    .parse = access_parse,
    .has_own_format = true,
    .is_after_platform = true,
};
