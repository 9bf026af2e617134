#include <sys/random.h>
#include <time.h>

#include "shipper/base/random.h"

void random_init(struct random *r)
{
    struct timespec ts;

    if (getrandom(&r->state, sizeof r->state, GRND_NONBLOCK) == (ssize_t)sizeof r->state)
        return;
    clock_gettime(CLOCK_REALTIME, &ts);
    r->state = (uint64_t)ts.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)ts.tv_sec;
}

uint64_t random_next(void *ctx)
{
    struct random *r = ctx;
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
