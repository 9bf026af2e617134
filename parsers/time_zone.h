/* A named zone: what clocks in "Europe/Berlin" show, from the system's tzdata (RFC 8536).
 *
 * Owner:  time_zone_free. The bytes are only borrowed while it is made; who reads the file is
 *         config/zone_file.c, once at the start.
 * Thread: read-only once made. */
#ifndef SHIP_PARSERS_TIME_ZONE_H
#define SHIP_PARSERS_TIME_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"

struct time_zone;

/* Of the bytes of a TZif file, any version. NULL and *e: it is none, or damaged. */
struct time_zone *time_zone_make(struct slice tzif, struct err *e);
/* One that is always so far east of UTC. NULL: out of memory. */
struct time_zone *time_zone_fixed(int offset_s);

/* How far east of UTC a clock was that showed local_s (seconds since 1970, as if it were UTC). Of
 * an hour that comes twice, the first; what no clock showed counts as before the change. */
int time_zone_offset(const struct time_zone *z, int64_t local_s);

/* What "CST" means there. False: clocks there never show it. */
bool time_zone_knows(const struct time_zone *z, struct slice abbreviation, int *offset_s);

void time_zone_free(struct time_zone *z);

#endif
