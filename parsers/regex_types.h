/* What a pattern says of its groups that PCRE2 does not know: types, "(?<latency:float>...)", and
 * for grok the names of their fields.
 *
 * Owner:  the caller's storage; regex_types_free.
 * Thread: any. */
#ifndef SHIP_PARSERS_REGEX_TYPES_H
#define SHIP_PARSERS_REGEX_TYPES_H

#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"

enum group_type {
    GROUP_STRING,
    GROUP_INT,
    GROUP_FLOAT,
    GROUP_BOOL,
    GROUP_LITERAL, /* a number or truth value if it looks like one; not for a configuration */
};

struct typed_group {
    struct slice name;  /* in the user's pattern */
    struct slice field; /* what it fills; empty: the field of that name */
    enum group_type type;
};

struct regex_types {
    struct typed_group *groups;
    size_t n_groups;
};

/* False for what is none of string, int, float, bool. */
bool group_type_parse(struct slice text, enum group_type *type);

/* Appends the pattern without its types, and lists them behind those that are there. -1 and *e for
 * an unknown type. */
int regex_types_take(const char *pattern, struct buffer *plain, struct regex_types *types,
                     struct err *e);
/* Where in the user's pattern the byte at `offset` of the plain one stands. */
size_t regex_types_offset(const char *pattern, size_t offset);

int regex_types_add(struct regex_types *types, const struct typed_group *group, struct err *e);
void regex_types_free(struct regex_types *types);

#endif
