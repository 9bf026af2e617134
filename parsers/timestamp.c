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

/* " +0200", " CEST", " +0200 CEST" (Go, Ruby, date), with a blank or nothing behind it. */
static size_t take_zone_behind_blank(struct slice s, int *offset_s)
{
    int ignored;
    size_t n = 1;
    size_t number;
    size_t name;

    if (!char_at(s, 0, ' '))
        return 0;
    number = civil_take_zone(slice_from(s, n), offset_s);
    if (number == 1 && s.len > 2 && s.ptr[2] != ' ') /* a word that begins with Z */
        number = 0;
    n += number;
    if (number && char_at(s, n, ' ')) {
        name = civil_take_zone_name(slice_from(s, n + 1), &ignored);
        if (name && (n + 1 + name == s.len || s.ptr[n + 1 + name] == ' '))
            n += 1 + name;
    } else if (!number) {
        n += civil_take_zone_name(slice_from(s, n), offset_s);
    }
    return n > 1 && (n == s.len || s.ptr[n] == ' ') ? n : 0;
}

size_t civil_take_rfc3339(struct slice s, struct civil *t)
{
    size_t at = 19;
    size_t n;

    if (s.len < 19 || !take_moment(s.ptr, t))
        return 0;
    if (char_at(s, at, '.') || char_at(s, at, ',')) {
        n = civil_take_fraction(slice_from(s, at + 1), &t->nanosecond);
        at += n ? 1 + n : 0; /* a comma or full stop of the sentence around it */
    }
    n = civil_take_zone(slice_from(s, at), &t->offset_s);
    if (!n && char_at(s, at, ' '))
        n = take_zone_behind_blank(slice_from(s, at), &t->offset_s);
    t->has_zone = n > 0;
    return at + n;
}

bool timestamp_parse_prefix(struct slice s, int64_t *ns, size_t *used)
{
    struct civil t = {0};

    *used = civil_take_rfc3339(s, &t);
    return *used && civil_to_ns(&t, ns);
}

bool timestamp_parse(struct slice s, int64_t *ns)
{
    size_t used;

    return timestamp_parse_prefix(s, ns, &used) && used == s.len;
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
