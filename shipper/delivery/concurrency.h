/* How many requests of one output may be under way at once: more while all goes well, half as many
 * when the far side has enough.
 *
 * One more for each round in which all that was allowed came back well; half when it refused for
 * want of room or time (429, a time-out), or took far longer than it did of late. What was sent
 * before the last halving says nothing new: a burst of refusals is one. Begins at the ceiling, so
 * that a healthy sink never waits for it.
 * Owner:  the caller's storage. Thread: one at a time; pure, time is an argument. */
#ifndef SHIP_DELIVERY_CONCURRENCY_H
#define SHIP_DELIVERY_CONCURRENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Invariants: 1 <= limit <= ceiling. `quickest` holds the shortest round trips, for a usual amount
 * of bytes, of the present and the last span of CONCURRENCY_SPAN_MS: what is shorter than both is
 * what the far side can do. */
struct concurrency {
    unsigned ceiling;
    double limit;
    int64_t lessened_ms; /* when it was last halved */
    int64_t span_ms;     /* when the present span began */
    double quickest[2];  /* 0: none yet */
};

/* A request that was answered, or not in time. */
struct concurrency_answer {
    int64_t sent_ms;
    int64_t now_ms;
    size_t bytes;    /* of events in it, plain */
    bool is_refusal; /* no room, or no time */
};

enum {
    CONCURRENCY_SPAN_MS = 30000,
    /* Below, a round trip says more about the network and the scheduler than about the sink. */
    CONCURRENCY_SLOW_MS = 1000,
    CONCURRENCY_SLOW_TIMES = 4,
    CONCURRENCY_BYTES = 256 * 1024, /* a round trip is counted for so many, more take longer */
};

/* ceiling: at least 1. */
void concurrency_init(struct concurrency *c, unsigned ceiling);
unsigned concurrency_limit(const struct concurrency *c);
void concurrency_answered(struct concurrency *c, const struct concurrency_answer *a);

#endif
