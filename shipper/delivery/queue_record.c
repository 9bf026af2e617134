#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"

/* Meta: numbers are unsigned LEB128, but for hashes (8 bytes, little-endian). Most take one byte.
 *
 *   plain bytes of the body, number of items, number of origins, bytes of all their paths
 *   origins:  length of the path, the path, hash, start of the chunk, number of its items
 *   items:    body bytes between it and the one before, its body bytes,
 *             line offset less the end of the line before (zigzag), length of the line
 *
 * Items stand in the order of their origins: a worker has a batch alone while it takes events of a
 * chunk into it. */

enum { ORIGIN_LEAST = 1 + 8 + 1 + 1, ITEM_LEAST = 4, VARINT_MAX = 10 };

/* --- numbers --------------------------------------------------------------------------------- */

static void add_number(struct buffer *out, uint64_t value)
{
    char bytes[VARINT_MAX];
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (char)(value | 0x80);
    bytes[n++] = (char)value;
    buffer_add(out, bytes, n);
}

static void add_hash(struct buffer *out, uint64_t value)
{
    char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(value >> 8 * i);
    buffer_add(out, bytes, sizeof bytes);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static int64_t unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Takes a number off the front of *rest. False: there is none. */
static bool take_number(struct slice *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; rest->len && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)rest->ptr[0];

        *rest = slice_from(*rest, 1);
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_u32(struct slice *rest, uint32_t *out)
{
    uint64_t value;

    if (!take_number(rest, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool take_hash(struct slice *rest, uint64_t *out)
{
    if (rest->len < 8)
        return false;
    *out = 0;
    for (int i = 7; i >= 0; i--)
        *out = *out << 8 | (unsigned char)rest->ptr[i];
    *rest = slice_from(*rest, 8);
    return true;
}

static bool take_bytes(struct slice *rest, size_t len, struct slice *out)
{
    if (rest->len < len)
        return false;
    *out = slice_of(rest->ptr, len);
    *rest = slice_from(*rest, len);
    return true;
}

/* --- written --------------------------------------------------------------------------------- */

/* Where the items of the chunk of item i end. */
static size_t run_end(const struct batch *b, size_t i)
{
    const struct chunk *chunk = b->items[i].chunk;

    while (i < b->n_items && b->items[i].chunk == chunk)
        i++;
    return i;
}

/* What all stand-ins of a batch need together. */
struct sizes {
    size_t n_streams;
    size_t text_bytes;
};

static struct sizes measure(const struct batch *b)
{
    struct sizes sizes = {0, 0};

    for (size_t i = 0; i < b->n_items; i = run_end(b, i)) {
        sizes.n_streams++;
        sizes.text_bytes += b->items[i].chunk->stream->profile.path.len;
    }
    return sizes;
}

static void encode_origin(const struct chunk *c, size_t n_items, struct buffer *meta)
{
    struct slice path = c->stream->profile.path;

    add_number(meta, path.len);
    buffer_add_slice(meta, path);
    add_hash(meta, c->stream->id_key.low);
    add_number(meta, c->start);
    add_number(meta, n_items);
}

static void encode_items(const struct batch *b, struct buffer *meta)
{
    uint64_t body_end = 0;
    int64_t line_end = 0;

    for (size_t i = 0; i < b->n_items; i++) {
        const struct batch_item *item = &b->items[i];

        add_number(meta, item->body_offset - body_end);
        add_number(meta, item->body_len);
        add_number(meta, zigzag((int64_t)item->line_offset - line_end));
        add_number(meta, item->line_len);
        body_end = (uint64_t)item->body_offset + item->body_len;
        line_end = (int64_t)item->line_offset + item->line_len;
    }
}

void queue_record_encode(const struct batch *batch, struct buffer *meta)
{
    struct sizes sizes = measure(batch);

    add_number(meta, batch->plain_bytes);
    add_number(meta, batch->n_items);
    add_number(meta, sizes.n_streams);
    add_number(meta, sizes.text_bytes);
    for (size_t i = 0; i < batch->n_items;) {
        size_t end = run_end(batch, i);

        encode_origin(batch->items[i].chunk, end - i, meta);
        i = end;
    }
    encode_items(batch, meta);
}

/* --- stand-ins ------------------------------------------------------------------------------- */

static struct queue_record *record_alloc(uint64_t number, struct sizes sizes, struct budget *budget)
{
    struct queue_record *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->number = number;
    r->streams = calloc(sizes.n_streams ? sizes.n_streams : 1, sizeof *r->streams);
    r->texts = malloc(sizes.text_bytes + 1);
    if (!r->streams || !r->texts) {
        queue_record_free(r);
        return NULL;
    }
    r->budget = budget;
    r->counted_bytes =
        (int64_t)(sizeof *r + sizes.text_bytes +
                  sizes.n_streams * (sizeof *r->streams + sizeof *r->streams->oldest));
    budget_add(budget, r->counted_bytes);
    return r;
}

/* The next stand-in, with a chunk of its own. `texts` has room. NULL: out of memory. */
static struct chunk *stand_in(struct queue_record *r, struct slice path, char **texts,
                              uint64_t origin, uint64_t start)
{
    struct stream *s = &r->streams[r->n_streams];
    struct chunk *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    if (path.len)
        memcpy(*texts, path.ptr, path.len);
    s->profile.path = slice_of(*texts, path.len);
    *texts += path.len;
    s->id_key.low = origin;
    s->owner = r;
    s->is_stand_in = true;
    s->oldest = c;
    s->newest = c;
    c->stream = s;
    c->start = start;
    c->end = start;
    r->n_streams++;
    return c;
}

void queue_record_track(struct queue_record *r, struct tracker *tracker)
{
    for (size_t i = 0; i < r->n_streams; i++) {
        struct stream *s = &r->streams[i];
        struct chunk *c = s->oldest;

        s->oldest = NULL;
        s->newest = NULL;
        tracker_add(tracker, c);
        tracker_read(tracker, c);
    }
    r->n_unsettled = r->n_streams;
}

/* The chunks have their stand-ins; the batch is lent them. */
static bool make_stand_ins(struct queue_record *r, const struct batch *b)
{
    char *texts = r->texts;

    for (size_t i = 0; i < b->n_items;) {
        const struct chunk *c = b->items[i].chunk;
        size_t end = run_end(b, i);
        struct chunk *stand =
            stand_in(r, c->stream->profile.path, &texts, c->stream->id_key.low, c->start);

        if (!stand)
            return false;
        stand->n_parts = end - i;
        i = end;
    }
    return true;
}

/* The events of chunk i of the record move over to its stand-in; the chunk may go. */
static void replace_chunk(struct queue_record *r, size_t i, struct batch *batch, size_t first_item,
                          struct tracker *tracker)
{
    struct chunk *stand = r->streams[i].oldest;
    struct chunk *chunk = batch->items[first_item].chunk;

    for (uint64_t k = 0; k < stand->n_parts; k++)
        batch->items[first_item + k].chunk = stand;
    tracker_settle(tracker, chunk, stand->n_parts);
}

struct queue_record *queue_record_new(struct batch *batch, uint64_t number, struct tracker *tracker)
{
    struct queue_record *r = record_alloc(number, measure(batch), batch->budget);
    size_t item = 0;

    if (!r || !make_stand_ins(r, batch)) {
        queue_record_free(r);
        return NULL;
    }
    for (size_t i = 0; i < r->n_streams; i++) {
        uint64_t n = r->streams[i].oldest->n_parts;

        replace_chunk(r, i, batch, item, tracker);
        item += n;
    }
    r->batch = batch;
    queue_record_track(r, tracker);
    return r;
}

void queue_record_free(struct queue_record *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_streams; i++)
        if (!r->n_unsettled && r->streams[i].oldest)
            chunk_free(r->streams[i].oldest);
    batch_free(r->batch);
    free(r->streams);
    free(r->texts);
    if (r->budget)
        budget_add(r->budget, -r->counted_bytes);
    free(r);
}

/* --- read back ------------------------------------------------------------------------------- */

static bool decode_origins(struct slice *rest, struct queue_record *r, uint32_t n_origins,
                           uint32_t n_items, uint32_t text_bytes, struct err *e)
{
    char *texts = r->texts;

    for (uint32_t i = 0; i < n_origins; i++) {
        uint32_t path_len;
        uint32_t n;
        uint64_t hash;
        uint64_t start;
        struct slice path;
        struct chunk *c;

        if (!take_u32(rest, &path_len) || path_len > text_bytes ||
            !take_bytes(rest, path_len, &path) || !take_hash(rest, &hash) ||
            !take_number(rest, &start) || !take_u32(rest, &n) || n == 0 || n > n_items)
            return false;
        text_bytes -= path_len;
        n_items -= n;
        c = stand_in(r, path, &texts, hash, start);
        if (!c) {
            err_set(e, ERR_NOMEM, "out of memory");
            return false;
        }
        c->n_parts = n;
    }
    return n_items == 0;
}

/* The body is a run of items, perhaps with bytes between. */
static bool decode_item(struct slice *rest, struct batch *b, uint64_t *body_end, int64_t *line_end,
                        struct chunk *chunk)
{
    struct batch_item *item = &b->items[b->n_items];
    uint32_t gap;
    uint64_t moved;
    uint64_t offset;
    int64_t line;

    if (!take_u32(rest, &gap) || !take_u32(rest, &item->body_len) || !take_number(rest, &moved) ||
        moved > 2 * (uint64_t)UINT32_MAX + 1 || !take_u32(rest, &item->line_len))
        return false;
    offset = *body_end + gap;
    line = *line_end + unzigzag(moved);
    if (offset + item->body_len > b->plain_bytes || offset > UINT32_MAX || line < 0 ||
        line > UINT32_MAX)
        return false;
    item->body_offset = (uint32_t)offset;
    item->line_offset = (uint32_t)line;
    item->chunk = chunk;
    *body_end = offset + item->body_len;
    *line_end = line + item->line_len;
    b->n_items++;
    return true;
}

static bool decode_items(struct slice *rest, const struct queue_record *r)
{
    uint64_t body_end = 0;
    int64_t line_end = 0;

    for (size_t s = 0; s < r->n_streams; s++) {
        struct chunk *c = r->streams[s].oldest;

        for (uint64_t i = 0; i < c->n_parts; i++)
            if (!decode_item(rest, r->batch, &body_end, &line_end, c))
                return false;
    }
    return rest->len == 0;
}

/* What meta begins with, as far as it can be true of so many bytes. */
struct counts {
    uint64_t plain_bytes;
    uint32_t n_items;
    uint32_t n_origins;
    uint32_t text_bytes;
};

static bool take_counts(struct slice *rest, struct counts *out)
{
    return take_number(rest, &out->plain_bytes) && take_u32(rest, &out->n_items) &&
           take_u32(rest, &out->n_origins) && take_u32(rest, &out->text_bytes) && out->n_items &&
           out->n_items <= rest->len / ITEM_LEAST && out->n_origins <= rest->len / ORIGIN_LEAST &&
           out->text_bytes <= rest->len;
}

static bool batch_alloc(struct queue_record *r, const struct counts *counts, struct buffer *body,
                        bool is_packed, unsigned output)
{
    r->batch = batch_new(output, r->budget);
    if (!r->batch)
        return false;
    r->batch->items = calloc(counts->n_items, sizeof *r->batch->items);
    if (!r->batch->items)
        return false;
    r->batch->items_cap = counts->n_items;
    r->batch->plain_bytes = counts->plain_bytes;
    r->batch->is_packed = is_packed;
    r->batch->body = *body;
    *body = (struct buffer){0};
    batch_recount(r->batch);
    return true;
}

static struct queue_record *decode(struct slice rest, struct buffer *body, bool is_packed,
                                   uint64_t number, unsigned output, struct budget *budget,
                                   struct err *e)
{
    struct counts counts;
    struct queue_record *r;

    err_set(e, ERR_STORE, "not a record of a queue, though its checksums are right");
    if (!take_counts(&rest, &counts) || (!is_packed && counts.plain_bytes != body->len))
        return NULL;
    r = record_alloc(number, (struct sizes){counts.n_origins, counts.text_bytes}, budget);
    if (!r || !batch_alloc(r, &counts, body, is_packed, output)) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto fail;
    }
    if (!decode_origins(&rest, r, counts.n_origins, counts.n_items, counts.text_bytes, e) ||
        !decode_items(&rest, r))
        goto fail;
    err_set(e, ERR_NONE, "%s", "");
    return r;
fail:
    queue_record_free(r);
    return NULL;
}

struct queue_record *queue_record_decode(struct slice meta, struct buffer *body, bool is_packed,
                                         uint64_t number, unsigned output, struct budget *budget,
                                         struct err *e)
{
    struct queue_record *r = decode(meta, body, is_packed, number, output, budget, e);

    if (!r)
        buffer_free(body);
    return r;
}
