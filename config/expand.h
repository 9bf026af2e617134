/* ${...} in a value of the configuration.
 *
 *   ${NAME}            the environment variable
 *   ${NAME:-default}   the default where it is unset or empty
 *   ${file:/path}      the file's first line, for secrets
 *   $${                a plain "${"
 * Default and path may themselves hold ${...}. What comes in this way is text: it is not looked at
 * again, and never becomes structure. Any other $ is itself.
 * Thread: any; reads the environment, and blocks on files. */
#ifndef SHIP_CONFIG_EXPAND_H
#define SHIP_CONFIG_EXPAND_H

#include <stdbool.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"

enum { EXPAND_MAX_BYTES = 64 * 1024 }; /* of a file's first line, and of a whole value */

/* What was found in values, for `ship check`. */
struct expand_notes {
    void (*on_file)(void *ctx, const char *path); /* ${file:path}; borrowed for the call */
    void *ctx;
    bool has_reference; /* in the last value */
};

/* Appends the text of the value. notes may be NULL. -1 and *e (ERR_CONFIG): what could not be
 * expanded. With is_secret, a message names the variable or file only if nothing else stands in the
 * value: what looks like a reference may be a part of the secret. */
int expand(struct slice text, bool is_secret, struct buffer *out, struct expand_notes *notes,
           struct err *e);

#endif
