/* Several parsers for one input: the first that accepts a line reads it.
 *
 * It is no type of its own in a configuration, but what `parser: [json, logfmt]` becomes.
 * Owner:  the chain owns its links; parser_free frees all.
 * Thread: as every parser: read-only once made. */
#ifndef SHIP_PARSERS_CHAIN_H
#define SHIP_PARSERS_CHAIN_H

#include <stddef.h>

#include "parsers/parser.h"

/* A chain of n links without ops, to be filled by chain_link; those left so are passed over. -1:
 * memory is out. */
int chain_new(size_t n, struct parser *out);
struct parser *chain_link(const struct parser *chain, size_t i);
/* How the times of the lines are written that the i-th reads; borrowed. */
void chain_set_times(const struct parser *chain, size_t i, const struct time_rules *times);

#endif
