/* Random numbers, as an argument: jitter only, nothing secret.
 *
 * Owner:  the caller's storage. Thread: one at a time. */
#ifndef SHIP_BASE_RANDOM_H
#define SHIP_BASE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* Seeded by the kernel. */
void random_init(struct random *r);
/* The next number (splitmix64); ctx is a struct random. */
uint64_t random_next(void *ctx);

#endif
