/* Memory that lives as long as its configuration: option structs, strings, lists.
 *
 * Pages of its own, left out of core dumps (secrets are among them), given back to the kernel at
 * the end. Bounded, so that no file, however it is written, takes more than KEEP_MAX_BYTES.
 * Owner:  keep_free frees everything that was handed out. Thread: one at a time. */
#ifndef SHIP_CONFIG_KEEP_H
#define SHIP_CONFIG_KEEP_H

#include <stddef.h>

#include "shipper/base/slice.h"

enum { KEEP_MAX_BYTES = 16 * 1024 * 1024 };

struct keep;

struct keep *keep_new(void);
/* NULL is fine. */
void keep_free(struct keep *k);

/* Zeroed, aligned for anything. NULL when memory is out, or the ceiling is reached. */
void *keep_alloc(struct keep *k, size_t n_bytes);
/* A copy with a NUL behind it; NULL as above. */
char *keep_text(struct keep *k, struct slice text);

#endif
