#include <criterion/criterion.h>
#include <time.h>

#include "parsers/timestamp.h"
#include "parsers/timestamp_civil.h"

#define S INT64_C(1000000000)
/* 2026-10-09T08:53:20Z */
#define T (INT64_C(1791536000) * S)

struct row {
    const char *text;
    int64_t want; /* -1: no time */
};

Test(timestamp, parse)
{
    static const struct row rows[] = {
        {"2026-10-09T08:53:20Z", T},
        {"2026-10-09T08:53:20.123Z", T + 123000000},
        {"2026-10-09t08:53:20.123z", T + 123000000},
        {"2026-10-09 08:53:20", T},
        {"2026-10-09 08:53:20,123", T + 123000000},
        {"2026-10-09 08:53:20,123+0000", T + 123000000},
        {"2026-10-09T08:53:20.123456789Z", T + 123456789},
        {"2026-10-09T08:53:20.1234567899999Z", T + 123456789},
        {"2026-10-09T08:53:20.1Z", T + 100000000},
        {"2026-10-09T10:53:20+02:00", T},
        {"2026-10-09T10:53:20+0200", T},
        {"2026-10-09T10:53:20+02", T},
        {"2026-10-09T03:23:20-05:30", T},
        {"2026-10-10T08:53:20+24:00", -1},
        {"2026-10-09T08:53:20+02:60", -1},
        {"2026-10-09 10:53:20 +0200", T},
        {"2026-10-09 10:53:20.5 +0200", T + 500000000},
        {"2026-10-09 08:53:20 UTC", T},
        {"2026-10-09 08:53:20 GMT", T},
        {"2026-10-09 08:53:20.123 +0000 UTC", T + 123000000},
        {"2026-10-09 10:53:20 CEST", T},
        {"2026-10-09 10:53:20.5 +0200 CEST", T + 500000000},
        {"2026-10-09 03:53:20 CST", -1}, /* Chicago's, Havana's or Shanghai's */
        {"2026-10-09 08:53:20 +0000 XYZ", -1},
        {"2026-10-09 08:53:20 Z", T},
        {"2026-10-09 08:53:20 ", -1},
        {"2026-10-09T08:53:60Z", T + 39 * S + 999999999},
        {"2026-10-09T08:53:61Z", -1},
        {"2026-10-09T24:00:00Z", -1},
        {"2026-10-09T08:60:00Z", -1},
        {"2026-13-09T08:53:20Z", -1},
        {"2026-00-09T08:53:20Z", -1},
        {"2026-10-00T08:53:20Z", -1},
        {"2026-10-32T08:53:20Z", -1},
        {"2026-02-29T08:53:20Z", -1},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800) * S},
        {"2100-02-29T00:00:00Z", -1},
        {"2000-02-29T00:00:00Z", INT64_C(951782400) * S},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00+01:00", -1},
        {"1969-12-31T23:59:59Z", -1},
        {"0001-01-01T00:00:00Z", -1}, /* .NET's DateTime.MinValue */
        {"2261-12-31T23:59:59.999999999Z", INT64_C(9214646399) * S + 999999999},
        {"2262-01-01T00:00:00Z", -1},
        {"9999-12-31T23:59:59Z", -1},
        {"2026-10-09", -1},
        {"2026-10-09T08:53", -1},
        {"2026-10-09T08:53:20.", -1},
        {"2026-10-09T08:53:20,", -1},
        {"2026-10-09T08:53:20Zx", -1},
        {"2026-10-09X08:53:20Z", -1},
        {"2026/10/09T08:53:20Z", -1},
        {"x2026-10-09T08:53:20Z", -1},
        {"+026-10-09T08:53:20Z", -1},
        {"2026-10-09T08:53: 0Z", -1},
        {"", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = 7;
        bool is_time = timestamp_parse(slice_str(rows[i].text), &ns);

        cr_expect_eq(is_time, rows[i].want >= 0, "%s", rows[i].text);
        cr_expect(!is_time || ns == rows[i].want, "%s: %lld", rows[i].text, (long long)ns);
    }
}

