#include "config/units.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first. */
static const struct unit sizes[] = {
    {"GiB", 1024 * 1024 * 1024},
    {"MiB", 1024 * 1024},
    {"KiB", 1024},
    {"GB", 1000000000},
    {"MB", 1000000},
    {"KB", 1000},
    {"B", 1},
};
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit plain[] = {{"", 1}};

static const struct unit *units_of(enum option_type type, size_t *n)
{
    switch (type) {
    case OPTION_BYTES:
        *n = sizeof sizes / sizeof sizes[0];
        return sizes;
    case OPTION_DURATION:
        *n = sizeof durations / sizeof durations[0];
        return durations;
    default:
        *n = 1;
        return plain;
    }
}

/* 0: there is no such unit. */
static int64_t factor_of(enum option_type type, struct slice name)
{
    size_t n;
    const struct unit *units = units_of(type, &n);

    if (type == OPTION_BYTES && name.len == 0)
        return 1;
    for (size_t i = 0; i < n; i++)
        if (type == OPTION_BYTES ? slice_eq_nocase(name, slice_str(units[i].name))
                                 : slice_is(name, units[i].name))
            return units[i].factor;
    return 0;
}

bool units_parse(enum option_type type, struct slice text, int64_t *out)
{
    size_t digits = 0;
    struct slice unit;
    int64_t n;
    int64_t factor;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!slice_to_int(slice_of(text.ptr, digits), &n))
        return false;
    unit = slice_from(text, digits);
    if (type != OPTION_INT && unit.len > 1 && *unit.ptr == ' ')
        unit = slice_from(unit, 1);
    factor = type == OPTION_DURATION && unit.len == 0 && n == 0 ? 1 : factor_of(type, unit);
    if (factor == 0 || n > INT64_MAX / factor)
        return false;
    *out = n * factor;
    return true;
}

void units_format(enum option_type type, int64_t n, char *buf, size_t cap)
{
    size_t n_units;
    const struct unit *units = units_of(type, &n_units);
    size_t i = 0;

    /* A zero divides by everything; it needs no unit. */
    while (i + 1 < n_units && n % units[i].factor != 0)
        i++;
    snprintf(buf, cap, "%" PRId64 "%s", n / units[i].factor,
             n == 0 || units[i].factor == 1 ? (type == OPTION_DURATION && n ? "ms" : "")
                                            : units[i].name);
}
