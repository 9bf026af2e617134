#include "config/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text_file.h"
#include "parsers/regex_fill.h"
#include "parsers/timestamp_civil.h"

enum { ZONE_FILE_MAX = 256 * 1024 };

/* --- the zone --- */

/* A name within the folder of zones, and nothing else's path. */
static bool is_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/", *p))
            return false;
    return *name && *name != '/' && strlen(name) < 100;
}

static struct time_zone *read_zone(const char *path, const char *name, struct err *e)
{
    struct buffer bytes = {0};
    struct time_zone *z = NULL;

    if (text_file_read(path, ZONE_FILE_MAX, &bytes, e) == 0)
        z = time_zone_make(buffer_slice(&bytes), e);
    buffer_free(&bytes);
    if (!z) {
        char why[sizeof e->what];

        snprintf(why, sizeof why, "%s", e->what);
        err_set(e, ERR_CONFIG,
                "\"%.60s\": %.200s: %.80s; want a zone of the system's tzdata as Europe/Berlin, "
                "local, UTC or +02:00",
                name, path, why);
    }
    return z;
}

struct time_zone *time_zone_open(const char *name, struct err *e)
{
    const char *folder = getenv("TZDIR");
    char path[512];
    int offset_s = 0;
    struct time_zone *z;

    if (strcmp(name, "UTC") == 0 ||
        (*name && civil_take_zone(slice_str(name), &offset_s) == strlen(name))) {
        z = time_zone_fixed(strcmp(name, "UTC") == 0 ? 0 : offset_s);
        if (!z)
            err_set(e, ERR_NOMEM, "out of memory");
        return z;
    }
    if (strcmp(name, "local") == 0)
        return read_zone("/etc/localtime", name, e);
    if (!is_name(name)) {
        err_set(e, ERR_CONFIG,
                "\"%.60s\" is no name of a zone; want one as Europe/Berlin, local, "
                "UTC or +02:00",
                name);
        return NULL;
    }
    snprintf(path, sizeof path, "%.300s/%.100s", folder && *folder ? folder : "/usr/share/zoneinfo",
             name);
    return read_zone(path, name, e);
}

/* --- the formats --- */

static int fill(struct time_rules *rules, const struct parser_common *from, struct err *e)
{
    for (size_t i = 0; i < from->time_format.n_items; i++)
        if (regex_check_time_format(from->time_format.items[i], e) < 0)
            return -1;
    rules->formats = from->time_format.items;
    rules->n_formats = from->time_format.n_items;
    if (!from->time_zone)
        return 0;
    rules->zone = time_zone_open(from->time_zone, e);
    return rules->zone ? 0 : err_at(e, "time_zone");
}

static int refuse(const struct parser_config *p, const char *option, const char *why, struct err *e)
{
    err_set(e, ERR_CONFIG, "the parser %s %s", p->ops->name, why);
    return err_at(e, "%s", option);
}

int time_rules_make(struct parser_config *p, struct err *e)
{
    const struct parser_common *from = &p->common;

    if (!from->time_format.n_items && !from->time_zone)
        return 0;
    if (p->ops->is_timeless)
        return refuse(p, from->time_zone ? "time_zone" : "time_format",
                      "takes no times out of lines", e);
    if (p->ops->has_own_format && from->time_format.n_items)
        return refuse(p, "time_format", "knows how the times of its lines are written", e);
    p->times = calloc(1, sizeof *p->times);
    if (!p->times)
        return err_set(e, ERR_NOMEM, "out of memory");
    return fill(p->times, from, e);
}

void time_rules_free(struct time_rules *rules)
{
    if (!rules)
        return;
    time_zone_free((struct time_zone *)rules->zone);
    free(rules);
}
