/* logfmt and kv. */
#include <criterion/criterion.h>

#include "parsers/kv.h"
#include "tests/support/record_text.h"

Test(logfmt, lines)
{
    static const struct record_row rows[] = {
        {"go-kit",
         "ts=2026-10-09T08:53:20Z level=warn caller=main.go:17 msg=\"two words\" took=1.5",
         "time=" T "000000000 level=warn message=\"two words\" [caller]=\"main.go:17\" [took]=1.5"},
        {"a logger's names fill the record",
         "time=2026-10-09T08:53:20Z level=error msg=\"no stock\" requestId=" ID " traceID=" TRACE
         " error=\"not found\" logger=shop",
         "time=" T "000000000 level=error message=\"no stock\" request=" ID " trace=" TRACE
         " logger=\"shop\" reason=\"not found\""},
        {"Heroku's router",
         "at=info method=GET path=\"/a?b=c\" host=x.example fwd=\"10.0.0.1\" dyno=web.1 "
         "connect=1ms "
         "service=18ms status=200 bytes=13",
         "[at]=\"info\" [method]=\"GET\" [path]=\"/a?b=c\" [host]=\"x.example\" "
         "[fwd]=\"10.0.0.1\" [dyno]=\"web.1\" [connect]=\"1ms\" [service]=\"18ms\" [status]=200 "
         "[bytes]=13"},
        {"fields of ECS",
         "http.request.method=GET http.response.status_code=200 source.ip=10.0.0.1 n.m=1",
         "http.request.method=\"GET\" http.response.status_code=200 source.ip=\"10.0.0.1\" "
         "[n.m]=1"},
        {"what does not fit its field stays the application's own",
         "http.response.status_code=ok source.ip=- time=soon level=",
         "[http.response.status_code]=\"ok\" [source.ip]=\"-\" [time]=\"soon\" [level]=\"\""},
        {"escapes", "a=\"say \\\"hi\\\"\\n\\u00e9\\x41\\q\" b=c\\d",
         "[a]=\"say \"hi\"\n\xC3\xA9"
         "A\\q\" [b]=\"c\\d\""},
        {"a surrogate pair", "a=\"\\ud83d\\ude00\"", "[a]=\"\xF0\x9F\x98\x80\""},
        {"literals", "a=1 b=1.50 c=true d=false e=\"1\" f=007 g=1e3 h=null i=-2",
         "[a]=1 [b]=1.50 [c]=true [d]=false [e]=\"1\" [f]=\"007\" [g]=\"1e3\" [h]=\"null\" [i]=-2"},
        {"a word is true", "a=1 cached", "[a]=1 [cached]=true"},
        {"but fills no member", "a=1 error", "[a]=1 [error]=true"},
        {"empty values", "a= b=\"\"", "[a]=\"\" [b]=\"\""},
        {"more blanks, and a tab", "  a=1 \t b=2", "[a]=1 [b]=2"},
        {"of two the first counts", "a=1 b=2 a=3", "[a]=1 [b]=2"},
        {"of two for one member the better known counts", "severity=info level=warn",
         "level=warn [severity]=\"info\""},
        {"the other way round", "level=warn severity=info", "level=warn [severity]=\"info\""},
        {"an unknown level makes place", "severity=odd level=warn",
         "level=warn [severity]=\"odd\""},
        {"names are UTF-8", "caf\xC3\xA9=1 b\xFF=2", "[caf\xC3\xA9]=1 [b\xEF\xBF\xBD]=2"},
        {"an equals sign in a value", "url=http://x/?a=b", "[url]=\"http://x/?a=b\""},
        {"prose", "order 17 failed: code=5", "message=\"order 17 failed: code=5\" flags=16"},
        {"prose that begins with a pair", "count=3 items were loaded",
         "message=\"count=3 items were loaded\" flags=16"},
        {"base64", "dGVzdA==", "message=\"dGVzdA==\" flags=16"},
        {"code", "x=f(a, b)", "message=\"x=f(a, b)\" flags=16"},
        {"JSON", "{\"a\":\"b=c\"}", "message=\"{\"a\":\"b=c\"}\" flags=16"},
        {"an open quote", "a=\"b", "message=\"a=\"b\" flags=16"},
        {"an open quote behind a backslash", "a=\"b\\\"", "message=\"a=\"b\\\"\" flags=16"},
        {"something clings to a quote", "a=\"b\"c", "message=\"a=\"b\"c\" flags=16"},
        {"no name", "=b", "message=\"=b\" flags=16"},
        {"nothing", "", "message=\"\" flags=16"},
        {"a platform line", "END RequestId: " ID, "kind=end request=" ID},
    };
    struct err e = {0};
    struct parser p = {&parser_logfmt, parser_logfmt.make(NULL, &e)};

    RECORD_ROWS_CHECK(&p, rows);
    parser_free(&p);
}

