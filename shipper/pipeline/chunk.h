/* A chunk: one bite of a stream, from read to settled.
 *
 * The job of a worker: read, split into lines, parse, correlate, encode into open batches. Then, on
 * the loop, it waits in its stream's list until a verdict came for each of its events.
 * Owner:  the tracker, from chunk_start until it is settled; then freed.
 * Thread: while its job runs, the worker's; `settled` is the loop's always. */
#ifndef SHIP_PIPELINE_CHUNK_H
#define SHIP_PIPELINE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/pipeline/had.h"
#include "shipper/pipeline/pool.h"

struct batch_item;
struct chunk;
struct lanes;
struct stream;

enum chunk_end {
    CHUNK_MORE,  /* there may be more right away */
    CHUNK_EMPTY, /* the source has no whole line more for now */
    CHUNK_ERROR, /* reading failed: why */
};

/* Why chunk_start is called without there being news. */
enum chunk_purpose {
    CHUNK_READ,   /* read on */
    CHUNK_FINISH, /* no more will ever come: an open last line is a line, held summaries come out */
    CHUNK_IDLE,   /* the stream has been quiet: held summaries come out */
};

typedef void chunk_done_fn(void *ctx, struct chunk *chunk);

struct chunk {
    struct job job; /* first: the pool hands back this address */
    struct stream *stream;
    struct lanes *lanes;
    chunk_done_fn *on_read;
    void *ctx;
    enum chunk_purpose purpose;
    int64_t now_wall_ns; /* when it was asked for: stamps undated live lines */

    /* The worker's result. */
    uint64_t start;     /* stream position before */
    uint64_t end;       /* and after: a line start (or inside a line that is being skipped) */
    uint64_t raw_bytes; /* read */
    uint32_t n_lines;
    uint32_t n_truncated;   /* lines cut at max_line */
    uint64_t skipped_bytes; /* of those lines' rests */
    uint64_t n_events;      /* made of its lines, invocations included */
    uint64_t n_parts;       /* of events in batches: each event once for every output */
    enum chunk_end how;
    struct err why;
    struct buffer raw;   /* packed bytes [start, end) if the source cannot be asked again */
    size_t raw_len;      /* of them, plain */
    struct buffer state; /* stream_state_save at `end` */
    int64_t kept_bytes;  /* what it holds until it is settled, in the budget */

    /* The tracker's. */
    bool is_read;           /* the worker is done with it */
    uint64_t settled;       /* parts with their last verdict; may run ahead of is_read */
    int64_t reserved_bytes; /* budget taken for the read; the worker's until it is done: what it
                               counts of batches it gives back; the rest goes in on_read */
    struct had_list had;    /* of it, by each output */
    struct chunk *next;     /* in its stream */
};

/* Puts the next bite of the stream to work. on_read comes on the loop when the worker is done; the
 * chunk is then already in the stream's list. NULL when memory is out. */
struct chunk *chunk_start(struct stream *stream, struct lanes *lanes, struct pool *pool,
                          enum chunk_purpose purpose, int64_t now_wall_ns, chunk_done_fn *on_read,
                          void *ctx);
void chunk_free(struct chunk *c);

/* Where in its stream an event of a chunk begins (had.h). */
uint64_t chunk_item_place(const struct batch_item *item);

/* The original bytes of an event, appended: from the source, or from what the chunk kept. False if
 * they are gone. Any thread, while the stream is not being read by another. */
bool chunk_original(const struct chunk *c, uint32_t line_offset, uint32_t line_len,
                    struct buffer *out);

#endif
