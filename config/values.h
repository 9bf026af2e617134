/* A text into the typed field that an option table describes, and back into words.
 *
 * Owner:  strings and lists go into the caller's struct keep.
 * Errors: ERR_CONFIG; `what` says what was expected, and quotes the text unless it is a secret.
 *         Where it stood is the caller's to add.
 * Thread: one at a time for one struct keep. */
#ifndef SHIP_CONFIG_VALUES_H
#define SHIP_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/keep.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"
#include "shipper/base/slice.h"

/* Every field of the struct to its default. -1 and *e: memory is out. */
int values_default(struct keep *k, const struct option_table *table, void *options, struct err *e);

/* Sets the option from text as it would stand in the file; of a list, adds one item. The empty text
 * changes nothing: it is as if the option were not there. Not for OPTION_MAP. */
int value_set(struct keep *k, const struct option *o, void *options, struct slice text,
              struct err *e);
/* OPTION_LIST: what stood there by default goes. */
void value_clear(const struct option *o, void *options);
/* OPTION_MAP: adds a pair. -1 and *e also when the key is there already, or there are
 * VALUE_PAIRS_MAX. */
enum { VALUE_PAIRS_MAX = 1000 };
int value_add_pair(struct keep *k, const struct option *o, void *options, struct slice key,
                   struct slice value, struct err *e);

/* Whether the field holds something other than nothing. */
bool value_is_set(const struct option *o, const void *options);

/* What is wanted, in words: "a duration from 10ms to 1h". */
void value_describe(const struct option *o, struct buffer *out);
/* "one of inotify, poll" */
void value_list_choices(const struct option *o, struct buffer *out);

/* Foreign text for a message: cut, and without control characters. */
enum { VALUE_QUOTE_MAX = 60 };
void value_quote(struct slice text, struct buffer *out);

#endif
