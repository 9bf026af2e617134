/* A user's pattern: what its groups become, and that no pattern and no line is too much. */
#include <criterion/criterion.h>
#include <time.h>

#include "parsers/regex.h"
#include "parsers/regex_match.h"
#include "parsers/regex_types.h"
#include "tests/support/record_text.h"

#define ONE_PATTERN(text)                                                                          \
    {                                                                                              \
        (const char *[]){text}, 1                                                                  \
    }
#define AT "time=" T "000000000"

/* With `types` as "name type name type", blanks between. */
static void check_all(const struct regex_options *options, const struct time_rules *times,
                      const char *line, const char *want)
{
    struct parse_scratch scratch = {.times.rules = times};
    struct parser parser = {&parser_regex, NULL};
    struct buffer got = {0};
    struct record r;
    struct err e = {0};

    parser.self = parser_regex.make(options, &e);
    cr_expect(parser.self, "%s: %s: %s", options->pattern.items[0], e.where, e.what);
    if (!parser.self)
        return;
    parser_parse(&parser, &scratch, slice_str(line), &r);
    record_text(&r, &got);
    cr_expect(slice_is(buffer_slice(&got), want), "%s: %s\nwant %s\ngot  %.*s",
              options->pattern.items[0], line, want, (int)got.len, got.ptr);
    buffer_free(&got);
    parser_regex.free(parser.self);
    parse_scratch_free(&scratch);
}

static void check(const char *pattern, const char *line, const char *want)
{
    struct regex_options options = {.pattern = ONE_PATTERN(pattern), .match_limit = 100000};

    check_all(&options, NULL, line, want);
}

static void check_time(const char *format, const char *line, const char *want)
{
    struct regex_options options = {.pattern = ONE_PATTERN("^(?<time>.*?) \\| "),
                                    .match_limit = 100000};
    struct time_rules times = {.formats = &format, .n_formats = format != NULL};

    check_all(&options, &times, line, want);
}

Test(regex, named_groups_become_fields)
{
    check("(?<user>\\w+) bought (?<item>\\w+)", "Bob bought mugs",
          "[user]=\"Bob\" [item]=\"mugs\"");
    check("(?P<user>\\w+) bought (?'item'\\w+)", "Bob bought mugs",
          "[user]=\"Bob\" [item]=\"mugs\"");
    check("(\\w+) (?<b>\\w+) (\\w+)", "1 2 3", "[b]=\"2\"");
    check("(?<z>\\w) (?<a>\\w)", "1 2", "[z]=\"1\" [a]=\"2\"");
    check("(?<a>x)?(?<b>y)", "y", "[b]=\"y\"");
    check("(?<a>x)|(?<b>y)", "x", "[a]=\"x\"");
    check("(?<a>x*)y", "y", "[a]=\"\"");
    check("(?<a>\\w+)", "two words", "[a]=\"two\"");
    check("(?<a>\\w+)", "---", "message=\"---\" flags=16");
    check("(?<a>.+)$", "tabs\tand \"quotes\"", "[a]=\"tabs\tand \"quotes\"\"");
    check("(?<a>b(?=c))", "abc", "[a]=\"b\"");
    check("(?=(?<a>b))\\Kb", "ab", "[a]=\"b\"");
    check("(?<a>\\w+)", "\xC3\xA9t\xC3\xA9", "[a]=\"t\"");
    check("(*UCP)(?<a>\\w+)", "\xC3\xA9t\xC3\xA9", "[a]=\"\xC3\xA9t\xC3\xA9\"");
    check("^(?<a>.)", "\xC3\xA9", "[a]=\"\xC3\xA9\"");
    check("(?<a>b+)", "a\xFF bb\xFE", "[a]=\"bb\"");
}

