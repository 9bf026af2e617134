/* What the JSON of other clouds becomes (clouds.md 1 to 3). */
#include <criterion/criterion.h>

#include "parsers/ecs_fields.h"
#include "parsers/json_shape_rows.h"
#include "tests/support/record_text.h"

static const struct parser parser = {&parser_json, NULL};

#define CHECK(rows) RECORD_ROWS_CHECK(&parser, rows)
#define HEX32 "0123456789abcdef0123456789abcdef"
#define GUID "3f1c2b7a-0d4e-4c55-9a66-77b8c9d0e1f2"

Test(json_shapes, google_structured)
{
    static const struct record_row rows[] = {
        {"the special keys",
         "{\"severity\":\"ERROR\",\"message\":\"no stock\",\"logging.googleapis.com/trace\":"
         "\"projects/demo-p/traces/" HEX32 "\",\"logging.googleapis.com/spanId\":"
         "\"00f067aa0ba902b7\",\"logging.googleapis.com/labels\":{\"execution_id\":"
         "\"k3v9x0a1b2c4\"},\"order\":7}",
         "level=error message='no stock' request=k3v9x0a1b2c4 trace=" HEX32
         " span=00f067aa0ba902b7 [order]=7"},
        {"the Functions Framework: a newline, a decimal span",
         "{\"message\":\"hello\\n\",\"logging.googleapis.com/labels\":{\"execution_id\":"
         "\"k3v9x0a1b2c4\"},\"logging.googleapis.com/spanId\":\"12345\"}",
         "message='hello' request=k3v9x0a1b2c4 span=0000000000003039"},
        {"a backslash before an n",
         "{\"message\":\"C:\\\\n\",\"logging.googleapis.com/spanId\":\"x\"}",
         "message='C:\\\\n' [logging.googleapis.com/spanId]='x'"},
        {"other labels stay, and the source",
         "{\"message\":\"m\",\"logging.googleapis.com/labels\":{\"a\":\"b\"},"
         "\"logging.googleapis.com/sourceLocation\":{\"file\":\"a.js\",\"line\":\"12\","
         "\"function\":\"f\"}}",
         "message='m' log.origin.file.name='a.js' log.origin.file.line=12 "
         "log.origin.function='f' [logging.googleapis.com/labels]={\"a\":\"b\"}"},
        {"a time in two parts",
         "{\"timestamp\":{\"seconds\":1791536000,\"nanos\":5},\"message\":\"m\"}",
         "time=" T "000000005 message='m'"},
    };

    CHECK(rows);
}

#define ENTRY_LABELS                                                                               \
    "\"resource\":{\"type\":\"cloud_function\",\"labels\":{\"function_name\":\"resize\","          \
    "\"project_id\":\"demo-p\",\"region\":\"europe-west1\"}},\"labels\":{\"execution_id\":"        \
    "\"k3v9x0a1b2c4\"}"

