/* Platform events in JSON (aws.md 1.4, 5.5), and what only looks like one. */
#include <criterion/criterion.h>

#include "tests/support/record_text.h"

static const struct parser parser = {&parser_auto, NULL};

#define CHECK(rows) RECORD_ROWS_CHECK(&parser, rows)
#define EVENT(type, record)                                                                        \
    "{\"time\":\"2026-10-09T08:53:20.123Z\",\"type\":\"platform." type "\",\"record\":" record "}"
#define AT "time=" T "123000000"
#define FUNCTION "arn:aws:lambda:eu-west-1:123456789012:function:orders"

Test(lambda_json, the_life_of_an_environment)
{
    static const struct record_row rows[] = {
        {"initStart",
         EVENT("initStart",
               "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"runtimeVersion\":"
               "\"nodejs:22.v122\",\"runtimeVersionArn\":\"arn:x\",\"functionName\":\"orders\","
               "\"functionVersion\":\"$LATEST\",\"instanceMaxMemory\":268435456}"),
         "kind=init_start " AT " faas='orders' version='$LATEST' runtime=nodejs:22.v122 "
         "init_type=on-demand"},
        {"of web functions: a timestamp, and a type of its own",
         "{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"INFO\",\"type\":"
         "\"platform.invokeStart\",\"region\":\"eu-west-1\",\"record\":{\"requestId\":\"" ID "\"}}",
         "kind=platform " AT " request=" ID},
        {"initRuntimeDone",
         EVENT("initRuntimeDone",
               "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"error\","
               "\"errorType\":\"Runtime.ExitError\"}"),
         "kind=init_report " AT " level=error error=\"Runtime.ExitError\" status=error "
         "status_error=Runtime.ExitError init_type=on-demand"},
        {"initReport",
         EVENT("initReport",
               "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"metrics\":{"
               "\"durationMs\":463.512},\"status\":\"success\"}"),
         "kind=init_report " AT " init=463.512 status=success init_type=on-demand"},
        {"restoreStart",
         EVENT("restoreStart", "{\"functionName\":\"orders\",\"functionVersion\":\"3\","
                               "\"runtimeVersion\":\"java:21.v21\"}"),
         "kind=restore_start " AT " faas='orders' version='3' runtime=java:21.v21"},
        {"restoreReport",
         EVENT("restoreReport", "{\"status\":\"success\",\"metrics\":{\"durationMs\":511.25}}"),
         "kind=restore_report " AT " restore=511.25 status=success"},
        {"extension",
         EVENT("extension", "{\"name\":\"ship\",\"state\":\"Ready\",\"events\":[\"INVOKE\"]}"),
         "kind=platform " AT},
        {"extension that failed",
         EVENT("extension", "{\"name\":\"ship\",\"state\":\"InitError\",\"events\":[],"
                            "\"errorType\":\"Extension.InitError\"}"),
         "kind=platform " AT " level=error error=\"Extension.InitError\" "
         "status_error=Extension.InitError"},
        {"logsDropped (A4)",
         EVENT("logsDropped", "{\"droppedBytes\":12345,\"droppedRecords\":123,\"reason\":\"x\"}"),
         "kind=platform " AT " level=warn"},
        {"a type of next year", EVENT("dreamStart", "{\"requestId\":\"" ID "\"}"),
         "kind=platform " AT " request=" ID},
        {"an old fault: the record is a text", EVENT("fault", "\"RequestId: " ID " Error\""),
         "kind=platform " AT},
    };

    CHECK(rows);
}

