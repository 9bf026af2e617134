/* Patterns made of named ones; the library's, each on what it is for. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "parsers/grok.h"
#include "parsers/grok_library.h"
#include "tests/support/record_text.h"

static struct grok_options of_match(const char **match, size_t n)
{
    return (struct grok_options){.match = {match, n}, .match_limit = 100000};
}

static void check_all(const struct grok_options *options, const char *line, const char *want)
{
    const struct record_row row = {options->match.items[0], line, want};
    struct err e = {0};
    struct parser p = {&parser_grok, parser_grok.make(options, &e)};

    cr_expect(p.self, "%s: %s: %s", options->match.items[0], e.where, e.what);
    if (!p.self)
        return;
    record_rows_check(&p, &row, 1);
    parser_free(&p);
}

static void check(const char *match, const char *line, const char *want)
{
    struct grok_options options = of_match(&match, 1);

    check_all(&options, line, want);
}

Test(grok, fields)
{
    check("%{WORD:who} left %{NUMBER:times:int} times", "Bob left 3 times",
          "[who]=\"Bob\" [times]=3");
    check("%{IP:source.ip} %{WORD:http.request.method} %{URIPATHPARAM:url.original} "
          "%{NUMBER:http.response.status_code:int} %{NUMBER:took:float}",
          "10.0.0.1 GET /a?b=c 200 1.25",
          "source.ip=\"10.0.0.1\" http.request.method=\"GET\" url.original=\"/a?b=c\" "
          "http.response.status_code=200 [took]=1.25");
    check(
        "%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} %{UUID:requestId} %{GREEDYDATA:message}",
        "2026-10-09T08:53:20.5Z WARN " ID " no stock",
        "time=" T "500000000 level=warn message=\"no stock\" request=" ID);
    check("%{NOTSPACE:[source][ip]} %{NOTSPACE:[a][b]}", "10.0.0.1 x",
          "source.ip=\"10.0.0.1\" [a.b]=\"x\"");
    check("%{NOTSPACE:source.ip}", "here", "[source.ip]=\"here\"");
    check("%{NUMBER:a:long} %{NUMBER:b:double} %{WORD:c:boolean} %{NUMBER:d}", "1 1.5 true 4",
          "[a]=1 [b]=1.5 [c]=true [d]=\"4\"");
    check("%{WORD:log.level} %{WORD:trace_id}", "INFO 0123456789abcdef0123456789abcdef",
          "level=info trace=0123456789abcdef0123456789abcdef");
    check("(?<who>\\w+) has (?<n:int>\\d+) %{WORD:what}", "Bob has 3 mugs",
          "[who]=\"Bob\" [n]=3 [what]=\"mugs\"");
    check("%{WORD:a}|%{NUMBER:a}", "-1", "[a]=\"-1\"");
    check("%{WORD:a} %{WORD:a}", "first second", "[a]=\"first\"");
    check("^\\%{WORD:a} %{WORD:b}", "%{WORD:a} x", "[b]=\"x\"");
    check("100% %{WORD:b}", "100% sure", "[b]=\"sure\"");
    check("%{WORD:a}", "---", "message=\"---\" flags=16");
    check("%{WORD:a}", "END RequestId: " ID, "kind=end request=" ID);
}

Test(grok, definitions_of_ones_own)
{
    const char *match = "%{ORDER:order} %{PAIR} %{WORD:who}";
    const char *keys[] = {"ORDER", "PAIR", "WORD"};
    const char *values[] = {"ORD-\\d+", "%{WORD:k}=(?<v:int>\\d+)", "[a-z]+"};
    struct grok_options options = of_match(&match, 1);

    options.patterns = (struct option_map){keys, values, 3};
    check_all(&options, "ORD-17 n=5 bob", "[order]=\"ORD-17\" [k]=\"n\" [v]=5 [who]=\"bob\"");
    check_all(&options, "ORD-17 n=5 BOB", "message=\"ORD-17 n=5 BOB\" flags=16");
}

Test(grok, the_first_of_several_that_matches_counts)
{
    const char *match[] = {"^order %{INT:order:int}", "%{WORD:who} left"};
    struct grok_options options = of_match(match, 2);

    check_all(&options, "order 17, Bob left", "[order]=17");
    check_all(&options, "an order: Bob left", "[who]=\"Bob\"");
    check_all(&options, "nobody came", "message=\"nobody came\" flags=16");
}

Test(grok, composed_patterns)
{
    static const char *combined = "^%{COMBINEDAPACHELOG}$";
    struct grok_options options = of_match(&combined, 1);

    check_all(&options,
              "10.0.0.1 - bob [09/Oct/2026:10:53:20 +0200] \"GET /a?b=c HTTP/1.1\" 200 17 "
              "\"http://x/\" \"curl/8.5 (x)\"",
              "time=" T "000000000 source.address=\"10.0.0.1\" user.name=\"bob\" "
              "http.request.method=\"GET\" url.original=\"/a?b=c\" http.version=\"1.1\" "
              "http.response.status_code=200 http.response.body.bytes=17 "
              "http.request.referrer=\"http://x/\" user_agent.original=\"curl/8.5 (x)\"");
    check_all(&options, "x.example - - [09/Oct/2026:10:53:20 +0200] \"\" 400 - \"-\" \"-\"",
              "time=" T "000000000 source.address=\"x.example\" http.response.status_code=400");
    check("^%{SYSLOGLINE}$", "Oct  9 08:53:20 host-1 app[17]: it works",
          "time=" T "000000000 message=\"it works\" log.syslog.hostname=\"host-1\" "
          "process.name=\"app\" process.pid=17");
    check(
        "^%{JAVASTACKTRACEPART}$", "\tat com.example.Shop$1.order(Shop.java:17)",
        "log.origin.function=\"order\" log.origin.file.name=\"Shop.java\" log.origin.file.line=17 "
        "[java.log.origin.class.name]=\"com.example.Shop$1\"");
}

/* What a pattern finds in a text, whole words of it; NULL: nothing. */
Test(grok, library)
{
    static const struct {
        const char *name;
        const char *text;
        const char *found;
    } rows[] = {
        {"WORD", "  a_b1!", "a_b1"},
        {"NOTSPACE", " a-b c", "a-b"},
        {"INT", "x-17.5", "-17"},
        {"POSINT", "0 07 17", "17"},
        {"NONNEGINT", "-17", "17"},
        {"NUMBER", "took 3.", "3"},
        {"NUMBER", "took -3.25e-4s", "-3.25e-4"},
        {"NUMBER", ".5", ".5"},
        {"BASE16NUM", "zz 0xDEADbeef", "0xDEADbeef"},
        {"BASE16FLOAT", "0x1.8", "0x1.8"},
        {"BOOL", "is TRUE", "TRUE"},
        {"BOOL", "untrue", NULL},
        {"DURATION", "took 1.5ms.", "1.5ms"},
        {"SEMVER", "version v1.2.3-rc.1+x", "v1.2.3-rc.1+x"},
        {"QUOTEDSTRING", "say \"a \\\" b\" x", "\"a \\\" b\""},
        {"QS", "say 'a' x", "'a'"},
        {"QS", "say 'a", NULL},
        {"USERNAME", "bob.s-1 x", "bob.s-1"},
        {"EMAILADDRESS", "to <bob.s+x@mail.example.com>", "bob.s+x@mail.example.com"},
        {"UUID", "id " ID, ID},
        {"URN", "urn:isbn:0451450523 x", "urn:isbn:0451450523"},
        {"MAC", "at 00:1b:44:11:3A:b7", "00:1b:44:11:3A:b7"},
        {"MAC", "at 001b.4411.3ab7", "001b.4411.3ab7"},
        {"WINDOWSMAC", "00-1B-44-11-3A-B7", "00-1B-44-11-3A-B7"},
        {"IPV4", "from 10.0.0.255.", "10.0.0.255"},
        {"IPV4", "from 10.0.0.256", NULL},
        {"IPV4", "version 1.2.3.4.5", NULL},
        {"IPV6", "from 2001:db8::1 x", "2001:db8::1"},
        {"IPV6", "from ::1", "::1"},
        {"IPV6", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"IPV6", "::ffff:10.0.0.1", "::ffff:10.0.0.1"},
        {"IPV6", "fe80::1%eth0 x", "fe80::1%eth0"},
        {"IPV6", "at 10:20:30", NULL},
        {"IP", "10.0.0.1", "10.0.0.1"},
        {"HOSTNAME", "<web-1.example.com, x", "web-1.example.com"},
        {"HOSTNAME", "-- --", NULL},
        {"IPORHOST", "10.0.0.1", "10.0.0.1"},
        {"HOSTPORT", "to es-1:9200/", "es-1:9200"},
        {"PATH", "open /var/log/a.log: no", "/var/log/a.log"},
        {"UNIXPATH", "open /var/log/a.log x", "/var/log/a.log"},
        {"WINPATH", "open C:\\a\\b.txt x", "C:\\a\\b.txt"},
        {"TTY", "on /dev/pts/3 x", "/dev/pts/3"},
        {"URI", "see https://u@x.example:8080/a/b?c=d#e now", "https://u@x.example:8080/a/b?c=d"},
        {"URIPATHPARAM", "GET /a/b?c=d HTTP", "/a/b?c=d"},
        {"URIPATH", "GET /a/b?c=d HTTP", "/a/b"},
        {"URIPARAM", "GET /a/b?c=d HTTP", "?c=d"},
        {"MONTH", "in Sept or Oct", "Sept"},
        {"MONTHNUM", "12", "12"},
        {"MONTHDAY", "31", "31"},
        {"DAY", "on Thursday", "Thursday"},
        {"YEAR", "in 2026", "2026"},
        {"TIME", "at 08:53:20,123 x", "08:53:20,123"},
        {"TIME", "at 24:61", NULL},
        {"DATE_US", "10/09/2026", "10/09/2026"},
        {"DATE_EU", "09.10.2026", "09.10.2026"},
        {"DATESTAMP", "09.10.2026 08:53:20", "09.10.2026 08:53:20"},
        {"TIMESTAMP_ISO8601", "2026-10-09T08:53:20.123+02:00 x", "2026-10-09T08:53:20.123+02:00"},
        {"TIMESTAMP_ISO8601", "2026-10-09 08:53:20 x", "2026-10-09 08:53:20"},
        {"ISO8601_TIMEZONE", "+0200", "+0200"},
        {"DATESTAMP_RFC2822", "Fri, 09 Oct 2026 08:53:20 +0000", "Fri, 09 Oct 2026 08:53:20 +0000"},
        {"DATESTAMP_RFC822", "Fri Oct 09 2026 08:53:20 UTC", "Fri Oct 09 2026 08:53:20 UTC"},
        {"DATESTAMP_OTHER", "Fri Oct 9 08:53:20 UTC 2026", "Fri Oct 9 08:53:20 UTC 2026"},
        {"DATESTAMP_EVENTLOG", "20261009085320", "20261009085320"},
        {"HTTPDATE", "[09/Oct/2026:10:53:20 +0200]", "09/Oct/2026:10:53:20 +0200"},
        {"UNIX_MS", "t=1791536000123", "1791536000123"},
        {"SYSLOGTIMESTAMP", "Oct  9 08:53:20 x", "Oct  9 08:53:20"},
        {"LOGLEVEL", "is Warning x", "Warning"},
        {"LOGLEVEL", "information", "information"},
        {"LOGLEVEL", "nothing", NULL},
        {"HTTPMETHOD", "\"GET /", "GET"},
        {"HTTPSTATUS", "\" 404 12", "404"},
        {"JAVACLASS", "in com.example.Shop$1 x", "in"},
        {"JAVACLASS", "com.example.Shop$1 x", "com.example.Shop$1"},
        {"AWS_ARN", "on arn:aws:lambda:eu-west-1:123456789012:function:f x",
         "arn:aws:lambda:eu-west-1:123456789012:function:f"},
        {"XRAY_TRACE_ID", "Root=" ROOT ";", ROOT},
        {"TRACEPARENT", "00-" TRACE "-0123456789abcdef-01", "00-" TRACE "-0123456789abcdef-01"},
        {"LAMBDA_REQUEST_ID", ID, ID},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char match[64];
        char want[128];

        snprintf(match, sizeof match, "%%{%s:found}", rows[i].name);
        if (rows[i].found)
            snprintf(want, sizeof want, "[found]=\"%s\"", rows[i].found);
        else
            snprintf(want, sizeof want, "message=\"%s\" flags=16", rows[i].text);
        check(match, rows[i].text, want);
    }
}

