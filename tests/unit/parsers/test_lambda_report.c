/* The tab-separated pairs of REPORT and its kin. */
#include <criterion/criterion.h>
#include <math.h>

#include "parsers/lambda_parts.h"
#include "tests/support/record_text.h"

static void check(const char *pairs, const char *want, const char *because)
{
    struct record r;
    struct buffer got = {0};

    record_reset(&r);
    lambda_take_pairs(slice_str(pairs), &r);
    record_text(&r, &got);
    cr_expect(slice_is(buffer_slice(&got), want), "%s: %s:\nwant %s\ngot  %.*s", pairs, because,
              want, (int)got.len, got.ptr);
    buffer_free(&got);
}

Test(lambda_report, numbers)
{
    check("Duration: 3 ms", "duration=3", "no fraction");
    check("Duration: 0.00 ms", "duration=0", "nothing is a number too");
    check("Duration: 3.10 ms ", "duration=3.1", "a blank behind");
    check("Duration: 3.10 s", "", "another unit is not guessed at");
    check("Duration: 3.1.0 ms", "", "no number");
    check("Duration: -3 ms", "", "no number of ours");
    check("Duration: 1e9 ms", "", "no number of ours");
    check("Duration: ms", "", "no digits");
    check("Duration: . ms", "", "no digits");
    check("Duration:3 ms", "", "not this form");
    check("Memory Size: 128 MB\tMax Memory Used: 64 MB", "memory=128 used=64", "memory");
    check("Max Memory Used: 64 MB\tMemory Size: 128 MB", "memory=128 used=64", "any order");
    check("Memory Size: 128 GB", "", "another unit");
    check("Duration: 1111111111111111111111111111111111111111 ms", "", "too long for a number");
}

Test(lambda_report, pairs)
{
    check("", "", "nothing");
    check("\t\t\t", "", "tabs alone");
    check("\tDuration: 1 ms\t\tBilled Duration: 2 ms\t", "duration=1 billed=2",
          "empty ones between");
    check("Status: timeout", "status=timeout", "a status");
    check("Status: error: x", "status=error: x", "the first colon parts them");
    check("Status: ", "", "an empty value is none");
    check("Nothing to see\tStatus: ok", "status=ok", "no pair: passed over");
    check(": x\tStatus: ok", "status=ok", "no name");
    check("XRAY TraceId: " ROOT "\tSegmentId: 0123456789abcdef\tSampled: true",
          "trace=" TRACE " span=0123456789abcdef", "the trace");
    check("XRAY TraceId: Root=" ROOT, "trace=" TRACE, "should the header's form come");
    check("SegmentId: xyz", "", "no span id");
    check("Duration: 1 ms\tDuration: 2 ms", "duration=2", "the last one counts");
}

Test(lambda_report, failures)
{
    static const struct {
        const char *status;
        const char *type;
        bool is_failure;
    } rows[] = {
        {"", "", false},        {"success", "", false}, {"timeout", "", true},
        {"error", "X", true},   {"failure", "", true},  {"", "Extension.Crash", true},
        {"success", "X", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record r;

        record_reset(&r);
        r.report.status = slice_str(rows[i].status);
        r.report.error_type = slice_str(rows[i].type);
        lambda_take_failure(&r);
        cr_expect_eq(r.level == LEVEL_ERROR, rows[i].is_failure, "%s %s", rows[i].status,
                     rows[i].type);
        cr_expect(slice_is(r.error_type.bytes, rows[i].type), "%s", rows[i].type);
    }
}
