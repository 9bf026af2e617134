/* One event in a batch of the local output: the columns of its row, each with its length.
 *
 * It never leaves the process, so it is in this machine's own layout.
 * Memory: a decoded record borrows from the bytes it was read from.
 * Thread: encoding on workers, decoding on the sink's thread; no state. */
#ifndef SHIP_OUTPUTS_LOCAL_RECORD_H
#define SHIP_OUTPUTS_LOCAL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

struct event;

/* Empty texts are NULL in the store. */
struct local_record {
    int64_t time_ns;
    uint64_t origin, offset; /* struct event's */
    struct slice id;         /* event.id; empty for `id: none` */
    struct slice function;   /* faas.name */
    struct slice request;    /* faas.execution */
    struct slice trace;      /* trace.id */
    struct slice init;       /* labels.init_id */
    struct slice level;      /* log.level */
    struct slice action;     /* event.action */
    struct slice message;    /* plain text, for the full-text index */
    struct slice document;   /* the event as JSON */
};

void local_record_encode(const struct event *event, struct buffer *body);
/* False when the bytes are no whole record. */
bool local_record_decode(struct slice bytes, struct local_record *out);

#endif
