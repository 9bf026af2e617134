/* A batch: the events that leave in one request, and every byte they need.
 *
 * Life: open (a worker appends) -> sealed (no more events) -> packed (compressed; the plain bytes
 * are freed) -> posted by an output -> a verdict per event -> freed. See ARCHITECTURE.md.
 * Owner:  one at a time: the worker that fills it, the open-batch shelf, the compressing job, the
 *         delivery engine.
 * Memory: body and items; both counted in the budget (batch_new to batch_free).
 * Thread: its owner's. */
#ifndef SHIP_PIPELINE_BATCH_H
#define SHIP_PIPELINE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/pipeline/budget.h"

struct chunk;
struct worker;

/* One event of the batch. Offsets are into the plain (uncompressed) body. */
struct batch_item {
    struct chunk *chunk;  /* which read it came from: carries stream and position */
    uint32_t body_offset; /* with its action line, in the output's own encoding */
    uint32_t body_len;
    uint32_t line_offset; /* from the chunk's first byte; of a summary its REPORT's, as an int32_t,
                             since that may be before the chunk; or one of the two below */
    uint32_t line_len;    /* without its line end; 0 for an event that no line said (invocation) */
};

/* Where the REPORT of a summary is, if its offset does not say it. */
#define BATCH_REPORT_UNKNOWN ((uint32_t)INT32_MIN)
#define BATCH_REPORT_BEFORE ((uint32_t)INT32_MIN + 1) /* in the file before */

static inline bool batch_item_is_summary(const struct batch_item *item)
{
    return item->line_len == 0;
}

struct batch_limits {
    int64_t max_bytes;  /* of plain body */
    int64_t max_events; /* at most 100000 */
    int64_t linger_ms;  /* from the first event to the seal */
};

struct batch {
    unsigned output; /* index into the configuration's outputs */
    struct buffer body;
    struct batch_item *items;
    size_t n_items;
    size_t items_cap;
    size_t plain_bytes; /* len of the plain body, also after packing */
    bool is_packed;     /* body is one gzip member (RFC 1952) */
    int64_t first_ms;   /* monotonic, when the first event came in */

    /* The delivery engine's. */
    unsigned attempts;      /* failed tries so far */
    unsigned lone_failures; /* of them, while others got through */
    unsigned sent_after;    /* failures in a row of the output when it was sent */
    int64_t sent_ms;
    bool is_resend;   /* a part of a batch that was sent before */
    bool goes_first;  /* it is perhaps too large: tried again before any other */
    uint8_t *pick;    /* what of each item (enum pick) when it is to be taken apart; owned */
    int64_t delay_ms; /* it waits so long before it is sent again ... */
    int64_t due_ms;   /* ... that is until then */
    struct batch *known_next; /* in the engine's list of all that it has */
    struct batch **known_at;  /* what points at it there; NULL: it is not in it */

    struct budget *budget;
    int64_t counted_bytes;
    struct batch *next; /* whoever owns it */
};

/* NULL when memory is out. */
struct batch *batch_new(unsigned output, struct budget *budget);
void batch_free(struct batch *b);

/* An encoder appends to b->body and then calls this with where its bytes begin. False (and the body
 * cut back) when memory is out. */
bool batch_commit(struct batch *b, size_t body_from, struct chunk *chunk, uint32_t line_offset,
                  uint32_t line_len);
bool batch_is_full(const struct batch *b, const struct batch_limits *limits);

/* gzip, level 1, with igzip. On a worker, which keeps the plain body's memory (w->plain). -1 and
 * *e: out of memory; the batch is as it was. */
int batch_pack(struct batch *b, struct worker *w, struct err *e);
/* The plain body into *out (appended), whether packed or not. -1 and *e. */
int batch_unpack(const struct batch *b, struct buffer *out, struct err *e);

/* A new batch with those items i of b for which b->pick[i] is `want`, plain, in their order, with
 * its tries and its delay; NULL when memory is out. b stays as it is. */
struct batch *batch_pick(const struct batch *b, uint8_t want, struct err *e);

/* What it holds; the budget may know an older number. */
int64_t batch_bytes(const struct batch *b);
/* Brings the budget up to date with what the batch holds. */
void batch_recount(struct batch *b);
/* Its bytes, and those of what is made of it, count there from now on. */
void batch_move_budget(struct batch *b, struct budget *to);

#endif
