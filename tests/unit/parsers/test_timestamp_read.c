/* Times in the shapes that logs have them in, and what a time leaves out: zone and year. */
#include <criterion/criterion.h>

#include "parsers/time_zone.h"
#include "parsers/timestamp.h"

#define S INT64_C(1000000000)
#define DAY (86400 * S)
/* 2026-10-09T08:53:20Z */
#define T (INT64_C(1791536000) * S)
/* 2026-01-01T00:00:00Z */
#define Y2026 (INT64_C(1767225600) * S)

Test(timestamp_read, usual_shapes)
{
    static const struct {
        const char *text;
        int64_t want; /* -1: no time */
    } rows[] = {
        {"2026-10-09T08:53:20.123456789Z", T + 123456789},
        {"2026-10-09 08:53:20,123", T + 123000000},
        {"1791536000.5", T + S / 2},
        {"1791536000123456789", T + 123456789},
        {"09/Oct/2026:10:53:20 +0200", T},
        {"09/Oct/2026:08:53:20.250 +0000", T + S / 4},
        {"09/Oct/2026:08:53:20", T},
        {"2026/10/09 08:53:20", T},
        {"2026/10/09 08:53:20.123456", T + 123456000},
        {"20261009T085320Z", T},
        {"20261009T085320.5Z", T + S / 2},
        {"20261009T105320+0200", T},
        {"20261009T085320", T},
        {"Oct  9 08:53:20", T},
        {"Oct 9 08:53:20", T},
        {"Oct 09 08:53:20.123", T + 123000000},
        {"Oct  9 2026 08:53:20", T},
        {"Oct 9, 2026 8:53:20 AM", T},
        {"Fri, 09 Oct 2026 10:53:20 +0200", T},
        {"Fri, 09 Oct 2026 08:53:20 GMT", T},
        {"9 Oct 2026 08:53:20 GMT", T},
        {"Fri Oct  9 08:53:20 2026", T},
        {"Fri Oct 09 08:53:20.123456 2026", T + 123456000},
        {"Fri Oct  9 08:53:20 UTC 2026", T},
        {"Fri Oct  9 10:53:20 CEST 2026", T},
        {"31/Feb/2026:10:53:20 +0200", -1},
        {"09/Oct/2026:24:00:00 +0200", -1},
        {"Oct 32 08:53:20", -1},
        {"Oct  9 24:00:00", -1},
        {"Oct  9 08:53:61", -1},
        {"Foo  9 08:53:20", -1},
        {"Oct  9 08:53:20 x", -1},
        {"20261309T085320Z", -1},
        {"20261009", -1},
        {"20261009X085320Z", -1},
        {"The 9 things I like", -1},
        {"08:53:20", -1},
        {"Oct", -1},
        {"", -1},
    };
    struct time_context c = {NULL, T + 3600 * S};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct time_said m = {7, 7};
        bool is_time = timestamp_read(&c, slice_str(rows[i].text), &m);

        cr_expect_eq(is_time, rows[i].want >= 0, "%s", rows[i].text);
        cr_expect(!is_time || m.ns == rows[i].want, "%s: %lld", rows[i].text, (long long)m.ns);
    }
}

/* No slice is read beyond its end: each prefix of each shape, in memory of its own. */
Test(timestamp_read, cut_off_anywhere)
{
    static const char *const texts[] = {
        "Fri Oct 09 08:53:20.123456 2026",
        "09/Oct/2026:10:53:20 +0200",
        "Oct  9 08:53:20",
        "20261009T085320.5Z",
        "Fri, 09 Oct 2026 10:53:20 +0200",
        "2026-10-09 10:53:20.5 +0200 CEST",
    };
    struct time_context c = {NULL, T};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (size_t n = 0; n <= strlen(texts[i]); n++) {
            char *copy = malloc(n + !n);
            struct time_said m;
            size_t used = 0;

            memcpy(copy, texts[i], n);
            timestamp_read(&c, slice_of(copy, n), &m);
            if (timestamp_read_prefix(&c, slice_of(copy, n), &m, &used))
                cr_expect(used && used <= n);
            free(copy);
        }
}

Test(timestamp_read, from_the_start_of_a_line)
{
    static const struct {
        const char *text;
        size_t used; /* 0: no time */
    } rows[] = {
        {"2026-10-09 08:53:20,123 INFO text", 23},
        {"Oct  9 08:53:20 host prog: text", 15},
        {"2026/10/09 08:53:20 [error] 12#12: text", 19},
        {"1791536000 text", 0},
        {"text", 0},
    };
    struct time_context c = {NULL, T};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct time_said m;
        size_t used = 0;
        bool is_time = timestamp_read_prefix(&c, slice_str(rows[i].text), &m, &used);

        cr_expect_eq(is_time, rows[i].used > 0, "%s", rows[i].text);
        cr_expect(!is_time || used == rows[i].used, "%s: %zu", rows[i].text, used);
    }
}

