/* time_format and time_zone of a parser, checked; the zone read from the system's tzdata.
 *
 * Owner:  parser_config.times; time_rules_free. Thread: one at a time; reads a file. */
#ifndef SHIP_CONFIG_TIMES_H
#define SHIP_CONFIG_TIMES_H

#include "config/config.h"
#include "parsers/time_zone.h"

/* Makes p->times of p->common; leaves it NULL if that says nothing. -1 and *e; e->where names the
 * option. */
int time_rules_make(struct parser_config *p, struct err *e);
void time_rules_free(struct time_rules *rules);

/* "Europe/Berlin" (from TZDIR or /usr/share/zoneinfo), "local" (/etc/localtime), "UTC", "+02:00".
 * NULL and *e. */
struct time_zone *time_zone_open(const char *name, struct err *e);

#endif
