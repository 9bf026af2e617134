/* API Gateway's access log as JSON: its names are the user's to choose, and mostly those of the
 * examples, which are the names of the variables. */
#include "parsers/access_parts.h"
#include "parsers/json_scan.h"
#include "parsers/json_take.h"
#include "parsers/trace_context.h"

enum { MOST_MEMBERS = 64 };

/* What a member is for. */
enum use {
    USE_FIELD,
    USE_PEER,
    USE_STATUS,
    USE_PATH,
    USE_PROTOCOL,
    USE_MILLISECONDS,
    USE_TIME,
    USE_FINER_TIME,
    USE_FUNCTION, /* the id of the Lambda function's request, which is not the gateway's */
    USE_TRACE,
    USE_ERROR,
};

struct member_use {
    const char *name;
    enum use use;
    enum access_field field; /* of USE_FIELD */
};

static const struct member_use *find_use(struct slice key)
{
    static const struct member_use uses[] = {
        {"domainName", USE_FIELD, ACCESS_DOMAIN},
        {"httpMethod", USE_FIELD, ACCESS_METHOD},
        {"requestId", USE_FIELD, ACCESS_REQUEST_ID},
        {"responseLength", USE_FIELD, ACCESS_BODY_BYTES},
        {"user", USE_FIELD, ACCESS_USER},
        {"userAgent", USE_FIELD, ACCESS_USER_AGENT},
        {"ip", USE_PEER, 0},
        {"sourceIp", USE_PEER, 0},
        {"status", USE_STATUS, 0},
        {"path", USE_PATH, 0},
        {"protocol", USE_PROTOCOL, 0},
        {"responseLatency", USE_MILLISECONDS, 0},
        {"requestTime", USE_TIME, 0},
        {"requestTimeEpoch", USE_FINER_TIME, 0},
        {"integrationRequestId", USE_FUNCTION, 0},
        {"integration.requestId", USE_FUNCTION, 0},
        {"awsEndpointRequestId", USE_FUNCTION, 0},
        {"xrayTraceId", USE_TRACE, 0},
        {"errorMessage", USE_ERROR, 0},
        {"error.message", USE_ERROR, 0},
    };

    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (slice_is(key, uses[i].name))
            return &uses[i];
    return NULL;
}

/* What a member says in plain text; empty for "-", and for what would need decoding. */
static struct slice text_of(const struct json_member *m)
{
    bool is_plain =
        m->type == JSON_TYPE_NUMBER || (m->type == JSON_TYPE_STRING && !m->value_escaped);

    return is_plain && !slice_is(m->value, "-") ? m->value : slice_of(NULL, 0);
}

static bool take_field(struct access *a, enum access_field field, struct slice text)
{
    size_t n_before = a->out->n_root;

    access_put(a, field, text);
    return a->out->n_root > n_before;
}

/* True if the text now stands where it belongs. */
static bool use(struct access *a, const struct member_use *how, struct slice text)
{
    size_t n_before = a->out->n_root;

    switch (how->use) {
    case USE_FIELD:
        return take_field(a, how->field, text);
    case USE_PEER:
        access_peer(a, ACCESS_SOURCE_ADDRESS, text);
        break;
    case USE_STATUS:
        access_status(a, text);
        break;
    case USE_PATH:
        if (*text.ptr == '/')
            access_url(a, text);
        break;
    case USE_PROTOCOL:
        return slice_starts(text, slice_str("HTTP/")) &&
               take_field(a, ACCESS_VERSION, slice_from(text, 5));
    case USE_MILLISECONDS:
        access_duration(a, access_ns(text, 1000000));
        break;
    case USE_TIME:
        return a->out->has_time || access_time(a, text);
    case USE_FINER_TIME:
        return access_time(a, text);
    case USE_FUNCTION:
        if (a->out->request_id.len || text.len > 256)
            return false;
        a->out->request_id = text;
        return true;
    case USE_TRACE:
        return !a->out->has_trace_id && trace_parse_xray(text, a->out);
    default:
        if (a->out->error_message.kind != VALUE_NONE)
            return false;
        a->out->error_message = value_text(text);
        return true;
    }
    return a->out->n_root > n_before;
}

static bool has_key(const struct json_object *o, const char *one, const char *other)
{
    return json_find(o, one) || json_find(o, other);
}

static bool is_of_gateway(const struct json_object *o)
{
    for (size_t i = 0; i < o->n_members; i++)
        if (o->members[i].key_escaped)
            return false;
    return json_find(o, "requestId") && json_find(o, "status") &&
           has_key(o, "httpMethod", "routeKey") && has_key(o, "requestTime", "requestTimeEpoch");
}

bool access_gateway_parse(struct parse_scratch *scratch, struct slice line, struct record *out)
{
    struct json_object *o = &scratch->object;
    struct access a;

    if (json_scan(line, o) != JSON_OK || o->n_members > MOST_MEMBERS || !is_of_gateway(o) ||
        !access_start(&a, scratch, line, out, MOST_MEMBERS))
        return false;
    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];
        const struct member_use *how = find_use(m->key);
        struct slice text = text_of(m);

        if (!m->is_shadowed && !slice_is(m->value, "-") && !(how && text.len && use(&a, how, text)))
            fill_own(&a.filling, m->key, json_member_value(m));
    }
    return out->has_time;
}
