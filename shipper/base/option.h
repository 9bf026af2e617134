/* Option tables: how an input, a parser or an output says what can be configured.
 *
 * From one table come parsing, defaults, `ship check`, `ship help TYPE` and the JSON schema for
 * editors. A table describes the fields of a plain struct of its own ("struct es_options").
 * Owner:  tables are const and static. Values in the struct (strings, lists) belong to the
 *         configuration that was loaded into it and live as long.
 * Thread: read-only after loading. */
#ifndef SHIP_BASE_OPTION_H
#define SHIP_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_STRING,   /* const char *, NULL when unset */
    OPTION_SECRET,   /* as STRING, never printed */
    OPTION_PATH,     /* as STRING; a file-system path */
    OPTION_BOOL,     /* bool */
    OPTION_INT,      /* int64_t, within [min, max] */
    OPTION_BYTES,    /* int64_t; "1MiB", "512KiB", "4096" */
    OPTION_DURATION, /* int64_t milliseconds; "500ms", "1s", "5m", "2h" */
    OPTION_ENUM,     /* int, index into `choices` */
    OPTION_LIST,     /* struct option_list of strings; one string is a list of one */
    OPTION_MAP,      /* struct option_map of string to string */
};

struct option_list {
    const char **items;
    size_t n_items;
};

struct option_map {
    const char **keys;
    const char **values;
    size_t n_items;
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset;              /* of the field in the options struct */
    const char *fallback;       /* as it would stand in the file; NULL: unset, zero or empty */
    const char *help;           /* one line, no full stop */
    const char *const *choices; /* OPTION_ENUM: NULL-terminated */
    int64_t min, max;           /* INT, BYTES, DURATION; both 0: no bounds but >= 0 */
    bool is_required;
};

struct option_table {
    const struct option *options;
    size_t n_options;
    size_t size; /* of the struct that the offsets speak of */
};

#endif
