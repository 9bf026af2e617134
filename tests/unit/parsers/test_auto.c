/* Who gets a line: auto by its first bytes; and what every parser leaves to the platform. */
#include <criterion/criterion.h>

#include "tests/support/record_text.h"

static const struct parser auto_parser = {&parser_auto, NULL};
static const struct parser json_parser = {&parser_json, NULL};
static const struct parser raw_parser = {&parser_raw, NULL};

#define START "START RequestId: " ID " Version: 1"
#define END_EVENT                                                                                  \
    "{\"time\":\"2026-10-09T08:53:20Z\",\"type\":\"platform.end\",\"record\":{\"requestId\":\"" ID \
    "\"}}"

Test(auto, line_by_line)
{
    static const struct record_row rows[] = {
        {"a platform line", START, "kind=start request=" ID " version=\"1\""},
        {"a platform event", END_EVENT, "kind=end time=" T "000000000 request=" ID},
        {"node.js", "2026-10-09T08:53:20Z\t" ID "\tINFO\tx",
         "time=" T "000000000 level=info message=\"x\" request=" ID},
        {"Python", "[INFO]\t2026-10-09T08:53:20Z\t" ID "\tx",
         "time=" T "000000000 level=info message=\"x\" request=" ID},
        {"a JSON line", "{\"message\":\"x\",\"a\":1}", "message='x' [a]=1"},
        {"JSON that is none", "{\"message\":", "flags=4"},
        {"JSON with bytes that are no UTF-8", "{\"message\":\"\xFF\"}",
         "message='\xEF\xBF\xBD' flags=2"},
        {"text", "order taken", ""},
        {"what a node.js program prints by itself", "    at f (a.js:1:2)", ""},
        {"nothing", "", ""},
    };

    RECORD_ROWS_CHECK(&auto_parser, rows);
}

/* A function that logs JSON with the platform's lines in text: the usual case. */
Test(auto, json_parser_knows_platform_lines)
{
    static const struct record_row rows[] = {
        {"text", START, "kind=start request=" ID " version=\"1\""},
        {"JSON", END_EVENT, "kind=end time=" T "000000000 request=" ID},
        {"what is neither", "order taken", "message=\"order taken\" flags=16"},
    };

    RECORD_ROWS_CHECK(&json_parser, rows);
}

Test(auto, raw_is_raw)
{
    static const struct record_row rows[] = {
        {"a platform line", START, "message=\"" START "\""},
        {"JSON", "{\"a\":1}", "message=\"{\"a\":1}\""},
    };

    RECORD_ROWS_CHECK(&raw_parser, rows);
}

/* One large line does not cost a worker its memory for ever, and hurts no other line. */
Test(auto, scratch_is_given_back)
{
    struct parse_scratch scratch = {0};
    struct buffer line = {0};
    struct record r;

    buffer_add_lit(&line, "{\"a\":[\"");
    for (int i = 0; i < 1 << 20; i++)
        buffer_add_char(&line, '\xFF');
    buffer_add_lit(&line, "\"]");
    for (int i = 0; i < 10000; i++)
        buffer_printf(&line, ",\"k%d\":1", i);
    buffer_add_char(&line, '}');
    parser_parse(&auto_parser, &scratch, buffer_slice(&line), &r);
    cr_expect_eq(r.n_fields, 10001);
    cr_expect_eq(r.flags, RECORD_REPAIRED);
    parser_parse(&auto_parser, &scratch, slice_str("{\"a\":1}"), &r);
    cr_expect_eq(r.n_fields, 1);
    cr_expect_leq(scratch.repaired.cap, 1 << 20);
    cr_expect_leq(scratch.fields_cap, 4096);
    parse_scratch_free(&scratch);
    buffer_free(&line);
}

/* Text that begins with a time, in the forms of other programs than Lambda's runtimes. */
Test(auto, times_of_other_programs)
{
    static const struct record_row rows[] = {
        {"Python's logging", "2026-10-09 08:53:20,123 - shop - INFO - taken",
         "time=" T "123000000 message=\"2026-10-09 08:53:20,123 - shop - INFO - taken\""},
        {"a zone behind a blank", "2026-10-09 10:53:20 +0200 WARN low",
         "time=" T "000000000 level=warn message=\"2026-10-09 10:53:20 +0200 WARN low\""},
        {"syslog's, of this year", "Oct  9 08:53:20 host app[7]: taken",
         "time=" T "000000000 message=\"Oct  9 08:53:20 host app[7]: taken\""},
        {"syslog's, of last year", "Oct 11 08:53:20 host app[7]: taken",
         "time=1760172800000000000 message=\"Oct 11 08:53:20 host app[7]: taken\""},
        {"java.util.logging", "Oct 9, 2026 8:53:20 AM com.shop.Orders take",
         "time=" T "000000000 message=\"Oct 9, 2026 8:53:20 AM com.shop.Orders take\""},
        {"klog", "W1009 08:53:20.123456      17 main.go:42] low",
         "time=" T
         "123456000 level=warn message=\"W1009 08:53:20.123456      17 main.go:42] low\""},
        {"klog, no such day", "W1309 08:53:20.123456      17 main.go:42] low", ""},
        {"Apache's errors", "[Fri Oct 09 08:53:20.123456 2026] [core:error] [pid 8] no file",
         "time=" T "123456000 message=\"[Fri Oct 09 08:53:20.123456 2026] [core:error] [pid 8] no "
         "file\""},
        {"Azure's host", "[2026-10-09T08:53:20.123Z] Host started (64ms)",
         "time=" T "123000000 message=\"[2026-10-09T08:53:20.123Z] Host started (64ms)\""},
        {"Azure's host, a function",
         "[2026-10-09T08:53:20.123Z] Executing 'Functions.hello' (Reason='x', Id=" ID ")",
         "time=" T "123000000 message=\"[2026-10-09T08:53:20.123Z] Executing 'Functions.hello' "
         "(Reason='x', Id=" ID ")\" request=" ID " faas=\"hello\""},
        {"nginx's errors", "2026/10/09 08:53:20 [error] 12#12: *1 open() failed",
         "time=" T "000000000 message=\"[error] 12#12: *1 open() failed\""},
        {"words", "The order 8:53:20 was taken", ""},
        {"a word of three letters", "Oct was cold", ""},
        {"a bracket of its own", "[2026] is a year", ""},
    };

    RECORD_ROWS_CHECK(&auto_parser, rows);
}
