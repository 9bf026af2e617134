/* What a record of several lines says of an error: its type, its message, its stack trace.
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_ERROR_TEXT_H
#define SHIP_PARSERS_ERROR_TEXT_H

#include <stdbool.h>

#include "shipper/base/slice.h"

/* All slices point into the text. */
struct error_text {
    struct slice type;    /* "java.lang.IllegalStateException", "KeyError", "panic" */
    struct slice message; /* may be of several lines; empty: it has none */
    struct slice stack;   /* to the text's end, the line that names the error with it */
    struct slice said;    /* the text before the stack; if there is none, up to its first frame */
};

/* False: there is no trace in it. */
bool error_text_find(struct slice text, struct error_text *out);

#endif
