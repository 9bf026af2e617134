/* Platform lines in text form (aws.md 1.2): each in its exact form, and what only looks like one.
 */
#include <criterion/criterion.h>

#include "parsers/lambda.h"
#include "tests/support/record_text.h"

static const struct parser parser = {&parser_auto, NULL};

#define CHECK(rows) RECORD_ROWS_CHECK(&parser, rows)
#define ARN                                                                                        \
    "arn:aws:lambda:eu-west-1::runtime:"                                                           \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(lambda_platform, start_and_end)
{
    static const struct record_row rows[] = {
        {"START", "START RequestId: " ID " Version: $LATEST",
         "kind=start request=" ID " version=\"$LATEST\""},
        {"START of a published version", "START RequestId: " ID " Version: 42",
         "kind=start request=" ID " version=\"42\""},
        {"the emulator's tab", "START RequestId: " ID "\tVersion: $LATEST",
         "kind=start request=" ID " version=\"$LATEST\""},
        {"a tenant behind it, should that come", "START RequestId: " ID " Version: 7 TenantId: t-1",
         "kind=start request=" ID " version=\"7\""},
        {"CloudWatch's line end", "START RequestId: " ID " Version: $LATEST\n",
         "kind=start request=" ID " version=\"$LATEST\""},
        {"CR LF", "START RequestId: " ID " Version: $LATEST\r",
         "kind=start request=" ID " version=\"$LATEST\""},
        {"upper-case hex", "START RequestId: 3F0D9C9E-0B1D-4A52-9A3E-0F6D6A3C1B11 Version: 1",
         "kind=start request=3F0D9C9E-0B1D-4A52-9A3E-0F6D6A3C1B11 version=\"1\""},
        {"END", "END RequestId: " ID, "kind=end request=" ID},
        {"END, blanks behind", "END RequestId: " ID " \t\r", "kind=end request=" ID},
    };

    CHECK(rows);
}

Test(lambda_platform, report)
{
    static const struct record_row rows[] = {
        {"a cold start",
         "REPORT RequestId: " ID "\tDuration: 812.25 ms\tBilled Duration: 1210 ms\tMemory Size: "
         "256 MB\tMax Memory Used: 91 MB\tInit Duration: 397.10 ms\t",
         "kind=report request=" ID " duration=812.25 billed=1210 memory=256 used=91 init=397.1"},
        {"XRAY behind a tab",
         "REPORT RequestId: " ID
         "\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 256 MB\tMax Memory Used: 91 MB"
         "\tXRAY TraceId: " ROOT "\tSegmentId: 0123456789abcdef\tSampled: true",
         "kind=report request=" ID " trace=" TRACE
         " span=0123456789abcdef duration=3.1 billed=4 memory=256 used=91"},
        {"XRAY in the same event of CloudWatch",
         "REPORT RequestId: " ID
         "\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 256 MB\tMax Memory Used: 91 MB"
         "\t\nXRAY TraceId: " ROOT "\tSegmentId: 0123456789abcdef\tSampled: true\t\n",
         "kind=report request=" ID " trace=" TRACE
         " span=0123456789abcdef duration=3.1 billed=4 memory=256 used=91"},
        {"SnapStart",
         "REPORT RequestId: " ID
         "\tDuration: 21.02 ms\tBilled Duration: 325 ms\tMemory Size: 512 MB\tMax Memory Used: 155 "
         "MB\tRestore Duration: 511.25 ms\tBilled Restore Duration: 303 ms\t",
         "kind=report request=" ID " duration=21.02 billed=325 memory=512 used=155 "
         "restore=511.25 billed_restore=303"},
        {"a timeout",
         "REPORT RequestId: " ID
         "\tDuration: 31000.00 ms\tBilled Duration: 33190 ms\tMemory Size: 2048 MB\tMax Memory "
         "Used: 154 MB\tInit Duration: 2189.80 ms\tStatus: timeout",
         "kind=report level=error request=" ID
         " duration=31000 billed=33190 memory=2048 used=154 init=2189.8 status=timeout"},
        {"out of memory",
         "REPORT RequestId: " ID
         "\tDuration: 18.41 ms\tBilled Duration: 19 ms\tMemory Size: 128 MB\tMax Memory Used: 128 "
         "MB\tStatus: error\tError Type: Runtime.OutOfMemory",
         "kind=report level=error request=" ID
         " error=\"Runtime.OutOfMemory\" duration=18.41 billed=19 memory=128 used=128 "
         "status=error status_error=Runtime.OutOfMemory"},
        {"an old one: blanks before the tabs",
         "REPORT RequestId: " ID "\tDuration: 1.50 ms\tBilled Duration: 100 ms \tMemory Size: 128 "
         "MB\tMax Memory Used: 20 MB\t",
         "kind=report request=" ID " duration=1.5 billed=100 memory=128 used=20"},
        {"the emulator: Init Duration first",
         "REPORT RequestId: " ID "\tInit Duration: 0.09 ms\tDuration: 250.06 ms\tBilled Duration: "
         "251 ms\tMemory Size: 3008 MB\tMax Memory Used: 3008 MB\t",
         "kind=report request=" ID " duration=250.06 billed=251 memory=3008 used=3008 init=0.09"},
        {"names that nobody knows yet",
         "REPORT RequestId: " ID
         "\tSome New Thing: 5 parsecs\tDuration: 1.00 ms\tDuration Limit: 9",
         "kind=report request=" ID " duration=1"},
    };

    CHECK(rows);
}

