/* The tracker: moves a stream's checkpoint to the lowest position not yet settled.
 *
 * A chunk is settled when the worker is done with it and each of its events has its last verdict
 * from every output. The oldest settled chunks of a stream leave its list; the position after them
 * is what may be made durable: never before the acks.
 * Thread: the loop's only. */
#ifndef SHIP_DELIVERY_TRACKER_H
#define SHIP_DELIVERY_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/slice.h"

struct batch_item;
struct chunk;
struct stream;

/* The stream's settled position moved; `state` goes with it into the checkpoint (borrowed). A
 * stream of whose chunks none is left may be freed here. */
typedef void tracker_moved_fn(void *ctx, struct stream *stream, uint64_t position,
                              struct slice state);

struct tracker {
    tracker_moved_fn *on_moved;
    void *ctx;
    uint64_t n_chunks;  /* not settled, over all streams */
    uint64_t n_reading; /* of them, with a worker or on the way to one */
};

void tracker_init(struct tracker *t, tracker_moved_fn *on_moved, void *ctx);
/* The chunk joins its stream's list; before its job runs. */
void tracker_add(struct tracker *t, struct chunk *chunk);
/* The worker is done with it: its n_parts is known. May free the chunk: take what you need of it
 * before. */
void tracker_read(struct tracker *t, struct chunk *chunk);
/* n parts of the chunk have their last verdict. */
void tracker_settle(struct tracker *t, struct chunk *chunk, uint64_t n);
/* The same for n events of a batch of this output, each a part of its own chunk: their chunks note
 * that it has had them. */
void tracker_settle_items(struct tracker *t, unsigned output, const struct batch_item *items,
                          size_t n);
bool tracker_is_settled(const struct stream *stream);
/* Frees what is not settled, when the stream is closed all the same; after the pool's end. */
void tracker_drop(struct tracker *t, struct stream *stream);

#endif
