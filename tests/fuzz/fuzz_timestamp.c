#define _GNU_SOURCE /* strptime, timegm */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "parsers/time_zone.h"
#include "parsers/time_zone_rule.h"
#include "parsers/timestamp.h"
#include "tests/fuzz/targets.h"

#define SECOND_NS INT64_C(1000000000)
/* 2261-12-31T23:59:59Z, the last second that is a time */
#define LAST_S INT64_C(9214646399)

enum { TEXT_MAX = 200 };

/* What both sides read alike: no zones, no fractions, no epoch (strptime's is the local one). */
static const char *const formats[] = {
    "%Y-%m-%d %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S",
    "%a %b %e %H:%M:%S %Y",
    "%D %I:%M:%S %p",
    "%Y %j %T",
    "%F%n%R:%S",
    "%y%m%d%H%M%S",
    "%A, %d %B %Y %k:%M:%S",
    "%m/%d/%y %l:%M:%S %p",
    "%b %d %Y%t%T",
    "%Y%m%dT%H%M%S",
    "100%% %h %e, %Y %T",
};

static const struct time_context nothing;

static void must(bool holds, const char *what, const char *format, const char *text)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_timestamp: %s: \"%s\": \"%s\"\n", what, format, text);
    abort();
}

/* What ship takes for a time, strptime takes for the same one. (It takes more: 31 February, "7x5"
 * cut between the digits.) */
static void hold_against_strptime(const char *format, struct slice text)
{
    char copy[TEXT_MAX + 1];
    struct tm tm = {.tm_mday = 1, .tm_year = 70};
    struct time_said m;
    const char *end;
    bool is_leap;

    if (text.len > TEXT_MAX || (text.len && memchr(text.ptr, '\0', text.len)) ||
        !timestamp_read_format(&nothing, text, format, &m, NULL))
        return;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    end = strptime(copy, format, &tm);
    must(end && !*end, "no time to strptime", format, copy);
    is_leap = tm.tm_sec == 60;
    tm.tm_sec -= is_leap;
    must(m.ns == (int64_t)timegm(&tm) * SECOND_NS + (is_leap ? SECOND_NS - 1 : 0),
         "another time to strptime", format, copy);
}

/* What strftime writes is read back. */
static void hold_against_strftime(const char *format, struct slice bytes)
{
    char text[TEXT_MAX];
    uint64_t raw = 0;
    time_t s;
    struct tm tm;
    struct time_said m = {-1, 0};
    size_t n;

    if (bytes.len < sizeof raw)
        return;
    memcpy(&raw, bytes.ptr, sizeof raw);
    s = (time_t)(raw % (uint64_t)LAST_S);
    if (strstr(format, "%y") || strstr(format, "%D"))
        s %= INT64_C(3124224000); /* of the years 1970 to 2068 two digits tell which */
    gmtime_r(&s, &tm);
    n = strftime(text, sizeof text, format, &tm);
    must(timestamp_read_format(&nothing, slice_of(text, n), format, &m, NULL), "not read back",
         format, text);
    must(m.ns == (int64_t)s * SECOND_NS, "read back as another", format, text);
}

static void check_moment(bool is_time, const struct time_said *m, const char *what)
{
    must(!is_time || m->ns >= 0, "before 1970", what, "");
    must(!is_time || !m->guessed_year || (m->guessed_year >= 1970 && m->guessed_year <= 2261),
         "a year that none is", what, "");
}

/* Anything, by anything: a format in the first line, or a zone's file in all of it. */
static void read_anything(struct slice bytes)
{
    struct err e = {0};
    struct time_zone *zone = time_zone_make(bytes, &e);
    struct zone_rule rule;
    char format[TEXT_MAX + 1];
    const char *list[] = {format};
    struct time_rules rules = {list, 0, zone};
    struct time_context c = {&rules, INT64_C(1791536000) * SECOND_NS};
    struct slice text = bytes;
    struct slice line;
    struct time_said m;
    size_t used = 0;

    if (zone)
        must(abs(time_zone_offset(zone, 1791536000)) <= 200 * 3600, "a zone out of bounds", "", "");
    if (zone_rule_parse(bytes, &rule))
        zone_rule_offset(&rule, 1791536000);
    check_moment(timestamp_read(&c, text, &m), &m, "any text");
    if (timestamp_read_prefix(&c, text, &m, &used))
        must(used > 0 && used <= text.len, "a prefix out of bounds", "", "");
    if (slice_cut(&text, '\n', &line) && line.len < TEXT_MAX) {
        memcpy(format, line.ptr, line.len);
        format[line.len] = '\0';
        rules.n_formats = 1;
        check_moment(timestamp_read(&c, text, &m), &m, format);
        if (timestamp_read_prefix(&c, text, &m, &used))
            must(used <= text.len, "a prefix out of bounds", format, "");
    }
    time_zone_free(zone);
}

int fuzz_timestamp(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    const char *format;

    if (!size)
        return 0;
    format = formats[data[0] % (sizeof formats / sizeof formats[0])];
    hold_against_strptime(format, slice_from(bytes, 1));
    hold_against_strftime(format, slice_from(bytes, 1));
    read_anything(bytes);
    return 0;
}
