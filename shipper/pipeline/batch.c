#include <stdlib.h>

#include <isa-l/igzip_lib.h>

#include "shipper/pipeline/batch.h"
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

void batch_recount(struct batch *b)
{
    int64_t now = (int64_t)(b->body.cap + b->items_cap * sizeof *b->items);

    if (now != b->counted_bytes)
        budget_add(b->budget, now - b->counted_bytes);
    b->counted_bytes = now;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    buffer_free(&b->body);
    free(b->items);
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

/* What one compressor needs; a worker keeps it, since it is large. */
struct igzip {
    struct isal_zstream stream;
    uint8_t level_buf[ISAL_DEF_LVL1_DEFAULT];
};

static bool worker_can_pack(struct worker *w, size_t bound)
{
    if (!w->igzip)
        w->igzip = malloc(sizeof(struct igzip));
    w->packed.len = 0;
    if (!buffer_reserve(&w->packed, bound)) {
        w->packed.failed = false;
        return false;
    }
    return w->igzip;
}

static bool deflate_into(struct igzip *g, struct slice plain, struct buffer *out)
{
    struct isal_zstream *z = &g->stream;

    isal_deflate_init(z);
    z->level = 1;
    z->level_buf = g->level_buf;
    z->level_buf_size = sizeof g->level_buf;
    z->gzip_flag = IGZIP_GZIP;
    z->end_of_stream = 1;
    z->flush = NO_FLUSH;
    z->next_in = (uint8_t *)plain.ptr;
    z->avail_in = (uint32_t)plain.len;
    z->next_out = (uint8_t *)out->ptr;
    z->avail_out = (uint32_t)out->cap;
    if (isal_deflate(z) != COMP_OK || z->avail_in > 0 || z->internal_state.state != ZSTATE_END)
        return false;
    out->len = z->total_out;
    return true;
}

int batch_pack(struct batch *b, struct worker *w, struct err *e)
{
    /* What does not shrink is stored: five bytes for each 64 KiB, header and trailer. */
    size_t bound = b->body.len + b->body.len / 1000 + 1024;
    char *fit;

    if (b->is_packed)
        return 0;
    if (!worker_can_pack(w, bound) || !deflate_into(w->igzip, buffer_slice(&b->body), &w->packed) ||
        !(fit = malloc(w->packed.len)))
        return err_set(e, ERR_NOMEM, "out of memory while compressing %zu bytes", b->body.len);
    memcpy(fit, w->packed.ptr, w->packed.len);
    b->plain_bytes = b->body.len;
    buffer_free(&b->body);
    b->body.ptr = fit;
    b->body.len = b->body.cap = w->packed.len;
    b->is_packed = true;
    batch_recount(b);
    return 0;
}

int batch_unpack(const struct batch *b, struct buffer *out, struct err *e)
{
    struct inflate_state *z;
    int rc;

    if (!b->is_packed) {
        buffer_add(out, b->body.ptr, b->body.len);
        return out->failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
    }
    z = malloc(sizeof *z);
    if (!z || !buffer_reserve(out, b->plain_bytes + 1)) {
        free(z);
        return err_set(e, ERR_NOMEM, "out of memory while unpacking %zu bytes", b->plain_bytes);
    }
    isal_inflate_init(z);
    z->crc_flag = ISAL_GZIP;
    z->next_in = (uint8_t *)b->body.ptr;
    z->avail_in = (uint32_t)b->body.len;
    z->next_out = (uint8_t *)out->ptr + out->len;
    z->avail_out = (uint32_t)(b->plain_bytes + 1);
    rc = isal_inflate(z);
    if (rc == ISAL_DECOMP_OK && z->total_out == b->plain_bytes) {
        out->len += z->total_out;
        free(z);
        return 0;
    }
    free(z);
    return err_set(e, ERR_NOMEM, "a batch in memory does not unpack (%d)", rc);
}

struct batch *batch_pick(const struct batch *b, const uint8_t *pick, uint8_t want, struct err *e)
{
    struct buffer plain = {0};
    struct batch *part = batch_new(b->output, b->budget);

    if (!part) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (batch_unpack(b, &plain, e) < 0)
        goto fail;
    for (size_t i = 0; i < b->n_items; i++) {
        const struct batch_item *item = &b->items[i];
        size_t from = part->body.len;

        if (pick[i] != want)
            continue;
        buffer_add(&part->body, plain.ptr + item->body_offset, item->body_len);
        if (!batch_commit(part, from, item->chunk, item->line_offset, item->line_len)) {
            err_set(e, ERR_NOMEM, "out of memory");
            goto fail;
        }
    }
    part->first_ms = b->first_ms;
    part->attempts = b->attempts;
    batch_recount(part);
    buffer_free(&plain);
    return part;

fail:
    buffer_free(&plain);
    batch_free(part);
    return NULL;
}
