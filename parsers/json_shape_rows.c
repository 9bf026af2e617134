#include "parsers/json_shape_rows.h"

#define SLOT(path, slot)                                                                           \
    {                                                                                              \
        (path), SHAPE_SLOT, JSON_SLOT_##slot, NULL                                                 \
    }
#define ROOT(path, field)                                                                          \
    {                                                                                              \
        (path), SHAPE_ROOT, JSON_SLOT_NONE, (field)                                                \
    }
#define HOW(path, how)                                                                             \
    {                                                                                              \
        (path), SHAPE_##how, JSON_SLOT_NONE, NULL                                                  \
    }

/* clouds.md 1.1 to 1.3: LogEntry, and what Cloud Run and Functions read from standard output;
 * Knative's request log is the same httpRequest. */
static const struct shape_row google[] = {
    HOW("httpRequest", OBJECT),
    ROOT("httpRequest.requestMethod", "http.request.method"),
    ROOT("httpRequest.requestUrl", "url.original"),
    ROOT("httpRequest.requestSize", "http.request.bytes"),
    HOW("httpRequest.status", STATUS),
    ROOT("httpRequest.responseSize", "http.response.bytes"),
    ROOT("httpRequest.userAgent", "user_agent.original"),
    HOW("httpRequest.remoteIp", ADDRESS),
    ROOT("httpRequest.serverIp", "server.ip"),
    ROOT("httpRequest.referer", "http.request.referrer"),
    HOW("httpRequest.latency", SECONDS),
    HOW("httpRequest.protocol", PROTOCOL),
    HOW("labels", OBJECT),
    SLOT("labels.execution_id", REQUEST_ID),
    SLOT("labels.run.googleapis.com/execution_name", REQUEST_ID),
    HOW("logging.googleapis.com/labels", OBJECT),
    SLOT("logging.googleapis.com/labels.execution_id", REQUEST_ID),
    HOW("logging.googleapis.com/spanId", SPAN),
    HOW("logging.googleapis.com/sourceLocation", OBJECT),
    ROOT("logging.googleapis.com/sourceLocation.file", "log.origin.file.name"),
    ROOT("logging.googleapis.com/sourceLocation.line", "log.origin.file.line"),
    ROOT("logging.googleapis.com/sourceLocation.function", "log.origin.function"),
    HOW("sourceLocation", OBJECT),
    ROOT("sourceLocation.file", "log.origin.file.name"),
    ROOT("sourceLocation.line", "log.origin.file.line"),
    ROOT("sourceLocation.function", "log.origin.function"),
    HOW("resource", OBJECT),
    HOW("resource.labels", OBJECT),
    SLOT("resource.labels.function_name", FAAS_NAME),
    SLOT("resource.labels.service_name", FAAS_NAME),
    SLOT("resource.labels.job_name", FAAS_NAME),
    SLOT("resource.labels.revision_name", FAAS_VERSION),
    HOW("resource.labels.region", REGION),
    HOW("resource.labels.location", REGION),
    HOW("resource.labels.project_id", ACCOUNT),
    SLOT("trace", TRACE),
    HOW("spanId", SPAN),
    SLOT("textPayload", MESSAGE),
    HOW("jsonPayload", PAYLOAD),
};

/* clouds.md 2.1 and 2.2: records of diagnostic settings, rows of Log Analytics and of Application
 * Insights, in both of its spellings. */
static const struct shape_row azure[] = {
    SLOT("TimeGenerated", TIME),
    HOW("resourceId", RESOURCE),
    HOW("location", REGION),
    HOW("properties", OBJECT),
    SLOT("properties.message", MESSAGE),
    SLOT("properties.category", LOGGER),
    SLOT("properties.level", LEVEL),
    SLOT("properties.functionInvocationId", REQUEST_ID),
    HOW("properties.functionName", FUNCTION),
    SLOT("properties.exceptionType", ERROR_TYPE),
    SLOT("properties.exceptionMessage", ERROR_MESSAGE),
    SLOT("properties.exceptionDetails", ERROR_STACK),
    SLOT("properties.appName", SERVICE),
    ROOT("properties.roleInstance", "service.node.name"),
    ROOT("properties.processId", "process.pid"),
    SLOT("properties.InvocationId", REQUEST_ID),
    SLOT("properties.SpanId", SPAN),
    HOW("customDimensions", OBJECT),
    SLOT("customDimensions.InvocationId", REQUEST_ID),
    SLOT("customDimensions.Category", LOGGER),
    SLOT("customDimensions.SpanId", SPAN),
    SLOT("FunctionInvocationId", REQUEST_ID),
    HOW("FunctionName", FUNCTION),
    SLOT("ExceptionType", ERROR_TYPE),
    SLOT("ExceptionMessage", ERROR_MESSAGE),
    SLOT("ExceptionDetails", ERROR_STACK),
    SLOT("OuterMessage", ERROR_MESSAGE),
    SLOT("AppName", SERVICE),
    SLOT("AppRoleName", SERVICE),
    SLOT("cloud_RoleName", SERVICE),
    ROOT("AppRoleInstance", "service.node.name"),
    ROOT("cloud_RoleInstance", "service.node.name"),
    ROOT("RoleInstance", "service.node.name"),
    SLOT("OperationId", TRACE),
    SLOT("operation_Id", TRACE),
    HOW("OperationName", FUNCTION),
    HOW("operation_Name", FUNCTION),
    ROOT("Url", "url.original"),
    HOW("ResultCode", STATUS),
    HOW("DurationMs", MS),
    HOW("duration", MS),
    HOW("Success", OUTCOME),
};

