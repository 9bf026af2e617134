/* strptime, without locale and TZ. */
#include "parsers/timestamp.h"
#include "parsers/timestamp_civil.h"

struct reading {
    struct slice rest;
    struct civil t;
    bool is_pm;
    bool is_12_hours;
    bool is_day_of_year; /* %j: t.day counts from the first of January */
    bool is_epoch;       /* %s: the time is whole already */
    int64_t epoch_s;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reading *r)
{
    while (r->rest.len && is_blank(*r->rest.ptr))
        r->rest = slice_from(r->rest, 1);
}

/* At most `most` digits, at least one. */
static bool number(struct reading *r, size_t most, int *out)
{
    size_t n = 0;

    *out = 0;
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
    static const char *const utc[] = {"UTC", "GMT"};
    int i;
    size_t n;

    if (name(r, utc, 2, &i))
        return true;
    n = civil_take_zone(r->rest, &r->t.offset_s);
    r->rest = slice_from(r->rest, n);
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

static bool short_year(struct reading *r)
{
    if (!number(r, 2, &r->t.year))
        return false;
    r->t.year += r->t.year < 69 ? 2000 : 1900; /* POSIX */
    return true;
}

static bool read_letter(struct reading *r, char letter)
{
    int ignored;

    switch (letter) {
    case 'Y':
        return number(r, 4, &r->t.year);
    case 'y':
        return short_year(r);
    case 'm':
        return number(r, 2, &r->t.month);
    case 'd':
    case 'e':
        skip_blanks(r);
        return number(r, 2, &r->t.day);
    case 'b':
    case 'B':
    case 'h':
        if (!name(r, months, 12, &r->t.month))
            return false;
        r->t.month++;
        return true;
    case 'a':
    case 'A':
        return name(r, days, 7, &ignored);
    case 'j':
        r->is_day_of_year = true;
        return number(r, 3, &r->t.day);
    case 'H':
        return number(r, 2, &r->t.hour);
    case 'I':
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
    case 'F':
        return read_format(r, "%Y-%m-%d");
    case 'T':
        return read_format(r, "%H:%M:%S");
    case 'D':
        return read_format(r, "%m/%d/%y");
    case 'n':
    case 't':
        skip_blanks(r);
        return true;
    case '%':
        if (!r->rest.len || *r->rest.ptr != '%')
            return false;
        r->rest = slice_from(r->rest, 1);
        return true;
    default:
        return false;
    }
}

static bool read_format(struct reading *r, const char *format)
{
    for (; *format; format++) {
        if (*format == '%') {
            if (!*++format || !read_letter(r, *format))
                return false;
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
        if (!*format || !strchr("YymdebBhaAjHIpMSfLzZsFTDnt%", *format)) {
            *bad = *format;
            return false;
        }
    }
    return true;
}

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* False for day 366 of a year that has none. */
static bool day_of_year(const struct reading *r, int64_t *ns)
{
    struct civil t = r->t;
    int day = r->t.day;

    t.month = 1;
    t.day = 1;
    if (day < 1 || day > (is_leap_year(t.year) ? 366 : 365) || !civil_to_ns(&t, ns))
        return false;
    *ns += (int64_t)(day - 1) * 86400 * 1000000000;
    return true;
}

bool timestamp_parse_format(struct slice s, const char *format, int64_t *ns)
{
    struct reading r = {.rest = s, .t = {.year = 1970, .month = 1, .day = 1}};

    if (!read_format(&r, format) || r.rest.len)
        return false;
    if (r.is_epoch) {
        *ns = r.epoch_s * 1000000000 + r.t.nanosecond;
        return true;
    }
    if (r.is_12_hours)
        r.t.hour = r.t.hour % 12 + (r.is_pm ? 12 : 0);
    return r.is_day_of_year ? day_of_year(&r, ns) : civil_to_ns(&r.t, ns);
}
