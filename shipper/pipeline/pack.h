/* gzip (RFC 1952), level 1, by ISA-L's igzip: one member in memory to one member in memory.
 *
 * Thread: workers; pack_bytes keeps its large state with the worker. */
#ifndef SHIP_PIPELINE_PACK_H
#define SHIP_PIPELINE_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

struct worker;

/* Puts the packed bytes into *out, which must be empty: a block of just that size. False: out of
 * memory. At most 4 GiB. */
bool pack_bytes(struct worker *w, struct slice plain, struct buffer *out);
/* Appends the plain bytes, exactly plain_len of them. False: out of memory, or the bytes are
 * damaged. */
bool unpack_bytes(struct slice packed, size_t plain_len, struct buffer *out);

#endif
