/* The exact answer to "is a key here twice?", for when the scanner's filter suspects it.
 *
 * Keys are compared as what they say ("\u0061" is "a"). Sorting keeps hostile input (100 000 keys)
 * at n log n. Internal to parsers/json_scan.c.
 * Owner:  the json_object that it is used with; json_keys_free. */
#ifndef SHIP_PARSERS_JSON_KEYS_H
#define SHIP_PARSERS_JSON_KEYS_H

#include <stdbool.h>

#include "parsers/json_scan.h"
#include "shipper/base/slice.h"

enum json_keys_answer { JSON_KEYS_NOMEM = -1, JSON_KEYS_UNIQUE, JSON_KEYS_REPEATED };

/* Marks each member whose key comes again later. */
enum json_keys_answer json_keys_shadow(struct json_object *o);

/* Whether any object inside a checked value has a key twice. */
enum json_keys_answer json_keys_repeat(struct json_object *o, struct slice value);

/* Gives back what only a very large value needed. */
void json_keys_trim(struct json_keys *k);

void json_keys_free(struct json_keys *k);

#endif
