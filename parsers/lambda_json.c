/* Platform events in JSON: {"time","type":"platform.*","record":{...}} (aws.md 1.4, 5.5); web
 * functions say "timestamp" (aws.md 2). */
#include <math.h>
#include <stdlib.h>

#include "parsers/arn.h"
#include "parsers/lambda_parts.h"
#include "parsers/timestamp.h"
#include "parsers/trace_context.h"

static const struct {
    struct slice type;
    enum record_kind kind;
} types[] = {
    {SLICE_LIT("platform.initStart"), RECORD_INIT_START},
    {SLICE_LIT("platform.initReport"), RECORD_INIT_REPORT},
    {SLICE_LIT("platform.initRuntimeDone"), RECORD_INIT_REPORT},
    {SLICE_LIT("platform.restoreStart"), RECORD_RESTORE_START},
    {SLICE_LIT("platform.restoreReport"), RECORD_RESTORE_REPORT},
    {SLICE_LIT("platform.start"), RECORD_START},
    {SLICE_LIT("platform.runtimeDone"), RECORD_RUNTIME_DONE},
    {SLICE_LIT("platform.end"), RECORD_END},
    {SLICE_LIT("platform.report"), RECORD_REPORT},
};

static enum record_kind kind_of(struct slice type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_eq(type, types[i].type))
            return types[i].kind;
    return RECORD_PLATFORM;
}

static struct value text_of(const struct json_object *o, const char *key)
{
    const struct json_member *m = json_find(o, key);

    if (!m || m->type != JSON_TYPE_STRING || m->value.len == 0)
        return (struct value){{0}, VALUE_NONE};
    return (struct value){m->value, VALUE_JSON_STRING};
}

/* Statuses, types and ids have nothing to escape. */
static struct slice plain_of(const struct json_object *o, const char *key)
{
    const struct json_member *m = json_find(o, key);

    return m && m->type == JSON_TYPE_STRING && !m->value_escaped ? m->value : (struct slice){0};
}

static double number_of(const struct json_object *o, const char *key)
{
    const struct json_member *m = json_find(o, key);
    char digits[40];

    if (!m || m->type != JSON_TYPE_NUMBER || m->value.len >= sizeof digits)
        return NAN;
    memcpy(digits, m->value.ptr, m->value.len);
    digits[m->value.len] = '\0';
    return strtod(digits, NULL);
}

/* Scans the object under `key` into *into; false if there is none. */
static bool enter(const struct json_object *o, const char *key, struct json_object *into)
{
    const struct json_member *m = json_find(o, key);

    return m && m->type == JSON_TYPE_OBJECT && json_scan(m->value, into) == JSON_OK;
}

/* Where a runtime's ARN is, its function is; account is the runtime's owner's, mostly left out. */
static void take_region(struct slice text, struct record *out)
{
    struct arn arn;

    if (!out->cloud_region.len && arn_parse(text, &arn))
        out->cloud_region = arn.region;
}

static void take_arn(struct value arn, struct record *out)
{
    ptrdiff_t at = slice_find(arn.bytes, slice_str(":function:"));
    struct slice name;
    struct slice version;
    struct arn parts;

    if (arn.kind == VALUE_NONE || at < 0)
        return;
    version = slice_from(arn.bytes, (size_t)at + 10);
    if (!slice_cut(&version, ':', &name))
        name = version;
    if (!name.len)
        return;
    if (arn_parse(arn.bytes, &parts)) {
        out->cloud_region = parts.region;
        out->cloud_account = parts.account;
    }
    out->faas_arn = (struct value){slice_of(arn.bytes.ptr, (size_t)at + 10 + name.len), arn.kind};
    if (out->faas_name.kind == VALUE_NONE)
        out->faas_name = (struct value){name, arn.kind};
}

static void take_metrics(const struct json_object *metrics, struct record *out)
{
    struct report *r = &out->report;

    switch (out->kind) {
    case RECORD_INIT_REPORT:
        r->init_ms = number_of(metrics, "durationMs");
        return;
    case RECORD_RESTORE_REPORT:
        r->restore_ms = number_of(metrics, "durationMs");
        return;
    default:
        break;
    }
    r->duration_ms = number_of(metrics, "durationMs");
    r->billed_ms = number_of(metrics, "billedDurationMs");
    r->memory_mb = number_of(metrics, "memorySizeMB");
    r->max_memory_mb = number_of(metrics, "maxMemoryUsedMB");
    r->init_ms = number_of(metrics, "initDurationMs");
    r->restore_ms = number_of(metrics, "restoreDurationMs");
    r->billed_restore_ms = number_of(metrics, "billedRestoreDurationMs");
}

static void take_record(const struct json_object *rec, struct json_object *spare,
                        struct record *out)
{
    struct slice id = plain_of(rec, "requestId");

    if (id.len && id.len <= 64)
        out->request_id = id;
    out->faas_name = text_of(rec, "functionName");
    out->faas_version = text_of(rec, "functionVersion");
    if (out->faas_version.kind == VALUE_NONE)
        out->faas_version = text_of(rec, "version");
    take_arn(text_of(rec, "functionArn"), out);
    out->report.status = plain_of(rec, "status");
    out->report.error_type = plain_of(rec, "errorType");
    out->runtime_version = plain_of(rec, "runtimeVersion");
    take_region(plain_of(rec, "runtimeVersionArn"), out);
    out->init_type = plain_of(rec, "initializationType");
    if (enter(rec, "metrics", spare))
        take_metrics(spare, out);
    if (enter(rec, "tracing", spare)) {
        trace_parse_xray(plain_of(spare, "value"), out);
        if (json_find(spare, "spanId"))
            trace_parse_span_id(plain_of(spare, "spanId"), out);
    }
}

bool lambda_platform_json_parse(const struct json_object *object, struct parse_scratch *scratch,
                                struct record *out)
{
    struct slice type = plain_of(object, "type");
    struct slice time = plain_of(object, json_find(object, "time") ? "time" : "timestamp");

    if (!slice_starts(type, slice_str("platform.")) || !json_find(object, "record"))
        return false;
    out->kind = kind_of(type);
    out->has_time = timestamp_parse(time, &out->time_ns);
    if (enter(object, "record", &scratch->nested))
        take_record(&scratch->nested, &scratch->third, out);
    /* Without its request a platform line says nothing about requests. */
    if (!out->request_id.len && (out->kind == RECORD_START || out->kind == RECORD_END ||
                                 out->kind == RECORD_REPORT || out->kind == RECORD_RUNTIME_DONE))
        out->kind = RECORD_PLATFORM;
    lambda_take_failure(out);
    if (slice_is(type, "platform.logsDropped"))
        out->level = LEVEL_WARN;
    return true;
}