Test(timestamp, prefix)
{
    static const struct {
        const char *text;
        size_t used; /* 0: no time */
    } rows[] = {
        {"2026-10-09T08:53:20.123Z text", 24},
        {"2026-10-09 08:53:20 text", 19},
        {"2026-10-09 08:53:20, text", 19},
        {"2026-10-09 08:53:20. Text", 19},
        {"2026-10-09 08:53:20,5 text", 21},
        {"2026-10-09 08:53:20 +0200", 25},
        {"2026-10-09 08:53:20 +0200 text", 25},
        {"2026-10-09 08:53:20 +0200text", 19},
        {"2026-10-09 08:53:20 UTC text", 23},
        {"2026-10-09 08:53:20 UTCX text", 19},
        {"2026-10-09 08:53:20 Zoe came", 19},
        {"2026-10-09 08:53:20 +0000 UTC text", 29},
        {"2026-10-09 08:53:20 +0000 text", 25},
        {"2026-10-09T08:53:20+02:0", 22},
        {"2026-10-09T08:53:20-x", 19},
        {"2026-10-09T08:53:2", 0},
        {"text", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns;
        size_t used = 0;

        cr_expect_eq(timestamp_parse_prefix(slice_str(rows[i].text), &ns, &used), rows[i].used > 0,
                     "%s", rows[i].text);
        cr_expect(!rows[i].used || used == rows[i].used, "%s: %zu", rows[i].text, used);
    }
}

Test(timestamp, epoch)
{
    static const struct row rows[] = {
        {"1791536000", T},
        {"1791536000.5", T + 500000000},
        {"1791536000.123456789", T + 123456789},
        {"1791536000123", T + 123000000},
        {"1791536000123.25", T + 123250000},
        {"1791536000123456", T + 123456000},
        {"1791536000123456789", T + 123456789},
        {"1791536000123456.75", T + 123456750},
        {"100000000", INT64_C(100000000) * S},
        {"99999999", -1}, /* eight digits: a duration, a counter */
        {"0", -1},
        {"53", -1},
        {"9214646400", INT64_C(9214646400) * S},
        {"99999999999", -1}, /* beyond what ns can hold */
        {"9223372036854775807", -1},
        {"9223372036854775808", -1},
        {"99999999999999999999", -1},
        {"-1791536000", -1},
        {"1.791536e9", -1},
        {"1791536000.", -1},
        {"1791536000.x", -1},
        {"1791536000x", -1},
        {".5", -1},
        {"", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = 7;
        bool is_time = timestamp_parse_epoch(slice_str(rows[i].text), &ns);

        cr_expect_eq(is_time, rows[i].want >= 0, "%s", rows[i].text);
        cr_expect(!is_time || ns == rows[i].want, "%s: %lld", rows[i].text, (long long)ns);
    }
}

Test(timestamp, written_with_the_digits_it_needs)
{
    static const struct {
        int64_t ns;
        const char *want;
    } rows[] = {
        {T, "2026-10-09T08:53:20.000Z"},
        {T + 123000000, "2026-10-09T08:53:20.123Z"},
        {T + 123456000, "2026-10-09T08:53:20.123456Z"},
        {T + 123456789, "2026-10-09T08:53:20.123456789Z"},
        {T + 1, "2026-10-09T08:53:20.000000001Z"},
        {T + 1000, "2026-10-09T08:53:20.000001Z"},
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[TIMESTAMP_TEXT_MAX];
        size_t len = timestamp_format(rows[i].ns, text);

        cr_expect(slice_is(slice_of(text, len), rows[i].want), "%.*s", (int)len, text);
    }
}

/* Every day of the range, held against the C library; and back. */
Test(timestamp, every_day_against_timegm)
{
    for (int64_t day = 0; day < 106650; day++) {
        time_t s = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        struct civil t;
        int64_t ns = 0;

        gmtime_r(&s, &tm);
        civil_from_ns((int64_t)s * S + 7, &t);
        cr_assert(t.year == tm.tm_year + 1900 && t.month == tm.tm_mon + 1 && t.day == tm.tm_mday &&
                      t.hour == tm.tm_hour && t.minute == tm.tm_min && t.second == tm.tm_sec &&
                      t.nanosecond == 7,
                  "day %lld", (long long)day);
        cr_assert(civil_to_ns(&t, &ns) && ns == (int64_t)s * S + 7, "day %lld", (long long)day);
    }
}

/* What is written is read back as the same. */
Test(timestamp, there_and_back)
{
    uint64_t x = 88172645463325252u; /* xorshift: any seed does */

    for (int i = 0; i < 100000; i++) {
        char text[TIMESTAMP_TEXT_MAX];
        int64_t ns;
        int64_t back = -1;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        ns = (int64_t)(x % (uint64_t)(INT64_C(9214646400) * S));
        cr_assert(timestamp_parse(slice_of(text, timestamp_format(ns, text)), &back));
        cr_assert_eq(back, ns);
    }
}
