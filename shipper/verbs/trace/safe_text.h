/* Foreign text on its way to a terminal: what a log line says must not become a command to it.
 *
 * Colour sequences are dropped; other control characters (C0, DEL, C1), what turns the direction of
 * text around, and bytes that are no UTF-8 are shown as \x1b or \u202e.
 * Thread: any. */
#ifndef SHIP_VERBS_TRACE_SAFE_TEXT_H
#define SHIP_VERBS_TRACE_SAFE_TEXT_H

#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

/* Appends one line of text, cut to max_columns with "..." at its end; 0: not cut. A tab becomes
 * blanks. Returns how many columns it took. */
size_t safe_text_add(struct buffer *out, struct slice text, size_t max_columns);

#endif
