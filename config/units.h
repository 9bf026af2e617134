/* Numbers with units: sizes and durations, read and written.
 *
 * Thread: any. */
#ifndef SHIP_CONFIG_UNITS_H
#define SHIP_CONFIG_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/option.h"
#include "shipper/base/slice.h"

/* OPTION_INT: digits. OPTION_BYTES: "4096", "512KiB", "1 MiB", "10MB". OPTION_DURATION, in
 * milliseconds: "500ms", "1s", "5m", "2h", "7d"; without a unit only "0". False: it is none, or
 * does not fit. */
bool units_parse(enum option_type type, struct slice text, int64_t *out);
/* With the largest unit that takes it without a rest. */
void units_format(enum option_type type, int64_t n, char *buf, size_t cap);

#endif
