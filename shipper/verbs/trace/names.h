/* A set of names: request ids, trace ids.
 *
 * Owner:  the caller's storage; zero it to begin. Thread: one at a time. */
#ifndef SHIP_VERBS_TRACE_NAMES_H
#define SHIP_VERBS_TRACE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/slice.h"

struct names {
    char **items; /* sorted, each once */
    size_t n_items;
    size_t cap;
};

/* Copies `name`; one that is there already, or is empty, changes nothing. False when memory is out.
 */
bool names_add(struct names *s, struct slice name);
bool names_have(const struct names *s, struct slice name);
void names_free(struct names *s);

#endif
