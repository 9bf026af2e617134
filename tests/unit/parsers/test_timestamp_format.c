#include <criterion/criterion.h>
#include <stdio.h>

#include "parsers/timestamp.h"

#define S INT64_C(1000000000)
#define T (INT64_C(1791536000) * S)

static bool parse(const char *text, const char *format, int64_t *ns)
{
    static const struct time_context nothing;
    struct time_said m = {7, 0};
    bool is_time = timestamp_read_format(&nothing, slice_str(text), format, &m, NULL);

    *ns = m.ns;
    return is_time;
}

Test(timestamp_format, letters)
{
    static const struct {
        const char *format;
        const char *text;
        int64_t want; /* -1: does not match */
    } rows[] = {
        {"%Y-%m-%d %H:%M:%S", "2026-10-09 08:53:20", T},
        {"%Y-%m-%dT%H:%M:%S.%fZ", "2026-10-09T08:53:20.123Z", T + 123000000},
        {"%F %T,%L", "2026-10-09 08:53:20,123", T + 123000000},
        {"%F %T.%f", "2026-10-09 08:53:20.123456789123", T + 123456789},
        {"%d/%b/%Y:%H:%M:%S %z", "09/Oct/2026:10:53:20 +0200", T},
        {"%a, %d %b %Y %H:%M:%S %Z", "Fri, 09 Oct 2026 08:53:20 GMT", T},
        {"%A %B %e %Y %I:%M:%S %p", "Friday October  9 2026 08:53:20 AM", T},
        {"%b %d %Y %I:%M:%S %p", "oct 9 2026 8:53:20 pm", T + 12 * 3600 * S},
        {"%F %I:%M %p", "2026-10-09 12:00 AM", INT64_C(1791504000) * S},
        {"%F %I:%M %p", "2026-10-09 12:00 PM", INT64_C(1791547200) * S},
        {"%F %I:%M %p", "2026-10-09 13:00 PM", -1},
        {"%F %I:%M %p", "2026-10-09 0:10 AM", -1},
        {"%D %T", "10/09/26 08:53:20", T},
        {"%y%m%d %H%M%S", "261009 085320", T},
        {"%y", "69", -1},
        {"%y", "70", 0},
        {"%y", "68", INT64_C(3092601600) * S},
        {"%s", "1791536000", T},
        {"%s.%f", "1791536000.25", T + 250000000},
        {"%s", "9000000001", -1},
        {"%s", "", -1},
        {"%Y %j", "2026 282", INT64_C(1791504000) * S},
        {"%Y %j", "2024 366", INT64_C(1735603200) * S},
        {"%Y %j", "2026 366", -1},
        {"%Y %j", "2026 0", -1},
        {"%F%n%t%T", "2026-10-09 \t 08:53:20", T},
        {"%F %T", "2026-10-0908:53:20",
         T}, /* a blank stands for any number of them, as in strptime */
        {"100%% %F", "100% 2026-10-09", INT64_C(1791504000) * S},
        {"%F", "2026-10-09x", -1},
        {"%F", "2026-10-9", INT64_C(1791504000) * S},
        {"%F", "2026-02-30", -1},
        {"%F %T", "2026-10-09 24:00:00", -1},
        {"%F %T", "2026-10-09 08:53:60", T + 39 * S + 999999999},
        {"%F %Z", "2026-10-09 UTC", INT64_C(1791504000) * S},
        {"%F %Z", "2026-10-09 PST", INT64_C(1791532800) * S},
        {"%F %Z", "2026-10-09 CST", -1},
        {"%F %R", "2026-10-09 08:53", T - 20 * S},
        {"%F %k:%M:%S", "2026-10-09  8:53:20", T},
        {"%F %l:%M:%S %p", "2026-10-09  8:53:20 AM", T},
        {"%Y %j %T", "2024 060 08:53:20", INT64_C(1709196800) * S},
        {"%H:%M:%S", "08:53:20", -1},
        {"%b %d %T", "Oct 09 08:53:20", -1}, /* no year, and nothing to guess it by */
        {"%F %z", "2026-10-09 -01:00", INT64_C(1791507600) * S},
        {"%F %z", "2026-10-09 Z", INT64_C(1791504000) * S},
        {"%b", "Octopus", -1},
        {"%Y", "1969", -1},
        {"[%F]", "[2026-10-09]", INT64_C(1791504000) * S},
        {"[%F]", "[2026-10-09", -1},
        {"%F%", "2026-10-09%", -1},
        {"%Q", "x", -1},
        {"", "", -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = 7;
        bool is_time = parse(rows[i].text, rows[i].format, &ns);

        cr_expect_eq(is_time, rows[i].want >= 0, "%s: %s", rows[i].format, rows[i].text);
        cr_expect(!is_time || ns == rows[i].want, "%s: %s: %lld", rows[i].format, rows[i].text,
                  (long long)ns);
    }
}

Test(timestamp_format, months_and_days_by_name)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};

    for (int m = 0; m < 12; m++) {
        char full[32];
        char brief[32];
        char number[32];
        int64_t a = -1;
        int64_t b = -2;
        int64_t c = -3;

        snprintf(full, sizeof full, "7 %s 2026", months[m]);
        snprintf(brief, sizeof brief, "7 %.3s 2026", months[m]);
        snprintf(number, sizeof number, "7 %d 2026", m + 1);
        cr_expect(parse(full, "%d %b %Y", &a), "%s", full);
        cr_expect(parse(brief, "%d %B %Y", &b), "%s", brief);
        cr_expect(parse(number, "%d %m %Y", &c), "%s", number);
        cr_expect(a == b && b == c, "%s", full);
    }
}

Test(timestamp_format, what_is_known)
{
    static const struct {
        const char *format;
        char bad; /* 0: known */
    } rows[] = {
        {"%Y-%m-%d %H:%M:%S.%f %z", 0},
        {"plain", 0},
        {"%%", 0},
        {"%Q", 'Q'},
        {"%Y %q", 'q'},
        {"%Ey", 'E'},
        {"%5Y", '5'},
    };
    char bad;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bad = 0;
        cr_expect_eq(timestamp_format_is_known(rows[i].format, &bad), rows[i].bad == 0, "%s",
                     rows[i].format);
        cr_expect_eq(bad, rows[i].bad, "%s", rows[i].format);
    }
    cr_expect_not(timestamp_format_is_known("100%", &bad), "a percent sign at the end");
}
