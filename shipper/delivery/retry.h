/* How long to wait before the next try. Pure: the random number is an argument.
 *
 * Thread: any. */
#ifndef SHIP_DELIVERY_RETRY_H
#define SHIP_DELIVERY_RETRY_H

#include <stdint.h>

/* Exponential with full jitter: anywhere in [0, min(max, initial * 2^(failures - 1))], at least 10.
 * The server's Retry-After (-1: none) is a floor, as far as max_ms (at least a minute) goes. */
int64_t retry_delay_ms(unsigned failures, int64_t initial_ms, int64_t max_ms,
                       int64_t retry_after_ms, uint64_t random);

#endif
