#include "parsers/timestamp.h"
#include "parsers/timestamp_civil.h"

/* Exactly n digits at s.ptr + at. */
static bool digits(struct slice s, size_t at, size_t n, int *out)
{
    int value = 0;

    if (s.len < at + n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = value * 10 + (s.ptr[i] - '0');
    }
    *out = value;
    return true;
}

static bool char_at(struct slice s, size_t at, char c)
{
    return at < s.len && s.ptr[at] == c;
}

/* "2026-10-09" */
static bool take_date(struct slice s, struct civil *t)
{
    return digits(s, 0, 4, &t->year) && char_at(s, 4, '-') && digits(s, 5, 2, &t->month) &&
           char_at(s, 7, '-') && digits(s, 8, 2, &t->day);
}

/* "08:53:20" from offset 11 */
static bool take_time(struct slice s, struct civil *t)
{
    return digits(s, 11, 2, &t->hour) && char_at(s, 13, ':') && digits(s, 14, 2, &t->minute) &&
           char_at(s, 16, ':') && digits(s, 17, 2, &t->second);
}

size_t civil_take_fraction(struct slice s, int *ns)
{
    size_t n = 0;
    int scale = 100000000;

    *ns = 0;
    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9') {
        *ns += (s.ptr[n] - '0') * scale;
        scale /= 10;
        n++;
    }
    return n;
}

size_t civil_take_zone(struct slice s, int *offset_s)
{
    int hours;
    int minutes = 0;
    int sign;
    size_t used = 3;

    *offset_s = 0;
    if (char_at(s, 0, 'Z') || char_at(s, 0, 'z'))
        return 1;
    sign = char_at(s, 0, '+') ? 1 : char_at(s, 0, '-') ? -1 : 0;
    if (!sign || !digits(s, 1, 2, &hours))
        return 0;
    if (char_at(s, 3, ':') && digits(s, 4, 2, &minutes))
        used = 6;
    else if (digits(s, 3, 2, &minutes))
        used = 5;
    if (hours > 23 || minutes > 59)
        return 0;
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return used;
}

bool timestamp_parse_prefix(struct slice s, int64_t *ns, size_t *used)
{
    struct civil t = {0};
    size_t at = 19;

    if (s.len < 19 || (s.ptr[10] != 'T' && s.ptr[10] != 't' && s.ptr[10] != ' ') ||
        !take_date(s, &t) || !take_time(s, &t))
        return false;
    if (char_at(s, at, '.') || char_at(s, at, ',')) {
        size_t n = civil_take_fraction(slice_from(s, at + 1), &t.nanosecond);

        at += n ? 1 + n : 0; /* a comma or full stop of the sentence around it */
    }
    at += civil_take_zone(slice_from(s, at), &t.offset_s);
    *used = at;
    return civil_to_ns(&t, ns);
}

/* " +0200", " UTC", " +0000 UTC": what is left behind a time. */
static bool take_zone_behind_blank(struct slice rest, int64_t *ns)
{
    int offset_s = 0;
    size_t n;

    if (!slice_starts(rest, slice_str(" ")))
        return false;
    rest = slice_from(rest, 1);
    n = civil_take_zone(rest, &offset_s);
    rest = slice_from(rest, n && n < rest.len && rest.ptr[n] == ' ' ? n + 1 : n);
    *ns -= (int64_t)offset_s * 1000000000;
    return *ns >= 0 && ((n && !rest.len) || slice_is(rest, "UTC") || slice_is(rest, "GMT"));
}

bool timestamp_parse(struct slice s, int64_t *ns)
{
    size_t used;

    return timestamp_parse_prefix(s, ns, &used) &&
           (used == s.len || take_zone_behind_blank(slice_from(s, used), ns));
}

/* March 1973, in seconds. What is less is no time that a log was written at, but a duration or a
 * counter under a key called "time". */
enum { EPOCH_LEAST = 100000000 };

/* 10 digits are seconds, 13 ms, 16 us, 19 ns; between, by the nearest unit that gives a likely
 * year. */
static int64_t epoch_unit(uint64_t value)
{
    if (value < 100000000000u) /* until the year 5138 */
        return 1000000000;
    if (value < 100000000000000u)
        return 1000000;
    if (value < 100000000000000000u)
        return 1000;
    return 1;
}

bool timestamp_parse_epoch(struct slice s, int64_t *ns)
{
    const char *dot = s.len ? memchr(s.ptr, '.', s.len) : NULL;
    struct slice whole = dot ? slice_of(s.ptr, (size_t)(dot - s.ptr)) : s;
    int64_t value;
    int64_t unit;
    int fraction = 0;

    if (!slice_to_int(whole, &value) || value < EPOCH_LEAST)
        return false;
    unit = epoch_unit((uint64_t)value);
    if (dot) {
        struct slice rest = slice_from(s, whole.len + 1);

        if (rest.len == 0 || civil_take_fraction(rest, &fraction) != rest.len)
            return false;
    }
    if (value > INT64_MAX / unit - 1)
        return false;
    *ns = value * unit + (int64_t)fraction / (1000000000 / unit);
    return true;
}

static void put(char *out, int value, int n)
{
    while (n-- > 0) {
        out[n] = (char)('0' + value % 10);
        value /= 10;
    }
}

size_t timestamp_format(int64_t ns, char out[TIMESTAMP_TEXT_MAX])
{
    static const char form[] = "0000-00-00T00:00:00.";
    struct civil t;
    size_t len = sizeof form - 1;
    int n = 3;

    civil_from_ns(ns, &t);
    memcpy(out, form, len);
    put(out, t.year, 4);
    put(out + 5, t.month, 2);
    put(out + 8, t.day, 2);
    put(out + 11, t.hour, 2);
    put(out + 14, t.minute, 2);
    put(out + 17, t.second, 2);
    if (t.nanosecond % 1000)
        n = 9;
    else if (t.nanosecond % 1000000)
        n = 6;
    put(out + len,
        n == 9   ? t.nanosecond
        : n == 6 ? t.nanosecond / 1000
                 : t.nanosecond / 1000000,
        n);
    len += (size_t)n;
    out[len++] = 'Z';
    return len;
}
