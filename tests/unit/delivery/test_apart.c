#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/apart.h"
#include "tests/support/failing_malloc.h"

struct rig {
    struct budget budget;
    struct pool *pool;
    struct batch *parts[APART_PARTS];
    struct batch *whole;
    unsigned n_done;
};

static void on_wake(void *ctx)
{
    (void)ctx;
}

/* Packs on a worker. */
struct pack {
    struct job job;
    struct batch *batch;
};

static void run_pack(struct job *job, struct worker *w)
{
    cr_assert_eq(batch_pack(((struct pack *)job)->batch, w, NULL), 0);
}

static void done_pack(struct job *job)
{
    (void)job;
}

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    budget_init(&r->budget, 1 << 24);
    r->pool = pool_new(0, on_wake, NULL, NULL);
}

static void rig_fini(struct rig *r)
{
    pool_free(r->pool);
    for (int i = 0; i < APART_PARTS; i++)
        batch_free(r->parts[i]);
    batch_free(r->whole);
    cr_expect_eq(budget_held(&r->budget), 0);
}

/* Items 0 to n - 1, picked as the text says: '.' settled, '1' first, '2' second. */
static struct batch *batch_of(struct rig *r, const char *picks, bool is_packed)
{
    struct batch *b = batch_new(0, &r->budget);
    size_t n = strlen(picks);

    b->pick = malloc(n);
    for (size_t i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "item %zu\n", i);
        cr_assert(batch_commit(b, from, NULL, (uint32_t)i, 0));
        b->pick[i] = picks[i] == '.' ? PICK_SETTLED : picks[i] == '1' ? PICK_FIRST : PICK_SECOND;
    }
    batch_recount(b);
    if (is_packed) {
        struct pack p = {{run_pack, done_pack, NULL, NULL}, b};

        pool_submit(r->pool, &p.job, JOB_NORMAL);
        pool_reap(r->pool);
    }
    b->attempts = 2;
    b->delay_ms = 300;
    return b;
}

static void on_apart(void *ctx, struct batch *parts[APART_PARTS], struct batch *whole)
{
    struct rig *r = ctx;

    memcpy(r->parts, parts, sizeof r->parts);
    r->whole = whole;
    r->n_done++;
}

static void expect_part(const struct batch *b, const char *text, bool is_packed)
{
    struct buffer plain = {0};

    if (!*text) {
        cr_expect_null(b);
        return;
    }
    cr_assert_not_null(b);
    cr_expect_eq(b->is_packed, is_packed, "packed as the whole was");
    cr_expect_eq(b->attempts, 2);
    cr_expect_eq(b->delay_ms, 300);
    cr_assert_eq(batch_unpack(b, &plain, NULL), 0);
    cr_expect(slice_is(buffer_slice(&plain), text), "%.*s", SLICE_ARG(buffer_slice(&plain)));
    buffer_free(&plain);
}

Test(apart, parts)
{
    static const struct {
        const char *picks;
        const char *first;
        const char *second;
    } rows[] = {
        {"1.1", "item 0\nitem 2\n", ""},
        {"..1", "item 2\n", ""},
        {"1122", "item 0\nitem 1\n", "item 2\nitem 3\n"},
        {"12", "item 0\n", "item 1\n"},
        {".2.", "", "item 1\n"},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        bool is_packed = i % 2;
        struct rig r;

        rig_init(&r);
        cr_expect(apart_start(r.pool, batch_of(&r, rows[i / 2].picks, is_packed), on_apart, &r));
        cr_expect_eq(r.n_done, 0, "never from inside");
        pool_reap(r.pool);
        cr_expect_eq(r.n_done, 1);
        cr_expect_null(r.whole);
        expect_part(r.parts[0], rows[i / 2].first, is_packed);
        expect_part(r.parts[1], rows[i / 2].second, is_packed);
        rig_fini(&r);
    }
}

Test(apart, what_is_under_way_at_the_end_is_freed)
{
    struct rig r;

    rig_init(&r);
    cr_expect(apart_start(r.pool, batch_of(&r, "12", true), on_apart, &r));
    rig_fini(&r);
    cr_expect_eq(r.n_done, 0);
}

/* The batch stays as it was, with its picks: what is settled of it must not be sent again. */
Test(apart, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct rig r;
        struct batch *b;
        bool is_started;

        rig_init(&r);
        b = batch_of(&r, "1.2", true);
        failing_malloc_at(n);
        is_started = apart_start(r.pool, b, on_apart, &r);
        pool_reap(r.pool);
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        cr_expect_eq(r.n_done, is_started);
        if (!is_started)
            r.whole = b;
        cr_expect_eq(r.whole, has_failed ? b : NULL, "allocation %u", n);
        if (has_failed) {
            cr_expect_eq(b->pick[1], PICK_SETTLED);
            cr_expect(b->is_packed);
            cr_expect(!r.parts[0] && !r.parts[1]);
        }
        rig_fini(&r);
    }
}
