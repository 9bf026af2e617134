/* The runtimes' text columns (aws.md 1.3): what a function's own lines look like. */
#include "parsers/json.h"
#include "parsers/lambda_parts.h"
#include "parsers/level.h"
#include "parsers/timestamp.h"

bool lambda_reserve_texts(struct slice line, struct parse_scratch *scratch)
{
    return !line.len || !memchr(line.ptr, '\r', line.len) ||
           buffer_reserve(&scratch->text, LAMBDA_TEXTS * line.len);
}

struct value lambda_with_newlines(struct slice s, struct parse_scratch *scratch)
{
    size_t from = scratch->text.len;

    if (!s.len || !memchr(s.ptr, '\r', s.len))
        return value_text(s);
    for (size_t i = 0; i < s.len; i++) {
        bool is_pair = s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n';

        if (!is_pair)
            buffer_add_char(&scratch->text, s.ptr[i] == '\r' ? '\n' : s.ptr[i]);
    }
    return value_text(slice_of(scratch->text.ptr + from, scratch->text.len - from));
}

/* ------------------------------------------------------------------ columns between tabs */

static bool take_id_column(struct slice column, struct record *out)
{
    if (lambda_is_request_id(column))
        out->request_id = column;
    return out->request_id.len || column.len == 0 || slice_is(column, "undefined");
}

/* node.js writes its levels in capitals, .NET these six; "note" or "30" is a column of the
 * message's own. */
static bool take_level_column(struct slice column, enum level *level)
{
    static const char dotnet[] = " trce dbug info warn fail crit ";
    bool is_upper = column.len >= 4 && column.len <= 8;

    for (size_t i = 0; i < column.len; i++)
        is_upper &= column.ptr[i] >= 'A' && column.ptr[i] <= 'Z';
    if (!is_upper && (column.len != 4 || slice_find(slice_str(dotnet), column) < 0))
        return false;
    *level = level_parse(column);
    return *level != LEVEL_NONE;
}

/* console.log(JSON.stringify(line)): what the text says for itself counts more than the columns
 * around it, but for the request: that the runtime knows best. */
static bool take_json(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    const struct record columns = *out;

    if (!json_record_parse_within(text, scratch, out)) {
        *out = columns;
        return false;
    }
    if (!out->has_time) {
        out->has_time = true;
        out->time_ns = columns.time_ns;
    }
    if (!out->level && !out->level_text.len)
        out->level = columns.level;
    out->request_id = columns.request_id;
    if (out->message.kind == VALUE_NONE)
        out->message = value_text(text);
    return true;
}

static void take_message(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    text = slice_trim_end(text);
    if (slice_starts(text, slice_str("{")) && slice_ends(text, slice_str("}")) &&
        take_json(text, scratch, out))
        return;
    out->message = lambda_with_newlines(text, scratch);
    if (out->level >= LEVEL_ERROR)
        lambda_take_thrown(text, scratch, out);
}

/* node.js and .NET: "<time>\t<id>\tLEVEL\ttext"; .NET leaves the level out of raw writes. */
static bool parse_time_first(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = line;
    struct slice time;
    struct slice id;
    struct slice level;
    struct slice after;

    if (!slice_cut(&rest, '\t', &time) || !timestamp_parse(time, &out->time_ns) ||
        !slice_cut(&rest, '\t', &id) || !take_id_column(id, out))
        return false;
    out->has_time = true;
    after = rest;
    if (slice_cut(&after, '\t', &level) && take_level_column(level, &out->level))
        rest = after;
    take_message(rest, scratch, out);
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
    if (name.len < 3)
        return false;
    *level = level_parse(name);
    *rest = slice_from(*rest, name.len + 2);
    return *level != LEVEL_NONE;
}

/* "<time>\t<id>\ttext", behind "[LEVEL]\t" */
static bool take_python_columns(struct slice columns, struct parse_scratch *scratch,
                                struct record *out)
{
    struct slice time;
    struct slice id;

    if (!slice_cut(&columns, '\t', &time) || !timestamp_parse(time, &out->time_ns) ||
        !slice_cut(&columns, '\t', &id) || !take_id_column(id, out))
        return false;
    out->has_time = true;
    take_message(columns, scratch, out);
    return true;
}

/* Python: "[INFO]\t<time>\t<id>\ttext", thrown "[ERROR] KeyError: 'id'..."; Java: "[INFO] text". */
static bool parse_level_first(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = line;

    if (!take_level(&rest, &out->level) || !rest.len)
        return false;
    if (*rest.ptr == '\t')
        return take_python_columns(slice_from(rest, 1), scratch, out);
    if (*rest.ptr != ' ')
        return false;
    rest = slice_trim_end(slice_from(rest, 1));
    out->message = lambda_with_newlines(rest, scratch);
    if (out->level == LEVEL_ERROR)
        lambda_take_python_error(rest, scratch, out);
    return true;
}

