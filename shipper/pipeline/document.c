/* One event as one ECS document, written straight into the output's batch.
 *
 * Static parts are prepared bytes; nothing here allocates but the buffer's growth. */
#include <math.h>

#include "parsers/json_scan.h"
#include "parsers/level.h"
#include "parsers/timestamp.h"
#include "shipper/pipeline/correlate.h"
#include "shipper/pipeline/document_app.h"
#include "shipper/pipeline/event.h"

/* Each member is written with a comma before it; only @timestamp, the first, has none. */
#define MEMBER(out, key) buffer_add_lit((out), ",\"" key "\":")

/* True if something in it was no UTF-8 and became U+FFFD. */
static bool add_quoted(struct buffer *out, struct slice text)
{
    bool is_repaired;

    buffer_add_char(out, '"');
    is_repaired = json_escape(text, out);
    buffer_add_char(out, '"');
    return is_repaired;
}

/* What needs no escaping: hex, our own names. */
static void add_plain(struct buffer *out, struct slice text)
{
    buffer_add_char(out, '"');
    buffer_add_slice(out, text);
    buffer_add_char(out, '"');
}

/* A value where the mapping wants a string, whatever kind it was; true as add_quoted. */
static bool add_string_value(struct buffer *out, const struct value *v)
{
    if (v->kind != VALUE_JSON_STRING)
        return add_quoted(out, v->bytes);
    add_plain(out, v->bytes);
    return false;
}

static void add_time(struct buffer *out, int64_t ns)
{
    char text[TIMESTAMP_TEXT_MAX];

    add_plain(out, slice_of(text, timestamp_format(ns, text)));
}

struct frames {
    struct buffer *out;
    bool is_first;
};

static void add_frame(void *ctx, enum json_type type, struct slice value)
{
    struct frames *f = ctx;

    if (!f->is_first)
        buffer_add_lit(f->out, "\\n");
    f->is_first = false;
    if (type == JSON_TYPE_STRING)
        buffer_add_slice(f->out, value);
    else
        json_escape(value, f->out);
}

/* A stack trace is one text; runtimes that give it as an array of frames mean its lines. */
static void add_stack(struct buffer *out, const struct value *stack)
{
    struct frames frames = {out, true};

    if (stack->kind != VALUE_JSON || stack->bytes.len == 0 || *stack->bytes.ptr != '[') {
        add_string_value(out, stack);
        return;
    }
    buffer_add_char(out, '"');
    json_each(stack->bytes, add_frame, &frames);
    buffer_add_char(out, '"');
}

struct slice outcome_name(enum outcome o)
{
    static const struct slice names[] = {
        SLICE_LIT("unknown"), SLICE_LIT("success"),       SLICE_LIT("error"),
        SLICE_LIT("timeout"), SLICE_LIT("out_of_memory"),
    };

    return names[o];
}

struct slice document_action(const struct event *event)
{
    static const struct slice names[] = {
        [RECORD_LINE] = SLICE_LIT(""),
        [RECORD_INIT_START] = SLICE_LIT("init_start"),
        [RECORD_INIT_REPORT] = SLICE_LIT("init_report"),
        [RECORD_RESTORE_START] = SLICE_LIT("restore_start"),
        [RECORD_RESTORE_REPORT] = SLICE_LIT("restore_report"),
        [RECORD_START] = SLICE_LIT("start"),
        [RECORD_RUNTIME_DONE] = SLICE_LIT("runtime_done"),
        [RECORD_END] = SLICE_LIT("end"),
        [RECORD_REPORT] = SLICE_LIT("report"),
        [RECORD_TIMEOUT] = SLICE_LIT("timeout"),
        [RECORD_EXIT] = SLICE_LIT("exit"),
        [RECORD_XRAY] = SLICE_LIT("xray"),
        [RECORD_PLATFORM] = SLICE_LIT("platform"),
    };

    if (event->ready)
        return event->ready->action;
    if (event->invocation)
        return slice_str("invocation");
    return names[event->record->kind];
}

static void add_text(struct buffer *out, struct slice text, bool is_json)
{
    if (is_json)
        json_escape(text, out);
    else
        buffer_add_slice(out, text);
}

