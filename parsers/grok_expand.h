/* %{NAME:field:type} in a pattern, into PCRE2 with groups. Internal to parsers/grok.c.
 *
 * A group is named g1, g2, ...; which field it fills, and as what, is listed beside it.
 * Owner:  the caller; what is listed lives as long as `arena`, the definitions and the pattern.
 * Thread: any. */
#ifndef SHIP_PARSERS_GROK_EXPAND_H
#define SHIP_PARSERS_GROK_EXPAND_H

#include "parsers/regex_types.h"
#include "shipper/base/arena.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"

enum { GROK_EXPANDED_MAX = 256 * 1024 };

/* Appends the expanded pattern to *plain and its groups to *types. `definitions` come before the
 * library. -1 and *e: an unknown name (with the nearest), a definition that is made of itself, a
 * type or field that is none. */
int grok_expand(const char *pattern, const struct option_map *definitions, struct arena *arena,
                struct buffer *plain, struct regex_types *types, struct err *e);

#endif
