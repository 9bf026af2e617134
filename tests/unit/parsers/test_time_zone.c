/* Zones of the system's tzdata, held against the C library; and files that are none. */
#define _GNU_SOURCE /* timegm */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "config/times.h"
#include "parsers/time_zone_rule.h"

static void use_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static struct time_zone *open_zone(const char *name)
{
    struct err e = {0};
    struct time_zone *z = time_zone_open(name, &e);

    cr_expect(z, "%s: %s", name, e.what);
    return z;
}

static int64_t local_of(time_t utc, int *offset)
{
    struct tm tm;

    localtime_r(&utc, &tm);
    tm.tm_isdst = 0;
    *offset = (int)(timegm(&tm) - utc);
    return utc + *offset;
}

/* Each local time that a clock showed is led back to the moment when it did, or to the first of
 * two such moments. */
static void check_zone(const char *name, int64_t step_s)
{
    struct time_zone *z = open_zone(name);

    use_zone(name);
    for (int64_t utc = 0; z && utc < INT64_C(7000000000); utc += step_s) {
        int said;
        int64_t local = local_of(utc, &said);
        int found = time_zone_offset(z, local);
        int again;

        if (found == said)
            continue;
        cr_expect(local_of(local - found, &again) == local && found > said, "%s: %lld: %d for %d",
                  name, (long long)utc, found, said);
        if (found <= said)
            break;
    }
    time_zone_free(z);
}

Test(time_zone, against_the_c_library)
{
    static const char *const names[] = {
        "Europe/Berlin",  "America/New_York",  "America/St_Johns", "Australia/Lord_Howe",
        "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Chatham",  "Europe/Dublin",
        "Asia/Kolkata",   "Africa/Casablanca", "Etc/GMT+7",        "Australia/Sydney",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_zone(names[i], 86400 * 3 + 3607);
}

Test(time_zone, around_the_changes)
{
    static const struct {
        const char *name;
        int64_t local; /* as if it were UTC */
        int want;
        const char *because;
    } rows[] = {
        {"Europe/Berlin", 1792893540, 7200, "2026-10-25 01:59: summer"},
        {"Europe/Berlin", 1792895400, 7200, "2026-10-25 02:30 comes twice: the first"},
        {"Europe/Berlin", 1792897200, 3600, "2026-10-25 03:00: winter"},
        {"Europe/Berlin", 1774747740, 3600, "2026-03-29 01:29: winter"},
        {"Europe/Berlin", 1774751400, 3600, "2026-03-29 02:30 never was: 03:30 summer time"},
        {"Europe/Berlin", 1774756800, 7200, "2026-03-29 04:00: summer"},
        {"Europe/Berlin", 4109979600, 7200, "2100-03-29 05:00: by the rule"},
        {"America/New_York", 1793496600, -14400, "2026-11-01 01:30: the first"},
        {"UTC", 0, 0, ""},
        {"+05:30", 0, 19800, ""},
        {"-0800", 0, -28800, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct time_zone *z = open_zone(rows[i].name);

        cr_expect_eq(time_zone_offset(z, rows[i].local), rows[i].want, "%s: %d", rows[i].because,
                     time_zone_offset(z, rows[i].local));
        time_zone_free(z);
    }
}

Test(time_zone, abbreviations_of_its_own)
{
    struct time_zone *z = open_zone("America/Chicago");
    int offset = 0;

    cr_expect(time_zone_knows(z, slice_str("CST"), &offset));
    cr_expect_eq(offset, -21600);
    cr_expect(time_zone_knows(z, slice_str("CDT"), &offset));
    cr_expect_eq(offset, -18000);
    cr_expect_not(time_zone_knows(z, slice_str("CET"), &offset));
    cr_expect_not(time_zone_knows(z, slice_of(NULL, 0), &offset));
    time_zone_free(z);
}

Test(time_zone, names_that_are_none)
{
    static const char *const names[] = {"Europe/Nowhere", "../../etc/passwd",
                                        "/etc/passwd",    "Europe",
                                        "tzdata.zi",      "CEST",
                                        "+25:00",         ""};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct err e = {0};

        cr_expect_null(time_zone_open(names[i], &e), "%s", names[i]);
        cr_expect_eq(e.code, ERR_CONFIG, "%s", names[i]);
        cr_expect(strstr(e.what, "want"), "%s: %s", names[i], e.what);
    }
}

Test(time_zone, rules)
{
    static const struct {
        const char *text;
        bool is_rule;
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", true},
        {"EST5EDT,M3.2.0,M11.1.0", true},
        {"<+0330>-3:30", true},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", true},
        {"XXX3:00:30YYY2,J60/0,300/24", true},
        {"UTC0", true},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", true},
        {"", false},
        {"C1", false},
        {"CET", false},
        {"CET-1CEST", false},
        {"CET-1CEST,M3.5.0", false},
        {"CET-1CEST,M13.5.0,M10.5.0", false},
        {"CET-1CEST,M3.6.0,M10.5.0", false},
        {"CET-1CEST,M3.5.7,M10.5.0", false},
        {"CET-1CEST,J0,J366", false},
        {"CET-168", false},
        {"<+03-3", false},
        {"CET-1CEST,M3.5.0,M10.5.0x", false},
    };
    struct zone_rule rule;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(zone_rule_parse(slice_str(rows[i].text), &rule), rows[i].is_rule, "%s",
                     rows[i].text);
}

/* The rule alone, over the years, as glibc reads it. */
Test(time_zone, rules_against_the_c_library)
{
    static const char *const rules[] = {
        "CET-1CEST,M3.5.0,M10.5.0/3",       "EST5EDT,M3.2.0,M11.1.0",
        "AEST-10AEDT,M10.1.0,M4.1.0/3",     "XXX3YYY,J60/0,J300/1",
        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "AAA2BBB,59/2,300/2"};

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct zone_rule rule;

        use_zone(rules[i]);
        cr_assert(zone_rule_parse(slice_str(rules[i]), &rule));
        for (int64_t utc = 86400 * 365; utc < INT64_C(6000000000); utc += 86400 * 2 + 3593) {
            int offset;

            local_of(utc, &offset);
            if (zone_rule_offset(&rule, utc) != offset) {
                cr_expect_fail("%s: %lld: %d for %d", rules[i], (long long)utc,
                               zone_rule_offset(&rule, utc), offset);
                break;
            }
        }
    }
}

/* Whatever is cut off or flipped in a file of a zone, it is refused or harmless. */
Test(time_zone, damaged_files)
{
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    char bytes[8192];
    size_t len;
    struct err e = {0};

    cr_assert(f);
    len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    cr_assert_gt(len, 1000);
    for (size_t n = 0; n < len; n++) {
        char *cut = malloc(n + 1);
        struct time_zone *z;

        memcpy(cut, bytes, n);
        z = time_zone_make(slice_of(cut, n), &e);
        cr_expect_null(z, "%zu", n);
        time_zone_free(z);
        free(cut);
    }
    for (size_t i = 0; i < len; i++) {
        struct time_zone *z;

        bytes[i] = (char)(bytes[i] ^ 0x55);
        z = time_zone_make(slice_of(bytes, len), &e);
        if (z)
            time_zone_offset(z, 1791536000);
        time_zone_free(z);
        bytes[i] = (char)(bytes[i] ^ 0x55);
    }
}