/* "checkout 3f0d9c9e-...: timeout after 3000 ms" */
static void invocation_message(const struct event *event, bool is_json, struct buffer *out)
{
    const struct invocation *inv = event->invocation;

    add_text(out, event->function.len ? event->function : slice_str("invocation"), is_json);
    buffer_add_char(out, ' ');
    add_text(out, slice_of(inv->id, inv->id_len), is_json);
    buffer_add_lit(out, ": ");
    buffer_add_slice(out, outcome_name(inv->outcome));
    if (!isnan(inv->report.duration_ms)) {
        buffer_add_lit(out, " after ");
        buffer_add_double(out, inv->report.duration_ms);
        buffer_add_lit(out, " ms");
    }
}

void document_message(const struct event *event, struct buffer *out)
{
    const struct value *m = &event->record->message;

    if (event->ready)
        json_unescape(event->ready->message, out);
    else if (event->invocation)
        invocation_message(event, false, out);
    else if (m->kind == VALUE_JSON_STRING)
        json_unescape(m->bytes, out);
    else if (m->kind == VALUE_NONE)
        buffer_add_slice(out, event->line);
    else
        buffer_add_slice(out, m->bytes);
}

/* True as add_quoted. */
static bool add_message(const struct event *event, struct buffer *out)
{
    const struct value *m = &event->record->message;

    MEMBER(out, "message");
    if (!event->invocation)
        return m->kind == VALUE_NONE ? add_quoted(out, event->line) : add_string_value(out, m);
    buffer_add_char(out, '"');
    invocation_message(event, true, out);
    buffer_add_char(out, '"');
    return false;
}

/* A level that only its author knows: lower case like the others. */
static void add_lower_case(struct buffer *out, struct slice text)
{
    size_t from = out->len;

    add_quoted(out, text);
    for (size_t i = from; i < out->len; i++)
        if (out->ptr[i] >= 'A' && out->ptr[i] <= 'Z')
            out->ptr[i] = (char)(out->ptr[i] + 'a' - 'A');
}

static void add_level(const struct event *event, struct buffer *out)
{
    if (event->level != LEVEL_NONE) {
        MEMBER(out, "log.level");
        add_plain(out, level_name(event->level));
    } else if (event->record->level_text.len) {
        MEMBER(out, "log.level");
        add_lower_case(out, event->record->level_text);
    }
}

/* Not every flag has a name. */
static void add_flags(unsigned flags, struct buffer *out)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {RECORD_TRUNCATED, "truncated"}, {RECORD_REPAIRED, "repaired"},
        {RECORD_BAD_JSON, "bad_json"},   {RECORD_MATCH_LIMIT, "match_limit"},
        {RECORD_NO_MATCH, "no_match"},   {RECORD_JOINED, "multiline"},
    };
    bool is_open = false;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(flags & names[i].flag))
            continue;
        buffer_add_slice(out, slice_str(is_open ? "," : ",\"log.flags\":["));
        add_plain(out, slice_str(names[i].name));
        is_open = true;
    }
    if (is_open)
        buffer_add_char(out, ']');
}

