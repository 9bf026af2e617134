#include <stdlib.h>

#include "parsers/error_text.h"
#include "parsers/json.h"
#include "parsers/lambda.h"
#include "parsers/parser.h"

enum {
    KEPT_TEXT = 256 * 1024,
    KEPT_FIELDS = 4096,
};

void parse_scratch_free(struct parse_scratch *s)
{
    json_object_free(&s->object);
    json_object_free(&s->nested);
    json_object_free(&s->third);
    buffer_free(&s->one_line);
    buffer_free(&s->repaired);
    buffer_free(&s->text);
    free(s->fields);
    if (s->match)
        s->match_free(s->match);
    memset(s, 0, sizeof *s);
}

struct field *parse_scratch_fields(struct parse_scratch *s, size_t n)
{
    size_t cap = s->fields_cap ? s->fields_cap : 64;
    struct field *grown;

    if (n <= s->fields_cap && s->fields)
        return s->fields;
    while (cap < n)
        cap += cap / 2;
    grown = realloc(s->fields, cap * sizeof *grown);
    if (!grown)
        return NULL;
    s->fields = grown;
    s->fields_cap = cap;
    return grown;
}

static void put_moment(const struct time_said *m, struct record *out)
{
    out->has_time = true;
    out->time_ns = m->ns;
    out->guessed_year = (int16_t)m->guessed_year;
}

bool parse_take_time(const struct time_context *c, struct slice text, struct record *out)
{
    struct time_said m;

    if (!timestamp_read(c, text, &m))
        return false;
    put_moment(&m, out);
    return true;
}

bool parse_take_time_prefix(const struct time_context *c, struct slice text, struct record *out,
                            size_t *used)
{
    struct time_said m;

    if (!timestamp_read_prefix(c, text, &m, used))
        return false;
    put_moment(&m, out);
    return true;
}

bool parse_take_usual_time(const struct time_context *c, struct slice text, struct record *out)
{
    const struct time_rules rules = {.zone = c->rules ? c->rules->zone : NULL};
    const struct time_context usual = {&rules, c->near_ns};

    return parse_take_time(&usual, text, out);
}

/* Empties a buffer for the next line; one large line must not cost its memory for ever. */
static void restart(struct buffer *b)
{
    if (b->cap > KEPT_TEXT)
        buffer_free(b);
    b->len = 0;
    b->failed = false; /* memory may be back */
}

void parse_scratch_restart(struct parse_scratch *s)
{
    restart(&s->text);
    restart(&s->repaired);
    if (s->fields_cap > KEPT_FIELDS) {
        free(s->fields);
        s->fields = NULL;
        s->fields_cap = 0;
    }
}

/* Only the platform's own lines: what else JSON says is not this parser's business. */
static bool parse_platform(struct parse_scratch *scratch, struct slice line, struct record *out)
{
    if (lambda_platform_parse(line, out))
        return true;
    line = slice_trim(line);
    if (!slice_starts(line, slice_str("{")) || slice_find(line, slice_str("\"platform.")) < 0)
        return false;
    if (json_record_parse(line, scratch, out) && out->kind != RECORD_LINE)
        return true;
    record_reset(out);
    return false;
}

void parser_parse(const struct parser *p, struct parse_scratch *scratch, struct slice line,
                  struct record *out)
{
    bool is_after_platform = p->ops->is_after_platform;
    unsigned given_up;

    record_reset(out);
    parse_scratch_restart(scratch);
    if (is_after_platform && parse_platform(scratch, line, out))
        return;
    if (p->ops->parse(p->self, scratch, line, out))
        return;
    given_up = out->flags & RECORD_MATCH_LIMIT;
    record_reset(out);
    if (!is_after_platform && parse_platform(scratch, line, out))
        return;
    out->flags = RECORD_NO_MATCH | given_up;
    out->message = value_text(line);
}

void parser_free(struct parser *p)
{
    if (p->ops && p->ops->free)
        p->ops->free(p->self);
    *p = (struct parser){NULL, NULL};
}

/* The parser had the first line alone: where its message is that line's end, the message goes on.
 */
static void extend_message(struct record *out, struct slice first, struct slice said)
{
    struct value *m = &out->message;
    const char *line_end = first.ptr + slice_trim_end(first).len;
    const char *end;

    if (m->kind == VALUE_NONE)
        *m = value_text(said);
    if (m->kind != VALUE_TEXT || m->bytes.len == 0)
        return;
    end = m->bytes.ptr + m->bytes.len;
    if (end >= line_end && end <= first.ptr + first.len && m->bytes.ptr >= first.ptr)
        m->bytes.len = (size_t)(said.ptr + said.len - m->bytes.ptr);
}

static void take_error(struct record *out, const struct error_text *error)
{
    out->error_stack = value_text(error->stack);
    if (error->type.len)
        out->error_type = value_text(error->type);
    if (error->message.len)
        out->error_message = value_text(error->message);
    if (out->level == LEVEL_NONE && !out->level_text.len)
        out->level = LEVEL_ERROR;
}

/* In JSON a line end is a blank, and in what is made of it there must be none: outputs write a
 * document a line. */
static struct slice as_one_line(struct parse_scratch *scratch, struct slice text)
{
    struct buffer *b = &scratch->one_line;

    restart(b);
    buffer_add_slice(b, text);
    if (b->failed)
        return slice_str("{"); /* no JSON: the text is kept as it is */
    for (size_t i = 0; i < b->len; i++)
        if (b->ptr[i] == '\n' || b->ptr[i] == '\r')
            b->ptr[i] = ' ';
    return buffer_slice(b);
}

void parser_parse_lines(const struct parser *p, struct parse_scratch *scratch, struct slice text,
                        struct record *out)
{
    const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    struct slice first = slice_of(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
    struct error_text error;

    if (!end || slice_is(slice_trim(first), "{")) {
        parser_parse(p, scratch, end ? as_one_line(scratch, text) : text, out);
        if (out->flags & RECORD_NO_MATCH)
            out->message = value_text(text);
        return;
    }
    parser_parse(p, scratch, slice_trim_end(first), out);
    if (error_text_find(text, &error))
        take_error(out, &error);
    extend_message(out, first, error.said);
}

static bool raw_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                      struct record *out)
{
    (void)self;
    (void)scratch;
    out->message = value_text(line);
    return true;
}

const struct parser_ops parser_raw = {
    .name = "raw",
    .help = "the line is the message; nothing is taken out of it",
    .is_timeless = true,
    .parse = raw_parse,
};