/* ------------------------------------------------------------------ Ruby, Java, Go */

/* "prog: text" behind "-- "; without a program's name ": text". */
static void take_ruby_text(struct slice rest, struct parse_scratch *scratch, struct record *out)
{
    ptrdiff_t colon = slice_find(rest, slice_str(": "));
    struct slice program;

    if (colon < 0) { /* the text is empty, and the blank at the end was cut off */
        rest = slice_ends(rest, slice_str(":")) ? slice_of(rest.ptr, rest.len - 1) : rest;
        colon = (ptrdiff_t)rest.len;
    }
    program = slice_of(rest.ptr, (size_t)colon);
    rest = slice_from(rest, rest.len > program.len ? program.len + 2 : program.len);
    if (program.len)
        out->logger = value_text(program);
    out->message = lambda_with_newlines(rest, scratch);
}

/* Ruby: "I, [2026-10-09T08:53:20.123456 #8]  INFO <id> -- prog: text" */
static bool parse_ruby(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest;
    struct slice time;
    struct slice pid;
    struct slice level;
    struct slice id;
    ptrdiff_t dashes = slice_find(line, slice_str(" -- "));

    if (dashes < 0 || !slice_starts(slice_from(line, 1), slice_str(", [")))
        return false;
    rest = slice_of(line.ptr + 4, dashes > 4 ? (size_t)dashes - 4 : 0);
    if (!slice_cut(&rest, ' ', &time) || !parse_take_time(&scratch->times, time, out) ||
        !slice_cut(&rest, ']', &pid) || !slice_starts(pid, slice_str("#")))
        return false;
    rest = slice_trim(rest);
    id = rest;
    if (!slice_cut(&id, ' ', &level))
        level = rest;
    out->level = level_parse(level); /* ANY: a message of no level */
    if (lambda_is_request_id(id))
        out->request_id = id;
    take_ruby_text(slice_from(line, (size_t)dashes + 4), scratch, out);
    return true;
}

/* Java's log4j2 as its README has it: "2026-10-09 08:53:20 <id> INFO  com.x.Y:12 - text" */
static bool take_log4j(struct slice rest, struct parse_scratch *scratch, struct record *out)
{
    struct slice id;
    struct slice level;

    if (rest.len < 2 || *rest.ptr != ' ')
        return false;
    rest = slice_from(rest, 1);
    if (!slice_cut(&rest, ' ', &id) || !lambda_is_request_id(id) || !slice_cut(&rest, ' ', &level))
        return false;
    out->level = level_parse(level);
    if (out->level == LEVEL_NONE)
        return false;
    out->request_id = id;
    out->message = lambda_with_newlines(slice_trim(rest), scratch);
    return true;
}

static const struct slice level_ends = SLICE_LIT(" ]:\t");
static const struct slice colon = SLICE_LIT(":");

/* A level in capitals at the start, one of `ends` behind it: " ERROR text", " [WARN] text", "INFO:
 * text". */
static bool take_level_word(struct slice rest, struct slice ends, struct record *out)
{
    size_t n = 0;
    enum level level;

    while (rest.len && (*rest.ptr == ' ' || *rest.ptr == '['))
        rest = slice_from(rest, 1);
    while (n < rest.len && rest.ptr[n] >= 'A' && rest.ptr[n] <= 'Z')
        n++;
    if (n < 4 || n > 8 || (n < rest.len && !memchr(ends.ptr, rest.ptr[n], ends.len)))
        return false;
    level = level_parse(slice_of(rest.ptr, n));
    if (level != LEVEL_NONE)
        out->level = level;
    return level != LEVEL_NONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Go's log package: "2026/10/09 08:53:20[.123456] text", thrown: {"errorMessage":...,"errorType":
 * ...} */
static bool parse_go(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest;
    struct time_said at;
    size_t n = 19;

    if (line.len < 20 || line.ptr[4] != '/' || line.ptr[7] != '/')
        return false;
    if (line.ptr[n] == '.')
        do
            n++;
        while (n < line.len && is_digit(line.ptr[n]));
    if (n == line.len || line.ptr[n] != ' ' ||
        !timestamp_read_format(&scratch->times, slice_of(line.ptr, n),
                               n > 19 ? "%Y/%m/%d %H:%M:%S.%f" : "%Y/%m/%d %H:%M:%S", &at, NULL))
        return false;
    rest = slice_from(line, n + 1);
    out->has_time = true;
    out->time_ns = at.ns;
    take_level_word(rest, level_ends, out);
    out->message = lambda_with_newlines(rest, scratch);
    if (rest.len && *rest.ptr == '{' && lambda_take_error_json(rest, scratch, out)) {
        out->level = LEVEL_ERROR;
        out->flags |= RECORD_UNHANDLED;
    }
    return true;
}

