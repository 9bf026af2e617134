/* Takes a batch apart, on a worker: the items to send again become new batches of their own.
 *
 * Owner:  apart_start takes the batch; it is freed when its parts are made. Thread: called on the
 *         loop, and on_done comes there. */
#ifndef SHIP_DELIVERY_APART_H
#define SHIP_DELIVERY_APART_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pool.h"

enum pick { PICK_SETTLED, PICK_FIRST, PICK_SECOND };
enum { APART_PARTS = 2 };

/* The parts (either may be NULL), packed as the batch was. When memory is out both are NULL and
 * `whole` is the batch as it was, to be taken apart later: what is settled of it must not be sent
 * again. Else whole is NULL. Takes them. */
typedef void apart_done_fn(void *ctx, struct batch *parts[APART_PARTS], struct batch *whole);

/* batch->pick says what becomes of each item. False when memory is out: nothing was taken. */
bool apart_start(struct pool *pool, struct batch *batch, apart_done_fn *on_done, void *ctx);

#endif
