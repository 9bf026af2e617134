/* A set of numbers, kept as ranges: which records of a queue are settled, which bytes of a stream.
 *
 * Settling goes mostly in order, so there are few ranges however many numbers there are.
 * Owner:  the caller's storage; zero it to begin. Thread: one at a time. */
#ifndef SHIP_BASE_NUMBER_SET_H
#define SHIP_BASE_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_range {
    uint64_t from;
    uint64_t to; /* the first that is not in it */
};

/* Invariant: ascending, and between two ranges a number is missing. */
struct number_set {
    struct number_range *ranges;
    size_t n;
    size_t cap;
};

void number_set_free(struct number_set *s);
/* So many number_set_add in a row cannot fail. False: out of memory. */
bool number_set_reserve(struct number_set *s, size_t n);
/* All of [from, to). False: out of memory; the set is as it was. */
bool number_set_add(struct number_set *s, uint64_t from, uint64_t to);
bool number_set_has(const struct number_set *s, uint64_t number);
/* Has all of [from, to); an empty range it has. */
bool number_set_covers(const struct number_set *s, uint64_t from, uint64_t to);
/* How many of [from, to) it has. */
uint64_t number_set_count(const struct number_set *s, uint64_t from, uint64_t to);
/* The lowest number from `number` on that is not in it. */
uint64_t number_set_next_missing(const struct number_set *s, uint64_t number);
/* The first range that ends behind `number`; n if there is none. */
size_t number_set_find(const struct number_set *s, uint64_t number);
/* *out, which is empty, becomes a copy. False: out of memory. */
bool number_set_copy(const struct number_set *s, struct number_set *out);

#endif