/* Any text that begins with a time and a blank: the time, and a level if one stands right behind.
 */
static bool parse_dated(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    size_t used;

    if (!parse_take_time_prefix(&scratch->times, line, out, &used) ||
        (used < line.len && line.ptr[used] != ' ' && line.ptr[used] != '\t')) {
        out->has_time = false;
        return false;
    }
    if (take_log4j(slice_from(line, used), scratch, out))
        return true;
    take_level_word(slice_from(line, used), level_ends, out);
    out->message = lambda_with_newlines(line, scratch);
    return true;
}

/* "Executing 'Functions.hello' (Reason='...', Id=<guid>)", "Executed ...": Azure's host. */
static void take_azure_execution(struct slice rest, struct record *out)
{
    static const struct slice name_head = SLICE_LIT("Functions.");
    static const struct slice id_head = SLICE_LIT(", Id=");
    ptrdiff_t at = slice_find(rest, id_head);
    struct slice id;
    struct slice name;

    if (at < 0 || (!slice_starts(rest, slice_str(" Executing '")) &&
                   !slice_starts(rest, slice_str(" Executed '"))))
        return;
    id = slice_from(rest, (size_t)at + id_head.len);
    id.len = id.len < 36 ? 0 : 36;
    slice_cut(&rest, '\'', &name);
    if (!lambda_is_request_id(id) || !slice_cut(&rest, '\'', &name) ||
        !slice_starts(name, name_head))
        return;
    out->request_id = id;
    out->faas_name = value_text(slice_from(name, name_head.len));
}

/* "[<time>] text": Apache's errors, the host of Azure's functions. */
static bool parse_bracketed(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct slice rest = slice_from(line, 1);
    struct slice time;

    if (!slice_cut(&rest, ']', &time) || time.len > 40 ||
        !parse_take_time(&scratch->times, time, out))
        return false;
    take_level_word(rest, level_ends, out);
    take_azure_execution(rest, out);
    out->message = lambda_with_newlines(line, scratch);
    return true;
}

/* klog: "I1009 08:53:20.123456   17 main.go:42] text" */
static bool parse_klog(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    struct time_said at;
    size_t used;

    if (!memchr("IWEF", *line.ptr, 4) || !is_digit(line.ptr[1]) || !is_digit(line.ptr[4]) ||
        !timestamp_read_format(&scratch->times, slice_from(line, 1), "%m%d %H:%M:%S.%f", &at,
                               &used))
        return false;
    out->has_time = true;
    out->time_ns = at.ns;
    out->guessed_year = (int16_t)at.guessed_year;
    out->level = level_parse(slice_of(line.ptr, 1));
    out->message = lambda_with_newlines(line, scratch);
    return true;
}

/* What remains may say its level first; the runtime itself prints LAMBDA_WARNING. */
static bool parse_level_word(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    if (slice_starts(line, slice_str("LAMBDA_WARNING: ")))
        out->level = LEVEL_WARN;
    else if (!take_level_word(line, colon, out))
        return false;
    out->message = lambda_with_newlines(line, scratch);
    return true;
}

/* Lines that begin with a capital. */
static bool parse_capital(struct slice text, struct parse_scratch *scratch, struct record *out)
{
    if (text.ptr[1] == ',')
        return parse_ruby(text, scratch, out);
    if (is_digit(text.ptr[1]))
        return parse_klog(text, scratch, out);
    if ((text.ptr[3] == ' ' || text.ptr[3] == ',') && parse_dated(text, scratch, out))
        return true;
    return parse_level_word(text, scratch, out);
}

bool lambda_text_parse(struct slice line, struct parse_scratch *scratch, struct record *out)
{
    const struct time_rules *rules = scratch->times.rules;
    struct slice text = slice_trim_end(line);

    if (text.len < 8 || !lambda_reserve_texts(line, scratch))
        return false;
    if (rules && rules->n_formats && parse_dated(text, scratch, out))
        return true;
    if (*text.ptr == '[') /* an empty message leaves its tab at the end */
        return parse_level_first(line, scratch, out) || parse_bracketed(text, scratch, out);
    if (is_digit(*text.ptr))
        return parse_time_first(line, scratch, out) || parse_go(text, scratch, out) ||
               parse_dated(text, scratch, out);
    return *text.ptr >= 'A' && *text.ptr <= 'Z' && parse_capital(text, scratch, out);
}
