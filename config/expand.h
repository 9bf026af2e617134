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

/* Appends the text of the value. -1 and *e (ERR_CONFIG): what could not be expanded. With
 * is_secret, a message names the variable or file only if nothing else stands in the value: what
 * looks like a reference may be a part of the secret. */
int expand(struct slice text, bool is_secret, struct buffer *out, struct err *e);

#endif