Test(logfmt, the_time_s_format)
{
    static const struct record_row rows[] = {
        {"as configured", "time=\"09/Oct/2026:10:53:20 +0200\" a=1", "time=" T "000000000 [a]=1"},
        {"nothing else", "time=2026-10-09T08:53:20Z a=1", "[time]=\"2026-10-09T08:53:20Z\" [a]=1"},
    };
    static const char *const formats[] = {"%d/%b/%Y:%H:%M:%S %z"};
    struct time_rules times = {formats, 1, NULL};
    struct err e = {0};
    struct parser p = {&parser_logfmt, parser_logfmt.make(NULL, &e)};

    record_rows_check_times(&p, &times, rows, sizeof rows / sizeof rows[0]);
    parser_free(&p);
}

/* A line of very many pairs is none, so that it costs no more than another. */
Test(logfmt, has_a_ceiling)
{
    struct err e = {0};
    struct parser p = {&parser_logfmt, parser_logfmt.make(NULL, &e)};
    struct parse_scratch scratch = {0};
    struct buffer line = {0};
    struct record r;

    for (int i = 0; i < 512; i++)
        buffer_printf(&line, "k%d=%d ", i, i);
    parser_parse(&p, &scratch, buffer_slice(&line), &r);
    cr_expect_eq(r.n_fields, 512);
    buffer_add_lit(&line, "k=1");
    parser_parse(&p, &scratch, buffer_slice(&line), &r);
    cr_expect_eq(r.n_fields, 0);
    cr_expect_eq(r.flags, RECORD_NO_MATCH);
    parse_scratch_free(&scratch);
    buffer_free(&line);
    parser_free(&p);
}

static struct kv_options plain_kv(void)
{
    return (struct kv_options){.pair_separator = " ", .separator = "=", .quotes = "\"'"};
}

static void check_kv(const struct kv_options *options, const char *line, const char *want)
{
    const struct record_row row = {want, line, want};
    struct err e = {0};
    struct parser p = {&parser_kv, parser_kv.make(options, &e)};

    cr_assert(p.self, "%s: %s", e.where, e.what);
    record_rows_check(&p, &row, 1);
    parser_free(&p);
}

Test(kv, pairs_among_words)
{
    struct kv_options o = plain_kv();

    check_kv(&o, "user logged in: user=Bob ip=10.0.0.1 level=warn note='it''s'",
             "level=warn [user]=\"Bob\" [ip]=\"10.0.0.1\" [note]=\"it\"");
    check_kv(&o, "a=\"x y\"z b='1'", "[a]=\"x y\" [b]=\"1\"");
    check_kv(&o, "a=\"x y", "[a]=\"\"x\"");
    check_kv(&o, "(a=1) b=2", "[b]=2");
    check_kv(&o, "no pairs here", "message=\"no pairs here\" flags=16");
    check_kv(&o, "message=m a=1", "message=\"m\" [a]=1");
}

Test(kv, separators_of_ones_own)
{
    struct kv_options o = plain_kv();

    o.pair_separator = ";,";
    o.separator = ":";
    check_kv(&o, "name : Bob Smith; age: 42, note: \"a; b\" ;x",
             "[name]=\"Bob Smith\" [age]=42 "
             "[note]=\"a; b\"");
    o = plain_kv();
    o.pair_separator = "?&";
    o.quotes = "none";
    check_kv(&o, "/path?a=1&b=\"x&c=", "[a]=1 [b]=\"\"x\" [c]=\"\"");
    o = plain_kv();
    o.pair_separator = "tab";
    check_kv(&o, "a=x y\tb=2", "[a]=\"x y\" [b]=2");
    o = plain_kv();
    o.separator = "=:";
    check_kv(&o, "a=1 b:2", "[a]=1 [b]=2");
}

Test(kv, a_prefix_for_the_application_s_own)
{
    struct kv_options o = plain_kv();

    o.prefix = "shop.\"";
    check_kv(&o, "level=info a=1 url.path=/x", "level=info url.path=\"/x\" [shop.\\\"a]=1");
}

Test(kv, options_that_do_not_work)
{
    static const struct {
        struct kv_options options;
        const char *where;
    } rows[] = {
        {{" ", " ", "\"", NULL}, "separator"},
        {{" ", "=", "=", NULL}, "quotes"},
        {{" ", "=", "\xC2\xAB", NULL}, "quotes"},
        {{" ", "\\", "\"", NULL}, "separator"},
        {{
             " ",
             "=",
             "\"",
             "0123456789012345678901234567890123456789012345678901234567890123456789",
         },
         "prefix"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = {0};

        cr_expect_null(parser_kv.make(&rows[i].options, &e), "%zu", i);
        cr_expect_str_eq(e.where, rows[i].where, "%zu: %s", i, e.what);
    }
}
