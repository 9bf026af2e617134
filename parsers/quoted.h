/* Texts between quotes, as log lines have them: where one ends, and what it says.
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_QUOTED_H
#define SHIP_PARSERS_QUOTED_H

#include <stdbool.h>

#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

/* *rest begins with a quote; cuts up to the same quote again, which a backslash hides. *inner is
 * what stands between, and has escapes if a backslash is in it. False, with nothing moved: the
 * quote is never closed. */
bool quoted_cut(struct slice *rest, struct slice *inner, bool *has_escapes);

/* Appends what it says: \n \t \r \b \f \" \' \\ \/ \xHH \uXXXX; any other backslash stays. Never
 * longer than `inner`. */
void quoted_decode(struct slice inner, struct buffer *out);

/* The same for percent escapes: "Mozilla/5.0%20(X11)"; what is none stays. */
void percent_decode(struct slice text, struct buffer *out);

#endif
