/* The shapes that logs have their times in, and what a time leaves out. */
#include "parsers/time_zone.h"
#include "parsers/timestamp.h"
#include "parsers/timestamp_resolve.h"

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

enum { YEARS_BACK = 8 }; /* a 29 February waits so long around 2100 */

/* ------------------------------------------------------------------ what is left out */

static bool place(const struct time_context *c, struct civil *t, int64_t *ns)
{
    const struct time_zone *zone = c->rules ? c->rules->zone : NULL;

    if (!t->has_zone && zone) {
        t->offset_s = 0;
        if (!civil_to_ns(t, ns))
            return false;
        t->offset_s = time_zone_offset(zone, *ns / SECOND_NS);
    }
    return civil_to_ns(t, ns);
}

static bool guess_year(const struct time_context *c, struct civil *t, struct time_said *out)
{
    struct civil near;

    if (c->near_ns <= 0)
        return false;
    civil_from_ns(c->near_ns, &near);
    for (int back = -1; back <= YEARS_BACK; back++) {
        t->year = near.year - back;
        if (place(c, t, &out->ns) && out->ns <= c->near_ns + DAY_NS) {
            out->guessed_year = t->year;
            return true;
        }
    }
    return false;
}

bool timestamp_resolve(const struct time_context *c, struct civil *t, struct time_said *out)
{
    out->guessed_year = 0;
    return t->has_no_year ? guess_year(c, t, out) : place(c, t, &out->ns);
}

/* ------------------------------------------------------------------ formats */

#define FRACTION TIMESTAMP_MAYBE_FRACTION
#define ZONE TIMESTAMP_MAYBE_ZONE

static const char *const of_digits[] = {
    "%d/%b/%Y:%H:%M:%S" FRACTION ZONE, /* web servers */
    "%Y/%m/%d %H:%M:%S" FRACTION ZONE, /* Go, nginx's errors */
    "%d %b %Y %H:%M:%S" FRACTION ZONE, /* RFC 2822, the weekday left out */
    NULL,
};
static const char *const of_letters[] = {
    "%b %e %H:%M:%S" FRACTION,             /* RFC 3164 */
    "%b %e %Y %H:%M:%S" FRACTION ZONE,     /* network gear */
    "%b %e, %Y %I:%M:%S %p",               /* java.util.logging */
    "%a, %d %b %Y %H:%M:%S" FRACTION ZONE, /* RFC 2822 */
    "%a %b %e %H:%M:%S" FRACTION " %Y",    /* ctime, Apache's errors */
    "%a %b %e %H:%M:%S %Z %Y",             /* date */
    NULL,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "20261009T085320Z": what looks like it is read; most numbers are something else. */
static bool is_basic(struct slice s)
{
    for (size_t i = 0; i < 15 && i < s.len; i++)
        if (i == 8 ? s.ptr[i] != 'T' : !is_digit(s.ptr[i]))
            return false;
    return s.len >= 15;
}

/* "Oct  9", "Oct 9", "Fri, 9", "Fri Oct": what is said here is cheap, and seldom true of words. */
static bool may_be_month_or_day(struct slice s)
{
    return (s.ptr[3] == ' ' && (is_digit(s.ptr[4]) || s.ptr[4] == ' ' || s.ptr[7] == ' ')) ||
           (s.ptr[3] == ',' && s.ptr[4] == ' ' && is_digit(s.ptr[5]));
}

static bool read_shapes(const struct time_context *c, struct slice s, struct time_said *out,
                        size_t *used)
{
    const char *const *shape = of_letters;

    if (s.len < 14) /* "Oct 9 08:53:20" */
        return false;
    if (is_basic(s))
        return timestamp_read_format(c, s, "%Y%m%dT%H%M%S" FRACTION ZONE, out, used);
    if (is_digit(*s.ptr)) {
        if (s.ptr[2] != '/' && s.ptr[4] != '/' && s.ptr[1] != ' ' && s.ptr[2] != ' ')
            return false;
        shape = of_digits;
    } else if (!may_be_month_or_day(s)) {
        return false;
    }
    for (; *shape; shape++)
        if (timestamp_read_format(c, s, *shape, out, used))
            return true;
    return false;
}

static bool read_rfc3339(const struct time_context *c, struct slice s, struct time_said *out,
                         size_t *used)
{
    struct civil t = {0};

    *used = civil_take_rfc3339(s, &t);
    return *used && timestamp_resolve(c, &t, out);
}

static bool read_one(const struct time_context *c, const char *format, struct slice s,
                     struct time_said *out, size_t *used)
{
    size_t n;

    if (strcmp(format, "epoch") == 0) {
        out->guessed_year = 0;
        return !used && timestamp_parse_epoch(s, &out->ns);
    }
    if (strcmp(format, "rfc3339") == 0)
        return read_rfc3339(c, s, out, used ? used : &n) && (used || n == s.len);
    return timestamp_read_format(c, s, format, out, used);
}

static bool read_formats(const struct time_context *c, struct slice s, struct time_said *out,
                         size_t *used)
{
    for (size_t i = 0; i < c->rules->n_formats; i++)
        if (read_one(c, c->rules->formats[i], s, out, used))
            return true;
    return false;
}

bool timestamp_read(const struct time_context *c, struct slice s, struct time_said *out)
{
    size_t used;

    if (c->rules && c->rules->n_formats)
        return read_formats(c, s, out, NULL);
    if (read_rfc3339(c, s, out, &used))
        return used == s.len;
    out->guessed_year = 0;
    return timestamp_parse_epoch(s, &out->ns) || read_shapes(c, s, out, NULL);
}

bool timestamp_read_prefix(const struct time_context *c, struct slice s, struct time_said *out,
                           size_t *used)
{
    if (c->rules && c->rules->n_formats)
        return read_formats(c, s, out, used);
    return read_rfc3339(c, s, out, used) || read_shapes(c, s, out, used);
}