static void add_hex64(struct buffer *out, uint64_t value)
{
    char text[16];

    for (int i = 15; i >= 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    add_plain(out, slice_of(text, sizeof text));
}

static void add_request(const struct event *event, struct buffer *out)
{
    if (event->request_id.len) {
        MEMBER(out, "faas.execution");
        add_quoted(out, event->request_id);
        if (event->request_id_source == REQUEST_ID_LINE)
            buffer_add_lit(out, ",\"labels.request_id_source\":\"line\"");
        else
            buffer_add_lit(out, ",\"labels.request_id_source\":\"stream\"");
    }
    if (event->init_id) {
        MEMBER(out, "labels.init_id");
        add_hex64(out, event->init_id);
    }
    if (event->trace_id.len) {
        MEMBER(out, "trace.id");
        add_plain(out, event->trace_id);
    }
    if (event->span_id.len) {
        MEMBER(out, "span.id");
        add_plain(out, event->span_id);
    }
}

static void add_function(const struct event *event, struct buffer *out)
{
    const struct record *r = event->record;

    if (r->faas_name.kind != VALUE_NONE) {
        MEMBER(out, "faas.name");
        add_string_value(out, &r->faas_name);
    } else if (event->function.len) {
        MEMBER(out, "faas.name");
        add_quoted(out, event->function);
    }
    if (r->faas_version.kind != VALUE_NONE) {
        MEMBER(out, "faas.version");
        add_string_value(out, &r->faas_version);
    } else if (event->function_version.len) {
        MEMBER(out, "faas.version");
        add_quoted(out, event->function_version);
    }
    if (r->faas_arn.kind != VALUE_NONE) {
        MEMBER(out, "faas.id");
        add_string_value(out, &r->faas_arn);
    }
    if (event->coldstart > 0)
        buffer_add_lit(out, ",\"faas.coldstart\":true");
    else if (event->coldstart == 0)
        buffer_add_lit(out, ",\"faas.coldstart\":false");
}

static void add_cloud(const struct event *event, struct buffer *out)
{
    struct slice provider = event->record->cloud_provider;

    if (!event->cloud_region.len)
        return;
    MEMBER(out, "cloud.provider");
    add_plain(out, provider.len ? provider : slice_str("aws"));
    MEMBER(out, "cloud.region");
    add_plain(out, event->cloud_region);
    if (event->cloud_account.len) {
        MEMBER(out, "cloud.account.id");
        add_plain(out, event->cloud_account);
    }
}

static void add_service(const struct record *r, struct buffer *out)
{
    if (r->service_name.kind != VALUE_NONE) {
        MEMBER(out, "service.name");
        add_string_value(out, &r->service_name);
    }
    if (r->logger.kind != VALUE_NONE) {
        MEMBER(out, "log.logger");
        add_string_value(out, &r->logger);
    }
    if (r->correlation_id.kind != VALUE_NONE) {
        MEMBER(out, "labels.correlation_id");
        add_string_value(out, &r->correlation_id);
    }
}

static void add_error(const struct record *r, struct buffer *out)
{
    if (r->error_type.kind != VALUE_NONE) {
        MEMBER(out, "error.type");
        add_string_value(out, &r->error_type);
    }
    if (r->error_message.kind != VALUE_NONE) {
        MEMBER(out, "error.message");
        add_string_value(out, &r->error_message);
    }
    if (r->error_stack.kind != VALUE_NONE) {
        MEMBER(out, "error.stack_trace");
        add_stack(out, &r->error_stack);
    }
}

static void add_number(struct buffer *out, const char *key, double value)
{
    if (isnan(value))
        return;
    buffer_add_lit(out, ",\"aws.lambda.metrics.");
    buffer_add_slice(out, slice_str(key));
    buffer_add_lit(out, "\":");
    buffer_add_double(out, value);
}

/* Always with a fraction: an index without our template takes its type from the first number that
 * it sees, and a long would cut the others off, or refuse them. */
static void add_fractional(struct buffer *out, const char *key, double value)
{
    size_t from = out->len;

    add_number(out, key, value);
    if (out->len > from && trunc(value) == value && fabs(value) < 1e15)
        buffer_add_lit(out, ".0");
}

static void add_report(const struct report *r, struct buffer *out)
{
    /* event.duration is nanoseconds (ECS); beyond a year it is no duration. */
    if (r->duration_ms >= 0 && r->duration_ms < 4e10) {
        MEMBER(out, "event.duration");
        buffer_add_int(out, (int64_t)llround(r->duration_ms * 1e6));
    }
    add_fractional(out, "duration_ms", r->duration_ms);
    add_number(out, "billed_duration_ms", r->billed_ms);
    add_fractional(out, "init_duration_ms", r->init_ms);
    add_fractional(out, "restore_duration_ms", r->restore_ms);
    add_number(out, "billed_restore_duration_ms", r->billed_restore_ms);
    add_number(out, "memory_size_mb", r->memory_mb);
    add_number(out, "max_memory_used_mb", r->max_memory_mb);
}

/* What only platform lines say. */
static void add_platform(const struct event *event, struct buffer *out)
{
    const struct record *r = event->record;

    MEMBER(out, "event.action");
    add_plain(out, document_action(event));
    add_report(&r->report, out);
    if (r->report.status.len) {
        MEMBER(out, "labels.status");
        add_quoted(out, r->report.status);
    }
    if (r->report.error_type.len && r->error_type.kind == VALUE_NONE) {
        MEMBER(out, "error.type");
        add_quoted(out, r->report.error_type);
    }
    if (r->runtime_version.len) {
        MEMBER(out, "labels.runtime_version");
        add_quoted(out, r->runtime_version);
    }
    if (r->init_type.len) {
        MEMBER(out, "labels.initialization_type");
        add_quoted(out, r->init_type);
    }
}

static void add_invocation(const struct invocation *inv, struct buffer *out)
{
    bool is_success = inv->outcome == OUTCOME_SUCCESS;

    buffer_add_lit(out, ",\"event.action\":\"invocation\",\"event.outcome\":");
    if (inv->outcome == OUTCOME_UNKNOWN)
        buffer_add_lit(out, "\"unknown\"");
    else
        add_plain(out, is_success ? slice_str("success") : slice_str("failure"));
    MEMBER(out, "labels.outcome");
    add_plain(out, outcome_name(inv->outcome));
    if (inv->start_ns) {
        MEMBER(out, "event.start");
        add_time(out, inv->start_ns);
    }
    if (inv->end_ns) {
        MEMBER(out, "event.end");
        add_time(out, inv->end_ns);
    }
    add_report(&inv->report, out);
    MEMBER(out, "faas.invocation.lines");
    buffer_add_int(out, inv->n_lines);
    MEMBER(out, "faas.invocation.errors");
    buffer_add_int(out, inv->n_errors);
    if (inv->highest != LEVEL_NONE) {
        MEMBER(out, "faas.invocation.highest_level");
        add_plain(out, level_name(inv->highest));
    }
    if (inv->error_type[0]) {
        MEMBER(out, "error.type");
        add_quoted(out, slice_str(inv->error_type));
    }
    if (inv->error_message[0]) {
        MEMBER(out, "error.message");
        add_quoted(out, slice_str(inv->error_message));
    }
}

/* As it is; the id goes in before its last brace, if it is wanted and not there. */
static void add_ready(const struct event *event, bool with_id, struct buffer *out)
{
    struct slice json = event->ready->json;

    if (!with_id || !event->stream->has_id ||
        slice_find(json, (struct slice)SLICE_LIT("\"event.id\":")) >= 0) {
        buffer_add_slice(out, json);
        return;
    }
    json.len--;
    buffer_add_slice(out, json);
    if (json.len > 1)
        buffer_add_char(out, ',');
    buffer_add_lit(out, "\"event.id\":");
    add_plain(out, slice_of(event->id, sizeof event->id));
    buffer_add_char(out, '}');
}

void document_encode(const struct event *event, bool with_id, struct buffer *out)
{
    const struct record *r = event->record;
    bool is_repaired;

    if (event->ready) {
        add_ready(event, with_id, out);
        return;
    }
    buffer_add_lit(out, "{\"@timestamp\":");
    add_time(out, event->time_ns);
    is_repaired = add_message(event, out);
    add_level(event, out);
    add_request(event, out);
    add_function(event, out);
    add_cloud(event, out);
    if (event->invocation) {
        add_invocation(event->invocation, out);
    } else {
        if (r->kind != RECORD_LINE)
            add_platform(event, out);
        add_service(r, out);
        add_error(r, out);
        document_add_root(r, event->stream, out);
        add_flags(is_repaired ? r->flags | RECORD_REPAIRED : r->flags, out);
    }
    buffer_add_slice(out, event->stream->static_path_json);
    MEMBER(out, "log.offset");
    buffer_add_int(out, (int64_t)event->offset);
    document_add_static(r, event->stream->static_json, out);
    if (with_id && event->stream->has_id) {
        MEMBER(out, "event.id");
        add_plain(out, slice_of(event->id, sizeof event->id));
    }
    if (event->stream->with_original && event->line.len) {
        MEMBER(out, "event.original");
        add_quoted(out, event->line);
    }
    if (!event->invocation)
        document_add_fields(r, event->stream, out);
    buffer_add_char(out, '}');
}
