/* How an invocation ended (DESIGN: success, error, timeout, out of memory), by all it said. */
#include <criterion/criterion.h>
#include <math.h>

#include "parsers/parser.h"
#include "shipper/pipeline/correlate.h"

#define ID "3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11"
#define START "START RequestId: " ID " Version: 1\n"
#define REPORT "REPORT RequestId: " ID "\tDuration: 3.10 ms\tMemory Size: 128 MB\tMax Memory Used: "
#define TIMEOUT "2026-10-09T08:53:23.120Z " ID " Task timed out after 3.00 seconds\n"
#define EXIT "RequestId: " ID " Error: Runtime exited with error: "
#define EVENT(type, rest)                                                                          \
    "{\"time\":\"2026-10-09T08:53:20Z\",\"type\":\"platform." type "\",\"record\":{\"requestId\":" \
    "\"" ID "\"" rest "}}\n"
#define METRICS(size, used)                                                                        \
    ",\"metrics\":{\"durationMs\":3.1,\"memorySizeMB\":" size ",\"maxMemoryUsedMB\":" used "}"

/* The summary of the only invocation in the lines. */
static struct invocation play(const char *text)
{
    static const struct parser parser = {&parser_auto, NULL};
    struct parse_scratch scratch = {0};
    struct correlate c;
    struct invocation found = {.outcome = 99};
    struct slice rest = slice_str(text);
    struct slice line;
    uint64_t offset = 0;

    correlate_init(&c);
    while (slice_cut(&rest, '\n', &line)) {
        struct record r;
        struct correlation of_line;
        struct invocation done[CORRELATE_MAX_DONE];
        struct line_ref at = {offset++, {1, 2}, 0};
        size_t n;

        parser_parse(&parser, &scratch, line, &r);
        n = correlate_line(&c, &r, &at, &of_line, done);
        cr_expect_leq(n, 1);
        if (n)
            found = done[0];
    }
    correlate_flush(&c, &found);
    correlate_fini(&c);
    parse_scratch_free(&scratch);
    return found;
}

struct row {
    const char *because;
    const char *lines;
    enum outcome want;
    const char *error_type;
};

static void check(const struct row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct invocation got = play(rows[i].lines);

        cr_expect_eq(got.outcome, rows[i].want, "%s: %.*s", rows[i].because,
                     SLICE_ARG(outcome_name(got.outcome)));
        cr_expect_str_eq(got.error_type, rows[i].error_type, "%s: %s", rows[i].because,
                         got.error_type);
    }
}

