#include "parsers/json_take.h"
#include "parsers/arn.h"
#include "parsers/level.h"
#include "parsers/timestamp.h"
#include "parsers/trace_context.h"

enum {
    LONGEST_ID = 256,
    LONGEST_LEVEL = 32,
};

struct value json_member_value(const struct json_member *m)
{
    if (m->type == JSON_TYPE_STRING)
        return (struct value){m->value, VALUE_JSON_STRING};
    return (struct value){m->value, m->is_unsafe ? VALUE_TEXT : VALUE_JSON};
}

/* A string that is what it says, without escapes, and not empty. */
static bool is_word(const struct json_member *m, size_t longest)
{
    return m->type == JSON_TYPE_STRING && !m->value_escaped && m->value.len > 0 &&
           m->value.len <= longest;
}

/* ------------------------------------------------------------------ time */

/* {"epochSecond":1760000000,"nanoOfSecond":123456789} (log4j), {"seconds":..,"nanos":..} (GCP) */
static bool time_of_parts(struct json_object *o, struct slice text, int64_t *ns)
{
    const struct json_member *seconds;
    const struct json_member *nanos;
    int64_t n;

    if (json_scan(text, o) != JSON_OK)
        return false;
    seconds = json_find(o, "epochSecond");
    seconds = seconds ? seconds : json_find(o, "seconds");
    nanos = json_find(o, "nanoOfSecond");
    nanos = nanos ? nanos : json_find(o, "nanos");
    if (!seconds || !nanos || !slice_to_int(nanos->value, &n) || n > 999999999 ||
        seconds->value.len != 10 || !timestamp_parse_epoch(seconds->value, ns))
        return false;
    *ns += n;
    return true;
}

static bool take_time(const struct json_member *m, struct parse_scratch *scratch,
                      struct record *out)
{
    int64_t ns = 0;
    bool is_time = false;

    if (is_word(m, 64) || (m->type == JSON_TYPE_NUMBER && scratch->times.rules))
        return parse_take_time(&scratch->times, m->value, out);
    if (m->type == JSON_TYPE_NUMBER)
        is_time = timestamp_parse_epoch(m->value, &ns);
    else if (m->type == JSON_TYPE_OBJECT && m->value.len < 128)
        is_time = time_of_parts(&scratch->third, m->value, &ns);
    if (is_time) {
        out->has_time = true;
        out->time_ns = ns;
        out->guessed_year = 0;
    }
    return is_time;
}

/* ------------------------------------------------------------------ level, message */

static bool take_level(const struct json_member *m, struct record *out)
{
    enum level level;

    if (!is_word(m, LONGEST_LEVEL) && m->type != JSON_TYPE_NUMBER)
        return false;
    if (*m->value.ptr >= '0' && *m->value.ptr <= '9')
        level = level_parse_number(m->key, m->value);
    else
        level = level_parse(m->value);
    if (level == LEVEL_NONE && m->type == JSON_TYPE_NUMBER)
        return false;
    out->level = level;
    out->level_text = level == LEVEL_NONE ? m->value : slice_of(NULL, 0);
    if (level_is_unsaid(out->level_text))
        out->level_text.len = 0;
    return true;
}

/* Any JSON may stand there (failures.md I1); what is no string becomes the text of its JSON, so
 * that one mapping fits all. */
static bool take_message(const struct json_member *m, struct record *out)
{
    if (m->type == JSON_TYPE_NULL)
        return false;
    if (m->type == JSON_TYPE_STRING)
        out->message = (struct value){m->value, VALUE_JSON_STRING};
    else
        out->message = value_text(m->value);
    return true;
}

/* ------------------------------------------------------------------ ids */

static bool take_request_id(const struct json_member *m, struct record *out)
{
    if (!is_word(m, LONGEST_ID))
        return false;
    out->request_id = m->value;
    return true;
}

/* The forms exclude each other, so the key need not say which it is. */
static bool take_trace(const struct json_member *m, struct record *out)
{
    return is_word(m, LONGEST_ID * 4) &&
           (trace_parse_xray(m->value, out) || trace_parse_traceparent(m->value, out) ||
            trace_parse_b3(m->value, out) || trace_parse_cloud(m->value, out) ||
            trace_parse_id(m->value, out));
}

static bool take_span(const struct json_member *m, struct record *out)
{
    return is_word(m, LONGEST_ID) && trace_parse_span_id(m->value, out);
}