Test(regex, types)
{
    struct regex_options options = {.match_limit = 100000};
    const char *keys[] = {"ms", "ok"};
    const char *values[] = {"float", "bool"};

    check("(?<ms:float>\\S+) (?<n:int>\\S+) (?<ok:bool>\\S+) (?<s:string>\\S+)", "1.25 -17 true 5",
          "[ms]=1.25 [n]=-17 [ok]=true [s]=\"5\"");
    check("(?P<ms:float>\\S+) (?'n:int'\\S+)", "2 3", "[ms]=2 [n]=3");
    check("(?<n:int>.*)", "1.5", "[n]=\"1.5\"");
    check("(?<n:int>.*)", "007", "[n]=\"007\"");
    check("(?<n:int>.*)", "+7", "[n]=\"+7\"");
    check("(?<n:int>.*)", "-0", "[n]=-0");
    check("(?<n:int>.*)", "-", "[n]=\"-\"");
    check("(?<n:int>.*)", "", "[n]=\"\"");
    check("(?<n:int>.*)", "1234567890123456789", "[n]=\"1234567890123456789\"");
    check("(?<x:float>.*)", "1.", "[x]=\"1.\"");
    check("(?<x:float>.*)", ".5", "[x]=\".5\"");
    check("(?<x:float>.*)", "1e3", "[x]=\"1e3\"");
    check("(?<x:float>.*)", "NaN", "[x]=\"NaN\"");
    check("(?<x:float>.*)", "-0.5", "[x]=-0.5");
    check("(?<x:float>.*)", "1.5 ", "[x]=\"1.5 \"");
    check("(?<b:bool>.*)", "True", "[b]=\"True\"");
    check("(?<b:bool>.*)", "false", "[b]=false");
    check("(?<time:float>.*)", "1791536000", "[time]=1791536000");

    options.pattern = (struct option_list)ONE_PATTERN("(?<ms>\\S+) (?<ok>\\S+)");
    options.types = (struct option_map){keys, values, 2};
    check_all(&options, NULL, "1.25 true", "[ms]=1.25 [ok]=true");
    options.pattern = (struct option_list)ONE_PATTERN("(?<ms:int>\\S+) (?<ok>\\S+)");
    check_all(&options, NULL, "1.25 true", "[ms]=1.25 [ok]=true");
}