Test(outcome, text)
{
    static const struct row rows[] = {
        {"all is well", START REPORT "90 MB\n", OUTCOME_SUCCESS, ""},
        {"errors that were logged, and handled",
         START "[ERROR]\t2026-10-09T08:53:20.123Z\t" ID "\tno stock\n" REPORT "90 MB\n",
         OUTCOME_SUCCESS, ""},
        {"all memory used, and all is well", START REPORT "128 MB\n", OUTCOME_SUCCESS, ""},
        {"status timeout", START REPORT "90 MB\tStatus: timeout\n", OUTCOME_TIMEOUT,
         "Sandbox.Timedout"},
        {"the timeout line behind", START REPORT "90 MB\n" TIMEOUT, OUTCOME_TIMEOUT,
         "Sandbox.Timedout"},
        {"the timeout line before", START TIMEOUT REPORT "90 MB\n", OUTCOME_TIMEOUT,
         "Sandbox.Timedout"},
        {"both", START REPORT "90 MB\tStatus: timeout\n" TIMEOUT, OUTCOME_TIMEOUT,
         "Sandbox.Timedout"},
        {"a Python exception", START "[ERROR] KeyError: 'id'\n" REPORT "90 MB\n", OUTCOME_ERROR,
         "KeyError"},
        {"a node.js exception",
         START "2026-10-09T08:53:20.123Z\t" ID
               "\tERROR\tInvoke Error \t{\"errorType\":\"E\"}\n" REPORT "90 MB\n",
         OUTCOME_ERROR, "E"},
        {"a process that exited", START EXIT "exit status 1\nRuntime.ExitError\n" REPORT "90 MB\n",
         OUTCOME_ERROR, "Runtime.ExitError"},
        {"a process that exited, told behind", START REPORT "90 MB\n" EXIT "exit status 1\n",
         OUTCOME_ERROR, "Runtime.ExitError"},
        {"status error", START REPORT "90 MB\tStatus: error\tError Type: Runtime.BadRequest\n",
         OUTCOME_ERROR, "Runtime.BadRequest"},
        {"out of memory, by name",
         START REPORT "128 MB\tStatus: error\tError Type: Runtime.OutOfMemory\n", OUTCOME_OOM,
         "Runtime.OutOfMemory"},
        {"D1: out of memory shown as killed", START EXIT "signal: killed\n" REPORT "128 MB\n",
         OUTCOME_OOM, "Runtime.ExitError"},
        {"D1: out of memory shown as killed, told behind",
         START REPORT "128 MB\n" EXIT "signal: killed\n", OUTCOME_OOM, "Runtime.ExitError"},
        {"D1: out of memory shown as a timeout", START REPORT "128 MB\tStatus: timeout\n",
         OUTCOME_OOM, "Runtime.OutOfMemory"},
        {"no START seen", REPORT "90 MB\tStatus: timeout\n", OUTCOME_TIMEOUT, "Sandbox.Timedout"},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

Test(outcome, json)
{
    static const struct row rows[] = {
        {"all is well", EVENT("start", "") EVENT("report", METRICS("128", "90")), OUTCOME_SUCCESS,
         ""},
        {"status success",
         EVENT("start", "") EVENT("report", ",\"status\":\"success\"" METRICS("128", "128")),
         OUTCOME_SUCCESS, ""},
        {"status failure", EVENT("start", "") EVENT("report", ",\"status\":\"failure\""),
         OUTCOME_ERROR, ""},
        {"status timeout", EVENT("start", "") EVENT("report", ",\"status\":\"timeout\""),
         OUTCOME_TIMEOUT, "Sandbox.Timedout"},
        {"told by runtimeDone",
         EVENT("start", "") EVENT("runtimeDone", ",\"status\":\"error\",\"errorType\":\"X\"")
             EVENT("report", METRICS("128", "90")),
         OUTCOME_ERROR, "X"},
        {"a timeout told by runtimeDone",
         EVENT("start", "") EVENT("runtimeDone", ",\"status\":\"timeout\"") EVENT("report", ""),
         OUTCOME_TIMEOUT, "Sandbox.Timedout"},
        {"out of memory",
         EVENT("start", "")
             EVENT("report", ",\"status\":\"error\",\"errorType\":\"Runtime.OutOfMemory\""),
         OUTCOME_OOM, "Runtime.OutOfMemory"},
        {"D1: out of memory as an exit",
         EVENT("start", "") EVENT("report", ",\"status\":\"error\",\"errorType\":"
                                            "\"Runtime.ExitError\"" METRICS("128", "128")),
         OUTCOME_OOM, "Runtime.ExitError"},
    };

    check(rows, sizeof rows / sizeof rows[0]);
}

Test(outcome, what_else_is_summed_up)
{
    struct invocation got = play(
        "INIT_START Runtime Version: nodejs:22.v1\nINIT_REPORT Init Duration: 431.38 ms\tPhase: "
        "init\n" START "2026-10-09T08:53:20.123Z\t" ID "\tINFO\ta\nprint\n"
        "2026-10-09T08:53:21.123Z\t" ID "\tERROR\tb\n2026-10-09T08:53:22.123Z\t" ID "\tWARN\tc\n"
        "[ERROR] KeyError: 'id'\n[ERROR] ValueError: x\n" REPORT "90 MB\n");

    cr_expect_eq(got.n_lines, 6);
    cr_expect_eq(got.n_errors, 3);
    cr_expect_eq(got.highest, LEVEL_ERROR);
    cr_expect_eq(got.coldstart, 1);
    cr_expect_float_eq(got.report.init_ms, 431.38, 1e-9);
    cr_expect_eq(got.start_ns, INT64_C(1791536000123000000));
    cr_expect_eq(got.end_ns, INT64_C(1791536002123000000));
    cr_expect_str_eq(got.error_type, "KeyError", "the first one");
    cr_expect_str_eq(got.error_message, "'id'");
    cr_expect_neq(got.init_id, 0);
}