Test(lambda_json, an_invocation)
{
    static const struct record_row rows[] = {
        {"start",
         EVENT("start", "{\"requestId\":\"" ID "\",\"functionArn\":\"" FUNCTION
                        "\",\"version\":\"$LATEST\"}"),
         "kind=start " AT " request=" ID " faas='orders' version='$LATEST' arn='" FUNCTION "'"},
        {"start, an alias in the ARN, traced",
         EVENT("start", "{\"requestId\":\"" ID "\",\"functionArn\":\"" FUNCTION
                        ":live\",\"version\":\"7\",\"tracing\":{\"type\":\"X-Amzn-Trace-Id\","
                        "\"value\":\"Root=" ROOT ";Parent=0123456789abcdef;Sampled=1\","
                        "\"spanId\":\"fedcba9876543210\"}}"),
         "kind=start " AT " request=" ID " trace=" TRACE
         " span=fedcba9876543210 faas='orders' version='7' arn='" FUNCTION "'"},
        {"runtimeDone",
         EVENT("runtimeDone", "{\"requestId\":\"" ID "\",\"status\":\"timeout\",\"metrics\":{"
                              "\"durationMs\":3000.0,\"producedBytes\":2}}"),
         "kind=runtime_done " AT " level=error request=" ID " duration=3000 status=timeout"},
        {"end", EVENT("end", "{\"requestId\":\"" ID "\"}"), "kind=end " AT " request=" ID},
        {"report",
         EVENT("report", "{\"requestId\":\"" ID "\",\"metrics\":{\"durationMs\":1233.96,"
                         "\"billedDurationMs\":1698,\"memorySizeMB\":256,\"maxMemoryUsedMB\":91,"
                         "\"initDurationMs\":463.512},\"status\":\"success\"}"),
         "kind=report " AT " request=" ID
         " duration=1233.96 billed=1698 memory=256 used=91 init=463.512 status=success"},
        {"report of a SnapStart, numbers as they come",
         EVENT("report", "{\"requestId\":\"" ID "\",\"metrics\":{\"durationMs\":1.0,"
                         "\"restoreDurationMs\":5.5e2,\"billedRestoreDurationMs\":303}}"),
         "kind=report " AT " request=" ID " duration=1 restore=550 billed_restore=303"},
        {"report of a failure",
         EVENT("report", "{\"requestId\":\"" ID "\",\"status\":\"error\",\"errorType\":"
                         "\"Runtime.OutOfMemory\",\"metrics\":{\"durationMs\":1}}"),
         "kind=report " AT " level=error request=" ID
         " error=\"Runtime.OutOfMemory\" duration=1 status=error status_error=Runtime.OutOfMemory"},
        {"the keys in another order",
         "{\"record\":{\"requestId\":\"" ID "\"},\"type\":\"platform.end\",\"time\":"
         "\"2026-10-09T08:53:20.123Z\"}",
         "kind=end " AT " request=" ID},
    };

    CHECK(rows);
}

Test(lambda_json, odd_records)
{
    static const struct record_row rows[] = {
        {"without its request it moves nothing", EVENT("start", "{\"version\":\"1\"}"),
         "kind=platform " AT " version='1'"},
        {"an id that is no text", EVENT("report", "{\"requestId\":5}"), "kind=platform " AT},
        {"an id too long to be one",
         EVENT("end", "{\"requestId\":\"01234567890123456789012345678901234567890123456789"
                      "012345678901234\"}"),
         "kind=platform " AT},
        {"no time", "{\"type\":\"platform.end\",\"record\":{\"requestId\":\"" ID "\"}}",
         "kind=end request=" ID},
        {"a time that is none",
         "{\"time\":\"now\",\"type\":\"platform.end\",\"record\":{"
         "\"requestId\":\"" ID "\"}}",
         "kind=end request=" ID},
        {"metrics that are none",
         EVENT("report", "{\"requestId\":\"" ID "\",\"metrics\":{\"durationMs\":\"long\","
                         "\"billedDurationMs\":null}}"),
         "kind=report " AT " request=" ID},
        {"metrics that are no object",
         EVENT("report", "{\"requestId\":\"" ID "\",\"metrics\":[1,2]}"),
         "kind=report " AT " request=" ID},
        {"an ARN without a function",
         EVENT("start", "{\"requestId\":\"" ID "\",\"functionArn\":\"arn:aws:lambda:function:\"}"),
         "kind=start " AT " request=" ID},
    };

    CHECK(rows);
}

Test(lambda_json, what_only_looks_like_one)
{
    static const struct record_row rows[] = {
        {"no record", "{\"type\":\"platform.start\",\"requestId\":\"" ID "\"}",
         "request=" ID " [type]='platform.start'"},
        {"the type is no text", "{\"type\":[\"platform.start\"],\"record\":{}}",
         "[type]=[\"platform.start\"] [record]={}"},
        {"an application's own type",
         "{\"type\":\"platform\",\"record\":{\"requestId\":\"" ID "\"}}",
         "[type]='platform' [record]={\"requestId\":\"" ID "\"}"},
        {"quoted in a message",
         "{\"level\":\"info\",\"message\":\"{\\\"type\\\":\\\"platform.start\\\",\\\"record\\\":"
         "{\\\"requestId\\\":\\\"" ID "\\\"}}\"}",
         "level=info message='{\\\"type\\\":\\\"platform.start\\\",\\\"record\\\":"
         "{\\\"requestId\\\":\\\"" ID "\\\"}}'"},
    };

    CHECK(rows);
}
