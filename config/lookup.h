/* Names in option tables.
 *
 * Thread: any. */
#ifndef SHIP_CONFIG_LOOKUP_H
#define SHIP_CONFIG_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/nearest.h"
#include "shipper/base/option.h"
#include "shipper/base/slice.h"

/* The option of this name; NULL: none. With *key not NULL also "labels.team" where labels is an
 * OPTION_MAP: *key is then "team", else empty. */
const struct option *lookup_option(const struct option_table *table, struct slice name,
                                   struct slice *key);
/* Some option's name begins with `name` and a dot: it may be written as a map. */
bool lookup_is_group(const struct option_table *table, struct slice name);
void lookup_offer(const struct option_table *table, struct nearest *near);

#endif