static bool take_string(const struct json_member *m, struct value *out)
{
    if (m->type != JSON_TYPE_STRING || m->value.len == 0)
        return false;
    *out = (struct value){m->value, VALUE_JSON_STRING};
    return true;
}

/* ------------------------------------------------------------------ the function */

static bool is_version(struct slice s)
{
    int64_t number;

    return slice_is(s, "$LATEST") || slice_to_int(s, &number);
}

/* arn:aws:lambda:eu-west-1:123456789012:function:orders[:version or alias] */
static bool take_arn(const struct json_member *m, struct record *out)
{
    struct slice rest;
    struct slice kind;
    struct slice name;
    struct slice qualifier = slice_of(NULL, 0);
    struct arn arn;

    if (!is_word(m, 512) || !arn_parse(m->value, &arn) || !slice_is(arn.service, "lambda"))
        return false;
    rest = arn.resource;
    if (!slice_cut(&rest, ':', &kind) || !slice_is(kind, "function"))
        return false;
    if (slice_cut(&rest, ':', &name))
        qualifier = rest;
    else
        name = rest;
    if (name.len == 0 || (qualifier.len && memchr(qualifier.ptr, ':', qualifier.len)))
        return false;
    out->faas_arn.bytes = slice_of(m->value.ptr, (size_t)(name.ptr + name.len - m->value.ptr));
    out->faas_arn.kind = VALUE_JSON_STRING;
    out->cloud_region = arn.region;
    out->cloud_account = arn.account;
    if (out->faas_name.kind == VALUE_NONE)
        out->faas_name = (struct value){name, VALUE_JSON_STRING};
    if (out->faas_version.kind == VALUE_NONE && is_version(qualifier))
        out->faas_version = (struct value){qualifier, VALUE_JSON_STRING};
    return true;
}

static bool take_coldstart(const struct json_member *m, struct record *out)
{
    bool is_true = m->type == JSON_TYPE_TRUE;
    bool is_false = m->type == JSON_TYPE_FALSE;

    if (m->type == JSON_TYPE_STRING) {
        is_true = slice_eq_nocase(m->value, slice_str("true"));
        is_false = slice_eq_nocase(m->value, slice_str("false"));
    }
    if (!is_true && !is_false)
        return false;
    out->coldstart = is_true;
    return true;
}

/* ------------------------------------------------------------------ errors */

static void on_stack_line(void *ctx, enum json_type type, struct slice value)
{
    bool *is_all_strings = ctx;

    (void)value;
    *is_all_strings &= type == JSON_TYPE_STRING;
}

/* A string, or an array of nothing but strings. */
static bool take_stack(const struct json_member *m, struct record *out)
{
    bool is_all_strings = m->value.len > 2;

    if (m->type != JSON_TYPE_ARRAY)
        return take_string(m, &out->error_stack);
    json_each(m->value, on_stack_line, &is_all_strings);
    if (is_all_strings)
        out->error_stack = (struct value){m->value, VALUE_JSON};
    return is_all_strings;
}

bool json_take(enum json_slot slot, const struct json_member *m, struct parse_scratch *scratch,
               struct record *out)
{
    switch (slot) {
    case JSON_SLOT_TIME:
        return take_time(m, scratch, out);
    case JSON_SLOT_LEVEL:
        return take_level(m, out);
    case JSON_SLOT_MESSAGE:
        return take_message(m, out);
    case JSON_SLOT_REQUEST_ID:
        return take_request_id(m, out);
    case JSON_SLOT_TRACE:
        return take_trace(m, out);
    case JSON_SLOT_SPAN:
        return take_span(m, out);
    case JSON_SLOT_LOGGER:
        return take_string(m, &out->logger);
    case JSON_SLOT_SERVICE:
        return take_string(m, &out->service_name);
    case JSON_SLOT_FAAS_NAME:
        return take_string(m, &out->faas_name);
    case JSON_SLOT_FAAS_VERSION:
        return take_string(m, &out->faas_version);
    case JSON_SLOT_FAAS_ARN:
        return take_arn(m, out);
    case JSON_SLOT_CORRELATION:
        return take_string(m, &out->correlation_id);
    case JSON_SLOT_COLDSTART:
        return take_coldstart(m, out);
    case JSON_SLOT_ERROR_TYPE:
        return take_string(m, &out->error_type);
    case JSON_SLOT_ERROR_MESSAGE:
        return take_string(m, &out->error_message);
    case JSON_SLOT_ERROR_STACK:
        return take_stack(m, out);
    default:
        return false;
    }
}
