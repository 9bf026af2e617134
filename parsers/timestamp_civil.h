/* Calendar and clock, in the proleptic Gregorian calendar; the arithmetic under
 * parsers/timestamp.h.
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_TIMESTAMP_CIVIL_H
#define SHIP_PARSERS_TIMESTAMP_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

struct civil {
    int year, month, day; /* 1-based */
    int hour, minute, second;
    int nanosecond;
    int offset_s; /* east of UTC */
    bool has_zone;
    bool has_no_year;
};

/* False for what no calendar has (February 30, hour 24), what is before 1970, and what int64
 * nanoseconds cannot hold. Second 60 is 59.999999999. */
bool civil_to_ns(const struct civil *t, int64_t *ns);
void civil_from_ns(int64_t ns, struct civil *t);

bool civil_is_leap(int year);
int civil_days_in(int month, int year);
/* Days since 1970-01-01. */
int64_t civil_days(int year, int month, int day);

/* Digits from the start of s as a fraction of a second, cut after nine; how many there were. */
size_t civil_take_fraction(struct slice s, int *ns);
/* Z, z, +hh, +hhmm, +hh:mm from the start of s; how many bytes, 0 if there is none. */
size_t civil_take_zone(struct slice s, int *offset_s);
/* The same, or UTC, GMT, or an abbreviation that means one thing everywhere: CEST, EST, JST, not
 * CST. */
size_t civil_take_zone_name(struct slice s, int *offset_s);
/* timestamp_parse_prefix without the calendar; 0: there is none. */
size_t civil_take_rfc3339(struct slice s, struct civil *t);

#endif