Test(lambda_platform, initialisation_and_restore)
{
    static const struct record_row rows[] = {
        {"INIT_START", "INIT_START Runtime Version: python:3.12.v43\tRuntime Version ARN: " ARN,
         "kind=init_start runtime=python:3.12.v43"},
        {"a custom runtime, no ARN", "INIT_START Runtime Version: provided:al2023.v99",
         "kind=init_start runtime=provided:al2023.v99"},
        {"init timed out", "INIT_REPORT Init Duration: 9999.98 ms\tPhase: init\tStatus: timeout",
         "kind=init_report level=error init=9999.98 status=timeout"},
        {"init failed inside the invocation",
         "INIT_REPORT Init Duration: 431.38 ms\tPhase: invoke\tStatus: error\tError Type: "
         "Runtime.ExitError",
         "kind=init_report level=error error=\"Runtime.ExitError\" init=431.38 status=error "
         "status_error=Runtime.ExitError"},
        {"init of provisioned concurrency, which reports success too",
         "INIT_REPORT Init Duration: 431.38 ms", "kind=init_report init=431.38"},
        {"RESTORE_START", "RESTORE_START Runtime Version: java:21.v21\tRuntime Version ARN: " ARN,
         "kind=restore_start runtime=java:21.v21"},
        {"RESTORE_REPORT", "RESTORE_REPORT Restore Duration: 511.25 ms",
         "kind=restore_report restore=511.25"},
        {"restore timed out", "RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout",
         "kind=restore_report level=error restore=10000 status=timeout"},
    };

    CHECK(rows);
}

Test(lambda_platform, extensions)
{
    static const struct record_row rows[] = {
        {"EXTENSION", "EXTENSION\tName: ship-agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
         "kind=platform"},
        {"EXTENSION without events", "EXTENSION\tName: a\tState: Registered\tEvents: []",
         "kind=platform"},
        {"EXTENSION that failed",
         "EXTENSION\tName: a\tState: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: "
         "Extension.InitError",
         "kind=platform level=error error=\"Extension.InitError\" "
         "status_error=Extension.InitError"},
        {"TELEMETRY",
         "TELEMETRY\tName: ship-agent\tState: Subscribed\tTypes: [Platform, Function, Extension]",
         "kind=platform"},
        {"LOGS", "LOGS\tName: ship-agent\tState: Subscribed\tTypes: [Platform, Function]",
         "kind=platform"},
    };

    CHECK(rows);
}

