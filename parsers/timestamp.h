/* Times: text to nanoseconds since 1970 UTC, and back.
 *
 * Sources: RFC 3339; ISO 8601 with comma fractions (Python's logging, Powertools); epoch numbers
 * told apart by their digits (10 s, 13 ms, 16 us, 19 ns); strptime's formats; what web servers,
 * syslog, Go, Java and C's ctime write.
 * Thread: any; no locale, no TZ, no clock. Range: 1970 to 2261, which is what int64 nanoseconds and
 * Elasticsearch's date_nanos hold; what is outside is no time. */
#ifndef SHIP_PARSERS_TIMESTAMP_H
#define SHIP_PARSERS_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

struct time_zone;

/* How the user's times are written; zeros: as timestamp_read says. Owner: the configuration. */
struct time_rules {
    const char *const *formats; /* strptime's letters, "rfc3339" or "epoch"; tried in turn */
    size_t n_formats;
    const struct time_zone *zone; /* of times that do not say theirs; NULL: UTC */
};

/* What a time may leave out. */
struct time_context {
    const struct time_rules *rules; /* NULL: zeros */
    int64_t near_ns; /* when it was written, or somewhat later: for a time without a year; 0: such
                        a one is none */
};

struct time_said {
    int64_t ns;
    int guessed_year; /* that the text does not say; else 0 */
};

/* One of the rules' formats; without formats RFC 3339, an epoch number, or one of
 * "09/Oct/2026:08:53:20 +0000", "2026/10/09 08:53:20", "20261009T085320Z", "Oct  9 08:53:20",
 * "Oct 9, 2026 8:53:20 AM", "Fri, 09 Oct 2026 08:53:20 GMT", "Fri Oct  9 08:53:20 2026". The whole
 * of s must be the time. A time without a year is the last such moment before a day after
 * near_ns: 31 December, read in January, was last year. */
bool timestamp_read(const struct time_context *c, struct slice s, struct time_said *out);
/* The same from the start of s, but for epoch numbers; *used is how many bytes it took. */
bool timestamp_read_prefix(const struct time_context *c, struct slice s, struct time_said *out,
                           size_t *used);

/* "2026-10-09T08:53:20.123Z", 't' or ' ' for 'T', '.' or ',' before the fraction, any number of
 * fraction digits (cut after nine), zone Z, z, +hh:mm, +hhmm, +hh or none (then UTC); " +0200",
 * " CEST" and " +0200 CEST" as Ruby and Go print them. Second 60 counts as 59.999999999. The whole
 * of s must be the time. */
bool timestamp_parse(struct slice s, int64_t *ns);

/* The same from the start of s; *used is how many bytes it took. */
bool timestamp_parse_prefix(struct slice s, int64_t *ns, size_t *used);

/* A JSON number or digits: seconds, ms, us or ns by size; a fraction is kept. Less than nine digits
 * are no time: a log's "time":53 is a duration. */
bool timestamp_parse_epoch(struct slice s, int64_t *ns);

/* strptime's letters %Y %m %d %H %M %S %y %b %e %j %z %Z %s %p %I %k %l %T %R %F %D %a %A %B %n %t
 * %%, and %f or %L for a fraction. As strptime, it takes blanks before a number; unlike it, it
 * refuses days that are not in the calendar. From the start of s; the whole if used is NULL. */
bool timestamp_read_format(const struct time_context *c, struct slice s, const char *format,
                           struct time_said *out, size_t *used);
/* False and the offending letter in *bad if timestamp_read_format would not know it. */
bool timestamp_format_is_known(const char *format, char *bad);
/* Whether it says a day, at least one in a year. */
bool timestamp_format_has_day(const char *format);

enum { TIMESTAMP_TEXT_MAX = 32 };
/* "2026-10-09T08:53:20.123Z": 3 fraction digits, or 6 or 9 where ns needs them. Returns the length;
 * no NUL. */
size_t timestamp_format(int64_t ns, char out[TIMESTAMP_TEXT_MAX]);

#endif
