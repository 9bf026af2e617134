/* Trace context in its forms (aws.md 1.7; W3C Trace Context; Zipkin B3; Google Cloud). */
#include <criterion/criterion.h>

#include "parsers/trace_context.h"
#include "tests/support/record_text.h"

#define SPAN "0123456789abcdef"
#define ZEROS "00000000000000000000000000000000"

typedef bool parse_fn(struct slice s, struct record *out);

struct row {
    const char *text;
    const char *want; /* "" refused */
};

static void check(parse_fn *parse, const struct row *rows, size_t n_rows)
{
    struct buffer got = {0};

    for (size_t i = 0; i < n_rows; i++) {
        struct record r;
        bool is_one;

        record_reset(&r);
        got.len = 0;
        is_one = parse(slice_str(rows[i].text), &r);
        record_text(&r, &got);
        cr_expect_eq(is_one, rows[i].want[0] != 0, "%s", rows[i].text);
        cr_expect(slice_is(buffer_slice(&got), rows[i].want), "%s: %.*s", rows[i].text,
                  (int)got.len, got.ptr);
    }
    buffer_free(&got);
}

#define CHECK(parse, rows) check((parse), (rows), sizeof(rows) / sizeof(rows)[0])

Test(trace_context, xray)
{
    static const struct row rows[] = {
        {ROOT, "trace=" TRACE},
        {"1-5759e988-bd862e3fe1be46a994272793", "trace=5759e988bd862e3fe1be46a994272793"},
        {"1-5759E988-BD862E3FE1BE46A994272793", "trace=5759e988bd862e3fe1be46a994272793"},
        {"Root=" ROOT, "trace=" TRACE},
        {"Root=" ROOT ";Parent=" SPAN ";Sampled=1", "trace=" TRACE " span=" SPAN},
        {"Parent=" SPAN ";Sampled=?; Root=" ROOT, "trace=" TRACE " span=" SPAN},
        {"Self=1-67891234-12456789abcdef012345678;Root=" ROOT, "trace=" TRACE},
        {"Root=" ROOT ";Parent=" SPAN ";Sampled=0;Lineage=25:a87bd80c:1",
         "trace=" TRACE " span=" SPAN},
        {"Root=" ROOT ";Parent=none", "trace=" TRACE},
        {"Root=" ROOT ";;", "trace=" TRACE},
        {"Parent=" SPAN, ""},
        {"Root=2-68e777c0-0123456789abcdef01234567", ""},
        {"Root=1-68e777c0-0123456789abcdef0123456", ""},
        {"1-68e777c0-0123456789abcdef012345678", ""},
        {"1-68e777cg-0123456789abcdef01234567", ""},
        {"1-00000000-000000000000000000000000", ""},
        {"1_68e777c0_0123456789abcdef01234567", ""},
        {";;;", ""},
        {"", ""},
    };

    CHECK(trace_parse_xray, rows);
}

Test(trace_context, traceparent)
{
    static const struct row rows[] = {
        {"00-" TRACE "-" SPAN "-01", "trace=" TRACE " span=" SPAN},
        {"00-" TRACE "-" SPAN "-00", "trace=" TRACE " span=" SPAN},
        {"01-" TRACE "-" SPAN "-01-more", "trace=" TRACE " span=" SPAN},
        {"00-" TRACE "-" SPAN "-01-more", ""},
        {"01-" TRACE "-" SPAN "-01more", ""},
        {"ff-" TRACE "-" SPAN "-01", ""},
        {"FF-" TRACE "-" SPAN "-01", ""},
        {"0x-" TRACE "-" SPAN "-01", ""},
        {"00-" ZEROS "-" SPAN "-01", ""},
        {"00-" TRACE "-0000000000000000-01", ""},
        {"00-" TRACE "-" SPAN "-0x", ""},
        {"00-" TRACE "-" SPAN, ""},
        {"00-" TRACE "_" SPAN "-01", ""},
        {"", ""},
    };

    CHECK(trace_parse_traceparent, rows);
}

Test(trace_context, b3)
{
    static const struct row rows[] = {
        {TRACE "-" SPAN "-1", "trace=" TRACE " span=" SPAN},
        {TRACE "-" SPAN, "trace=" TRACE " span=" SPAN},
        {TRACE "-" SPAN "-d-fedcba9876543210", "trace=" TRACE " span=" SPAN},
        {SPAN "-" SPAN, "trace=0000000000000000" SPAN " span=" SPAN},
        {"0", ""},
        {TRACE, ""},
        {TRACE "-short", ""},
        {ZEROS "-" SPAN, ""},
        {"", ""},
    };

    CHECK(trace_parse_b3, rows);
}

Test(trace_context, cloud)
{
    static const struct row rows[] = {
        {TRACE "/1234;o=1", "trace=" TRACE " span=00000000000004d2"},
        {TRACE "/1234", "trace=" TRACE " span=00000000000004d2"},
        {TRACE "/18446744073709551615", "trace=" TRACE " span=ffffffffffffffff"},
        {TRACE "/18446744073709551616", "trace=" TRACE},
        {TRACE "/0;o=1", "trace=" TRACE},
        {TRACE, "trace=" TRACE},
        {"projects/shop/traces/" TRACE, "trace=" TRACE},
        {"projects/shop/traces/" SPAN, ""},
        {"shop/traces/" TRACE, ""},
        {"", ""},
    };

    CHECK(trace_parse_cloud, rows);
}

Test(trace_context, bare_ids)
{
    static const struct row rows[] = {
        {TRACE, "trace=" TRACE},
        {"68E777C00123456789ABCDEF01234567", "trace=" TRACE},
        {SPAN, "trace=0000000000000000" SPAN},
        {ROOT, "trace=" TRACE},
        {"68e777c0-0123-4567-89ab-cdef01234567", "trace=" TRACE},
        {"68e777c0-0123-4567-89abcdef-01234567", ""},
        {ZEROS, ""},
        {"abc", ""},
        {"12345678901234567890123456789012x", ""},
        {"", ""},
    };
    static const struct row spans[] = {
        {SPAN, "span=" SPAN},    {"0123456789ABCDEF", "span=" SPAN}, {"0000000000000000", ""},
        {"0123456789abcde", ""}, {"0123456789abcdefa", ""},          {"0123456789abcdeg", ""},
    };

    CHECK(trace_parse_id, rows);
    CHECK(trace_parse_span_id, spans);
}
