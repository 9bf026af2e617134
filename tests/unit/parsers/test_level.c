#include <criterion/criterion.h>

#include "parsers/level.h"

Test(level, every_usual_spelling)
{
    static const struct {
        const char *spellings; /* blank between */
        enum level want;
    } rows[] = {
        {"trace TRACE Trace trce TRC verbose VERBOSE vrb finer FINEST silly t V 10", LEVEL_TRACE},
        {"debug DEBUG Debug dbug DBG fine FINE config D 20", LEVEL_DEBUG},
        {"info INFO Info information Information informational inf notice NOTICE note log success "
         "I 30",
         LEVEL_INFO},
        {"warn WARN Warn warning WARNING Warning wrn W 40", LEVEL_WARN},
        {"error ERROR Error err ERR fail severe SEVERE E 50", LEVEL_ERROR},
        {"fatal FATAL Fatal ftl critical CRITICAL Critical crit panic PANIC dpanic alert emerg "
         "emergency EMERGENCY F C 60",
         LEVEL_FATAL},
        {"x infos errors inform 0 1 5 15 70 100 undefined UNDEFINED default null true "
         "informationall",
         LEVEL_NONE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice rest = slice_str(rows[i].spellings);
        struct slice one;

        while (rest.len) {
            if (!slice_cut(&rest, ' ', &one)) {
                one = rest;
                rest.len = 0;
            }
            cr_expect_eq(level_parse(one), rows[i].want, "%.*s", SLICE_ARG(one));
        }
    }
}

Test(level, numbers_by_their_key)
{
    static const struct {
        const char *key;
        const char *levels; /* "number level", - for none */
    } rows[] = {
        {"level", "10 trace 20 debug 30 info 40 warn 50 error 60 fatal"},
        {"lvl", "100 debug 200 info 250 info 300 warn 400 error 500 fatal 550 fatal 600 fatal"},
        {"level", "5000 trace 10000 debug 20000 info 30000 warn 40000 error 50000 fatal"},
        {"level", "0 - 3 - 15 - 70 - 700 - 99999999999999999999 - 10.0 - x -"},
        {"levelno", "10 debug 20 info 30 warn 40 error 50 fatal 60 - 300 -"},
        {"severity",
         "100 debug 200 info 300 info 400 warn 500 error 600 fatal 700 fatal 800 fatal"},
        {"Severity", "0 - 3 - 30 - 250 -"},
        {"severityLevel", "0 trace 1 info 2 warn 3 error 4 fatal 5 - 30 -"},
        {"SEVERITYLEVEL", "3 error"},
        {"severityNumber", "0 - 1 trace 4 trace 5 debug 9 info 12 info 13 warn 17 error 21 fatal "
                           "24 fatal 25 -"},
        {"severity_number", "9 info"},
        {"syslog_severity", "0 fatal 1 fatal 2 fatal 3 error 4 warn 5 info 6 info 7 debug 8 -"},
        {"syslog.severity", "3 error"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice rest = slice_str(rows[i].levels);
        struct slice number;
        struct slice want;

        while (slice_cut(&rest, ' ', &number)) {
            enum level level = level_parse_number(slice_str(rows[i].key), number);

            if (!slice_cut(&rest, ' ', &want)) {
                want = rest;
                rest.len = 0;
            }
            cr_expect(level == LEVEL_NONE ? slice_is(want, "-") : slice_eq(level_name(level), want),
                      "%s %.*s", rows[i].key, SLICE_ARG(number));
        }
    }
}

Test(level, what_says_none)
{
    cr_expect(level_is_unsaid(slice_str("UNDEFINED")));
    cr_expect(level_is_unsaid(slice_str("DEFAULT")));
    cr_expect_not(level_is_unsaid(slice_str("INFO")));
    cr_expect_eq(level_parse(slice_str("INFO+2")), LEVEL_INFO, "Go's slog");
    cr_expect_eq(level_parse(slice_str("DEBUG-4")), LEVEL_DEBUG);
    cr_expect_eq(level_parse(slice_str("+2")), LEVEL_NONE);
    cr_expect_eq(level_parse(slice_str("INFO2")), LEVEL_NONE);
}

Test(level, odd_bytes)
{
    cr_expect_eq(level_parse(slice_of(NULL, 0)), LEVEL_NONE);
    cr_expect_eq(level_parse(slice_of("info\0", 5)), LEVEL_NONE);
    cr_expect_eq(level_parse(slice_of("information", 4)), LEVEL_INFO, "the slice ends it");
    cr_expect_eq(level_parse(slice_str("WARN  ")), LEVEL_WARN, "padded to a column");
    cr_expect_eq(level_parse(slice_str("    ")), LEVEL_NONE);
    cr_expect_eq(level_parse(slice_str("\x12\x10")), LEVEL_NONE, "not \"20\" without a bit");
}

Test(level, names)
{
    static const char *const names[] = {"", "trace", "debug", "info", "warn", "error", "fatal"};

    for (enum level l = LEVEL_NONE; l <= LEVEL_FATAL; l++) {
        cr_expect(slice_is(level_name(l), names[l]), "%s", names[l]);
        cr_expect_eq(level_parse(level_name(l)), l, "%s, read back", names[l]);
    }
    cr_expect_lt(LEVEL_WARN, LEVEL_ERROR, "higher is worse");
}
