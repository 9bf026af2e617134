/* The runtimes' text columns (aws.md 1.3): what a function's own lines look like. */
#include "parsers/lambda_parts.h"
#include "parsers/level.h"
#include "parsers/timestamp.h"

/* In a line, a CR stands for a line break (aws.md 1.1). */
static struct value with_newlines(struct slice s, struct parse_scratch *scratch)
{
    size_t from = scratch->text.len;

    if (!s.len || !memchr(s.ptr, '\r', s.len) || !buffer_reserve(&scratch->text, s.len))
        return value_text(s);
    for (size_t i = 0; i < s.len; i++)
        buffer_add_char(&scratch->text, s.ptr[i] == '\r' ? '\n' : s.ptr[i]);
    return value_text(slice_of(scratch->text.ptr + from, s.len));
}

static struct value value_of(const struct json_member *m)
{
    return (struct value){m->value, m->type == JSON_TYPE_STRING ? VALUE_JSON_STRING : VALUE_JSON};
}

bool lambda_take_error_json(struct slice json, struct parse_scratch *scratch, struct record *out)
{
    struct json_object *o = &scratch->nested;
    const struct json_member *type;
    const struct json_member *message;
    const struct json_member *stack;

    if (json_scan(json, o) != JSON_OK)
        return false;
    type = json_find(o, "errorType");
    message = json_find(o, "errorMessage");
    stack = json_find(o, "stack");
    if (!stack)
        stack = json_find(o, "stackTrace");
    if (type && type->type == JSON_TYPE_STRING)
        out->error_type = value_of(type);
    if (message && message->type == JSON_TYPE_STRING)
        out->error_message = value_of(message);
    if (stack && (stack->type == JSON_TYPE_ARRAY || stack->type == JSON_TYPE_STRING))
        out->error_stack = value_of(stack);
    return type || message;
}

/* "Invoke Error \t{...}", "Uncaught Exception \t{...}", "Unhandled Promise Rejection \t{...}" */
static void take_thrown(struct slice message, struct parse_scratch *scratch, struct record *out)
{
    static const struct slice heads[] = {SLICE_LIT("Invoke Error \t"),
                                         SLICE_LIT("Uncaught Exception \t"),
                                         SLICE_LIT("Unhandled Promise Rejection \t")};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (slice_starts(message, heads[i]) &&
            lambda_take_error_json(slice_from(message, heads[i].len), scratch, out))
            out->flags |= RECORD_UNHANDLED;
}

static bool take_id_column(struct slice column, struct record *out)
{
    if (lambda_is_request_id(column))
        out->request_id = column;
    return out->request_id.len || column.len == 0 || slice_is(column, "undefined");
}

/* node.js and .NET: "<time>\t<id>\tLEVEL\ttext"; .NET leaves the level out of raw writes. */
static bool parse_time_first(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = line;
    struct slice time;
    struct slice id;
    struct slice level;
    struct slice after;
    int64_t ns;

    if (!slice_cut(&rest, '\t', &time) || !timestamp_parse(time, &ns) ||
        !slice_cut(&rest, '\t', &id) || !take_id_column(id, out))
        return false;
    out->has_time = true;
    out->time_ns = ns;
    after = rest;
    if (slice_cut(&after, '\t', &level) && (out->level = level_parse(level)) != LEVEL_NONE)
        rest = after;
    out->message = with_newlines(rest, scratch);
    if (out->level >= LEVEL_ERROR)
        take_thrown(rest, scratch, out);
    return true;
}

/* "[LEVEL]" from the start of *rest, which moves behind it. */
static bool take_level(struct slice *rest, enum level *level)
{
    const char *end = memchr(rest->ptr, ']', rest->len < 16 ? rest->len : 16);
    struct slice name;

    if (!end)
        return false;
    name = slice_of(rest->ptr + 1, (size_t)(end - rest->ptr) - 1);
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < 'A' || name.ptr[i] > 'Z')
            return false;
    *level = level_parse(name);
    *rest = slice_from(*rest, name.len + 2);
    return *level != LEVEL_NONE;
}

/* A type's name as Python prints it: "KeyError", "botocore.exceptions.ClientError". */
static bool is_type_name(struct slice s)
{
    if (s.len == 0 || s.len > 128)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z')))
            return false;
    }
    return true;
}

/* "KeyError: 'id'", and behind a line break the traceback. */
static void take_python_error(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = text;
    struct slice type;
    struct slice message;
    ptrdiff_t trace = slice_find(text, slice_str("Traceback (most recent call last):"));

    if (trace > 0)
        rest.len = (size_t)trace;
    rest = slice_trim_end(rest);
    message = rest;
    if (!slice_cut(&message, ':', &type)) {
        type = rest;
        message.len = 0;
    }
    if (!is_type_name(type))
        return;
    out->flags |= RECORD_UNHANDLED;
    out->error_type = value_text(type);
    if (message.len)
        out->error_message = with_newlines(slice_trim(message), scratch);
    if (trace >= 0)
        out->error_stack = with_newlines(slice_from(text, (size_t)trace), scratch);
}