Test(json_shapes, google_entries)
{
    static const struct record_row rows[] = {
        {"textPayload",
         "{\"insertId\":\"000000-1\",\"logName\":\"projects/demo-p/logs/l\"," ENTRY_LABELS
         ",\"trace\":\"projects/demo-p/traces/" HEX32 "\",\"severity\":\"INFO\","
         "\"timestamp\":\"2026-10-09T08:53:20.5Z\",\"textPayload\":\"resized 3 images\"}",
         "time=" T "500000000 level=info message='resized 3 images' request=k3v9x0a1b2c4 "
         "trace=" HEX32 " faas='resize' [insertId]='000000-1' "
         "[logName]='projects/demo-p/logs/l' "
         "[resource]={\"type\":\"cloud_function\",\"labels\":{\"function_name\":\"resize\","
         "\"project_id\":\"demo-p\",\"region\":\"europe-west1\"}}"},
        {"jsonPayload: the program's line, beside the entry",
         "{\"insertId\":\"1\",\"jsonPayload\":{\"message\":\"failed\",\"order\":7,\"level\":\"x\","
         "\"err\":{\"message\":\"boom\",\"stack\":\"Error: boom\\n at f\"},\"timestamp\":1},"
         "\"labels\":{\"execution_id\":\"k3v9x0a1b2c4\"},\"severity\":\"ERROR\","
         "\"timestamp\":\"2026-10-09T08:53:20Z\"}",
         "time=" T "000000000 level=error message='failed' request=k3v9x0a1b2c4 reason='boom' "
         "stack='Error: boom\\n at f' [insertId]='1' [order]=7 [level]='x' [timestamp]=1"},
        {"a severity that says none",
         "{\"insertId\":\"1\",\"severity\":\"DEFAULT\",\"jsonPayload\":"
         "{\"level\":\"warn\",\"msg\":\"m\"}}",
         "level=warn message='m' [insertId]='1'"},
        {"a key of both", "{\"insertId\":\"1\",\"jsonPayload\":{\"insertId\":2}}",
         "[entry.insertId]='1' [insertId]=2"},
        {"a payload that is none", "{\"insertId\":\"1\",\"jsonPayload\":7}",
         "[insertId]='1' [jsonPayload]=7"},
        {"a request log has no payload",
         "{\"logName\":\"l\",\"resource\":{\"labels\":{\"service_name\":\"api\",\"revision_name\":"
         "\"api-7\"}},\"trace\":\"projects/p/traces/" HEX32 "\",\"spanId\":\"00f067aa0ba902b7\","
         "\"severity\":\"WARNING\",\"httpRequest\":{\"requestMethod\":\"GET\",\"requestUrl\":"
         "\"https://api.example.com/v1?q=1\",\"requestSize\":\"412\",\"status\":404,"
         "\"responseSize\":\"198\",\"remoteIp\":\"10.0.0.1\",\"userAgent\":\"curl/8 \\\"x\\\"\","
         "\"protocol\":\"HTTP/1.1\"}}",
         "level=warn message='GET https://api.example.com/v1?q=1 404' trace=" HEX32
         " span=00f067aa0ba902b7 faas='api' version='api-7' http.request.method='GET' "
         "url.original='https://api.example.com/v1?q=1' http.request.bytes=412 "
         "http.response.status_code=404 http.response.bytes=198 client.ip=\"10.0.0.1\" "
         "user_agent.original='curl/8 \\\"x\\\"' http.version=\"1.1\" [logName]='l'"},
        {"a latency is a duration",
         "{\"insertId\":\"1\",\"message\":\"m\",\"httpRequest\":{\"latency\":\"0.003812s\"}}",
         "message='m' event.duration=3812000 [insertId]='1'"},
        {"a duration that is none",
         "{\"insertId\":\"1\",\"message\":\"m\",\"httpRequest\":{\"latency\":\"soon\"}}",
         "message='m' [insertId]='1' [httpRequest]={\"latency\":\"soon\"}"},
    };

    CHECK(rows);
}

Test(json_shapes, knative)
{
    static const struct record_row rows[] = {
        {"with Go's apostrophe and a port; a size that is not known stays",
         "{\"httpRequest\": {\"requestMethod\": \"GET\", \"requestUrl\": \"/\", \"requestSize\": "
         "\"-1\", \"status\": 200, \"userAgent\": \"it\\'s \\\\ me\", \"remoteIp\": "
         "\"10.0.0.1:5555\"}, \"traceId\": \"" HEX32 "\"}",
         "message='GET / 200' trace=" HEX32
         " flags=2 http.request.method='GET' url.original='/' http.response.status_code=200 "
         "user_agent.original='it's \\\\ me' client.ip=\"10.0.0.1\" "
         "[httpRequest.requestSize]='-1'"},
        {"IPv6 with a port", "{\"httpRequest\":{\"remoteIp\":\"[2001:db8::1]:80\"}}",
         "client.ip=\"2001:db8::1\""},
        {"IPv6 without", "{\"httpRequest\":{\"remoteIp\":\"2001:db8::1\"}}",
         "client.ip=\"2001:db8::1\""},
        {"no object", "{\"httpRequest\":7,\"message\":\"m\"}", "message='m' [httpRequest]=7"},
    };

    CHECK(rows);
}

