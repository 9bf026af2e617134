/* The valid name that somebody who typed another one meant.
 *
 * Thread: any; the accumulator is the caller's. */
#ifndef SHIP_BASE_NEAREST_H
#define SHIP_BASE_NEAREST_H

#include "shipper/base/slice.h"

enum { NEAREST_WORD_MAX = 48 }; /* longer words have no neighbours */

struct nearest {
    struct slice word; /* what was typed; borrowed */
    const char *name;  /* the best so far, or NULL when none is near enough */
    unsigned distance;
};

void nearest_init(struct nearest *n, struct slice word);
/* A valid name, which must live as long as *n. A dotted one ("tls.ca_file") is also known by its
 * last part and by its first. Of two that are as near, the first. */
void nearest_offer(struct nearest *n, const char *name);

/* How many letters must be put in, taken out, changed, or swapped with their neighbour; case counts
 * for nothing. Both at most NEAREST_WORD_MAX long. */
unsigned nearest_distance(struct slice a, struct slice b);

#endif
