/* The rule for all years to come that ends a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ).
 *
 * Thread: any; pure. Internal to parsers/time_zone.c. */
#ifndef SHIP_PARSERS_TIME_ZONE_RULE_H
#define SHIP_PARSERS_TIME_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

struct rule_day {
    char kind; /* 'M': month, week, weekday; 'J': 1..365, February 29 not counted; 'D': 0..365 */
    int month, week, day;
    int second; /* of the day, on the clock that is being changed; RFC 8536: -167 h .. 167 h */
};

struct zone_rule {
    struct slice standard, summer; /* what clocks show; borrowed from the text */
    int standard_s, summer_s;      /* east of UTC */
    bool has_summer;
    struct rule_day begins, ends;
};

/* False: the text is no such rule. */
bool zone_rule_parse(struct slice text, struct zone_rule *out);
/* Seconds east of UTC at this moment. */
int zone_rule_offset(const struct zone_rule *rule, int64_t utc_s);

#endif
