#include "parsers/regex_fill.h"
#include "parsers/level.h"
#include "parsers/timestamp.h"
#include "parsers/trace_context.h"

enum { LONGEST_ID = 256 }; /* as in JSON lines */

int regex_check_time_format(const char *format, struct err *e)
{
    char bad = ' ';

    if (!format || strcmp(format, "rfc3339") == 0 || strcmp(format, "epoch") == 0)
        return 0;
    if (!timestamp_format_is_known(format, &bad))
        err_set(e, ERR_CONFIG, "%%%c is not known; want strptime's letters, rfc3339 or epoch",
                bad ? bad : ' ');
    else if (!timestamp_format_has_day(format))
        err_set(e, ERR_CONFIG, "\"%.60s\" gives no day; want %%Y, %%F, %%D, %%s, or month and day",
                format);
    else
        return 0;
    return err_at(e, "time_format");
}

static bool fill_level(struct slice text, struct record *out)
{
    out->level = level_parse(text);
    out->level_text = out->level == LEVEL_NONE ? text : slice_of(NULL, 0);
    return true;
}

static bool fill_request(struct slice text, struct record *out)
{
    if (text.len > LONGEST_ID)
        return false;
    out->request_id = text;
    return true;
}

static bool fill_trace(struct slice text, struct record *out)
{
    return trace_parse_xray(text, out) || trace_parse_traceparent(text, out) ||
           trace_parse_b3(text, out) || trace_parse_cloud(text, out) || trace_parse_id(text, out);
}

static bool fill_coldstart(struct slice text, struct record *out)
{
    bool is_true = slice_eq_nocase(text, slice_str("true"));

    if (!is_true && !slice_eq_nocase(text, slice_str("false")))
        return false;
    out->coldstart = is_true;
    return true;
}

static bool fill_text(struct value *into, struct slice text)
{
    *into = value_text(text);
    return true;
}

/* "18ms": Heroku's router says by service= how long it took. */
static bool is_duration(struct slice text)
{
    size_t n = 0;

    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    text = slice_from(text, n);
    return n && (slice_is(text, "ms") || slice_is(text, "s"));
}

bool regex_fill(enum json_slot slot, const struct time_context *times, struct slice text,
                struct record *out)
{
    /* "-" is how access logs say that there is none. */
    if (slot != JSON_SLOT_MESSAGE && (!text.len || slice_is(text, "-")))
        return false;
    switch (slot) {
    case JSON_SLOT_TIME:
        return parse_take_time(times, text, out);
    case JSON_SLOT_LEVEL:
        return fill_level(text, out);
    case JSON_SLOT_MESSAGE:
        return fill_text(&out->message, text);
    case JSON_SLOT_REQUEST_ID:
        return fill_request(text, out);
    case JSON_SLOT_TRACE:
        return fill_trace(text, out);
    case JSON_SLOT_SPAN:
        return trace_parse_span_id(text, out);
    case JSON_SLOT_LOGGER:
        return fill_text(&out->logger, text);
    case JSON_SLOT_SERVICE:
        return !is_duration(text) && fill_text(&out->service_name, text);
    case JSON_SLOT_FAAS_NAME:
        return fill_text(&out->faas_name, text);
    case JSON_SLOT_FAAS_VERSION:
        return fill_text(&out->faas_version, text);
    case JSON_SLOT_CORRELATION:
        return fill_text(&out->correlation_id, text);
    case JSON_SLOT_COLDSTART:
        return fill_coldstart(text, out);
    case JSON_SLOT_ERROR_TYPE:
        return fill_text(&out->error_type, text);
    case JSON_SLOT_ERROR_MESSAGE:
        return fill_text(&out->error_message, text);
    case JSON_SLOT_ERROR_STACK:
        return fill_text(&out->error_stack, text);
    default:
        return false;
    }
}

/* The grammar of a JSON number: what stands there goes into the document as it is. */
static bool is_json_number(struct slice s, bool is_integer)
{
    size_t at = s.len && *s.ptr == '-';
    size_t from = at;

    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    if (at == from || (s.ptr[from] == '0' && at > from + 1) || at - from > 18)
        return false;
    if (at == s.len || is_integer)
        return at == s.len;
    if (s.ptr[at++] != '.')
        return false;
    from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at > from && at == s.len && at < 400;
}

struct value regex_typed(enum group_type type, struct slice text)
{
    bool is_literal = false;

    if (type == GROUP_BOOL || type == GROUP_LITERAL)
        is_literal = slice_is(text, "true") || slice_is(text, "false");
    if (!is_literal && type != GROUP_STRING && type != GROUP_BOOL)
        is_literal = is_json_number(text, type == GROUP_INT);
    return (struct value){text, is_literal ? VALUE_JSON : VALUE_TEXT};
}
