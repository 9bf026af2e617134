/* A story as one JSON document; see `ship help trace` for its members. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "parsers/timestamp.h"
#include "shipper/verbs/trace/render.h"

/* Absent texts, numbers and times are left out. */
static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void set_text(json_t *object, const char *key, struct slice text)
{
    if (text.len)
        set(object, key, json_stringn(text.ptr, text.len));
}

static void set_number(json_t *object, const char *key, double value)
{
    if (isnan(value))
        return;
    if (value == floor(value) && fabs(value) < 1e15)
        set(object, key, json_integer((json_int_t)value));
    else
        set(object, key, json_real(value));
}

static void set_time(json_t *object, const char *key, int64_t ns)
{
    char text[TIMESTAMP_TEXT_MAX];

    if (ns)
        set_text(object, key, slice_of(text, timestamp_format(ns, text)));
}

static double offset_ms(const struct story *s, int64_t ns)
{
    return (double)(ns - s->start_ns) / 1e6;
}

static json_t *invocation(const struct story *s, const struct story_invocation *inv)
{
    json_t *out = json_object();

    set_text(out, "function", inv->function);
    set_text(out, "version", inv->version);
    set_text(out, "request", inv->request);
    set_time(out, "start", inv->start_ns);
    set_number(out, "offset_ms", offset_ms(s, inv->start_ns));
    set_number(out, "duration_ms", inv->duration_ms);
    set_number(out, "billed_ms", inv->billed_ms);
    set_number(out, "memory_size_mb", inv->memory_mb);
    set_number(out, "memory_used_mb", inv->used_mb);
    if (inv->coldstart >= 0)
        set(out, "cold_start", json_boolean(inv->coldstart));
    set_number(out, "init_ms", inv->init_ms);
    set_text(out, "outcome", inv->outcome);
    set_text(out, "error_type", inv->error_type);
    set_text(out, "error_message", inv->error_message);
    set(out, "lines", json_integer((json_int_t)inv->n_lines));
    return out;
}

static json_t *event(const struct story *s, const struct story_event *e)
{
    json_t *out = json_object();

    set_time(out, "time", e->time_ns);
    if (s)
        set_number(out, "offset_ms", offset_ms(s, e->time_ns));
    set_text(out, "function", e->function);
    set_text(out, "request", e->request);
    set_text(out, "trace", e->trace);
    set_text(out, "level", e->level);
    set_text(out, "action", e->action);
    set_text(out, "message", e->message);
    set_text(out, "error_type", e->error_type);
    set_text(out, "error_message", e->error_message);
    set_text(out, "stack_trace", e->stack);
    if (e->app.len)
        set(out, "app", json_loadb(e->app.ptr, e->app.len, JSON_ALLOW_NUL, NULL));
    return out;
}

static json_t *error(const struct story *s, const struct story_error *e)
{
    const struct story_invocation *inv = &s->invocations[e->invocation];
    json_t *out = json_object();

    set_time(out, "time", e->time_ns);
    set_text(out, "function", inv->function);
    set_text(out, "request", inv->request);
    set_text(out, "outcome", e->outcome);
    set_text(out, "type", e->type);
    set_text(out, "message", e->message);
    set_text(out, "where", e->where);
    return out;
}

static json_t *whole(const struct story *s)
{
    json_t *out = json_object();
    json_t *invocations = json_array();
    json_t *events = json_array();
    json_t *errors = json_array();

    set_text(out, "trace", s->trace);
    set_time(out, "start", s->start_ns);
    set_number(out, "duration_ms", offset_ms(s, s->end_ns));
    set_text(out, "outcome", story_outcome(s));
    set(out, "functions", json_integer((json_int_t)s->n_functions));
    set(out, "failed", json_integer((json_int_t)s->n_failed));
    for (size_t i = 0; i < s->n_invocations; i++)
        json_array_append_new(invocations, invocation(s, &s->invocations[i]));
    for (size_t i = 0; i < s->n_events; i++)
        json_array_append_new(events, event(s, &s->events[i]));
    for (size_t i = 0; i < s->n_errors; i++)
        json_array_append_new(errors, error(s, &s->errors[i]));
    set(out, "invocations", invocations);
    set(out, "events", events);
    set(out, "errors", errors);
    set(out, "is_cut", json_boolean(s->is_cut));
    return out;
}

static int dump(json_t *json, bool is_ascii, struct buffer *out, struct err *e)
{
    char *text = json_dumps(json, JSON_INDENT(2) | (is_ascii ? JSON_ENSURE_ASCII : 0) |
                                      JSON_REAL_PRECISION(15));

    json_decref(json);
    if (text) {
        buffer_add_slice(out, slice_str(text));
        buffer_add_char(out, '\n');
    }
    free(text);
    return text && !out->failed ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

int render_json(const struct story *s, bool is_ascii, struct buffer *out, struct err *e)
{
    return dump(whole(s), is_ascii, out, e);
}

int render_list_json(const struct story_event *events, size_t n_events, bool is_ascii,
                     struct buffer *out, struct err *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n_events; i++)
        json_array_append_new(list, event(NULL, &events[i]));
    return dump(list, is_ascii, out, e);
}
