/* The dice of the simulator: everything that happens in a life comes from one seed.
 *
 * Thread: one. */
#ifndef SHIP_TESTS_SIM_RANDOM_H
#define SHIP_TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/random.h"

/* 0 to n - 1. */
static inline unsigned sim_draw(struct random *r, unsigned n)
{
    return (unsigned)(random_next(r) >> 33) % n;
}

/* In so many of a thousand cases. */
static inline bool sim_chance(struct random *r, unsigned permille)
{
    return sim_draw(r, 1000) < permille;
}

#endif
