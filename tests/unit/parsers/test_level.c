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
