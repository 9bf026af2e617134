#include <stdbool.h>

#include "parsers/json_names.h"
#include "shipper/base/word.h"

/* One table a length, so that a key is compared with a handful. A row stands in the table of its
 * length (test_json.c tries every name). */
static const struct json_name of_2[] = {
    {"ts", JSON_SLOT_TIME, 3, JSON_GROUP_NONE},  {"@t", JSON_SLOT_TIME, 3, JSON_GROUP_NONE},
    {"@l", JSON_SLOT_LEVEL, 3, JSON_GROUP_NONE}, {"@m", JSON_SLOT_MESSAGE, 1, JSON_GROUP_NONE},
    {"b3", JSON_SLOT_TRACE, 3, JSON_GROUP_NONE}, {"@x", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_NONE},
};
static const struct json_name of_3[] = {
    {"lvl", JSON_SLOT_LEVEL, 3, JSON_GROUP_NONE},
    {"msg", JSON_SLOT_MESSAGE, 1, JSON_GROUP_NONE},
    {"@mt", JSON_SLOT_MESSAGE, 2, JSON_GROUP_NONE},
    {"err", JSON_SLOT_ERROR_MESSAGE, 2, JSON_GROUP_ERROR},
    {"log", JSON_SLOT_NONE, 0, JSON_GROUP_LOG},
};
static const struct json_name of_4[] = {
    {"time", JSON_SLOT_TIME, 2, JSON_GROUP_NONE}, {"date", JSON_SLOT_TIME, 6, JSON_GROUP_NONE},
    {"span", JSON_SLOT_NONE, 0, JSON_GROUP_SPAN}, {"faas", JSON_SLOT_NONE, 0, JSON_GROUP_FAAS},
    {"_aws", JSON_SLOT_NONE, 0, JSON_GROUP_AWS},
};
static const struct json_name of_5[] = {
    {"level", JSON_SLOT_LEVEL, 1, JSON_GROUP_NONE},
    {"event", JSON_SLOT_MESSAGE, 3, JSON_GROUP_NONE},
    {"error", JSON_SLOT_ERROR_MESSAGE, 2, JSON_GROUP_ERROR},
    {"stack", JSON_SLOT_ERROR_STACK, 2, JSON_GROUP_NONE},
    {"trace", JSON_SLOT_NONE, 0, JSON_GROUP_TRACE},
};
static const struct json_name of_6[] = {
    {"spanid", JSON_SLOT_SPAN, 0, JSON_GROUP_NONE},
    {"logger", JSON_SLOT_LOGGER, 1, JSON_GROUP_NONE},
    {"fields", JSON_SLOT_NONE, 0, JSON_GROUP_FIELDS},
};
static const struct json_name of_7[] = {
    {"instant", JSON_SLOT_TIME, 4, JSON_GROUP_NONE},
    {"asctime", JSON_SLOT_TIME, 5, JSON_GROUP_NONE},
    {"message", JSON_SLOT_MESSAGE, 0, JSON_GROUP_NONE},
    {"levelno", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"logname", JSON_SLOT_NONE, 0, JSON_GROUP_GOOGLE},
    {"traceid", JSON_SLOT_TRACE, 0, JSON_GROUP_NONE},
    {"span.id", JSON_SLOT_SPAN, 0, JSON_GROUP_NONE},
    {"span_id", JSON_SLOT_SPAN, 0, JSON_GROUP_NONE},
    {"service", JSON_SLOT_SERVICE, 1, JSON_GROUP_SERVICE},
    {"faas.id", JSON_SLOT_FAAS_ARN, 0, JSON_GROUP_NONE},
};
static const struct json_name of_8[] = {
    {"datetime", JSON_SLOT_TIME, 4, JSON_GROUP_NONE},
    {"loglevel", JSON_SLOT_LEVEL, 2, JSON_GROUP_NONE},
    {"severity", JSON_SLOT_LEVEL, 3, JSON_GROUP_NONE},
    {"insertid", JSON_SLOT_NONE, 0, JSON_GROUP_GOOGLE},
    {"log_type", JSON_SLOT_NONE, 0, JSON_GROUP_NETLIFY},
    {"@message", JSON_SLOT_MESSAGE, 1, JSON_GROUP_NONE},
    {"trace.id", JSON_SLOT_TRACE, 0, JSON_GROUP_NONE},
    {"trace_id", JSON_SLOT_TRACE, 0, JSON_GROUP_NONE},
    {"exc_info", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_NONE},
};
static const struct json_name of_9[] = {
    {"timestamp", JSON_SLOT_TIME, 1, JSON_GROUP_NONE},
    {"eventtime", JSON_SLOT_TIME, 5, JSON_GROUP_NONE},
    {"log.level", JSON_SLOT_LEVEL, 0, JSON_GROUP_NONE},
    {"log_level", JSON_SLOT_LEVEL, 2, JSON_GROUP_NONE},
    {"levelname", JSON_SLOT_LEVEL, 2, JSON_GROUP_NONE},
    {"requestid", JSON_SLOT_REQUEST_ID, 0, JSON_GROUP_NONE},
    {"faas.name", JSON_SLOT_FAAS_NAME, 0, JSON_GROUP_NONE},
    {"coldstart", JSON_SLOT_COLDSTART, 1, JSON_GROUP_NONE},
    {"errortype", JSON_SLOT_ERROR_TYPE, 0, JSON_GROUP_NONE},
    {"exception", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_EXCEPTION},
};
static const struct json_name of_10[] = {
    {"@timestamp", JSON_SLOT_TIME, 0, JSON_GROUP_NONE},
    {"timemillis", JSON_SLOT_TIME, 4, JSON_GROUP_NONE},
    {"event_time", JSON_SLOT_TIME, 5, JSON_GROUP_NONE},
    {"log.logger", JSON_SLOT_LOGGER, 0, JSON_GROUP_NONE},
    {"level_name", JSON_SLOT_LEVEL, 2, JSON_GROUP_NONE},
    {"resourceid", JSON_SLOT_NONE, 0, JSON_GROUP_AZURE_RECORD},
    {"loggername", JSON_SLOT_LOGGER, 1, JSON_GROUP_NONE},
    {"cold_start", JSON_SLOT_COLDSTART, 1, JSON_GROUP_NONE},
    {"error.type", JSON_SLOT_ERROR_TYPE, 0, JSON_GROUP_NONE},
    {"error_type", JSON_SLOT_ERROR_TYPE, 0, JSON_GROUP_NONE},
    {"error.name", JSON_SLOT_ERROR_TYPE, 1, JSON_GROUP_NONE},
    {"stacktrace", JSON_SLOT_ERROR_STACK, 0, JSON_GROUP_NONE},
};
static const struct json_name of_11[] = {
    {"xraytraceid", JSON_SLOT_TRACE, 1, JSON_GROUP_NONE},
    {"traceparent", JSON_SLOT_TRACE, 2, JSON_GROUP_NONE},
    {"httprequest", JSON_SLOT_NONE, 0, JSON_GROUP_HTTP_REQUEST},
    {"operationid", JSON_SLOT_NONE, 0, JSON_GROUP_AZURE},
    {"logger_name", JSON_SLOT_LOGGER, 1, JSON_GROUP_NONE},
    {"servicename", JSON_SLOT_SERVICE, 1, JSON_GROUP_NONE},
    {"functionarn", JSON_SLOT_FAAS_ARN, 1, JSON_GROUP_NONE},
    {"error.stack", JSON_SLOT_ERROR_STACK, 0, JSON_GROUP_NONE},
    {"stack_trace", JSON_SLOT_ERROR_STACK, 0, JSON_GROUP_STACK_TRACE},
};
static const struct json_name of_12[] = {
    {"severitytext", JSON_SLOT_LEVEL, 3, JSON_GROUP_NONE},
    {"awsrequestid", JSON_SLOT_REQUEST_ID, 1, JSON_GROUP_NONE},
    {"invocationid", JSON_SLOT_REQUEST_ID, 6, JSON_GROUP_NONE},
    {"operation_id", JSON_SLOT_NONE, 0, JSON_GROUP_AZURE},
    {"deploymentid", JSON_SLOT_NONE, 0, JSON_GROUP_VERCEL},
    {"activationid", JSON_SLOT_NONE, 0, JSON_GROUP_OPENWHISK},
    {"service.name", JSON_SLOT_SERVICE, 0, JSON_GROUP_NONE},
    {"service_name", JSON_SLOT_SERVICE, 1, JSON_GROUP_NONE},
    {"functionname", JSON_SLOT_FAAS_NAME, 1, JSON_GROUP_NONE},
    {"faas.version", JSON_SLOT_FAAS_VERSION, 0, JSON_GROUP_NONE},
    {"function_arn", JSON_SLOT_FAAS_ARN, 1, JSON_GROUP_NONE},
    {"errormessage", JSON_SLOT_ERROR_MESSAGE, 0, JSON_GROUP_NONE},
};
static const struct json_name of_13[] = {
    {"severity_text", JSON_SLOT_LEVEL, 3, JSON_GROUP_NONE},
    {"timegenerated", JSON_SLOT_TIME, 6, JSON_GROUP_AZURE},
    {"severitylevel", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"short_message", JSON_SLOT_MESSAGE, 2, JSON_GROUP_NONE},
    {"xray_trace_id", JSON_SLOT_TRACE, 1, JSON_GROUP_NONE},
    {"function_name", JSON_SLOT_FAAS_NAME, 1, JSON_GROUP_NONE},
    {"correlationid", JSON_SLOT_CORRELATION, 0, JSON_GROUP_NONE},
    {"error.message", JSON_SLOT_ERROR_MESSAGE, 0, JSON_GROUP_NONE},
    {"error_message", JSON_SLOT_ERROR_MESSAGE, 0, JSON_GROUP_NONE},
};
static const struct json_name of_14[] = {
    {"_aws.timestamp", JSON_SLOT_TIME, 7, JSON_GROUP_NONE},
    {"severitynumber", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"fields.message", JSON_SLOT_MESSAGE, 2, JSON_GROUP_NONE},
    {"aws_request_id", JSON_SLOT_REQUEST_ID, 4, JSON_GROUP_NONE},
    {"faas.execution", JSON_SLOT_REQUEST_ID, 5, JSON_GROUP_NONE},
    {"span.requestid", JSON_SLOT_REQUEST_ID, 6, JSON_GROUP_NONE},
    {"correlation_id", JSON_SLOT_CORRELATION, 0, JSON_GROUP_NONE},
    {"correlation.id", JSON_SLOT_CORRELATION, 0, JSON_GROUP_NONE},
    {"faas.coldstart", JSON_SLOT_COLDSTART, 0, JSON_GROUP_NONE},
    {"exception_name", JSON_SLOT_ERROR_TYPE, 1, JSON_GROUP_NONE},
    {"exception.type", JSON_SLOT_ERROR_TYPE, 1, JSON_GROUP_NONE},
    {"exception.name", JSON_SLOT_ERROR_TYPE, 1, JSON_GROUP_NONE},
};
static const struct json_name of_15[] = {
    {"event_timestamp", JSON_SLOT_TIME, 5, JSON_GROUP_NONE},
    {"severity_number", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"syslog_severity", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"syslog.severity", JSON_SLOT_LEVEL, 4, JSON_GROUP_NONE},
    {"x-amzn-trace-id", JSON_SLOT_TRACE, 2, JSON_GROUP_NONE},
    {"x_amzn_trace_id", JSON_SLOT_TRACE, 2, JSON_GROUP_NONE},
    {"functionversion", JSON_SLOT_FAAS_VERSION, 1, JSON_GROUP_NONE},
    {"error.errortype", JSON_SLOT_ERROR_TYPE, 1, JSON_GROUP_NONE},
    {"exception.stack", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_NONE},
};
static const struct json_name of_16[] = {
    {"_x_amzn_trace_id", JSON_SLOT_TRACE, 2, JSON_GROUP_NONE},
    {"eventtimestampms", JSON_SLOT_TIME, 6, JSON_GROUP_CLOUDFLARE},
    {"customdimensions", JSON_SLOT_NONE, 0, JSON_GROUP_AZURE},
    {"span.xraytraceid", JSON_SLOT_TRACE, 4, JSON_GROUP_NONE},
    {"function_version", JSON_SLOT_FAAS_VERSION, 1, JSON_GROUP_NONE},
    {"stack_trace.type", JSON_SLOT_ERROR_TYPE, 2, JSON_GROUP_NONE},
    {"error.stacktrace", JSON_SLOT_ERROR_STACK, 0, JSON_GROUP_NONE},
};
static const struct json_name of_17[] = {
    {"functionrequestid", JSON_SLOT_REQUEST_ID, 2, JSON_GROUP_NONE},
    {"lambda_request_id", JSON_SLOT_REQUEST_ID, 4, JSON_GROUP_NONE},
    {"exception.message", JSON_SLOT_ERROR_MESSAGE, 1, JSON_GROUP_NONE},
    {"stack_trace.value", JSON_SLOT_ERROR_MESSAGE, 3, JSON_GROUP_NONE},
    {"error.stack_trace", JSON_SLOT_ERROR_STACK, 0, JSON_GROUP_NONE},
};
static const struct json_name of_18[] = {
    {"faas.invocation_id", JSON_SLOT_REQUEST_ID, 5, JSON_GROUP_NONE},
    {"invokedfunctionarn", JSON_SLOT_FAAS_ARN, 1, JSON_GROUP_NONE},
    {"error.errormessage", JSON_SLOT_ERROR_MESSAGE, 1, JSON_GROUP_NONE},
};
static const struct json_name of_19[] = {
    {"function_request_id", JSON_SLOT_REQUEST_ID, 2, JSON_GROUP_NONE},
};
static const struct json_name of_20[] = {
    {"invoked_function_arn", JSON_SLOT_FAAS_ARN, 1, JSON_GROUP_NONE},
    {"functioninvocationid", JSON_SLOT_REQUEST_ID, 6, JSON_GROUP_AZURE},
    {"exception.stacktrace", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_NONE},
};
static const struct json_name of_21[] = {
    {"x-cloud-trace-context", JSON_SLOT_TRACE, 2, JSON_GROUP_NONE},
    {"exception.stack_trace", JSON_SLOT_ERROR_STACK, 1, JSON_GROUP_NONE},
};
static const struct json_name of_28[] = {
    {"logging.googleapis.com/trace", JSON_SLOT_TRACE, 2, JSON_GROUP_GOOGLE},
};
static const struct json_name of_29[] = {
    {"logging.googleapis.com/spanid", JSON_SLOT_SPAN, 1, JSON_GROUP_GOOGLE},
    {"logging.googleapis.com/labels", JSON_SLOT_NONE, 0, JSON_GROUP_GOOGLE},
};
static const struct json_name of_37[] = {
    {"logging.googleapis.com/sourcelocation", JSON_SLOT_NONE, 0, JSON_GROUP_GOOGLE},
};
#define ROWS(table)                                                                                \
    {                                                                                              \
        (table), sizeof(table) / sizeof(table)[0]                                                  \
    }