/* All of the library compiles, by itself and in a group of its own name. */
Test(grok, library_is_sound)
{
    for (size_t i = 0; i < grok_library_len; i++) {
        char match[64];
        const char *items = match;
        struct grok_options options = of_match(&items, 1);
        struct err e = {0};
        void *self;

        snprintf(match, sizeof match, "^%%{%s:x}$", grok_library[i].name);
        self = parser_grok.make(&options, &e);
        cr_expect(self, "%s: %s", match, e.what);
        parser_grok.free(self);
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(grok_library[i].name, grok_library[j].name);
    }
}

Test(grok, errors)
{
    static const struct {
        const char *match;
        const char *key, *value;
        const char *where;
        const char *what;
    } rows[] = {
        {"%{NUMBR:n}", NULL, NULL, "match",
         "there is no pattern \"NUMBR\"; did you mean \"NUMBER\"?"},
        {"%{ORDR:n}", "ORDER", "x", "match",
         "there is no pattern \"ORDR\"; did you mean \"ORDER\"?"},
        {"%{SOMETHING_ELSE:n}", NULL, NULL, "match",
         "there is no pattern \"SOMETHING_ELSE\"; `patterns` may define it"},
        {"%{:n}", NULL, NULL, "match", "there is no pattern \"\"; `patterns` may define it"},
        {"%{WORD:n", NULL, NULL, "match", "a %{ is never closed: \"%{WORD:n\""},
        {"%{WORD:a b}", NULL, NULL, "match",
         "\"a b\" is no name of a field: letters, digits, _ . @ and - make one"},
        {"%{WORD:[]}", NULL, NULL, "match",
         "\"[]\" is no name of a field: letters, digits, _ . @ and - make one"},
        {"%{WORD:a:number}", NULL, NULL, "match",
         "type \"number\" is not one of string, int, float, bool"},
        {"%{WORD:a} (x", NULL, NULL, "match",
         "missing closing parenthesis, at \"(?<g1>\\b\\w++\\b) (x\""},
        {"%{WORD}", NULL, NULL, "match",
         "it names no field, %{WORD:user}: nothing would become one"},
        {"", NULL, NULL, "match", "it names no field, %{WORD:user}: nothing would become one"},
        {"%{A:a}", "A", "x%{A}", "patterns.A", "the pattern \"A\" is made of itself"},
        {"%{WORD:a}", "UNUSED", "[a", "patterns.UNUSED", NULL},
        {"%{WORD:a}", "UNUSED", "%{WRD}", "patterns.UNUSED",
         "there is no pattern \"WRD\"; did you mean \"WORD\"?"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *match = rows[i].match;
        const char *key = rows[i].key;
        const char *value = rows[i].value;
        struct grok_options options = of_match(&match, 1);
        struct err e = {0};

        options.patterns = (struct option_map){&key, &value, key ? 1 : 0};
        cr_expect_null(parser_grok.make(&options, &e), "%s", match);
        cr_expect_eq(e.code, ERR_CONFIG);
        cr_expect_str_eq(e.where, rows[i].where, "%s: %s", match, e.where);
        if (rows[i].what)
            cr_expect_str_eq(e.what, rows[i].what, "%s: %s", match, e.what);
    }
}

/* Definitions that double at each level would take all memory. */
Test(grok, definitions_have_a_ceiling)
{
    static const char *keys[] = {"A", "B", "C", "D", "E"};
    static const char *values[] = {
        "0123456789012345678901234567890123456789012345678901234567890123456789",
        "%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}%{A}",
        "%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}%{B}",
        "%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}%{C}",
        "%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}%{D}",
    };
    const char *match = "%{E:e}";
    struct grok_options options = of_match(&match, 1);
    struct err e = {0};

    options.patterns = (struct option_map){keys, values, 5};
    cr_expect_null(parser_grok.make(&options, &e));
    cr_expect(strstr(e.what, "written out it is longer than"), "%s: %s", e.where, e.what);
}
