/* Unpacking gzip and zstd piece by piece, with what may follow a member or frame.
 *
 * Owner:  unpack_free. Thread: one at a time; no I/O. */
#ifndef SHIP_INPUTS_UNPACK_H
#define SHIP_INPUTS_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"
#include "shipper/inputs/source_packed.h"

struct unpack;

enum unpack_step {
    UNPACK_INSIDE,  /* in the middle of a member: wants input, or room */
    UNPACK_BETWEEN, /* a member ended just here; another may follow */
    UNPACK_GARBAGE, /* after the last member came something else; final */
    UNPACK_BROKEN,  /* *e; final */
};

/* NULL when memory is out. */
struct unpack *unpack_new(enum packing packing, enum packed_window window);
void unpack_free(struct unpack *u);
/* Uses some of `in` (how much: *used) and makes up to cap bytes (*made). */
enum unpack_step unpack_run(struct unpack *u, struct slice in, size_t *used, char *out, size_t cap,
                            size_t *made, struct err *e);
/* The last run stopped for want of room: the next may make output without input. */
bool unpack_has_output(const struct unpack *u);

enum { UNPACK_SIZE_MAX = 18 };
/* The length of the text, by the first bytes of a zstd file or the last of a gzip file. *mask: the
 * bits of it that are known; 0: none. */
uint64_t unpack_size(enum packing packing, const char bytes[UNPACK_SIZE_MAX], uint64_t *mask);

#endif
