/* Times: text to nanoseconds since 1970 UTC, and back.
 *
 * Sources: RFC 3339; ISO 8601 with comma fractions (Python's logging, Powertools); epoch numbers
 * told apart by their digits (10 s, 13 ms, 16 us, 19 ns).
 * Thread: any; no locale, no TZ. Range: 1970 to 2261, which is what int64 nanoseconds and
 * Elasticsearch's date_nanos hold; what is outside is no time. */
#ifndef SHIP_PARSERS_TIMESTAMP_H
#define SHIP_PARSERS_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

/* "2026-10-09T08:53:20.123Z", 't' or ' ' for 'T', '.' or ',' before the fraction, any number of
 * fraction digits (cut after nine), zone Z, z, +hh:mm, +hhmm, +hh or none (then UTC); " +0200",
 * " UTC" and " +0000 UTC" as Ruby and Go print them. Second 60 counts as 59.999999999. The whole of
 * s must be the time. */
bool timestamp_parse(struct slice s, int64_t *ns);

/* The same without a zone behind a blank, from the start of s; *used is how many bytes it took. */
bool timestamp_parse_prefix(struct slice s, int64_t *ns, size_t *used);

/* A JSON number or digits: seconds, ms, us or ns by size; a fraction is kept. Less than nine digits
 * are no time: a log's "time":53 is a duration. */
bool timestamp_parse_epoch(struct slice s, int64_t *ns);

/* strptime's letters %Y %m %d %H %M %S %y %b %e %j %z %Z(UTC, GMT) %s %p %I %T %F %D %a %A %B %n %t
 * %%, and %f or %L for a fraction. UTC unless the text gives a zone. The whole of s must match. */
bool timestamp_parse_format(struct slice s, const char *format, int64_t *ns);
/* False and the offending letter in *bad if timestamp_parse_format would not know it. */
bool timestamp_format_is_known(const char *format, char *bad);

enum { TIMESTAMP_TEXT_MAX = 32 };
/* "2026-10-09T08:53:20.123Z": 3 fraction digits, or 6 or 9 where ns needs them. Returns the length;
 * no NUL. */
size_t timestamp_format(int64_t ns, char out[TIMESTAMP_TEXT_MAX]);

#endif
