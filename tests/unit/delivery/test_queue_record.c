#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"
#include "tests/support/failing_malloc.h"

enum { CHUNKS = 3 };

static struct tracker tracker;
static struct budget budget;
static struct stream streams[CHUNKS];
static uint64_t moved_to[CHUNKS];

static void on_moved(void *ctx, struct stream *stream, uint64_t position, struct slice state)
{
    (void)ctx;
    (void)state;
    if (!stream->is_stand_in)
        moved_to[stream - streams] = position;
}

/* Three chunks of three streams, with 1, 2 and 3 events, in one batch; the last has one more in
 * another batch. */
static struct batch *make(void)
{
    struct batch *b = batch_new(1, &budget);

    budget_init(&budget, 1 << 20);
    tracker_init(&tracker, on_moved, NULL);
    for (unsigned i = 0; i < CHUNKS; i++) {
        struct chunk *c = calloc(1, sizeof *c);

        streams[i] = (struct stream){.id_key.low = 100 + i};
        streams[i].profile.path = slice_of("/a/path", 7 - i);
        *c = (struct chunk){.stream = &streams[i], .start = 1000 * i, .end = 1000 * i + 500};
        c->n_parts = i + 1 + (i == CHUNKS - 1);
        tracker_add(&tracker, c);
        tracker_read(&tracker, c);
        moved_to[i] = 0;
        for (unsigned k = 0; k <= i; k++) {
            size_t from = b->body.len;

            buffer_printf(&b->body, "event %u of chunk %u\n", k, i);
            cr_assert(batch_commit(b, from, c, 20 * k, 10));
        }
    }
    batch_recount(b);
    return b;
}

static void end(struct queue_record *r)
{
    for (size_t i = 0; i < r->n_streams; i++)
        tracker_drop(&tracker, &r->streams[i]);
    queue_record_free(r);
    for (unsigned i = 0; i < CHUNKS; i++)
        tracker_drop(&tracker, &streams[i]);
    cr_expect_eq(budget_held(&budget), 0);
    cr_expect_eq(tracker.n_chunks, 0);
}

/* Durable: the positions of what was read move, and the batch knows stand-ins. */
Test(queue_record, stand_ins_take_the_place_of_chunks)
{
    struct batch *b = make();
    struct queue_record *r = queue_record_new(b, 7, &tracker);

    cr_assert(r);
    cr_expect_eq(r->number, 7);
    cr_expect_eq(r->batch, b);
    cr_expect_eq(r->n_streams, CHUNKS);
    cr_expect_eq(r->n_unsettled, CHUNKS);
    cr_expect_eq(moved_to[0], 500);
    cr_expect_eq(moved_to[1], 1500);
    cr_expect_eq(moved_to[2], 0, "one of its events is in another batch");
    for (size_t i = 0, k = 0; i < CHUNKS; k += ++i) {
        const struct chunk *c = b->items[k].chunk;

        cr_expect_eq(c->start, 1000 * i);
        cr_expect_eq(c->n_parts, i + 1);
        cr_expect(c->stream->is_stand_in);
        cr_expect_eq(c->stream->owner, r);
        cr_expect_eq(c->stream->id_key.low, 100 + i);
        cr_expect_eq(c->stream->profile.path.len, 7 - i);
    }
    cr_expect_eq(tracker.n_chunks, CHUNKS + 1);
    tracker_settle(&tracker, b->items[0].chunk, 1);
    cr_expect(tracker_is_settled(&r->streams[0]));
    end(r);
}

Test(queue_record, out_of_memory_nothing_is_settled)
{
    struct queue_record *r = NULL;

    for (unsigned n = 1; !r; n++) {
        struct batch *b = make();
        struct chunk *before = b->items[0].chunk;

        failing_malloc_at(n);
        r = queue_record_new(b, 7, &tracker);
        failing_malloc_at(0);
        cr_assert_lt(n, 50);
        if (r)
            break;
        cr_expect_eq(b->items[0].chunk, before);
        cr_expect_eq(moved_to[0] + moved_to[1], 0);
        cr_expect_eq(tracker.n_chunks, CHUNKS);
        batch_free(b);
        for (unsigned i = 0; i < CHUNKS; i++)
            tracker_drop(&tracker, &streams[i]);
        cr_expect_eq(budget_held(&budget), 0);
    }
    end(r);
}

/* About six bytes an event, so that the queue is not twice as large as what is in it. */
Test(queue_record, meta_is_small)
{
    struct batch *b = batch_new(1, &budget);
    struct stream s = {.profile.path = {"/var/log/functions/a.log", 24}};
    struct chunk c = {.stream = &s, .start = 1 << 20};
    struct buffer meta = {0};

    for (uint32_t i = 0; i < 1000; i++) {
        size_t from = b->body.len;

        for (int k = 0; k < 450; k++)
            buffer_add_char(&b->body, 'x');
        cr_assert(batch_commit(b, from, &c, 301 * i, 300));
    }
    queue_record_encode(b, &meta);
    cr_expect_leq(meta.len, 6100, "%zu", meta.len);
    buffer_free(&meta);
    batch_free(b);
}

/* Any byte of it may be another: it is refused, or it is a record that holds together. */
Test(queue_record, changed_meta)
{
    struct batch *b = make();
    struct buffer meta = {0};
    unsigned n_refused = 0;

    queue_record_encode(b, &meta);
    for (size_t at = 0; at < meta.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct buffer body = {0};
            struct err e = {0};
            struct queue_record *r;

            buffer_add_slice(&body, buffer_slice(&b->body));
            meta.ptr[at] ^= (char)(1u << bit);
            r = queue_record_decode(buffer_slice(&meta), &body, false, 1, 0, &budget, &e);
            meta.ptr[at] ^= (char)(1u << bit);
            cr_expect_eq(r == NULL, e.code == ERR_STORE);
            cr_expect_null(body.ptr, "taken");
            n_refused += !r;
            for (size_t i = 0; r && i < r->batch->n_items; i++)
                cr_expect_leq((size_t)r->batch->items[i].body_offset + r->batch->items[i].body_len,
                              r->batch->body.len);
            queue_record_free(r);
        }
    cr_expect_gt(n_refused, 20);
    buffer_free(&meta);
    batch_free(b);
    for (unsigned i = 0; i < CHUNKS; i++)
        tracker_drop(&tracker, &streams[i]);
    cr_expect_eq(budget_held(&budget), 0);
}
