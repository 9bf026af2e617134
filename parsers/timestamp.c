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

/* Two digits; what is none is told in *bad. */
static inline int pair(const char *p, unsigned *bad)
{
    unsigned high = (unsigned)(p[0] - '0');
    unsigned low = (unsigned)(p[1] - '0');

    *bad |= (unsigned)(high > 9) | (unsigned)(low > 9);
    return (int)(high * 10 + low);
}

/* "2026-10-09T08:53:20", 19 bytes */
static bool take_moment(const char *p, struct civil *t)
{
    unsigned bad = 0;

    t->year = pair(p, &bad) * 100 + pair(p + 2, &bad);
    t->month = pair(p + 5, &bad);
    t->day = pair(p + 8, &bad);
    t->hour = pair(p + 11, &bad);
    t->minute = pair(p + 14, &bad);
    t->second = pair(p + 17, &bad);
    return !bad && p[4] == '-' && p[7] == '-' && (p[10] == 'T' || p[10] == 't' || p[10] == ' ') &&
           p[13] == ':' && p[16] == ':';
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

    if (s.len < 19 || !take_moment(s.ptr, &t))
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

static void put_pair(char *out, int value)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";

    memcpy(out, pairs + 2 * value, 2);
}

/* Three digits. */
static void put_thousandth(char *out, int value)
{
    *out = (char)('0' + value / 100);
    put_pair(out + 1, value % 100);
}

size_t timestamp_format(int64_t ns, char out[TIMESTAMP_TEXT_MAX])
{
    struct civil t;
    int fraction;
    size_t len = 23;

    civil_from_ns(ns, &t);
    fraction = t.nanosecond;
    memcpy(out, "0000-00-00T00:00:00.", 20);
    put_pair(out, t.year / 100);
    put_pair(out + 2, t.year % 100);
    put_pair(out + 5, t.month);
    put_pair(out + 8, t.day);
    put_pair(out + 11, t.hour);
    put_pair(out + 14, t.minute);
    put_pair(out + 17, t.second);
    put_thousandth(out + 20, fraction / 1000000);
    fraction %= 1000000;
    if (fraction) {
        put_thousandth(out + 23, fraction / 1000);
        fraction %= 1000;
        len = 26;
    }
    if (fraction) {
        put_thousandth(out + 26, fraction);
        len = 29;
    }
    out[len++] = 'Z';
    return len;
}