Test(json_shapes, azure)
{
    static const struct record_row rows[] = {
        {"a record of diagnostic settings",
         "{\"time\":\"2026-10-09T08:53:20.1234567Z\",\"resourceId\":\"/SUBSCRIPTIONS/S/X\","
         "\"category\":\"FunctionAppLogs\",\"level\":\"Informational\",\"properties\":{"
         "\"appName\":\"app\",\"message\":\"did it\",\"category\":\"Function.hello.User\","
         "\"functionInvocationId\":\"" GUID "\",\"functionName\":\"Functions.hello\",\"level\":"
         "\"Warning\",\"exceptionType\":\"System.X\",\"exceptionMessage\":\"boom\","
         "\"exceptionDetails\":\"System.X: boom\\n at F\",\"processId\":67}}",
         "time=" T "123456700 level=warn message='did it' request=" GUID
         " logger='Function.hello.User' service='app' faas='hello' error='System.X' reason='boom' "
         "stack='System.X: boom\\n at F' process.pid=67 [resourceId]='/SUBSCRIPTIONS/S/X' "
         "[category]='FunctionAppLogs' [level]='Informational'"},
        {"properties in single quotes",
         "{\"time\":\"2026-10-09T08:53:20Z\",\"category\":\"FunctionAppLogs\",\"resourceId\":\"r\","
         "\"properties\":\"{'message':'it\\\\'s \\\"late\\\"','functionInvocationId':'" GUID
         "'}\"}",
         "time=" T "000000000 message='it's \\\"late\\\"' request=" GUID
         " [category]='FunctionAppLogs' [resourceId]='r'"},
        {"properties as JSON in a string; what is left has its key in front",
         "{\"category\":\"c\",\"resourceId\":\"r\",\"properties\":\"{\\\"message\\\":\\\"m\\\","
         "\\\"levelId\\\":3}\"}",
         "message='m' [properties.levelId]=3 [category]='c' [resourceId]='r'"},
        {"properties that are a text",
         "{\"category\":\"c\",\"resourceId\":\"r\",\"properties\":\"none\"}",
         "[category]='c' [resourceId]='r' [properties]='none'"},
        {"a resource of an application's own",
         "{\"resourceId\":\"r\",\"properties\":{\"message\":\"m\"}}",
         "[resourceId]='r' [properties]={\"message\":\"m\"}"},
        {"a row of FunctionAppLogs",
         "{\"TimeGenerated\":\"2026-10-09T08:53:20Z\",\"Level\":\"Error\",\"Message\":\"m\","
         "\"FunctionInvocationId\":\"" GUID "\",\"FunctionName\":\"Functions.hello\",\"AppName\":"
         "\"app\",\"ExceptionType\":\"System.X\",\"ExceptionMessage\":\"boom\"}",
         "time=" T "000000000 level=error message='m' request=" GUID
         " service='app' faas='hello' error='System.X' reason='boom'"},
        {"traces of Application Insights",
         "{\"timestamp\":\"2026-10-09T08:53:20Z\",\"message\":\"m\",\"severityLevel\":2,"
         "\"operation_Id\":\"" HEX32 "\",\"operation_Name\":\"hello\",\"cloud_RoleName\":\"app\","
         "\"customDimensions\":{\"InvocationId\":\"" GUID "\",\"Category\":\"Function.hello\"}}",
         "time=" T "000000000 level=warn message='m' request=" GUID " trace=" HEX32
         " logger='Function.hello' service='app' faas='hello'"},
        {"AppRequests",
         "{\"TimeGenerated\":\"2026-10-09T08:53:20Z\",\"Name\":\"GET /x\",\"Url\":\"https://x/\","
         "\"Success\":false,\"ResultCode\":\"500\",\"DurationMs\":12.5,\"OperationId\":\"" HEX32
         "\",\"AppRoleName\":\"app\",\"Properties\":{\"InvocationId\":\"" GUID "\"}}",
         "time=" T "000000000 level=error message='GET /x' request=" GUID " trace=" HEX32
         " service='app' url.original='https://x/' event.outcome=\"failure\" "
         "http.response.status_code=500 event.duration=12500000 [Name]='GET /x'"},
        {"an invocation's id alone", "{\"message\":\"m\",\"invocationId\":\"" GUID "\"}",
         "message='m' request=" GUID},
    };

    CHECK(rows);
}

