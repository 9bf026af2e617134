/* The clock, as an argument: what decides never reads the time by itself.
 *
 * There are two: clock_real, and the simulated one in tests.
 * Thread: any. */
#ifndef SHIP_BASE_CLOCK_H
#define SHIP_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*mono_ms)(void *ctx); /* for delays; never goes back */
    int64_t (*wall_ns)(void *ctx); /* since 1970, only to stamp events */
    void *ctx;
};

extern const struct clock clock_real;

static inline int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ms(c->ctx);
}

static inline int64_t clock_wall_ns(const struct clock *c)
{
    return c->wall_ns(c->ctx);
}

#endif
