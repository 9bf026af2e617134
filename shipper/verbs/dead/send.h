/* Dead letters sent again, a file at a time: what got delivered leaves the file, what was refused
 * again stays with its new reason, and what was not sent stays as it was.
 *
 * Owner:  the verb. Thread: main's. */
#ifndef SHIP_VERBS_DEAD_SEND_H
#define SHIP_VERBS_DEAD_SEND_H

#include <stdint.h>

#include "config/config.h"
#include "shipper/base/error.h"
#include "shipper/delivery/letter_files.h"
#include "shipper/inputs/letter_fix.h"

struct send_plan {
    const struct config *config; /* its outputs and what is global in it */
    bool to_one;                 /* to its one output, whichever refused them */
    const struct letter_fix *fixes;
    size_t n_fixes;
    struct log *log;
};

struct send_totals {
    uint64_t delivered;
    uint64_t duplicates;
    uint64_t refused;  /* again */
    uint64_t not_sent; /* no letters, of other outputs, or given up before */
};

/* The files were put aside, and their directory is locked. 0; -1 and *e when it ended before all
 * were sent, or a file could not be made anew. Adds to *totals in any case. */
int send_letters(const struct send_plan *plan, const struct letter_files *files,
                 struct send_totals *totals, struct err *e);

#endif
