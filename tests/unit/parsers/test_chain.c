/* The first parser that accepts a line reads it. */
#include <criterion/criterion.h>

#include "parsers/chain.h"
#include "parsers/regex.h"
#include "tests/support/record_text.h"

/* json, a pattern, a pattern that can take for ever. */
static struct parser make_chain(void)
{
    static const char *patterns[] = {"^(?<who>\\w+) left$", "^(?<a>(a+)+)$"};
    static struct regex_options options[2] = {
        {.pattern = {&patterns[0], 1}, .match_limit = 100000},
        {.pattern = {&patterns[1], 1}, .match_limit = 1000},
    };
    struct parser chain;
    struct err e = {0};

    cr_assert_eq(chain_new(4, &chain), 0);
    *chain_link(&chain, 0) = (struct parser){&parser_json, NULL};
    *chain_link(&chain, 1) = (struct parser){&parser_regex, parser_regex.make(&options[0], &e)};
    *chain_link(&chain, 2) = (struct parser){&parser_regex, parser_regex.make(&options[1], &e)};
    return chain; /* the last link is left empty */
}

Test(chain, the_first_that_accepts_reads)
{
    static const struct record_row rows[] = {
        {"the first", "{\"level\":\"info\",\"n\":1}", "level=info [n]=1"},
        {"the second", "Bob left", "[who]=\"Bob\""},
        {"the third", "aaa", "[a]=\"aaa\""},
        {"none", "nobody came", "message=\"nobody came\" flags=16"},
        {"like JSON, and none", "{\"level\":", "message=\"{\"level\":\" flags=16"},
        {"nothing of a parser that refused stays", "{\"a\":1} Bob left",
         "message=\"{\"a\":1} Bob left\" flags=16"},
        {"a pattern that gave up is told of", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
         "message=\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\" flags=24"},
        {"the platform's own lines come first", "END RequestId: " ID, "kind=end request=" ID},
        {"in JSON too",
         "{\"time\":\"2026-10-09T08:53:20Z\",\"type\":\"platform.start\",\"record\":{\"requestId\":"
         "\"" ID "\",\"version\":\"$LATEST\"}}",
         "kind=start time=" T "000000000 request=" ID " version='$LATEST'"},
    };
    struct parser chain = make_chain();

    RECORD_ROWS_CHECK(&chain, rows);
    parser_free(&chain);
}

/* Each of them reads the times that it was told of. */
Test(chain, times_of_each)
{
    static const char *const formats[] = {"%d.%m.%Y %T"};
    static const struct time_rules german = {formats, 1, NULL};
    static const char *pattern[] = {"^at (?<time>.*)$"};
    static struct regex_options options = {.pattern = {pattern, 1}, .match_limit = 100000};
    static const struct record_row rows[] = {
        {"the first", "{\"time\":\"09.10.2026 08:53:20\"}", "time=" T "000000000"},
        {"not of the first", "{\"time\":\"2026-10-09 08:53:20\"}", "[time]='2026-10-09 08:53:20'"},
        {"the second", "at 2026-10-09 08:53:20", "time=" T "000000000"},
        {"not of the second", "at 09.10.2026 08:53:20", "[time]=\"09.10.2026 08:53:20\""},
    };
    struct parser chain;
    struct err e = {0};

    cr_assert_eq(chain_new(2, &chain), 0);
    *chain_link(&chain, 0) = (struct parser){&parser_json, NULL};
    *chain_link(&chain, 1) = (struct parser){&parser_regex, parser_regex.make(&options, &e)};
    chain_set_times(&chain, 0, &german);
    RECORD_ROWS_CHECK(&chain, rows);
    parser_free(&chain);
}

Test(chain, one_that_was_not_finished_is_freed)
{
    struct parser chain;

    cr_assert_eq(chain_new(2, &chain), 0);
    parser_free(&chain);
    cr_expect_null(chain.ops);
}