Test(lambda_platform, how_invocations_die)
{
    static const struct record_row rows[] = {
        {"timeout", "2026-10-09T08:53:23.120Z " ID " Task timed out after 3.00 seconds",
         "kind=timeout time=1791536003120000000 level=error request=" ID
         " error=\"Sandbox.Timedout\" reason=\"Task timed out after 3.00 seconds\""},
        {"timeout with CloudWatch's two line ends",
         "2026-10-09T08:53:23.120Z " ID " Task timed out after 3.00 seconds\n\n",
         "kind=timeout time=1791536003120000000 level=error request=" ID
         " error=\"Sandbox.Timedout\" reason=\"Task timed out after 3.00 seconds\""},
        {"killed", "RequestId: " ID " Error: Runtime exited with error: signal: killed",
         "kind=exit level=error request=" ID " error=\"Runtime.ExitError\" "
         "reason=\"Runtime exited with error: signal: killed\""},
        {"its type in the same event",
         "RequestId: " ID " Error: Runtime exited with error: exit status 1\nRuntime.ExitError",
         "kind=exit level=error request=" ID " error=\"Runtime.ExitError\" "
         "reason=\"Runtime exited with error: exit status 1\""},
        {"the line break as a CR",
         "RequestId: " ID " Error: Runtime exited with error: exit status 1\rRuntime.OutOfMemory",
         "kind=exit level=error request=" ID " error=\"Runtime.OutOfMemory\" "
         "reason=\"Runtime exited with error: exit status 1\""},
        {"no reason", "RequestId: " ID " Error: Runtime exited without providing a reason",
         "kind=exit level=error request=" ID " error=\"Runtime.ExitError\" "
         "reason=\"Runtime exited without providing a reason\""},
        {"the older form", "RequestId: " ID " Process exited before completing request",
         "kind=exit level=error request=" ID " error=\"Runtime.ExitError\" "
         "reason=\"Process exited before completing request\""},
    };

    CHECK(rows);
}

Test(lambda_platform, xray_on_its_own)
{
    static const struct record_row rows[] = {
        {"as it stands in a file",
         "XRAY TraceId: " ROOT "\tSegmentId: 0123456789abcdef\tSampled: true\t",
         "kind=xray trace=" TRACE " span=0123456789abcdef"},
        {"without a trace id it is nobody's", "XRAY TraceId: none\tSegmentId: x", ""},
    };

    CHECK(rows);
}

/* Only the exact form counts: what a function prints must never move the state. */
Test(lambda_platform, text_that_quotes_a_platform_line_is_text)
{
    static const char *const lines[] = {
        " START RequestId: " ID " Version: $LATEST",
        "\tSTART RequestId: " ID " Version: $LATEST",
        "> START RequestId: " ID " Version: $LATEST",
        "\"START RequestId: " ID " Version: $LATEST\"",
        "\x1b[32mSTART RequestId: " ID " Version: $LATEST\x1b[0m",
        "START RequestId: " ID " Version: $LATEST was the line",
        "START RequestId: " ID,
        "START RequestId: " ID " Version: live",
        "START RequestId: " ID " Version:",
        "START RequestId: " ID "Version: 1",
        "START RequestId: " ID "0 Version: 1",
        "START RequestId: 3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b1 Version: 1",
        "START RequestId: 3f0d9c9e0b1d-4a52-9a3e-0f6d6a3c1b11-1 Version: 1",
        "START RequestId: 3g0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11 Version: 1",
        "START RequestId:  " ID " Version: 1",
        "Start RequestId: " ID " Version: 1",
        "START requestId: " ID " Version: 1",
        "END RequestId: " ID " came late",
        "END RequestId: " ID "END RequestId: " ID,
        "END",
        "ENDING RequestId: " ID,
        "REPORT RequestId: " ID,
        "REPORT RequestId: " ID " Duration: 5 ms",
        "REPORT RequestId: " ID "\tDuration: long",
        "REPORT RequestId: " ID "\tDuration: 5 s",
        "REPORT RequestId: " ID "\tno Duration: 5 ms here",
        "REPORT RequestId: unknown\tDuration: 5 ms",
        "REPORT of the day",
        "INIT_START",
        "INIT_START Runtime Version: ",
        "INIT_START Runtime Version: is what the line says",
        "INIT_START Runtime Version: python:3.12\twhatever",
        "INIT_REPORT Init Duration: unknown",
        "INIT_REPORT Phase: init",
        "RESTORE_START of the database",
        "RESTORE_REPORT Restore Duration: 5 minutes",
        "RequestId: " ID " Error: no such item",
        "RequestId: " ID " Error: Runtime exited",
        "RequestId: " ID " Process exited before completing request, said the log",
        "RequestId: " ID " Error: Runtime exited with error: exit status 1\rand more",
        "RequestId: " ID,
        "XRAY TraceId: ",
        "EXTENSION Name: a State: Ready",
        "EXTENSION\tName: a",
        "LOGS are here",
        "TELEMETRY\tState: Ready",
    };
    struct parse_scratch scratch = {0};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct record r;

        parser_parse(&parser, &scratch, slice_str(lines[i]), &r);
        cr_expect_eq(r.kind, RECORD_LINE, "%s", lines[i]);
        cr_expect_eq(r.request_id.len, 0, "%s", lines[i]);
        cr_expect_eq(r.flags, 0, "%s", lines[i]);
    }
    parse_scratch_free(&scratch);
}

