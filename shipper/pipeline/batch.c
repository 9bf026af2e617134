#include <assert.h>
#include <stdlib.h>

#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pack.h"
#include "shipper/pipeline/pool.h"

struct batch *batch_new(unsigned output, struct budget *budget)
{
    struct batch *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->output = output;
    b->budget = budget;
    return b;
}

int64_t batch_bytes(const struct batch *b)
{
    return (int64_t)(b->body.cap + b->items_cap * sizeof *b->items);
}

void batch_recount(struct batch *b)
{
    int64_t now = batch_bytes(b);

    if (now != b->counted_bytes)
        budget_add(b->budget, now - b->counted_bytes);
    b->counted_bytes = now;
}

void batch_move_budget(struct batch *b, struct budget *to)
{
    budget_add(b->budget, -b->counted_bytes); /* first: the whole of both must not count it twice */
    b->budget = to;
    budget_add(to, b->counted_bytes);
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    buffer_free(&b->body);
    free(b->items);
    free(b->pick);
    b->items_cap = 0;
    batch_recount(b);
    free(b);
}

static bool grow_items(struct batch *b)
{
    size_t cap = b->items_cap ? b->items_cap * 2 : 64;
    struct batch_item *grown = realloc(b->items, cap * sizeof *grown);

    if (!grown)
        return false;
    b->items = grown;
    b->items_cap = cap;
    return true;
}

bool batch_commit(struct batch *b, size_t body_from, struct chunk *chunk, uint32_t line_offset,
                  uint32_t line_len)
{
    if (b->body.failed || (b->n_items == b->items_cap && !grow_items(b))) {
        b->body.failed = false;
        b->body.len = body_from;
        return false;
    }
    b->items[b->n_items++] = (struct batch_item){
        chunk, (uint32_t)body_from, (uint32_t)(b->body.len - body_from), line_offset, line_len};
    b->plain_bytes = b->body.len;
    return true;
}

bool batch_is_full(const struct batch *b, const struct batch_limits *limits)
{
    return (int64_t)b->body.len >= limits->max_bytes || (int64_t)b->n_items >= limits->max_events;
}

int batch_pack(struct batch *b, struct worker *w, struct err *e)
{
    struct buffer packed = {0};

    if (b->is_packed)
        return 0;
    if (!pack_bytes(w, buffer_slice(&b->body), &packed))
        return err_set(e, ERR_NOMEM, "out of memory while compressing %zu bytes", b->body.len);
    b->plain_bytes = b->body.len;
    buffer_free(&w->plain);
    w->plain = b->body;
    b->body = packed;
    b->is_packed = true;
    batch_recount(b);
    return 0;
}

int batch_unpack(const struct batch *b, struct buffer *out, struct err *e)
{
    if (b->is_packed) {
        if (unpack_bytes(buffer_slice(&b->body), b->plain_bytes, out))
            return 0;
    } else {
        buffer_add_slice(out, buffer_slice(&b->body));
        if (!out->failed)
            return 0;
    }
    return err_set(e, ERR_NOMEM, "out of memory while unpacking %zu bytes", b->plain_bytes);
}

/* No more than they need: a batch may be taken apart down to its single events. */
static bool reserve_picked(struct batch *part, const struct batch *b, uint8_t want)
{
    size_t n = 0;
    size_t bytes = 0;

    for (size_t i = 0; i < b->n_items; i++)
        if (b->pick[i] == want) {
            n++;
            bytes += b->items[i].body_len;
        }
    if (!n)
        return true;
    part->items = malloc(n * sizeof *part->items);
    if (!part->items)
        return false;
    part->items_cap = n;
    return buffer_reserve(&part->body, bytes);
}

struct batch *batch_pick(const struct batch *b, uint8_t want, struct err *e)
{
    struct buffer plain = {0};
    struct batch *part = batch_new(b->output, b->budget);

    if (!part) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (batch_unpack(b, &plain, e) < 0)
        goto fail;
    if (!reserve_picked(part, b, want)) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto fail;
    }
    for (size_t i = 0; i < b->n_items; i++) {
        const struct batch_item *item = &b->items[i];
        size_t from = part->body.len;

        if (b->pick[i] != want)
            continue;
        assert(plain.ptr); /* an item has bytes */
        buffer_add(&part->body, plain.ptr + item->body_offset, item->body_len);
        if (!batch_commit(part, from, item->chunk, item->line_offset, item->line_len)) {
            err_set(e, ERR_NOMEM, "out of memory");
            goto fail;
        }
    }
    part->first_ms = b->first_ms;
    part->attempts = b->attempts;
    part->goes_first = b->goes_first;
    part->lone_failures = b->lone_failures;
    part->delay_ms = b->delay_ms;
    batch_recount(part);
    buffer_free(&plain);
    return part;

fail:
    buffer_free(&plain);
    batch_free(part);
    return NULL;
}