Test(timestamp_read, the_users_formats_and_nothing_else)
{
    static const char *const formats[] = {"%d.%m.%Y %H:%M:%S,%f", "%H:%M:%S %d.%m.%Y", "rfc3339"};
    struct time_rules rules = {formats, 3, NULL};
    struct time_context c = {&rules, T};
    struct time_said m;
    size_t used;

    cr_expect(timestamp_read(&c, slice_str("09.10.2026 08:53:20,25"), &m));
    cr_expect_eq(m.ns, T + S / 4);
    cr_expect(timestamp_read(&c, slice_str("08:53:20 09.10.2026"), &m), "the second");
    cr_expect_eq(m.ns, T);
    cr_expect(timestamp_read(&c, slice_str("2026-10-09T08:53:20Z"), &m));
    cr_expect_not(timestamp_read(&c, slice_str("1791536000"), &m));
    cr_expect_not(timestamp_read(&c, slice_str("09/Oct/2026:10:53:20 +0200"), &m));
    cr_expect(timestamp_read_prefix(&c, slice_str("08:53:20 09.10.2026 text"), &m, &used));
    cr_expect_eq(used, 19);
    cr_expect_eq(m.ns, T);
}

Test(timestamp_read, a_year_that_is_not_said)
{
    static const struct {
        const char *text;
        int64_t near; /* when it was written */
        int year;
        int64_t want; /* -1: no time */
        const char *because;
    } rows[] = {
        {"Dec 31 23:59:59", Y2026 + 5, 2025, Y2026 - S, "31 December, read in January"},
        {"Jan  1 00:00:03", Y2026 + 5, 2026, Y2026 + 3 * S, "a moment ago"},
        {"Jan  1 00:00:03", Y2026 - 5 * S, 2026, Y2026 + 3 * S, "a clock that is ahead"},
        {"Jan  1 23:00:00", Y2026 - 2 * 3600 * S, 2025, Y2026 - 365 * DAY + 23 * 3600 * S,
         "more than a day ahead is a year ago"},
        {"Oct  9 08:53:20", T, 2026, T, "now"},
        {"Oct 11 08:53:20", T, 2025, T - 363 * DAY, "last year"},
        {"Feb 29 00:00:00", T, 2024, INT64_C(1709164800) * S, "the last that was"},
        {"Feb 30 00:00:00", T, 0, -1, "never"},
        {"Feb 29 00:00:00", INT64_C(4107542400) * S, 2096, INT64_C(3981312000) * S,
         "2100 has none"},
        {"Oct  9 08:53:20", 0, 0, -1, "nothing to guess by"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct time_context c = {NULL, rows[i].near};
        struct time_said m = {7, 7};
        bool is_time = timestamp_read(&c, slice_str(rows[i].text), &m);

        cr_expect_eq(is_time, rows[i].want >= 0, "%s", rows[i].because);
        cr_expect(!is_time || m.ns == rows[i].want, "%s: %lld", rows[i].because, (long long)m.ns);
        cr_expect(!is_time || m.guessed_year == rows[i].year, "%s: %d", rows[i].because,
                  m.guessed_year);
    }
}

Test(timestamp_read, a_zone_that_is_not_said)
{
    struct time_zone *zone = time_zone_fixed(-5 * 3600 - 1800);
    struct time_rules rules = {NULL, 0, zone};
    struct time_context c = {&rules, Y2026 + 12 * 3600 * S};
    struct time_said m;

    cr_assert(timestamp_read(&c, slice_str("2026-10-09 03:23:20"), &m));
    cr_expect_eq(m.ns, T, "the zone's");
    cr_assert(timestamp_read(&c, slice_str("2026-10-09T08:53:20Z"), &m));
    cr_expect_eq(m.ns, T, "its own");
    cr_assert(timestamp_read(&c, slice_str("2026/10/09 03:23:20.5"), &m));
    cr_expect_eq(m.ns, T + S / 2);
    cr_assert(timestamp_read(&c, slice_str("1791536000"), &m));
    cr_expect_eq(m.ns, T, "has none");
    cr_assert(timestamp_read(&c, slice_str("Dec 31 22:00:00"), &m));
    cr_expect_eq(m.ns, Y2026 + 3 * 3600 * S + 1800 * S, "of the year before, and after New Year");
    cr_expect_eq(m.guessed_year, 2025);
    time_zone_free(zone);
}
