/* The patterns that every grok pattern may name, %{NAME}.
 *
 * Thread: const. */
#ifndef SHIP_PARSERS_GROK_LIBRARY_H
#define SHIP_PARSERS_GROK_LIBRARY_H

#include <stddef.h>

#include "shipper/base/slice.h"

struct grok_pattern {
    const char *name;
    const char *text; /* PCRE2, and %{NAME} of others */
};

extern const struct grok_pattern grok_library[];
extern const size_t grok_library_len;

/* NULL: there is none of that name. */
const char *grok_library_find(struct slice name);

#endif
