/* One document, as an output stored it, into the fields that a story wants. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "parsers/timestamp.h"
#include "shipper/verbs/trace/story.h"

/* "log.level" as ship writes it, or {"log": {"level": ...}} as servers may give it back. */
static json_t *field(json_t *object, const char *name)
{
    json_t *whole = json_object_get(object, name);

    for (const char *dot = strchr(name, '.'); !whole && dot; dot = strchr(dot + 1, '.')) {
        json_t *part = json_object_getn(object, name, (size_t)(dot - name));

        if (json_is_object(part))
            whole = field(part, dot + 1);
    }
    return whole;
}

static struct slice text(struct arena *a, json_t *doc, const char *name)
{
    json_t *value = field(doc, name);

    return json_is_string(value)
               ? arena_copy(a, slice_of(json_string_value(value), json_string_length(value)))
               : slice_of("", 0);
}

static struct slice json_text(struct arena *a, json_t *doc, const char *name)
{
    json_t *value = json_object_get(doc, name);
    char *dumped =
        json_is_object(value) ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    struct slice copy = arena_copy(a, slice_str(dumped));

    free(dumped);
    return copy;
}

static double number(json_t *doc, const char *name)
{
    json_t *value = field(doc, name);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t time_of(json_t *doc, const char *name)
{
    json_t *value = field(doc, name);
    int64_t ns = 0;

    if (!json_is_string(value) ||
        !timestamp_parse(slice_of(json_string_value(value), json_string_length(value)), &ns))
        return 0;
    return ns;
}

static void read_event(struct arena *a, json_t *doc, struct story_event *out)
{
    json_t *offset = field(doc, "log.offset");

    *out = (struct story_event){
        .time_ns = time_of(doc, "@timestamp"),
        .offset = json_is_integer(offset) ? (uint64_t)json_integer_value(offset) : 0,
        .id = text(a, doc, "event.id"),
        .path = text(a, doc, "log.file.path"),
        .function = text(a, doc, "faas.name"),
        .request = text(a, doc, "faas.execution"),
        .trace = text(a, doc, "trace.id"),
        .init = text(a, doc, "labels.init_id"),
        .level = text(a, doc, "log.level"),
        .action = text(a, doc, "event.action"),
        .message = text(a, doc, "message"),
        .error_type = text(a, doc, "error.type"),
        .error_message = text(a, doc, "error.message"),
        .stack = text(a, doc, "error.stack_trace"),
        .app = json_text(a, doc, "app"),
        .invocation = -1,
    };
}

static void read_summary(struct arena *a, json_t *doc, const struct story_event *event,
                         struct story_invocation *out)
{
    json_t *coldstart = field(doc, "faas.coldstart");
    double n_lines = number(doc, "faas.invocation.lines");
    int64_t end_ns = time_of(doc, "event.end");

    *out = (struct story_invocation){
        .request = event->request,
        .function = event->function,
        .version = text(a, doc, "faas.version"),
        .init = event->init,
        .path = event->path,
        .report_offset = event->offset,
        .start_ns = time_of(doc, "event.start"),
        .end_ns = end_ns ? end_ns : event->time_ns,
        .duration_ms = number(doc, "aws.lambda.metrics.duration_ms"),
        .billed_ms = number(doc, "aws.lambda.metrics.billed_duration_ms"),
        .memory_mb = number(doc, "aws.lambda.metrics.memory_size_mb"),
        .used_mb = number(doc, "aws.lambda.metrics.max_memory_used_mb"),
        .init_ms = number(doc, "aws.lambda.metrics.init_duration_ms"),
        .coldstart = json_is_boolean(coldstart) ? json_is_true(coldstart) : -1,
        .outcome = text(a, doc, "labels.outcome"),
        .error_type = event->error_type,
        .error_message = event->error_message,
        .n_lines = n_lines > 0 ? (size_t)n_lines : 0,
    };
}

bool story_read(struct arena *arena, struct slice document, struct story_event *event,
                struct story_invocation *summary)
{
    json_t *doc = json_loadb(document.ptr, document.len, JSON_ALLOW_NUL, NULL);
    bool is_event = json_is_object(doc) && time_of(doc, "@timestamp");

    if (is_event) {
        read_event(arena, doc, event);
        if (slice_is(event->action, "invocation"))
            read_summary(arena, doc, event, summary);
    }
    json_decref(doc);
    return is_event;
}