static const struct {
    const struct json_name *rows;
    size_t n_rows;
} by_length[JSON_NAME_LONGEST + 1] = {
    [2] = ROWS(of_2),   [3] = ROWS(of_3),   [4] = ROWS(of_4),   [5] = ROWS(of_5),
    [6] = ROWS(of_6),   [7] = ROWS(of_7),   [8] = ROWS(of_8),   [9] = ROWS(of_9),
    [10] = ROWS(of_10), [11] = ROWS(of_11), [12] = ROWS(of_12), [13] = ROWS(of_13),
    [14] = ROWS(of_14), [15] = ROWS(of_15), [16] = ROWS(of_16), [17] = ROWS(of_17),
    [18] = ROWS(of_18), [19] = ROWS(of_19), [20] = ROWS(of_20), [21] = ROWS(of_21),
    [28] = ROWS(of_28), [29] = ROWS(of_29), [37] = ROWS(of_37),
};

static const struct json_group_rule rules[JSON_N_GROUPS] = {
    [JSON_GROUP_NONE] = {.prefix = ""},
    [JSON_GROUP_ERROR] = {.prefix = "error."},
    [JSON_GROUP_EXCEPTION] = {.prefix = "exception."},
    [JSON_GROUP_STACK_TRACE] = {.prefix = "stack_trace.", .is_kept = true},
    [JSON_GROUP_LOG] = {.prefix = "log.", .is_ecs_only = true},
    [JSON_GROUP_TRACE] = {.prefix = "trace.", .is_ecs_only = true},
    [JSON_GROUP_SPAN] = {.prefix = "span."},
    [JSON_GROUP_FAAS] = {.prefix = "faas.", .is_ecs_only = true},
    [JSON_GROUP_SERVICE] = {.prefix = "service.", .is_ecs_only = true},
    [JSON_GROUP_FIELDS] = {.prefix = "fields."},
    [JSON_GROUP_AWS] = {.prefix = "_aws.", .is_kept = true},
};