Test(lambda_platform, not_a_timeout)
{
    static const char *const lines[] = {
        "2026-10-09T08:53:23.120Z " ID " Task timed out after 3.00 seconds, trying again",
        "2026-10-09T08:53:23.120Z " ID " Task timed out",
        "2026-10-09T08:53:23.120Z " ID "\tTask timed out after 3.00 seconds",
        "2026-10-09T08:53:23.120Z Task timed out after 3.00 seconds",
        ID " Task timed out after 3.00 seconds",
        "Task timed out after 3.00 seconds",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct record r;

        record_reset(&r);
        cr_expect_not(lambda_platform_parse(slice_str(lines[i]), &r), "%s", lines[i]);
        cr_expect_eq(r.kind, RECORD_LINE, "%s: *out is as it was", lines[i]);
        cr_expect_eq(r.request_id.len, 0, "%s", lines[i]);
    }
}

/* Every prefix of every form: refused or understood, never read beyond. */
Test(lambda_platform, cut_anywhere)
{
    static const char *const lines[] = {
        "START RequestId: " ID " Version: $LATEST TenantId: t",
        "END RequestId: " ID,
        "REPORT RequestId: " ID "\tDuration: 3.10 ms\tXRAY TraceId: " ROOT "\tSegmentId: "
        "0123456789abcdef\tStatus: error\tError Type: X",
        "INIT_START Runtime Version: python:3.12.v43\tRuntime Version ARN: " ARN,
        "INIT_REPORT Init Duration: 431.38 ms\tPhase: invoke\tStatus: error",
        "RESTORE_REPORT Restore Duration: 511.25 ms",
        "2026-10-09T08:53:23.120Z " ID " Task timed out after 3.00 seconds",
        "RequestId: " ID " Error: Runtime exited with error: exit status 1\rRuntime.ExitError",
        "EXTENSION\tName: a\tState: InitError\tError Type: X",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (size_t len = 0; len <= strlen(lines[i]); len++) {
            /* On the heap, so that ASan sees a read of the byte behind it. */
            char *copy = malloc(len ? len : 1);
            struct record r;

            memcpy(copy, lines[i], len);
            record_reset(&r);
            lambda_platform_parse(slice_of(copy, len), &r);
            cr_expect(r.kind == RECORD_LINE || len > 11, "%.*s", (int)len, lines[i]);
            free(copy);
        }
}

Test(lambda_platform, request_ids)
{
    static const struct {
        const char *text;
        bool want;
    } rows[] = {
        {ID, true},
        {"3F0D9C9E-0B1D-4A52-9A3E-0F6D6A3C1B11", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"", false},
        {"undefined", false},
        {ID "0", false},
        {"3f0d9c9e_0b1d-4a52-9a3e-0f6d6a3c1b11", false},
        {"3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1bxx", false},
        {"-f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(lambda_is_request_id(slice_str(rows[i].text)), rows[i].want, "%s",
                     rows[i].text);
}
