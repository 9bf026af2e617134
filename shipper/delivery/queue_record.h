/* A batch that is in the disk queue, and its bytes there.
 *
 * Once a batch is durable, the chunks that its events came from are settled, and their streams may
 * go. What dead letters and the tracker want to know of them is kept in stand-ins: one stream with
 * one chunk for each chunk there was, which know path, origin and position, and no source.
 * Owner:  whoever got it; freed when the last of its chunks is settled. Thread: one at a time. */
#ifndef SHIP_DELIVERY_QUEUE_RECORD_H
#define SHIP_DELIVERY_QUEUE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/stream.h"

struct tracker;

struct queue_record {
    uint64_t number;
    void *owner;            /* for whoever has the record; NULL at its birth */
    struct batch *batch;    /* its items' chunks are the stand-ins; taken (NULL) when it is sent */
    struct stream *streams; /* is_stand_in, key NULL, owner this record; each with one chunk (of its
                               own memory, is_read), which the tracker frees when it is settled */
    size_t n_streams;
    size_t n_unsettled; /* streams whose chunk has unsettled events; the owner counts them down */
    char *texts;        /* what the streams' paths point at */
    struct budget *budget;
    int64_t counted_bytes; /* that the stand-ins hold, in the budget */
};

/* Puts stand-ins in the place of the chunks of a batch that is durable as `number`, and settles the
 * events of those chunks, which may be gone afterwards, and their streams. Each stand-in's chunk is
 * given to `tracker` (tracker_add, then tracker_read). NULL when memory is out: the batch is as it
 * was, and nothing is settled. */
struct queue_record *queue_record_new(struct batch *batch, uint64_t number,
                                      struct tracker *tracker);

/* What is to be known of the items beside the body, appended: sizes, origins. */
void queue_record_encode(const struct batch *batch, struct buffer *meta);
/* The same back; takes *body, also when it fails; `meta` is not needed afterwards. NULL and *e
 * (ERR_STORE: it is no such record, ERR_NOMEM). Its chunks are not yet the tracker's:
 * queue_record_track. */
struct queue_record *queue_record_decode(struct slice meta, struct buffer *body, bool is_packed,
                                         uint64_t number, unsigned output, struct budget *budget,
                                         struct err *e);
/* Loop: its chunks join the tracker. */
void queue_record_track(struct queue_record *r, struct tracker *tracker);
/* Frees the batch too, if it has one. Chunks that the tracker has are the tracker's to drop. */
void queue_record_free(struct queue_record *r);

#endif