/* Both have this length; `lower` is in lower case. The last word overlaps the one before it. */
static bool is_same_rest(const char *key, const char *lower, size_t len)
{
    for (size_t at = 8; at < len; at += 8) {
        size_t from = at + 8 <= len ? at : len - 8;

        if (word_lower(word_load(key + from, 8)) != word_load(lower + from, 8))
            return false;
    }
    return true;
}

const struct json_name *json_name_find(struct slice key)
{
    uint64_t head;

    if (key.len == 0 || key.len > JSON_NAME_LONGEST)
        return NULL;
    head = word_lower(word_load(key.ptr, key.len));
    for (size_t i = 0; i < by_length[key.len].n_rows; i++) {
        const struct json_name *row = &by_length[key.len].rows[i];

        if (word_load(row->text, key.len) == head && is_same_rest(key.ptr, row->text, key.len))
            return row;
    }
    return NULL;
}

const struct json_name *json_name_recall(struct json_name_memo *memo, struct slice key)
{
    if (key.len == memo->len && memcmp(key.ptr, memo->key, key.len) == 0)
        return memo->name;
    if (key.len > JSON_NAME_LONGEST)
        return NULL;
    memcpy(memo->key, key.ptr, key.len);
    memo->len = (uint8_t)key.len;
    memo->name = json_name_find(key);
    return memo->name;
}

const struct json_name *json_name_find_in(enum json_group group, struct slice key)
{
    char joined[JSON_NAME_LONGEST];
    struct slice prefix = slice_str(rules[group].prefix);

    if (prefix.len + key.len > sizeof joined)
        return NULL;
    memcpy(joined, prefix.ptr, prefix.len);
    memcpy(joined + prefix.len, key.ptr, key.len);
    return json_name_find(slice_of(joined, prefix.len + key.len));
}

const struct json_group_rule *json_group_rule(enum json_group group)
{
    return &rules[group];
}