/* clouds.md 3.3: workers_trace_events */
static const struct shape_row cloudflare[] = {
    SLOT("EventTimestampMs", TIME),
    SLOT("ScriptName", FAAS_NAME),
    HOW("ScriptVersion", OBJECT),
    SLOT("ScriptVersion.id", FAAS_VERSION),
    HOW("Outcome", OUTCOME),
    HOW("WallTimeMs", MS),
    HOW("Event", OBJECT),
    SLOT("Event.RayID", REQUEST_ID),
    HOW("Event.Request", OBJECT),
    ROOT("Event.Request.URL", "url.original"),
    ROOT("Event.Request.Method", "http.request.method"),
    HOW("Event.Response", OBJECT),
    HOW("Event.Response.Status", STATUS),
    HOW("Exceptions", FIRST),
    SLOT("Exceptions.Name", ERROR_TYPE),
    SLOT("Exceptions.Message", ERROR_MESSAGE),
    SLOT("Exceptions.Stack", ERROR_STACK),
};

/* clouds.md 3.3 */
static const struct shape_row vercel[] = {
    HOW("statusCode", STATUS),
    SLOT("entrypoint", FAAS_NAME),
    HOW("executionRegion", REGION),
    ROOT("host", "url.domain"),
    ROOT("path", "url.path"),
    ROOT("environment", "service.environment"),
    HOW("proxy", OBJECT),
    ROOT("proxy.method", "http.request.method"),
    ROOT("proxy.scheme", "url.scheme"),
    ROOT("proxy.host", "url.domain"),
    ROOT("proxy.path", "url.original"),
    HOW("proxy.statusCode", STATUS),
    HOW("proxy.clientIp", ADDRESS),
    ROOT("proxy.referer", "http.request.referrer"),
    {"proxy.userAgent", SHAPE_FIRST, JSON_SLOT_NONE, "user_agent.original"},
};

/* clouds.md 3.2: activation records, and the lines of the file store */
static const struct shape_row openwhisk[] = {
    SLOT("activationId", REQUEST_ID),
    SLOT("action", FAAS_NAME),
    SLOT("name", FAAS_NAME),
    SLOT("version", FAAS_VERSION),
    SLOT("start", TIME),
    HOW("duration", MS),
    HOW("response", OBJECT),
    HOW("response.success", OUTCOME),
    SLOT("log", MESSAGE),
};

static const struct shape_row netlify[] = {
    SLOT("request_id", REQUEST_ID), ROOT("method", "http.request.method"),
    HOW("status_code", STATUS),     ROOT("user_agent", "user_agent.original"),
    HOW("client_ip", ADDRESS),      ROOT("url", "url.original"),
};

#define ROWS(table) (table), sizeof(table) / sizeof(table)[0]

static const struct shape shapes[] = {
    {"gcp", NULL, ROWS(google)},         {"azure", NULL, ROWS(azure)},
    {"azure", "category", ROWS(azure)},  {NULL, NULL, ROWS(cloudflare)},
    {NULL, "projectId", ROWS(vercel)},   {NULL, "namespace", ROWS(openwhisk)},
    {NULL, "request_id", ROWS(netlify)}, {NULL, NULL, ROWS(google)},
};

const struct shape *json_shape_of(enum json_group group)
{
    return group >= JSON_GROUP_GOOGLE && group < JSON_N_GROUPS ? &shapes[group - JSON_GROUP_GOOGLE]
                                                               : NULL;
}