Test(json_shapes, edges_and_drains)
{
    static const struct record_row rows[] = {
        {"Cloudflare Workers, an exception",
         "{\"Event\":{\"RayID\":\"9ab9830f8f01234f\",\"Request\":{\"URL\":\"https://x.example/\","
         "\"Method\":\"GET\"},\"Response\":{\"Status\":500}},\"EventTimestampMs\":1791536000123,"
         "\"Exceptions\":[{\"Name\":\"Error\",\"Message\":\"boom\",\"TimestampMs\":1}],"
         "\"Logs\":[],\"Outcome\":\"exception\",\"ScriptName\":\"edge-a\",\"WallTimeMs\":7}",
         "time=" T "123000000 level=error message='GET https://x.example/ 500' "
         "request=9ab9830f8f01234f faas='edge-a' error='Error' reason='boom' "
         "url.original='https://x.example/' http.request.method='GET' "
         "http.response.status_code=500 event.outcome=\"failure\" event.duration=7000000 "
         "[Exceptions]=[{\"Name\":\"Error\",\"Message\":\"boom\",\"TimestampMs\":1}] "
         "[Logs]=[] [Outcome]='exception'"},
        {"Cloudflare Workers, a cron",
         "{\"EventTimestampMs\":1791536000123,\"Event\":{\"Cron\":\"* * * * "
         "*\"},\"Outcome\":\"ok\","
         "\"ScriptName\":\"edge-a\"}",
         "time=" T "123000000 faas='edge-a' event.outcome=\"success\" "
         "[Event]={\"Cron\":\"* * * * *\"} [Outcome]='ok'"},
        {"Vercel",
         "{\"id\":\"17\",\"deploymentId\":\"dpl_x\",\"source\":\"lambda\",\"host\":"
         "\"x.vercel.app\",\"timestamp\":1791536000123,\"projectId\":\"prj_x\",\"level\":\"error\","
         "\"message\":\"boom\",\"requestId\":\"abcde-1714557600100-a1b2c3d4f5e6\",\"statusCode\":"
         "-1,\"proxy\":{\"timestamp\":1,\"method\":\"GET\",\"path\":\"/\",\"statusCode\":502,"
         "\"userAgent\":[\"curl/8\"]}}",
         "time=" T "123000000 level=error message='boom' request=abcde-1714557600100-a1b2c3d4f5e6 "
         "url.domain='x.vercel.app' http.request.method='GET' url.original='/' "
         "http.response.status_code=502 user_agent.original='curl/8' [proxy.timestamp]=1 "
         "[proxy.userAgent]=[\"curl/8\"] [id]='17' [deploymentId]='dpl_x' "
         "[source]='lambda' [projectId]='prj_x' [statusCode]=-1"},
        {"a deployment of an application's own", "{\"deploymentId\":\"d\",\"host\":\"h\"}",
         "[deploymentId]='d' [host]='h'"},
        {"OpenWhisk's activation record",
         "{\"activationId\":\"" HEX32 "\",\"namespace\":\"ns\",\"name\":\"hello\",\"start\":"
         "1791536000123,\"duration\":12,\"response\":{\"statusCode\":0,\"success\":true},"
         "\"logs\":[]}",
         "time=" T "123000000 request=" HEX32
         " faas='hello' event.duration=12000000 event.outcome=\"success\" [response.statusCode]=0 "
         "[namespace]='ns' [logs]=[]"},
        {"OpenWhisk's file store",
         "{\"log\":\"taken\\n\",\"stream\":\"stdout\",\"time\":\"2026-10-09T08:53:20Z\","
         "\"activationId\":\"" HEX32 "\",\"action\":\"ns/hello\",\"namespace\":\"ns\"}",
         "time=" T "000000000 message='taken' request=" HEX32
         " faas='ns/hello' [stream]='stdout' [namespace]='ns'"},
        {"Netlify",
         "{\"log_type\":\"functions\",\"request_id\":\"01J\",\"function_name\":\"hello\",\"level\":"
         "\"info\",\"message\":\"m\",\"timestamp\":\"2026-10-09T08:53:20Z\",\"status_code\":200}",
         "time=" T "000000000 level=info message='m' request=01J faas='hello' "
         "http.response.status_code=200 [log_type]='functions'"},
        {"a line that is ECS is left alone",
         "{\"ecs.version\":\"8.0\",\"httpRequest\":{\"status\":200},\"message\":\"m\"}",
         "message='m' ecs=yes [ecs.version]='8.0' [httpRequest]={\"status\":200}"},
    };

    CHECK(rows);
}

/* A row whose field is none, or whose object has no row, would never do anything. */
Test(json_shapes, rows_are_sound)
{
    for (int g = JSON_GROUP_GOOGLE; g < JSON_N_GROUPS; g++) {
        const struct shape *shape = json_shape_of((enum json_group)g);

        cr_assert(shape);
        for (size_t i = 0; i < shape->n_rows; i++) {
            const struct shape_row *row = &shape->rows[i];

            cr_expect(!row->field || ecs_field_find(slice_str(row->field)), "%s", row->path);
            cr_expect_eq(row->how == SHAPE_SLOT, row->slot != JSON_SLOT_NONE, "%s", row->path);
        }
    }
    cr_expect_null(json_shape_of(JSON_GROUP_AWS));
}