Test(regex, types_are_only_read_where_a_group_begins)
{
    static const struct {
        const char *pattern;
        const char *plain;
        size_t n_types;
    } rows[] = {
        {"(?<a:int>x)", "(?<a>x)", 1},
        {"(?<a:int>x)(?<b:float>y)(?<c>z)", "(?<a>x)(?<b>y)(?<c>z)", 2},
        {"(?P<a:int>x)", "(?P<a>x)", 1},
        {"(?'a:int'x)", "(?'a'x)", 1},
        {"(?<=a:int>x)", "(?<=a:int>x)", 0},
        {"(?<!a:int>x)", "(?<!a:int>x)", 0},
        {"\\(?<a:int>x", "\\(?<a:int>x", 0},
        {"[(?<a:int>]", "[(?<a:int>]", 0},
        {"[](?<a:int>]", "[](?<a:int>]", 0},
        {"[^](?<a:int>]", "[^](?<a:int>]", 0},
        {"[[:alpha:](?<a:int>]", "[[:alpha:](?<a:int>]", 0},
        {"[\\](?<a:int>]", "[\\](?<a:int>]", 0},
        {"[x](?<a:int>y)", "[x](?<a>y)", 1},
        {"\\Q(?<a:int>\\E(?<b:int>x)", "\\Q(?<a:int>\\E(?<b>x)", 1},
        {"\\Q(?<a:int>", "\\Q(?<a:int>", 0},
        {"(?#(?<a:int>)x", "(?#(?<a:int>)x", 0},
        {"(?<a:int", "(?<a:int", 0},
        {"(?<a:>x)", NULL, 0},
        {"(?<a:integer>x)", NULL, 0},
        {"(?:a:int>x)", "(?:a:int>x)", 0},
        {"[", "[", 0},
        {"\\", "\\", 0},
        {"", "", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer plain = {0};
        struct regex_types types = {NULL, 0};
        struct err e = {0};
        int rc = regex_types_take(rows[i].pattern, &plain, &types, &e);

        cr_expect_eq(rc == 0, rows[i].plain != NULL, "%s", rows[i].pattern);
        if (rows[i].plain) {
            cr_expect(slice_is(buffer_slice(&plain), rows[i].plain), "%s", rows[i].pattern);
            cr_expect_eq(types.n_groups, rows[i].n_types, "%s", rows[i].pattern);
        }
        buffer_free(&plain);
        regex_types_free(&types);
    }
}

Test(regex, groups_with_names_that_loggers_use)
{
    check("^(?<timestamp>\\S+) (?<level>\\S+) (?<request_id>\\S+) (?<message>.*)$",
          "2026-10-09T08:53:20Z WARN " ID " stock is low",
          AT " level=warn message=\"stock is low\" request=" ID);
    check("^(?<ts>\\d+) (?<severity>\\w+) (?<msg>.*)$", "1791536000 E no",
          AT " level=error message=\"no\"");
    check("(?<Level>\\w+) (?<traceId>\\S+) (?<spanId>\\S+)", "info " TRACE " 0123456789abcdef",
          "level=info trace=" TRACE " span=0123456789abcdef");
    check("(?<xray_trace_id>\\S+)", ROOT, "trace=" TRACE);
    check("(?<traceparent>\\S+)", "00-" TRACE "-0123456789abcdef-01",
          "trace=" TRACE " span=0123456789abcdef");
    check("(?<service>\\w+)/(?<logger>\\w+) (?<function_name>\\w+) (?<function_version>\\S+)",
          "shop/cart orders 7", "logger=\"cart\" service=\"shop\" faas=\"orders\" version=\"7\"");
    check("(?<error_type>\\w+): (?<error_message>.*?) at (?<stack_trace>.*)", "X: boom at f",
          "error=\"X\" reason=\"boom\" stack=\"f\"");
    check("(?<cold_start>\\w+) (?<correlation_id>\\S+)", "true c-1",
          "correlation=\"c-1\" cold=yes");
    check("(?<level>\\w+)", "AUDIT", "level?=AUDIT");
}

Test(regex, what_a_group_does_not_mean_stays_a_field)
{
    check("(?<time>.*)", "yesterday", "[time]=\"yesterday\"");
    check("(?<time>.*)", "0.25", "[time]=\"0.25\"");
    check("(?<trace_id>.*) (?<span_id>.*)", "abc def", "[trace_id]=\"abc\" [span_id]=\"def\"");
    check("(?<event>.*)", "login", "[event]=\"login\"");
    check("(?<cold_start>.*)", "maybe", "[cold_start]=\"maybe\"");
    check("(?<service>\\w*)-", "-", "[service]=\"\"");
    check("(?<request_id>\\S+) (?<message>\\S+)", "- -", "message=\"-\" [request_id]=\"-\"");
    check("(?<date>\\S+) (?<time>\\S+)", "2026-10-09 08:53:20",
          "[date]=\"2026-10-09\" [time]=\"08:53:20\"");
    check("(?<time>\\d+) (?<timestamp>\\d+)", "1791536000 1791536001",
          AT " [timestamp]=\"1791536001\"");
    check(
        "(?<request_id>.*)",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "8901234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
        "6789012345678901234567890123456789012345678901234567890123456789012345678901234567890123",
        "[request_id]=\"012345678901234567890123456789012345678901234567890123456789012345678901"
        "2345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
        "8901234567890123\"");
}

Test(regex, several_groups_of_one_name)
{
    check("(?J)(?<a>x)|(?<a>y)", "y", "[a]=\"y\"");
    check("(?J)(?<a>x)(?<a>y)", "xy", "[a]=\"x\"");
    check("(?|(?<a>x)|(?<a>y))", "y", "[a]=\"y\"");
    check("(?J)(?<message>x)(?<message>y)", "xy", "message=\"x\" [message]=\"y\"");
}

Test(regex, time_formats)
{
    check_time("%d/%b/%Y:%H:%M:%S %z", "09/Oct/2026:10:53:20 +0200 | x", AT);
    check_time("%d/%b/%Y:%H:%M:%S %z", "2026-10-09T08:53:20Z | x",
               "[time]=\"2026-10-09T08:53:20Z\"");
    check_time("rfc3339", "2026-10-09T08:53:20Z | x", AT);
    check_time("rfc3339", "1791536000 | x", "[time]=\"1791536000\"");
    check_time("epoch", "1791536000 | x", AT);
    check_time("epoch", "2026-10-09T08:53:20Z | x", "[time]=\"2026-10-09T08:53:20Z\"");
    check_time(NULL, "2026-10-09T08:53:20Z | x", AT);
    check_time(NULL, "1791536000 | x", AT);
}

/* Else lines of a function with a format of its own would not be told apart by request. */
Test(regex, platform_lines_stay_platform_lines)
{
    check("^(?<message>.*)$", "START RequestId: " ID " Version: 1",
          "kind=start request=" ID " version=\"1\"");
    check("^(?<message>.*)$", "REPORT RequestId: " ID "\tDuration: 3.10 ms",
          "kind=report request=" ID " duration=3.1");
    check("^(?<message>.*)$", " START RequestId: " ID " Version: 1",
          "message=\" START RequestId: " ID " Version: 1\"");
    check("^(?<a>\\d+)$",
          "{\"time\":\"2026-10-09T08:53:20Z\",\"type\":\"platform.end\",\"record\":{"
          "\"requestId\":\"" ID "\"}}",
          "kind=end " AT " request=" ID);
    check("^(?<a>\\d+)$", "{\"type\":\"platform.end\"}",
          "message=\"{\"type\":\"platform.end\"}\" flags=16");
}

Test(regex, patterns_that_do_not_work)
{
    static const struct {
        const char *pattern;
        const char *key;
        const char *type;
        const char *what;
    } rows[] = {
        {"(?<a>x", NULL, NULL, "at offset 6: missing closing parenthesis"},
        {"(?<a:int>x)(", NULL, NULL, "at offset 12: missing closing parenthesis"},
        {"(?<a:int>x)(?<b:float>y)*+*", NULL, NULL, "at offset 26: quantifier"},
        {"(?<a>x)(?<a>y)", NULL, NULL, "two named subpatterns have the same name"},
        {"(?<1a>x)", NULL, NULL, "at offset 3"},
        {"\\C(?<a>x)", NULL, NULL, "\\C"},
        {"(x)", NULL, NULL, "no named group"},
        {".*", NULL, NULL, "no named group"},
        {"(?<a:real>x)", NULL, NULL, "group \"a\": type \"real\" is not one of"},
        {"(?<a>x)", "b", "int", "types.b: the pattern has no group of that name"},
        {"(?<a>x)", "a", "number", "types.a: \"number\" is not one of"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *keys[] = {rows[i].key};
        const char *values[] = {rows[i].type};
        struct regex_options options = {.pattern = ONE_PATTERN(rows[i].pattern),
                                        .types = {keys, values, rows[i].key ? 1 : 0},
                                        .match_limit = 100000};
        struct err e = {0};
        char text[sizeof e.what + sizeof e.where];

        cr_expect_null(parser_regex.make(&options, &e), "%s", rows[i].pattern);
        cr_expect_eq(e.code, ERR_CONFIG);
        err_text(&e, text, sizeof text);
        cr_expect(strstr(text, rows[i].what), "%s: %s", rows[i].pattern, text);
    }
}

Test(regex, patterns_are_compiled_to_machine_code)
{
    struct regex_options options = {.pattern = ONE_PATTERN("(?<a>\\w+) (?<b:int>\\d+)"),
                                    .match_limit = 100000};
    struct err e;
    struct regex_set *r = parser_regex.make(&options, &e);
    size_t size = 0;

    cr_assert(r);
    pcre2_pattern_info(r->patterns[0].code, PCRE2_INFO_JITSIZE, &size);
    cr_expect_gt(size, 0, "PCRE2's JIT");
    parser_regex.free(r);
}

Test(regex, the_first_of_several_patterns_that_matches_counts)
{
    static const char *patterns[] = {"^order (?<order:int>\\d+)", "(?<who>\\w+) left",
                                     "(?<a>a+)+$"};
    struct regex_options options = {.pattern = {patterns, 3}, .match_limit = 100000};
    struct option_map types = {
        .keys = (const char *[]){"who"}, .values = (const char *[]){"string"}, .n_items = 1};

    options.types = types;
    check_all(&options, NULL, "order 17", "[order]=17");
    check_all(&options, NULL, "order 17, Bob left", "[order]=17");
    check_all(&options, NULL, "an order: Bob left", "[who]=\"Bob\"");
    check_all(&options, NULL, "nobody came", "message=\"nobody came\" flags=16");
    check_all(&options, NULL, "REPORT RequestId: " ID "\tDuration: 1.5 ms\tBilled Duration: 2 ms",
              "kind=report request=" ID " duration=1.5 billed=2");
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Patterns that would take for ever on lines made for it. */
Test(regex, no_pattern_and_no_line_is_too_much, .timeout = 300)
{
    static const struct {
        const char *pattern;
        const char *unit; /* repeated up to len, then "!" */
        size_t len;
        unsigned flags;
    } rows[] = {
        {"(?<a>(a+)+)$", "a", 1 << 20, RECORD_MATCH_LIMIT},
        {"(?<a>(a+)+)$", "a", 40, RECORD_MATCH_LIMIT},
        {"^(?<a>(a|aa)+)$", "a", 5000, RECORD_MATCH_LIMIT},
        {"(?<a>(x+x+)+y)", "x", 3000, RECORD_MATCH_LIMIT},
        {"(?<a>.*foo.*bar.*baz)", "foo bar ba ", 1 << 20, RECORD_MATCH_LIMIT},
        {"^(?<a>.*foo.*bar.*baz)", "foo bar ba ", 1 << 20, RECORD_MATCH_LIMIT},
        {"(?<a>(?:\\w+\\s?)+):", "word ", 1 << 20, RECORD_MATCH_LIMIT},
        {"(?<a>[a-z]+.*[0-9])z", "ab1", 1 << 20, RECORD_MATCH_LIMIT},
        {"(?<a>(?:[a-z]|[a-y])*)\\d", "abc", 1 << 20, RECORD_MATCH_LIMIT},
        {"(?<a>(.)(?1)*?x)", "abc", 1 << 16, RECORD_MATCH_LIMIT},
        {"(?<a>^\\w+)", "a ", 1 << 20, 0},
        {"rare=(?<a>\\w+)", "b", 1 << 20, RECORD_NO_MATCH},
        {"(?i)rare=(?<a>\\w+)", "R", 1 << 20, RECORD_MATCH_LIMIT},
        {"\\d=(?<a>\\w+)", "b", 1 << 20, RECORD_NO_MATCH},
        {"\\d=(?<a>\\w+)", "5", 1 << 20, RECORD_MATCH_LIMIT},
        {"rare=(?<a>\\w+)", "b", 2000, RECORD_NO_MATCH},
    };
    struct parse_scratch scratch = {0};
    struct record r;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct regex_options options = {.pattern = ONE_PATTERN(rows[i].pattern),
                                        .match_limit = 100000};
        struct parser parser = {&parser_regex, NULL};
        struct buffer line = {0};
        struct err e = {0};
        double began;
        double took;

        while (line.len < rows[i].len)
            buffer_add_slice(&line, slice_str(rows[i].unit));
        buffer_add_char(&line, '!');
        parser.self = parser_regex.make(&options, &e);
        cr_assert(parser.self, "%s", e.what);
        began = seconds();
        parser_parse(&parser, &scratch, buffer_slice(&line), &r);
        took = seconds() - began;
        cr_expect_eq(r.flags, rows[i].flags, "%s: flags %u", rows[i].pattern, r.flags);
        cr_expect_lt(took, 30.0, "%s: %.2f s", rows[i].pattern, took);
        parser_regex.free(parser.self);
        buffer_free(&line);
    }
    parse_scratch_free(&scratch);
}

/* Far behind in a long line a match is found, if few of its bytes can begin one. */
Test(regex, far_behind)
{
    struct buffer line = {0};

    for (int i = 0; i < 100000; i++)
        buffer_add_lit(&line, "some text ");
    buffer_add_lit(&line, "rid=7");
    buffer_add_char(&line, '\0');
    check("rid=(?<a>\\w+)", line.ptr, "[a]=\"7\"");
    check("[0-9](?<a>.*)", line.ptr, "[a]=\"\"");
    buffer_free(&line);
}

/* One worker, patterns with few and many groups in turn: its match memory fits all. */
Test(regex, a_worker_serves_several_patterns)
{
    struct regex_options few = {.pattern = ONE_PATTERN("(?<a>\\w)"), .match_limit = 100000};
    struct buffer many = {0};
    struct regex_options all = {.match_limit = 100000};
    struct parse_scratch scratch = {0};
    struct err e;
    struct parser one = {&parser_regex, parser_regex.make(&few, &e)};
    struct parser two = {&parser_regex, NULL};
    struct record r;

    for (int i = 0; i < 200; i++)
        buffer_printf(&many, "(?<g%d>\\w)", i);
    buffer_add_char(&many, '\0');
    all.pattern = (struct option_list)ONE_PATTERN(many.ptr);
    two.self = parser_regex.make(&all, &e);
    for (int i = 0; i < 3; i++) {
        char line[201];

        memset(line, 'x', 200);
        parser_parse(&one, &scratch, slice_str("x"), &r);
        cr_expect_eq(r.n_fields, 1);
        parser_parse(&two, &scratch, slice_of(line, 200), &r);
        cr_expect_eq(r.n_fields, 200);
    }
    parser_regex.free(one.self);
    parser_regex.free(two.self);
    parse_scratch_free(&scratch);
    buffer_free(&many);
}
