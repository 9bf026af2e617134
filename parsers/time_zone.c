#include "parsers/time_zone.h"
#include "parsers/time_zone_rule.h"

#include <stdlib.h>

enum {
    HEADER = 44,
    MOST_CHANGES = 4096, /* Africa/Casablanca has some 200 */
    MOST_TYPES = 256,
    DAY_S = 86400,
    FARTHEST_S = 26 * 3600, /* RFC 8536 wants less than 26 hours */
};

struct zone_type {
    int offset_s;
    uint8_t name_at;
};

/* - at[] grows; from at[i] on, until at[i + 1], clocks are of types[type_of[i]].
 * - before at[0] they are of types[0]; from the last one on the rule holds, if there is one. */
struct time_zone {
    int64_t *at;
    uint8_t *type_of;
    size_t n_changes;
    struct zone_type types[MOST_TYPES];
    size_t n_types;
    char names[256]; /* each ends with a NUL; so does all of it */
    char rule_text[128];
    struct zone_rule rule;
    bool has_rule;
};

static uint64_t big_endian(const char *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | (uint8_t)p[i];
    return value;
}

struct counts {
    size_t is_ut, is_standard, leaps, changes, types, chars;
    size_t word; /* bytes of a time: 4 in the first block, 8 in the second */
};

static bool read_header(struct slice s, struct counts *c)
{
    size_t *const all[] = {&c->is_ut,   &c->is_standard, &c->leaps,
                           &c->changes, &c->types,       &c->chars};

    if (s.len < HEADER || !slice_starts(s, slice_str("TZif")))
        return false;
    for (size_t i = 0; i < 6; i++)
        *all[i] = (size_t)big_endian(s.ptr + 20 + 4 * i, 4);
    return c->changes <= MOST_CHANGES && c->types >= 1 && c->types <= MOST_TYPES && c->chars >= 1 &&
           c->chars < 256 && c->leaps <= MOST_CHANGES && c->is_ut <= MOST_TYPES &&
           c->is_standard <= MOST_TYPES;
}

static size_t block_len(const struct counts *c)
{
    return c->changes * (c->word + 1) + c->types * 6 + c->chars + c->leaps * (c->word + 4) +
           c->is_standard + c->is_ut;
}

static bool read_changes(struct time_zone *z, const char *p, const struct counts *c)
{
    z->at = calloc(c->changes + 1, sizeof *z->at);
    z->type_of = calloc(c->changes + 1, 1);
    if (!z->at || !z->type_of)
        return false;
    for (size_t i = 0; i < c->changes; i++) {
        uint64_t raw = big_endian(p + i * c->word, c->word);

        z->at[i] = c->word == 4 ? (int32_t)raw : (int64_t)raw;
        z->type_of[i] = (uint8_t)p[c->changes * c->word + i];
        if (z->type_of[i] >= c->types || (i && z->at[i] <= z->at[i - 1]))
            return false;
    }
    z->n_changes = c->changes;
    return true;
}

static bool read_types(struct time_zone *z, const char *p, const struct counts *c)
{
    for (size_t i = 0; i < c->types; i++, p += 6) {
        z->types[i].offset_s = (int32_t)big_endian(p, 4);
        z->types[i].name_at = (uint8_t)p[5];
        if (z->types[i].offset_s < -FARTHEST_S || z->types[i].offset_s > FARTHEST_S ||
            z->types[i].name_at >= c->chars)
            return false;
    }
    memcpy(z->names, p, c->chars); /* p stands behind the types */
    z->n_types = c->types;
    return true;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" */
static bool read_footer(struct time_zone *z, struct slice s)
{
    struct slice text;

    if (!s.len || *s.ptr != '\n')
        return false;
    s = slice_from(s, 1);
    if (!slice_cut(&s, '\n', &text) || text.len >= sizeof z->rule_text)
        return false;
    if (!text.len)
        return true;
    memcpy(z->rule_text, text.ptr, text.len);
    z->has_rule = zone_rule_parse(slice_of(z->rule_text, text.len), &z->rule);
    return z->has_rule;
}

static bool read_all(struct time_zone *z, struct slice s)
{
    struct counts c = {.word = 4};
    bool has_second;

    if (!read_header(s, &c))
        return false;
    has_second = s.ptr[4] >= '2';
    s = slice_from(s, HEADER);
    if (s.len < block_len(&c))
        return false;
    if (has_second) { /* the same again, in 64 bits */
        s = slice_from(s, block_len(&c));
        c.word = 8;
        if (!read_header(s, &c) || s.len - HEADER < block_len(&c))
            return false;
        s = slice_from(s, HEADER);
    }
    return read_changes(z, s.ptr, &c) && read_types(z, s.ptr + c.changes * (c.word + 1), &c) &&
           (!has_second || read_footer(z, slice_from(s, block_len(&c))));
}

struct time_zone *time_zone_make(struct slice tzif, struct err *e)
{
    struct time_zone *z = calloc(1, sizeof *z);

    if (!z) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (read_all(z, tzif))
        return z;
    err_set(e, ERR_CONFIG, "it is no file of time zone data, or a damaged one");
    time_zone_free(z);
    return NULL;
}

struct time_zone *time_zone_fixed(int offset_s)
{
    struct time_zone *z = calloc(1, sizeof *z);

    if (z) {
        z->types[0].offset_s = offset_s;
        z->n_types = 1;
    }
    return z;
}

void time_zone_free(struct time_zone *z)
{
    if (!z)
        return;
    free(z->at);
    free(z->type_of);
    free(z);
}

static int offset_at(const struct time_zone *z, int64_t utc_s)
{
    size_t low = 0;
    size_t high = z->n_changes;

    while (low < high) { /* the first change behind utc_s */
        size_t mid = low + (high - low) / 2;

        if (z->at[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == z->n_changes && z->has_rule)
        return zone_rule_offset(&z->rule, utc_s);
    return z->types[low ? z->type_of[low - 1] : 0].offset_s;
}

int time_zone_offset(const struct time_zone *z, int64_t local_s)
{
    /* Clocks are not changed twice within two days. */
    int before = offset_at(z, local_s - DAY_S);
    int after = offset_at(z, local_s + DAY_S);

    if (before == after || offset_at(z, local_s - before) == before)
        return before;
    return offset_at(z, local_s - after) == after ? after : before;
}

bool time_zone_knows(const struct time_zone *z, struct slice abbreviation, int *offset_s)
{
    if (z->has_rule && slice_eq(z->rule.standard, abbreviation)) {
        *offset_s = z->rule.standard_s;
        return true;
    }
    if (z->has_rule && z->rule.has_summer && slice_eq(z->rule.summer, abbreviation)) {
        *offset_s = z->rule.summer_s;
        return true;
    }
    for (size_t i = z->n_types; i-- > 0;) /* the newest are the last */
        if (abbreviation.len && slice_is(abbreviation, z->names + z->types[i].name_at)) {
            *offset_s = z->types[i].offset_s;
            return true;
        }
    return false;
}
