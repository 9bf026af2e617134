/* "1 event", "2 events": the s of English counts.
 *
 * Thread: any. */
#ifndef SHIP_BASE_PLURAL_H
#define SHIP_BASE_PLURAL_H

#include <stdint.h>

static inline const char *plural_s(uint64_t n)
{
    return n == 1 ? "" : "s";
}

#endif
