/* What is left of standard input when an agent ends and another goes on: bytes that were read and
 * are not delivered. No source has them any more.
 *
 * Read first by the next agent's input, at the positions and with the correlation that they had, so
 * that their events have the ids that they had: what was delivered of them answers 409.
 * Owner:  moved, as a struct: the input that reads it, else the agent.
 * Thread: rest_read on a worker, the others on the loop while no worker reads. */
#ifndef SHIP_INPUTS_REST_H
#define SHIP_INPUTS_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/pipeline/budget.h"

struct rest_piece;

struct rest {
    bool is_there;    /* an input has left something, if only its identity */
    uint64_t process; /* what its undated lines' ids grow from, beside the origin */
    uint64_t began_ns;
    uint64_t position;   /* of the first byte */
    struct buffer state; /* stream_state_save there; empty: nothing had been read yet */
    struct buffer had;   /* behind it, by each output: had_save; empty: nothing */
    uint64_t lost_bytes; /* of chunks whose bytes could not be kept for want of memory */

    struct rest_piece *first;
    struct budget *budget; /* counts the pieces; NULL: none does */
};

/* Appends bytes; takes the buffer. Packed (pack_bytes), if plain_len is not 0. What there is no
 * memory for is lost, and counted. */
void rest_add(struct rest *r, struct buffer *bytes, size_t plain_len);
/* Appends the pieces of `from`, which is left without. */
void rest_append(struct rest *r, struct rest *from);
/* The next bytes, up to cap; 0: there are none. -1 and *e (ERR_NOMEM): ask again. */
ssize_t rest_read(struct rest *r, char *buf, size_t cap, struct err *e);
bool rest_is_empty(const struct rest *r);
/* Lines in it, an open one too; 0 of what cannot be looked into for want of memory. */
uint64_t rest_count_lines(const struct rest *r);
/* From now on the pieces count in this budget, not in the one before. NULL: in none. */
void rest_count_in(struct rest *r, struct budget *budget);
/* Frees what it holds; it is empty then. */
void rest_fini(struct rest *r);

#endif
