#include "parsers/time_zone_rule.h"
#include "parsers/timestamp_civil.h"

enum { DAY_S = 86400, HOUR_S = 3600, MOST_HOURS = 167 };

static bool is_digit(struct slice s)
{
    return s.len && *s.ptr >= '0' && *s.ptr <= '9';
}

static bool take_char(struct slice *s, char c)
{
    if (!s->len || *s->ptr != c)
        return false;
    *s = slice_from(*s, 1);
    return true;
}

static bool take_number(struct slice *s, int least, int most, int *out)
{
    int value = 0;

    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); *s = slice_from(*s, 1)) {
        value = value * 10 + (*s->ptr - '0');
        if (value > most)
            return false;
    }
    *out = value;
    return value >= least;
}

/* "CET", or "<+03>" */
static bool take_name(struct slice *s, struct slice *name)
{
    size_t n = 0;

    if (take_char(s, '<'))
        return slice_cut(s, '>', name) && name->len > 0;
    while (n < s->len && ((s->ptr[n] | 0x20) >= 'a' && (s->ptr[n] | 0x20) <= 'z'))
        n++;
    *name = slice_of(s->ptr, n);
    *s = slice_from(*s, n);
    return n >= 3;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_duration(struct slice *s, int *out)
{
    int sign = take_char(s, '-') ? -1 : 1;
    int hours;
    int minutes = 0;
    int seconds = 0;

    if (sign == 1)
        take_char(s, '+');
    if (!take_number(s, 0, MOST_HOURS, &hours))
        return false;
    if (take_char(s, ':') && (!take_number(s, 0, 59, &minutes) ||
                              (take_char(s, ':') && !take_number(s, 0, 59, &seconds))))
        return false;
    *out = sign * (hours * HOUR_S + minutes * 60 + seconds);
    return true;
}

/* ",M3.5.0/2", ",J60", ",59" */
static bool take_day(struct slice *s, struct rule_day *out)
{
    *out = (struct rule_day){.kind = 'D', .second = 2 * HOUR_S};
    if (!take_char(s, ','))
        return false;
    if (take_char(s, 'M')) {
        out->kind = 'M';
        if (!take_number(s, 1, 12, &out->month) || !take_char(s, '.') ||
            !take_number(s, 1, 5, &out->week) || !take_char(s, '.') ||
            !take_number(s, 0, 6, &out->day))
            return false;
    } else if (take_char(s, 'J')) {
        out->kind = 'J';
        if (!take_number(s, 1, 365, &out->day))
            return false;
    } else if (!take_number(s, 0, 365, &out->day)) {
        return false;
    }
    return !take_char(s, '/') || take_duration(s, &out->second);
}

bool zone_rule_parse(struct slice text, struct zone_rule *out)
{
    int west;

    *out = (struct zone_rule){0};
    if (!take_name(&text, &out->standard) || !take_duration(&text, &west))
        return false;
    out->standard_s = -west; /* POSIX counts west of Greenwich */
    if (!text.len)
        return true;
    out->has_summer = true;
    out->summer_s = out->standard_s + HOUR_S;
    if (!take_name(&text, &out->summer))
        return false;
    if (text.len && *text.ptr != ',') {
        if (!take_duration(&text, &west))
            return false;
        out->summer_s = -west;
    }
    return take_day(&text, &out->begins) && take_day(&text, &out->ends) && !text.len;
}

/* Days since 1970 of the year's day that the rule names. */
static int64_t day_of(const struct rule_day *rule, int year)
{
    int64_t first;
    int64_t day;

    if (rule->kind == 'D')
        return civil_days(year, 1, 1) + rule->day;
    if (rule->kind == 'J')
        return civil_days(year, 1, 1) + rule->day - 1 +
               (rule->day >= 60 && civil_is_leap(year) ? 1 : 0);
    first = civil_days(year, rule->month, 1);
    day = first + (rule->day - (first + 4) % 7 + 7) % 7 + (rule->week - 1) * 7; /* 1970: Thursday */
    if (day >= first + civil_days_in(rule->month, year))
        day -= 7; /* week 5 is the last */
    return day;
}

static int year_of(int64_t s)
{
    struct civil t;

    civil_from_ns(s * INT64_C(1000000000), &t);
    return t.year;
}

int zone_rule_offset(const struct zone_rule *rule, int64_t utc_s)
{
    int year;
    int64_t begins;
    int64_t ends;
    bool is_summer;

    if (!rule->has_summer)
        return rule->standard_s;
    year = year_of(utc_s + rule->standard_s);
    begins = day_of(&rule->begins, year) * DAY_S + rule->begins.second - rule->standard_s;
    ends = day_of(&rule->ends, year) * DAY_S + rule->ends.second - rule->summer_s;
    if (begins < ends)
        is_summer = utc_s >= begins && utc_s < ends;
    else /* the southern half */
        is_summer = utc_s < ends || utc_s >= begins;
    return is_summer ? rule->summer_s : rule->standard_s;
}
