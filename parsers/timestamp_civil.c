#include "parsers/timestamp_civil.h"

enum { DAY_S = 86400 };

bool civil_is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

int civil_days_in(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && civil_is_leap(year) ? 29 : days[month - 1];
}

/* Years are counted from March, in eras of 400 years, so that the leap day comes last. */
int64_t civil_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool civil_to_ns(const struct civil *t, int64_t *ns)
{
    int second = t->second;
    int nanosecond = t->nanosecond;
    int64_t s;

    if (t->year < 1970 || t->year > 2261 || t->month < 1 || t->month > 12 || t->day < 1 ||
        t->day > civil_days_in(t->month, t->year) || t->hour > 23 || t->minute > 59 || second > 60)
        return false;
    if (second == 60) {
        second = 59;
        nanosecond = 999999999;
    }
    s = civil_days(t->year, t->month, t->day) * DAY_S + t->hour * 3600 + t->minute * 60 + second -
        t->offset_s;
    *ns = s * 1000000000 + nanosecond;
    return s >= 0;
}

void civil_from_ns(int64_t ns, struct civil *t)
{
    int64_t s = ns / 1000000000;
    int64_t days;
    int64_t era, of_era, year_of_era, of_year, month;

    t->nanosecond = (int)(ns % 1000000000);
    if (t->nanosecond < 0) {
        t->nanosecond += 1000000000;
        s--;
    }
    days = s / DAY_S;
    s %= DAY_S;
    if (s < 0) {
        s += DAY_S;
        days--;
    }
    t->hour = (int)(s / 3600);
    t->minute = (int)(s / 60 % 60);
    t->second = (int)(s % 60);
    t->offset_s = 0;
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    of_era = days - era * 146097;
    year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * of_year + 2) / 153;
    t->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    t->month = (int)(month < 10 ? month + 3 : month - 9);
    t->year = (int)(year_of_era + era * 400 + (t->month <= 2));
}
