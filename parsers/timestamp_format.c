/* strptime, without locale and TZ. */
#include "parsers/time_zone.h"
#include "parsers/timestamp.h"
#include "parsers/timestamp_civil.h"
#include "parsers/timestamp_resolve.h"

struct reading {
    const struct time_zone *zone; /* whose abbreviations count first; may be NULL */
    struct slice rest;
    struct civil t;
    bool is_pm;
    bool is_12_hours;
    bool has_year, has_month, has_day;
    bool is_day_of_year; /* %j: t.day counts from the first of January */
    bool is_epoch;       /* %s: the time is whole already */
    int64_t epoch_s;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(struct reading *r)
{
    while (r->rest.len && is_blank(*r->rest.ptr))
        r->rest = slice_from(r->rest, 1);
}

/* At most `most` digits, at least one; blanks before them, as in strptime. */
static bool number(struct reading *r, size_t most, int *out)
{
    size_t n = 0;

    *out = 0;
    while (r->rest.len && *r->rest.ptr == ' ')
        r->rest = slice_from(r->rest, 1);
    while (n < most && n < r->rest.len && r->rest.ptr[n] >= '0' && r->rest.ptr[n] <= '9')
        *out = *out * 10 + (r->rest.ptr[n++] - '0');
    r->rest = slice_from(r->rest, n);
    return n > 0;
}

/* One of the names, in full or its first three letters; its index in *out. */
static bool name(struct reading *r, const char *const *names, int n_names, int *out)
{
    for (int i = 0; i < n_names; i++) {
        struct slice full = slice_str(names[i]);
        size_t lens[2] = {full.len, 3};

        for (int j = 0; j < 2; j++)
            if (r->rest.len >= lens[j] &&
                slice_eq_nocase(slice_of(r->rest.ptr, lens[j]), slice_of(full.ptr, lens[j]))) {
                *out = i;
                r->rest = slice_from(r->rest, lens[j]);
                return true;
            }
    }
    return false;
}

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

static bool zone(struct reading *r)
{
    size_t n = 0;

    while (n < r->rest.len && r->rest.ptr[n] >= 'A' && r->rest.ptr[n] <= 'Z')
        n++;
    if (!r->zone || !n || !time_zone_knows(r->zone, slice_of(r->rest.ptr, n), &r->t.offset_s))
        n = civil_take_zone_name(r->rest, &r->t.offset_s);
    if (!n)
        n = civil_take_zone(r->rest, &r->t.offset_s);
    r->rest = slice_from(r->rest, n);
    r->t.has_zone = n > 0;
    return n > 0;
}

static bool fraction(struct reading *r)
{
    size_t n = civil_take_fraction(r->rest, &r->t.nanosecond);

    r->rest = slice_from(r->rest, n);
    return n > 0;
}

static bool seconds_since_1970(struct reading *r)
{
    size_t n = 0;

    while (n < r->rest.len && r->rest.ptr[n] >= '0' && r->rest.ptr[n] <= '9')
        n++;
    if (!slice_to_int(slice_of(r->rest.ptr, n), &r->epoch_s) || r->epoch_s > 9000000000)
        return false;
    r->rest = slice_from(r->rest, n);
    r->is_epoch = true;
    return true;
}

static bool read_format(struct reading *r, const char *format);

static bool twelve_hours(struct reading *r)
{
    r->is_12_hours = true;
    return number(r, 2, &r->t.hour) && r->t.hour >= 1 && r->t.hour <= 12;
}

static bool half_of_day(struct reading *r)
{
    static const char *const halves[] = {"AM", "PM"};

    for (int i = 0; i < 2; i++)
        if (r->rest.len >= 2 && slice_eq_nocase(slice_of(r->rest.ptr, 2), slice_str(halves[i]))) {
            r->is_pm = i;
            r->rest = slice_from(r->rest, 2);
            return true;
        }
    return false;
}

static bool year(struct reading *r)
{
    r->has_year = true;
    return number(r, 4, &r->t.year);
}

static bool short_year(struct reading *r)
{
    r->has_year = true;
    if (!number(r, 2, &r->t.year))
        return false;
    r->t.year += r->t.year < 69 ? 2000 : 1900; /* POSIX */
    return true;
}

static bool month_by_name(struct reading *r)
{
    r->has_month = true;
    if (!name(r, months, 12, &r->t.month))
        return false;
    r->t.month++;
    return true;
}

static bool percent(struct reading *r)
{
    if (!r->rest.len || *r->rest.ptr != '%')
        return false;
    r->rest = slice_from(r->rest, 1);
    return true;
}

/* The letters of a date. */
static bool read_date_letter(struct reading *r, char letter)
{
    int ignored;

    switch (letter) {
    case 'Y':
        return year(r);
    case 'y':
        return short_year(r);
    case 'm':
        r->has_month = true;
        return number(r, 2, &r->t.month);
    case 'd':
    case 'e':
        r->has_day = true;
        return number(r, 2, &r->t.day);
    case 'b':
    case 'B':
    case 'h':
        return month_by_name(r);
    case 'a':
    case 'A':
        return name(r, days, 7, &ignored);
    case 'j':
        r->is_day_of_year = true;
        return number(r, 3, &r->t.day);
    case 'F':
        return read_format(r, "%Y-%m-%d");
    case 'D':
        return read_format(r, "%m/%d/%y");
    default:
        return false;
    }
}

/* The others. */
static bool read_letter(struct reading *r, char letter)
{
    switch (letter) {
    case 'H':
    case 'k':
        return number(r, 2, &r->t.hour);
    case 'I':
    case 'l':
        return twelve_hours(r);
    case 'p':
        return half_of_day(r);
    case 'M':
        return number(r, 2, &r->t.minute);
    case 'S':
        return number(r, 2, &r->t.second);
    case 'f':
    case 'L':
        return fraction(r);
    case 'z':
    case 'Z':
        return zone(r);
    case 's':
        return seconds_since_1970(r);
    case 'T':
        return read_format(r, "%H:%M:%S");
    case 'R':
        return read_format(r, "%H:%M");
    case 'n':
    case 't':
        skip_blanks(r);
        return true;
    case '%':
        return percent(r);
    default:
        return read_date_letter(r, letter);
    }
}

static void maybe_fraction(struct reading *r)
{
    size_t n;

    if (!r->rest.len || (*r->rest.ptr != '.' && *r->rest.ptr != ','))
        return;
    n = civil_take_fraction(slice_from(r->rest, 1), &r->t.nanosecond);
    r->rest = slice_from(r->rest, n ? n + 1 : 0);
}

/* One directly behind the time, or behind a blank. */
static void maybe_zone(struct reading *r)
{
    struct slice before = r->rest;

    if (r->rest.len && *r->rest.ptr == ' ')
        r->rest = slice_from(r->rest, 1);
    if (!zone(r))
        r->rest = before;
}

static bool read_format(struct reading *r, const char *format)
{
    for (; *format; format++) {
        if (*format == '%') {
            if (!*++format || !read_letter(r, *format))
                return false;
        } else if (*format == TIMESTAMP_MAYBE_FRACTION[0]) {
            maybe_fraction(r);
        } else if (*format == TIMESTAMP_MAYBE_ZONE[0]) {
            maybe_zone(r);
        } else if (is_blank(*format)) {
            skip_blanks(r);
        } else {
            if (!r->rest.len || *r->rest.ptr != *format)
                return false;
            r->rest = slice_from(r->rest, 1);
        }
    }
    return true;
}

bool timestamp_format_is_known(const char *format, char *bad)
{
    for (; *format; format++) {
        if (*format != '%')
            continue;
        format++;
        if (!*format || !strchr("YymdebBhaAjHIklpMSfLzZsFTRDnt%", *format)) {
            *bad = *format;
            return false;
        }
    }
    return true;
}

/* Whether one of the letters stands in the format behind a percent sign. */
static bool has_letter(const char *format, const char *letters)
{
    for (; *format; format++)
        if (*format == '%' && *++format && strchr(letters, *format))
            return true;
    return false;
}

bool timestamp_format_has_day(const char *format)
{
    return has_letter(format, "YyFDs") || (has_letter(format, "mbBh") && has_letter(format, "de"));
}

/* Month and day of the year's n-th day. */
static bool from_day_of_year(struct civil *t)
{
    int left = t->day;

    if (left < 1 || left > (civil_is_leap(t->year) ? 366 : 365))
        return false;
    for (t->month = 1; left > civil_days_in(t->month, t->year); t->month++)
        left -= civil_days_in(t->month, t->year);
    t->day = left;
    return true;
}

static bool resolve(const struct time_context *c, struct reading *r, struct time_said *out)
{
    if (r->is_epoch) {
        *out = (struct time_said){r->epoch_s * 1000000000 + r->t.nanosecond, 0};
        return true;
    }
    if (r->is_12_hours)
        r->t.hour = r->t.hour % 12 + (r->is_pm ? 12 : 0);
    if (r->is_day_of_year && (!r->has_year || !from_day_of_year(&r->t)))
        return false;
    r->t.has_no_year = !r->has_year;
    if (!r->has_year && (!r->has_month || !r->has_day))
        return false;
    return timestamp_resolve(c, &r->t, out);
}

bool timestamp_read_format(const struct time_context *c, struct slice s, const char *format,
                           struct time_said *out, size_t *used)
{
    struct reading r = {.zone = c->rules ? c->rules->zone : NULL,
                        .rest = s,
                        .t = {.year = 1970, .month = 1, .day = 1}};

    if (!read_format(&r, format) || (!used && r.rest.len))
        return false;
    if (used)
        *used = s.len - r.rest.len;
    return resolve(c, &r, out);
}
