#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pool.h"

static struct batch *filled(struct budget *budget, int n)
{
    struct batch *b = batch_new(0, budget);

    for (int i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "item %d with some text that repeats itself\n", i);
        cr_assert(batch_commit(b, from, NULL, (uint32_t)i * 10, 9));
    }
    batch_recount(b);
    return b;
}

/* zlib, which we did not write, reads what igzip packed. */
Test(batch, packed_is_gzip)
{
    struct budget budget;
    struct worker w = {0};
    struct batch *b;
    struct buffer before = {0};
    static char plain[1 << 20];
    z_stream z = {0};

    budget_init(&budget, 1 << 30);
    b = filled(&budget, 5000);
    buffer_add_slice(&before, buffer_slice(&b->body));
    cr_assert_eq(batch_pack(b, &w, NULL), 0);
    cr_expect_lt(b->body.len, before.len / 4);
    cr_assert_eq(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    z.next_in = (unsigned char *)b->body.ptr;
    z.avail_in = (unsigned)b->body.len;
    z.next_out = (unsigned char *)plain;
    z.avail_out = sizeof plain;
    cr_expect_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
    cr_expect_eq(z.avail_in, 0, "one member, nothing behind it");
    cr_expect(slice_eq(slice_of(plain, z.total_out), buffer_slice(&before)));
    inflateEnd(&z);
    batch_free(b);
    buffer_free(&before);
    worker_fini(&w);
    cr_expect_eq(budget_held(&budget), 0, "all bytes given back");
}

Test(batch, a_part_holds_what_was_picked)
{
    struct budget budget;
    struct worker w = {0};
    struct batch *b;
    struct batch *part;
    static const uint8_t pick[10] = {0, 1, 0, 0, 1, 0, 0, 0, 0, 2};

    budget_init(&budget, 1 << 30);
    b = filled(&budget, 10);
    cr_assert_eq(batch_pack(b, &w, NULL), 0);
    b->pick = malloc(sizeof pick);
    memcpy(b->pick, pick, sizeof pick);
    b->attempts = 3;
    b->delay_ms = 250;
    part = batch_pick(b, 1, NULL);
    cr_assert(part);
    cr_expect_eq(part->n_items, 2);
    cr_expect_eq(part->items_cap, 2, "a batch that is taken apart to its last event does not grow");
    cr_expect_eq(part->items[1].line_offset, 40);
    cr_expect_eq(part->attempts, 3);
    cr_expect_eq(part->delay_ms, 250);
    cr_expect(slice_is(buffer_slice(&part->body), "item 1 with some text that repeats itself\n"
                                                  "item 4 with some text that repeats itself\n"));
    batch_free(part);
    batch_free(b);
    worker_fini(&w);
    cr_expect_eq(budget_held(&budget), 0);
}

Test(batch, what_does_not_shrink_is_packed_too)
{
    struct budget budget;
    struct worker w = {0};
    struct batch *b;
    struct buffer back = {0};
    uint64_t x = 88172645463325252u;

    budget_init(&budget, 1 << 30);
    b = batch_new(0, &budget);
    for (int i = 0; i < 40000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        buffer_add(&b->body, &x, sizeof x);
    }
    cr_assert(batch_commit(b, 0, NULL, 0, 0));
    cr_assert_eq(batch_pack(b, &w, NULL), 0);
    cr_assert_eq(batch_unpack(b, &back, NULL), 0);
    cr_expect_eq(back.len, 320000);
    batch_free(b);
    buffer_free(&back);
    worker_fini(&w);
}

Test(batch, damaged_bytes_do_not_unpack)
{
    struct budget budget;
    struct worker w = {0};
    struct batch *b;
    struct buffer back = {0};

    budget_init(&budget, 1 << 30);
    b = filled(&budget, 100);
    cr_assert_eq(batch_pack(b, &w, NULL), 0);
    b->body.ptr[b->body.len / 2] ^= 0x55;
    cr_expect_eq(batch_unpack(b, &back, NULL), -1);
    batch_free(b);
    buffer_free(&back);
    worker_fini(&w);
}

/* An output's batches count as its own and in the whole, also what is picked out of them. */
Test(batch, counts_where_it_was_moved_to)
{
    struct budget whole, part;
    struct batch *b;
    struct batch *picked;
    static uint8_t pick[4] = {1, 0, 0, 0};
    int64_t held;

    budget_init(&whole, 1 << 30);
    budget_init_part(&part, &whole, 1 << 20);
    b = filled(&whole, 4);
    held = budget_held(&whole);
    batch_move_budget(b, &part);
    cr_expect_eq(budget_held(&part), held);
    cr_expect_eq(budget_held(&whole), held);
    cr_expect_eq(whole.peak_bytes, held, "it was never counted twice");
    b->pick = malloc(sizeof pick);
    memcpy(b->pick, pick, sizeof pick);
    picked = batch_pick(b, 1, NULL);
    cr_assert_not_null(picked);
    cr_expect_gt(budget_held(&part), held);
    batch_free(picked);
    batch_free(b);
    cr_expect_eq(budget_held(&part), 0);
    cr_expect_eq(budget_held(&whole), 0);
}
