/* What each runtime's and logger's JSON becomes (aws.md 1.4 to 1.7). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parsers/json.h"
#include "parsers/json_names.h"
#include "tests/support/record_text.h"

static const struct parser parser = {&parser_json, NULL};

#define CHECK(rows) RECORD_ROWS_CHECK(&parser, rows)

Test(json, lambda_runtimes)
{
    static const struct record_row rows[] = {
        {"node.js",
         "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"INFO\",\"requestId\":\"" ID
         "\",\"message\":\"order taken\"}",
         "time=" T "123000000 level=info message='order taken' request=" ID},
        {"node.js, console.log(error) (I1)",
         "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"ERROR\",\"requestId\":\"" ID
         "\",\"message\":{\"errorType\":\"TypeError\",\"errorMessage\":\"boom\",\"stackTrace\":["
         "\"TypeError: boom\",\"    at f\"]}}",
         "time=" T "123000000 level=error message=\"{\"errorType\":\"TypeError\",\"errorMessage\":"
         "\"boom\",\"stackTrace\":[\"TypeError: boom\",\"    at f\"]}\" request=" ID
         " error='TypeError' reason='boom' stack=[\"TypeError: boom\",\"    at f\"]"},
        {"node.js, message an array (I1)", "{\"level\":\"INFO\",\"message\":[1,{\"a\":2}]}",
         "level=info message=\"[1,{\"a\":2}]\""},
        {"node.js, message a number (I1)", "{\"level\":\"INFO\",\"message\":-1.5}",
         "level=info message=\"-1.5\""},
        {"node.js, message true (I1)", "{\"message\":true}", "message=\"true\""},
        {"node.js, message null", "{\"message\":null}", "[message]=null"},
        {"node.js, several arguments",
         "{\"level\":\"ERROR\",\"message\":\"failed: boom\",\"errorType\":\"Error\","
         "\"errorMessage\":\"boom\",\"stackTrace\":[\"a\",\"b\"],\"tenantId\":\"t1\"}",
         "level=error message='failed: boom' error='Error' reason='boom' stack=[\"a\",\"b\"] "
         "[tenantId]='t1'"},
        {"Python",
         "{\"timestamp\":\"2026-10-09T08:53:20Z\",\"level\":\"WARNING\",\"message\":\"low\","
         "\"logger\":\"root\",\"requestId\":\"" ID "\",\"location\":\"/var/task/app.py:f:3\","
         "\"stock\":3}",
         "time=" T "000000000 level=warn message='low' request=" ID
         " logger='root' [location]='/var/task/app.py:f:3' [stock]=3"},
        {"Python, thrown",
         "{\"timestamp\":\"2026-10-09T08:53:20Z\",\"log_level\":\"ERROR\",\"errorMessage\":\"'id'"
         "\","
         "\"errorType\":\"KeyError\",\"requestId\":\"" ID "\",\"stackTrace\":[\"  File x\\n\"]}",
         "time=" T "000000000 level=error message=''id'' request=" ID
         " error='KeyError' reason=''id'' stack=[\"  File x\\n\"]"},
        {"Java LambdaLogger",
         "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"message\":\"hi\",\"level\":\"UNDEFINED\","
         "\"AWSRequestId\":\"" ID "\"}",
         "time=" T "123000000 message='hi' request=" ID},
        {"Java log4j2 layout",
         "{\"level\":\"ERROR\",\"message\":\"no\",\"logger\":\"com.shop.Orders\",\"errorType\":"
         "\"java.lang.X\",\"errorMessage\":\"y\",\"stackTrace\":\"a\\n\\tat b\",\"AWSrequestId\":"
         "\"" ID "\"}",
         "level=error message='no' request=" ID " logger='com.shop.Orders' error='java.lang.X' "
         "reason='y' stack='a\\n\\tat b'"},
        {".NET",
         "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"Information\",\"requestId\":\"" ID
         "\",\"traceId\":\"" ROOT "\",\"message\":\"hi Bob\",\"name\":\"Bob\"}",
         "time=" T "123000000 level=info message='hi Bob' request=" ID " trace=" TRACE
         " [name]='Bob'"},
        {"Go slog",
         "{\"timestamp\":\"2026-10-09T08:53:20.123456789Z\",\"level\":\"INFO\",\"message\":\"m\","
         "\"requestId\":\"" ID
         "\",\"functionArn\":\"arn:aws:lambda:eu-west-1:123456789012:function:"
         "orders:7\"}",
         "time=" T "123456789 level=info message='m' request=" ID " faas='orders' version='7' "
         "arn='arn:aws:lambda:eu-west-1:123456789012:function:orders'"},
        {"Rust tracing",
         "{\"timestamp\":\"2026-10-09T08:53:20.123456Z\",\"level\":\"INFO\",\"fields\":{"
         "\"message\":"
         "\"taken\",\"order\":7},\"target\":\"shop\",\"span\":{\"requestId\":\"" ID
         "\",\"name\":\"invoke\"}}",
         "time=" T "123456000 level=info message='taken' request=" ID
         " [fields.order]=7 [span.name]='invoke' [target]='shop'"},
    };

    CHECK(rows);
}

Test(json, powertools)
{
    static const struct record_row rows[] = {
        {"Python (I2)",
         "{\"level\":\"INFO\",\"location\":\"handler:12\",\"message\":\"taken\",\"timestamp\":"
         "\"2026-10-09 08:53:20,123+0000\",\"service\":\"orders\",\"cold_start\":true,"
         "\"function_name\":\"orders-prod\",\"function_memory_size\":\"256\",\"function_arn\":"
         "\"arn:aws:lambda:eu-west-1:123456789012:function:orders-prod:live\","
         "\"function_request_id\":\"" ID "\",\"correlation_id\":\"c-1\",\"xray_trace_id\":\"" ROOT
         "\"}",
         "time=" T "123000000 level=info message='taken' request=" ID " trace=" TRACE
         " service='orders' faas='orders-prod' "
         "arn='arn:aws:lambda:eu-west-1:123456789012:function:orders-prod' correlation='c-1' "
         "cold=yes [location]='handler:12' [function_memory_size]='256'"},
        {"Python, an exception",
         "{\"level\":\"ERROR\",\"message\":\"failed\",\"exception\":\"Traceback\\n  x\","
         "\"exception_name\":\"KeyError\",\"stack_trace\":{\"type\":\"KeyError\",\"value\":\"id\","
         "\"module\":\"builtins\",\"frames\":[]}}",
         "level=error message='failed' error='KeyError' reason='id' stack='Traceback\\n  x' "
         "[stack_trace]={\"type\":\"KeyError\",\"value\":\"id\",\"module\":\"builtins\","
         "\"frames\":[]}"},
        {"TypeScript",
         "{\"level\":\"ERROR\",\"message\":\"failed\",\"timestamp\":\"2026-10-09T08:53:20.123Z\","
         "\"service\":\"orders\",\"cold_start\":false,\"error\":{\"name\":\"TypeError\","
         "\"location\":\"a.js:1\",\"message\":\"boom\",\"stack\":\"TypeError: boom\\n at f\"}}",
         "time=" T "123000000 level=error message='failed' service='orders' cold=no "
         "error='TypeError' reason='boom' stack='TypeError: boom\\n at f' "
         "[error.location]='a.js:1'"},
        {"TypeScript, the stack an array",
         "{\"message\":\"failed\",\"error\":{\"name\":\"E\",\"message\":\"m\",\"stack\":[\"E: m\","
         "\"at f\"]}}",
         "message='failed' error='E' reason='m' stack=[\"E: m\",\"at f\"]"},
        {".NET, PascalCase",
         "{\"Level\":\"Warning\",\"Message\":\"m\",\"Timestamp\":\"2026-10-09T08:53:20.123Z\","
         "\"FunctionName\":\"orders\",\"FunctionVersion\":\"$LATEST\",\"FunctionRequestId\":\"" ID
         "\",\"ColdStart\":true,\"XrayTraceId\":\"" ROOT "\",\"Service\":\"shop\"}",
         "time=" T "123000000 level=warn message='m' request=" ID " trace=" TRACE
         " service='shop' faas='orders' version='$LATEST' cold=yes"},
        {"Java, ECS layout",
         "{\"@timestamp\":\"2026-10-09T08:53:20.123Z\",\"ecs.version\":\"1.2.0\",\"log.level\":"
         "\"ERROR\",\"message\":\"m\",\"error.type\":\"X\",\"error.message\":\"y\","
         "\"error.stack_trace\":\"X: y\",\"service.name\":\"orders\",\"log.logger\":\"com.X\","
         "\"process.thread.name\":\"main\",\"cloud.region\":\"eu-west-1\",\"faas.id\":"
         "\"arn:aws:lambda:eu-west-1:123456789012:function:orders\",\"faas.name\":\"orders\","
         "\"faas.version\":\"3\",\"faas.execution\":\"" ID "\",\"faas.coldstart\":true,"
         "\"trace.id\":\"" ROOT "\",\"correlation.id\":\"c\"}",
         "time=" T "123000000 level=error message='m' request=" ID " trace=" TRACE
         " logger='com.X' service='orders' faas='orders' version='3' "
         "arn='arn:aws:lambda:eu-west-1:123456789012:function:orders' correlation='c' cold=yes "
         "error='X' reason='y' stack='X: y' ecs=yes [ecs.version]='1.2.0' "
         "[process.thread.name]='main' [cloud.region]='eu-west-1'"},
    };

    CHECK(rows);
}

Test(json, other_loggers)
{
    static const struct record_row rows[] = {
        {"pino",
         "{\"level\":50,\"time\":1791536000123,\"pid\":8,\"msg\":\"no\",\"err\":{\"type\":"
         "\"Error\","
         "\"message\":\"boom\",\"stack\":\"Error: boom\\n at f\"}}",
         "time=" T "123000000 level=error message='no' error='Error' reason='boom' "
         "stack='Error: boom\\n at f' [pid]=8"},
        {"zap", "{\"level\":\"warn\",\"ts\":1791536000.5,\"msg\":\"m\",\"error\":\"refused\"}",
         "time=" T "500000000 level=warn message='m' reason='refused'"},
        {"structlog",
         "{\"event\":\"logged in\",\"level\":\"info\",\"timestamp\":\"2026-10-09T08:53:20Z\"}",
         "time=" T "000000000 level=info message='logged in'"},
        {"an event that is no text", "{\"event\":{\"Records\":[]},\"level\":\"info\"}",
         "level=info [event]={\"Records\":[]}"},
        {"python-json-logger",
         "{\"asctime\":\"2026-10-09 08:53:20,123\",\"levelname\":\"CRITICAL\",\"message\":\"m\","
         "\"exc_info\":\"Traceback\"}",
         "time=" T "123000000 level=fatal message='m' stack='Traceback'"},
        {"log4j2 JsonLayout",
         "{\"instant\":{\"epochSecond\":1791536000,\"nanoOfSecond\":123456789},\"level\":\"INFO\","
         "\"loggerName\":\"a.B\",\"message\":\"m\"}",
         "time=" T "123456789 level=info message='m' logger='a.B'"},
        {"logback",
         "{\"@timestamp\":\"2026-10-09T08:53:20.123Z\",\"message\":\"m\",\"logger_name\":\"a.B\","
         "\"level\":\"ERROR\",\"stack_trace\":\"a\\n b\"}",
         "time=" T "123000000 level=error message='m' logger='a.B' stack='a\\n b'"},
        {"Serilog compact",
         "{\"@t\":\"2026-10-09T08:53:20.1Z\",\"@mt\":\"hi {n}\",\"@l\":\"Error\",\"@x\":\"X: y\","
         "\"n\":1}",
         "time=" T "100000000 level=error message='hi {n}' stack='X: y' [n]=1"},
        {"OpenTelemetry, W3C",
         "{\"message\":\"m\",\"trace_id\":\"" TRACE "\",\"span_id\":\"0123456789abcdef\"}",
         "message='m' trace=" TRACE " span=0123456789abcdef"},
        {"traceparent", "{\"traceparent\":\"00-" TRACE "-0123456789abcdef-01\"}",
         "trace=" TRACE " span=0123456789abcdef"},
        {"EMF",
         "{\"_aws\":{\"Timestamp\":1791536000123,\"CloudWatchMetrics\":[]},\"service\":\"orders\","
         "\"taken\":1}",
         "time=" T "123000000 service='orders' [_aws]={\"Timestamp\":1791536000123,"
         "\"CloudWatchMetrics\":[]} [taken]=1"},
        {"ECS, nested",
         "{\"@timestamp\":\"2026-10-09T08:53:20.123Z\",\"ecs\":{\"version\":\"8.0\"},\"log\":"
         "{\"level\":\"warn\",\"origin\":{\"line\":3}},\"trace\":{\"id\":\"" TRACE "\"},\"faas\":"
         "{\"execution\":\"" ID "\"},\"error\":{\"type\":\"X\"},\"labels\":{\"a\":\"b\"}}",
         "time=" T "123000000 level=warn request=" ID " trace=" TRACE
         " error='X' ecs=yes [log.origin]={\"line\":3} [ecs]={\"version\":\"8.0\"} "
         "[labels]={\"a\":\"b\"}"},
        {"nested log and service mean anything where there is no ecs.version",
         "{\"log\":{\"level\":\"warn\"},\"service\":{\"name\":\"s\"}}",
         "[log]={\"level\":\"warn\"} [service]={\"name\":\"s\"}"},
    };

    CHECK(rows);
}

Test(json, levels_as_numbers)
{
    static const struct record_row rows[] = {
        {"Python's JSON loggers", "{\"levelno\":30,\"message\":\"m\"}", "level=warn message='m'"},
        {"the name counts more", "{\"levelno\":10,\"levelname\":\"WARNING\"}",
         "level=warn [levelno]=10"},
        {"Monolog", "{\"message\":\"m\",\"level\":300,\"level_name\":\"WARNING\"}",
         "level=warn message='m' [level_name]='WARNING'"},
        {"OpenTelemetry", "{\"severityNumber\":17,\"severityText\":\"Error\"}",
         "level=error [severityNumber]=17"},
        {"Google", "{\"severity\":\"DEFAULT\",\"message\":\"m\"}", "message='m'"},
        {"Google, a number", "{\"severity\":400}", "level=warn"},
        {"Google's names", "{\"severity\":\"ALERT\"}", "level=fatal"},
        {"Application Insights", "{\"severityLevel\":2}", "level=warn"},
        {"Go's slog", "{\"level\":\"ERROR+2\"}", "level=error"},
        {"digits in a string", "{\"level\":\"40\"}", "level=warn"},
        {"a spelling that is not known", "{\"level\":\"loud\"}", "level?=loud"},
        {"syslog's", "{\"syslog_severity\":4}", "level=warn"},
    };

    CHECK(rows);
}

Test(json, what_cannot_be_understood_stays)
{
    static const struct record_row rows[] = {
        {"a time that is none", "{\"timestamp\":\"yesterday\",\"time\":12}",
         "[timestamp]='yesterday' [time]=12"},
        {"then the next best", "{\"timestamp\":\"yesterday\",\"ts\":1791536000}",
         "time=" T "000000000 [timestamp]='yesterday'"},
        {"of two, the better; the other stays",
         "{\"time\":\"2026-10-09T08:53:20Z\",\"@timestamp\":\"2026-10-09T08:53:20.5Z\"}",
         "time=" T "500000000 [time]='2026-10-09T08:53:20Z'"},
        {"a level that is a number of its own", "{\"level\":3,\"message\":\"m\"}",
         "message='m' [level]=3"},
        {"a level that is a sentence",
         "{\"level\":\"the third level below the cellar of the house\"}",
         "[level]='the third level below the cellar of the house'"},
        {"ids that are none", "{\"trace_id\":\"abc\",\"span_id\":7,\"requestId\":5}",
         "[trace_id]='abc' [span_id]=7 [requestId]=5"},
        {"an application's own requestId yields to Lambda's",
         "{\"requestId\":\"r-1\",\"function_request_id\":\"" ID "\"}",
         "request=" ID " [requestId]='r-1'"},
        {"alone it counts", "{\"requestId\":\"r-1\"}", "request=r-1"},
        {"the order of aws.md 1.4",
         "{\"awsRequestId\":\"" ID "\",\"function_request_id\":\"00000000-0b1d-4a52-9a3e-"
         "0f6d6a3c1b11\"}",
         "request=00000000-0b1d-4a52-9a3e-0f6d6a3c1b11 [awsRequestId]='" ID "'"},
        {"an ARN of something else", "{\"function_arn\":\"arn:aws:s3:::bucket\"}",
         "[function_arn]='arn:aws:s3:::bucket'"},
        {"a stack that is not all text", "{\"stackTrace\":[\"a\",1]}", "[stackTrace]=[\"a\",1]"},
        {"shadowed keys are left out", "{\"a\":1,\"message\":\"x\",\"a\":2,\"message\":\"y\"}",
         "message='y' [a]=2"},
        {"unsafe values become text", "{\"a\":{\"b\":1,\"b\":2},\"c\":{\"b\":1}}",
         "[a]=\"{\"b\":1,\"b\":2}\" [c]={\"b\":1}"},
        {"NUL in a key", "{\"a\\u0000b\":1,\"c\\\\u0000\":2}",
         "[a\xEF\xBF\xBD"
         "b]=1 [c\\\\u0000]=2"},
        {"a made key that is there already: nothing is taken apart",
         "{\"error\":{\"message\":\"m\",\"code\":1},\"error.code\":2}",
         "reason='m' [error]={\"message\":\"m\",\"code\":1} [error.code]=2"},
        {"two objects for one slot", "{\"error\":{\"message\":\"a\"},\"err\":{\"message\":\"b\"}}",
         "reason='a' [err]={\"message\":\"b\"}"},
        {"bad encoding is repaired", "{\"message\":\"a\xFF\",\"\\ud800\":1}",
         "message='a\xEF\xBF\xBD' flags=2 [\xEF\xBF\xBD]=1"},
        {"no JSON", "{\"message\":\"cut", "message=\"{\"message\":\"cut\" flags=16"},
        {"no object", "[1]", "message=\"[1]\" flags=16"},
        {"nothing", "", "message=\"\" flags=16"},
        {"an empty object", "{}", ""},
    };

    CHECK(rows);
}

#define NODE                                                                                       \
    "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"INFO\",\"requestId\":\"" ID "\","

Test(json, a_line_inside_the_message)
{
    static const struct record_row rows[] = {
        {"console.log(JSON.stringify(line))",
         NODE
         "\"message\":\"{\\\"level\\\":\\\"error\\\",\\\"message\\\":\\\"a \\\\\\\"b\\\\\\\" "
         "\\u00e9\\\",\\\"order\\\":{\\\"id\\\":7},\\\"err\\\":{\\\"message\\\":\\\"boom\\\"}}\"}",
         "time=" T "123000000 level=error message='a \\\"b\\\" \xC3\xA9' request=" ID
         " reason='boom' [order]={\"id\":7}"},
        {"its own time counts, the runtime's request too",
         NODE "\"tenantId\":\"t\",\"message\":\"{\\\"time\\\":1791536000456,\\\"requestId\\\":"
              "\\\"r-1\\\",\\\"msg\\\":\\\"m\\\"}\"}",
         "time=" T "456000000 level=info message='m' request=" ID
         " [tenantId]='t' [requestId]='r-1'"},
        {"without a message in it the text stays the message",
         NODE "\"message\":\"{\\\"order\\\":7}\"}",
         "time=" T "123000000 level=info message='{\\\"order\\\":7}' request=" ID " [order]=7"},
        {"no JSON", NODE "\"message\":\"{\\\"order\\\":}\"}",
         "time=" T "123000000 level=info message='{\\\"order\\\":}' request=" ID},
        {"an application that quotes JSON, with keys of its own",
         NODE "\"message\":\"{\\\"message\\\":\\\"x\\\"}\",\"mine\":1}",
         "time=" T "123000000 level=info message='{\\\"message\\\":\\\"x\\\"}' request=" ID
         " [mine]=1"},
        {"decoded once only",
         NODE "\"message\":\"{\\\"message\\\":\\\"{\\\\\\\"message\\\\\\\":1}\\\"}\"}",
         "time=" T "123000000 level=info message='{\\\"message\\\":1}' request=" ID},
    };

    CHECK(rows);
}

/* A row in the wrong table would never be found. */
Test(json, every_name_is_found_in_any_case)
{
    static const struct {
        const char *name;
        enum json_slot slot;
    } rows[] = {
        {"@timestamp", JSON_SLOT_TIME},
        {"timestamp", JSON_SLOT_TIME},
        {"time", JSON_SLOT_TIME},
        {"ts", JSON_SLOT_TIME},
        {"@t", JSON_SLOT_TIME},
        {"datetime", JSON_SLOT_TIME},
        {"timemillis", JSON_SLOT_TIME},
        {"instant", JSON_SLOT_TIME},
        {"eventtime", JSON_SLOT_TIME},
        {"event_time", JSON_SLOT_TIME},
        {"event_timestamp", JSON_SLOT_TIME},
        {"asctime", JSON_SLOT_TIME},
        {"date", JSON_SLOT_TIME},
        {"_aws.timestamp", JSON_SLOT_TIME},
        {"log.level", JSON_SLOT_LEVEL},
        {"level", JSON_SLOT_LEVEL},
        {"log_level", JSON_SLOT_LEVEL},
        {"loglevel", JSON_SLOT_LEVEL},
        {"levelname", JSON_SLOT_LEVEL},
        {"severity", JSON_SLOT_LEVEL},
        {"severity_text", JSON_SLOT_LEVEL},
        {"severitytext", JSON_SLOT_LEVEL},
        {"lvl", JSON_SLOT_LEVEL},
        {"@l", JSON_SLOT_LEVEL},
        {"levelno", JSON_SLOT_LEVEL},
        {"level_name", JSON_SLOT_LEVEL},
        {"severitylevel", JSON_SLOT_LEVEL},
        {"severitynumber", JSON_SLOT_LEVEL},
        {"severity_number", JSON_SLOT_LEVEL},
        {"syslog_severity", JSON_SLOT_LEVEL},
        {"syslog.severity", JSON_SLOT_LEVEL},
        {"message", JSON_SLOT_MESSAGE},
        {"msg", JSON_SLOT_MESSAGE},
        {"@message", JSON_SLOT_MESSAGE},
        {"@m", JSON_SLOT_MESSAGE},
        {"@mt", JSON_SLOT_MESSAGE},
        {"short_message", JSON_SLOT_MESSAGE},
        {"fields.message", JSON_SLOT_MESSAGE},
        {"event", JSON_SLOT_MESSAGE},
        {"requestid", JSON_SLOT_REQUEST_ID},
        {"awsrequestid", JSON_SLOT_REQUEST_ID},
        {"function_request_id", JSON_SLOT_REQUEST_ID},
        {"functionrequestid", JSON_SLOT_REQUEST_ID},
        {"aws_request_id", JSON_SLOT_REQUEST_ID},
        {"lambda_request_id", JSON_SLOT_REQUEST_ID},
        {"faas.execution", JSON_SLOT_REQUEST_ID},
        {"faas.invocation_id", JSON_SLOT_REQUEST_ID},
        {"span.requestid", JSON_SLOT_REQUEST_ID},
        {"trace.id", JSON_SLOT_TRACE},
        {"trace_id", JSON_SLOT_TRACE},
        {"traceid", JSON_SLOT_TRACE},
        {"xray_trace_id", JSON_SLOT_TRACE},
        {"xraytraceid", JSON_SLOT_TRACE},
        {"traceparent", JSON_SLOT_TRACE},
        {"x-amzn-trace-id", JSON_SLOT_TRACE},
        {"x_amzn_trace_id", JSON_SLOT_TRACE},
        {"_x_amzn_trace_id", JSON_SLOT_TRACE},
        {"x-cloud-trace-context", JSON_SLOT_TRACE},
        {"logging.googleapis.com/trace", JSON_SLOT_TRACE},
        {"b3", JSON_SLOT_TRACE},
        {"span.xraytraceid", JSON_SLOT_TRACE},
        {"span.id", JSON_SLOT_SPAN},
        {"span_id", JSON_SLOT_SPAN},
        {"spanid", JSON_SLOT_SPAN},
        {"logging.googleapis.com/spanid", JSON_SLOT_SPAN},
        {"log.logger", JSON_SLOT_LOGGER},
        {"logger", JSON_SLOT_LOGGER},
        {"logger_name", JSON_SLOT_LOGGER},
        {"loggername", JSON_SLOT_LOGGER},
        {"service.name", JSON_SLOT_SERVICE},
        {"service", JSON_SLOT_SERVICE},
        {"service_name", JSON_SLOT_SERVICE},
        {"servicename", JSON_SLOT_SERVICE},
        {"faas.name", JSON_SLOT_FAAS_NAME},
        {"function_name", JSON_SLOT_FAAS_NAME},
        {"functionname", JSON_SLOT_FAAS_NAME},
        {"faas.version", JSON_SLOT_FAAS_VERSION},
        {"function_version", JSON_SLOT_FAAS_VERSION},
        {"functionversion", JSON_SLOT_FAAS_VERSION},
        {"faas.id", JSON_SLOT_FAAS_ARN},
        {"function_arn", JSON_SLOT_FAAS_ARN},
        {"functionarn", JSON_SLOT_FAAS_ARN},
        {"invoked_function_arn", JSON_SLOT_FAAS_ARN},
        {"invokedfunctionarn", JSON_SLOT_FAAS_ARN},
        {"correlation_id", JSON_SLOT_CORRELATION},
        {"correlationid", JSON_SLOT_CORRELATION},
        {"correlation.id", JSON_SLOT_CORRELATION},
        {"faas.coldstart", JSON_SLOT_COLDSTART},
        {"cold_start", JSON_SLOT_COLDSTART},
        {"coldstart", JSON_SLOT_COLDSTART},
        {"error.type", JSON_SLOT_ERROR_TYPE},
        {"errortype", JSON_SLOT_ERROR_TYPE},
        {"error_type", JSON_SLOT_ERROR_TYPE},
        {"exception_name", JSON_SLOT_ERROR_TYPE},
        {"exception.type", JSON_SLOT_ERROR_TYPE},
        {"error.name", JSON_SLOT_ERROR_TYPE},
        {"exception.name", JSON_SLOT_ERROR_TYPE},
        {"error.errortype", JSON_SLOT_ERROR_TYPE},
        {"stack_trace.type", JSON_SLOT_ERROR_TYPE},
        {"error.message", JSON_SLOT_ERROR_MESSAGE},
        {"errormessage", JSON_SLOT_ERROR_MESSAGE},
        {"error_message", JSON_SLOT_ERROR_MESSAGE},
        {"exception.message", JSON_SLOT_ERROR_MESSAGE},
        {"error.errormessage", JSON_SLOT_ERROR_MESSAGE},
        {"error", JSON_SLOT_ERROR_MESSAGE},
        {"err", JSON_SLOT_ERROR_MESSAGE},
        {"stack_trace.value", JSON_SLOT_ERROR_MESSAGE},
        {"error.stack_trace", JSON_SLOT_ERROR_STACK},
        {"error.stacktrace", JSON_SLOT_ERROR_STACK},
        {"error.stack", JSON_SLOT_ERROR_STACK},
        {"stacktrace", JSON_SLOT_ERROR_STACK},
        {"stack_trace", JSON_SLOT_ERROR_STACK},
        {"exception.stacktrace", JSON_SLOT_ERROR_STACK},
        {"exception.stack_trace", JSON_SLOT_ERROR_STACK},
        {"exception.stack", JSON_SLOT_ERROR_STACK},
        {"exception", JSON_SLOT_ERROR_STACK},
        {"exc_info", JSON_SLOT_ERROR_STACK},
        {"@x", JSON_SLOT_ERROR_STACK},
        {"stack", JSON_SLOT_ERROR_STACK},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct json_name *found = json_name_find(slice_str(rows[i].name));
        char upper[64];
        size_t len = strlen(rows[i].name);

        cr_assert(found, "%s", rows[i].name);
        cr_expect_eq(found->slot, rows[i].slot, "%s", rows[i].name);
        for (size_t c = 0; c < len; c++)
            upper[c] = rows[i].name[c] >= 'a' && rows[i].name[c] <= 'z' ? rows[i].name[c] - 32
                                                                        : rows[i].name[c];
        cr_expect_eq(json_name_find(slice_of(upper, len)), found, "%s in capitals", rows[i].name);
        upper[len - 1] ^= 1;
        cr_expect_neq(json_name_find(slice_of(upper, len)), found, "not quite %s", rows[i].name);
    }
}