/* Python: "[INFO]\t<time>\t<id>\ttext", thrown "[ERROR] KeyError: 'id'..."; Java: "[INFO] text". */
static bool parse_level_first(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = line;
    struct slice columns;
    struct slice time;
    struct slice id;
    int64_t ns;

    if (!take_level(&rest, &out->level) || rest.len == 0)
        return false;
    if (rest.ptr[0] == '\t') {
        columns = slice_from(rest, 1);
        if (slice_cut(&columns, '\t', &time) && timestamp_parse(time, &ns) &&
            slice_cut(&columns, '\t', &id) && take_id_column(id, out)) {
            out->has_time = true;
            out->time_ns = ns;
            out->message = with_newlines(columns, scratch);
            return true;
        }
        return false;
    }
    if (rest.ptr[0] != ' ')
        return false;
    rest = slice_from(rest, 1);
    out->message = with_newlines(rest, scratch);
    if (out->level == LEVEL_ERROR)
        take_python_error(rest, scratch, out);
    return true;
}

/* Ruby: "I, [2026-10-09T08:53:20.123456 #8]  INFO <id> -- prog: text" */
static bool parse_ruby(struct slice line, struct record *out)
{
    struct slice rest;
    struct slice time;
    struct slice level;
    struct slice id;
    ptrdiff_t dashes;
    int64_t ns;

    if (line.len < 20 || line.ptr[1] != ',' || !slice_starts(slice_from(line, 2), slice_str(" [")))
        return false;
    rest = slice_from(line, 4);
    if (!slice_cut(&rest, ' ', &time) || !timestamp_parse(time, &ns) || !slice_cut(&rest, ']', &id))
        return false;
    rest = slice_trim(rest);
    if (!slice_cut(&rest, ' ', &level))
        return false;
    out->level = level_parse(level);
    if (out->level == LEVEL_NONE)
        return false;
    if (slice_cut(&rest, ' ', &id) && lambda_is_request_id(id))
        out->request_id = id;
    dashes = slice_find(line, slice_str("-- "));
    out->has_time = true;
    out->time_ns = ns;
    if (dashes > 0) {
        rest = slice_from(line, (size_t)dashes + 3);
        if (slice_cut(&rest, ':', &id))
            rest = slice_trim(rest);
        out->message = value_text(rest);
    }
    return true;
}

/* Java's log4j2 as its README has it: "2026-10-09 08:53:20 <id> INFO  com.x.Y:12 - text" */
static bool take_log4j(struct slice rest, struct record *out)
{
    struct slice id;
    struct slice level;

    if (rest.len < 2 || rest.ptr[0] != ' ')
        return false;
    rest = slice_from(rest, 1);
    if (!slice_cut(&rest, ' ', &id) || !lambda_is_request_id(id) || !slice_cut(&rest, ' ', &level))
        return false;
    out->level = level_parse(level);
    if (out->level == LEVEL_NONE)
        return false;
    out->request_id = id;
    out->message = value_text(slice_trim(rest));
    return true;
}

/* An upper-case level right behind the time: " ERROR text", " [WARN] text", " INFO: text". */
static void take_level_word(struct slice rest, struct record *out)
{
    size_t n = 0;
    enum level level;

    while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '['))
        rest = slice_from(rest, 1);
    while (n < rest.len && rest.ptr[n] >= 'A' && rest.ptr[n] <= 'Z')
        n++;
    if (n < 4 || n > 8 || (n < rest.len && !strchr(" ]:\t", rest.ptr[n])))
        return;
    level = level_parse(slice_of(rest.ptr, n));
    if (level != LEVEL_NONE)
        out->level = level;
}

/* Go's log package: "2026/10/09 08:53:20 text", thrown: {"errorMessage":...,"errorType":...} */
static bool parse_go(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest;
    int64_t ns;

    if (line.len < 20 || line.ptr[4] != '/' || line.ptr[7] != '/' || line.ptr[19] != ' ' ||
        !timestamp_parse_format(slice_of(line.ptr, 19), "%Y/%m/%d %H:%M:%S", &ns))
        return false;
    rest = slice_from(line, 20);
    out->has_time = true;
    out->time_ns = ns;
    out->message = value_text(rest);
    if (rest.len && *rest.ptr == '{' && lambda_take_error_json(rest, scratch, out)) {
        out->level = LEVEL_ERROR;
        out->flags |= RECORD_UNHANDLED;
    }
    return true;
}

/* Any text that begins with a time and a blank: the time, and a level if one stands right behind.
 */
static bool parse_dated(struct slice line, struct record *out)
{
    int64_t ns;
    size_t used;

    if (!timestamp_parse_prefix(line, &ns, &used) ||
        (used < line.len && line.ptr[used] != ' ' && line.ptr[used] != '\t'))
        return false;
    out->has_time = true;
    out->time_ns = ns;
    if (!take_log4j(slice_from(line, used), out))
        take_level_word(slice_from(line, used), out);
    return true;
}

bool lambda_text_parse(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    line = slice_trim_end(line);
    if (line.len < 8)
        return false;
    /* Room for message, error and stack at once: the slices into it must not move. */
    if (memchr(line.ptr, '\r', line.len) && !buffer_reserve(&scratch->text, 3 * line.len))
        return false;
    switch (line.ptr[0]) {
    case '[':
        return parse_level_first(line, scratch, out);
    case '1':
    case '2':
        return parse_time_first(line, scratch, out) || parse_go(line, scratch, out) ||
               parse_dated(line, out);
    case 'D':
    case 'I':
    case 'W':
    case 'E':
    case 'F':
        return parse_ruby(line, out);
    default:
        return false;
    }
}
