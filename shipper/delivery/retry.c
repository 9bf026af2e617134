#include "shipper/delivery/retry.h"

enum { RETRY_FLOOR_MS = 10, RETRY_AFTER_MAX_MS = 60000 };

int64_t retry_delay_ms(unsigned failures, int64_t initial_ms, int64_t max_ms,
                       int64_t retry_after_ms, uint64_t random)
{
    int64_t span = initial_ms > 0 ? initial_ms : 1;
    int64_t longest = max_ms > RETRY_AFTER_MAX_MS ? max_ms : RETRY_AFTER_MAX_MS;
    int64_t delay;

    for (unsigned i = 1; i < failures && span < max_ms; i++)
        span *= 2;
    if (span > max_ms)
        span = max_ms;
    delay = (int64_t)(random % (uint64_t)(span + 1));
    if (retry_after_ms > longest)
        retry_after_ms = longest;
    if (delay < retry_after_ms)
        delay = retry_after_ms;
    return delay > RETRY_FLOOR_MS ? delay : RETRY_FLOOR_MS;
}