Test(json, platform_events_are_not_fields)
{
    struct parse_scratch scratch = {0};
    struct record r;
    struct slice line =
        slice_str("{\"time\":\"2026-10-09T08:53:20.000Z\",\"type\":\"platform.start\","
                  "\"record\":{\"requestId\":\"" ID "\",\"version\":\"$LATEST\"}}");

    record_reset(&r);
    cr_expect(json_record_parse(line, &scratch, &r));
    cr_expect_eq(r.kind, RECORD_START);
    cr_expect_eq(r.n_fields, 0);
    parse_scratch_free(&scratch);
}

/* 100 000 members, and 100 000 leftovers in every group: bounded work, nothing lost. */
Test(json, very_many_members)
{
    static const char *const groups[] = {"error", "err", "exception", "fields", "span"};
    struct parse_scratch scratch = {0};
    struct buffer line = {0};
    struct record r;

    buffer_add_lit(&line, "{\"message\":\"m\"");
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        buffer_printf(&line, ",\"%s\":{\"message\":\"x\"", groups[g]);
        for (int i = 0; i < 20000; i++)
            buffer_printf(&line, ",\"k%d\":%d", i, i);
        buffer_add_lit(&line, "}");
    }
    for (int i = 0; i < 100000; i++)
        buffer_printf(&line, ",\"k%d\":%d", i, i);
    buffer_add_lit(&line, "}");
    record_reset(&r);
    cr_expect(json_record_parse(buffer_slice(&line), &scratch, &r));
    cr_expect_eq(r.n_fields, 100000 + sizeof groups / sizeof groups[0]);
    buffer_free(&line);
    parse_scratch_free(&scratch);
}

Test(json, raw_takes_the_line_as_it_is)
{
    struct parse_scratch scratch = {0};
    const struct parser raw = {&parser_raw, NULL};
    struct slice line = slice_str("{\"message\":\"m\"}");
    struct record r;

    parser_parse(&raw, &scratch, line, &r);
    cr_expect(slice_eq(r.message.bytes, line));
    cr_expect_eq(r.message.kind, VALUE_TEXT);
    cr_expect_eq(r.flags, 0);
    cr_expect_eq(r.coldstart, -1);
    parse_scratch_free(&scratch);
}
