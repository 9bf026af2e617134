/* The options of the csv parser: columns whose names the configuration gives.
 *
 * Thread: read-only. */
#ifndef SHIP_PARSERS_CSV_H
#define SHIP_PARSERS_CSV_H

#include "shipper/base/option.h"

struct csv_options {
    struct option_list columns; /* in their order; "-" for one that is not wanted */
    struct option_map types;    /* column: string, int, float or bool */
    const char *delimiter;      /* one character, or "tab" */
    const char *quote;          /* one character, doubled for itself; or "none" */
};

#endif
