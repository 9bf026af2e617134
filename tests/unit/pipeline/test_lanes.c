#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shipper/pipeline/lanes.h"
#include "tests/support/failing_malloc.h"

struct rig {
    struct budget budget;
    struct pool *pool;
    struct lanes *lanes;
    struct clock clock;
    int64_t now_ms;
    struct worker worker; /* the test's own */
    struct batch *ready;  /* newest first */
    unsigned n_ready;
};

static int64_t rig_mono(void *ctx)
{
    return ((struct rig *)ctx)->now_ms;
}

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void on_ready(void *ctx, struct batch *b)
{
    struct rig *r = ctx;

    b->next = r->ready;
    r->ready = b;
    r->n_ready++;
}

static const struct output_ops plain = {.name = "plain"};
static const struct output_ops packed = {.name = "packed", .wants_gzip = true};

static void rig_init(struct rig *r, const struct batch_limits *limits, unsigned n_workers)
{
    struct lane_options lanes[2] = {{&plain, NULL, *limits, NULL}, {&packed, NULL, *limits, NULL}};

    memset(r, 0, sizeof *r);
    r->now_ms = 1000;
    r->clock = (struct clock){rig_mono, NULL, r};
    budget_init(&r->budget, 1 << 24);
    r->pool = pool_new(n_workers, on_wake, NULL, NULL);
    r->lanes = lanes_new(lanes, 2, r->pool, &r->budget, &r->clock, on_ready, r, NULL);
    cr_assert_not_null(r->lanes);
}

static void rig_fini(struct rig *r)
{
    pool_free(r->pool);
    while (r->ready) {
        struct batch *b = r->ready;

        r->ready = b->next;
        batch_free(b);
    }
    lanes_free(r->lanes);
    worker_fini(&r->worker);
    cr_expect_eq(budget_held(&r->budget), 0);
}

static void add(struct batch *b, const char *text)
{
    size_t from = b->body.len;

    buffer_add_slice(&b->body, slice_str(text));
    cr_assert(batch_commit(b, from, NULL, 0, 0));
}

/* A chunk with n events for the lane. */
static void put(struct rig *r, size_t lane, unsigned n)
{
    struct batch *b = lanes_take(r->lanes, lane);

    for (unsigned i = 0; i < n; i++) {
        if (batch_is_full(b, &lanes_options(r->lanes, lane)->limits))
            b = lanes_exchange(r->lanes, b, &r->worker);
        add(b, "an event\n");
    }
    lanes_put(r->lanes, b, &r->worker);
    while (pool_reap(r->pool))
        ;
}

static int64_t tick(struct rig *r, bool flush)
{
    int64_t due = lanes_tick(r->lanes, r->now_ms, flush);

    while (pool_reap(r->pool))
        ;
    return due;
}

Test(lanes, a_batch_is_open_for_its_linger)
{
    struct rig r;

    rig_init(&r, &(struct batch_limits){1000, 100, 500}, 0);
    cr_expect_eq(tick(&r, false), INT64_MAX, "nothing is open");
    put(&r, 0, 2);
    r.now_ms += 300;
    put(&r, 0, 3);
    cr_expect_eq(lanes_pending(r.lanes), 1, "chunks share it");
    cr_expect_eq(tick(&r, false), 1500, "from its first event");
    r.now_ms = 1499;
    cr_expect_eq(tick(&r, false), 1500);
    cr_expect_eq(r.n_ready, 0);
    r.now_ms = 1500;
    cr_expect_eq(tick(&r, false), INT64_MAX);
    cr_assert_eq(r.n_ready, 1);
    cr_expect_eq(r.ready->n_items, 5);
    cr_expect_eq(lanes_pending(r.lanes), 0);
    rig_fini(&r);
}

static size_t cap_of_a_new_batch(struct rig *r, size_t lane)
{
    struct batch *b = lanes_take(r->lanes, lane);
    size_t cap = b->body.cap;

    lanes_put(r->lanes, b, &r->worker); /* empty: it goes */
    return cap;
}

/* The memory of a packed body is used again, but not a huge one's, and not while nothing is to do.
 */
Test(lanes, a_packed_body_leaves_its_memory)
{
    struct rig r;
    struct batch *b;

    rig_init(&r, &(struct batch_limits){1000, 1000, 500}, 0);
    cr_expect_eq(cap_of_a_new_batch(&r, 1), 0, "the first has none yet");
    put(&r, 1, 120); /* one full, one open */
    cr_assert_eq(r.n_ready, 1);
    b = lanes_take(r.lanes, 1); /* the open one, off the shelf */
    cr_expect_gt(b->body.cap, 1000, "eight events need less");
    cr_expect_eq(cap_of_a_new_batch(&r, 1), 0, "it was the only one");
    lanes_put(r.lanes, b, &r.worker);
    b = lanes_take(r.lanes, 0);
    cr_expect_eq(b->body.cap, 0, "every lane has its own");
    tick(&r, true);
    cr_expect_gt(cap_of_a_new_batch(&r, 1), 1000, "packed, and something is under way");
    lanes_put(r.lanes, b, &r.worker);
    put(&r, 1, 1);
    tick(&r, true);
    tick(&r, false);
    cr_expect_eq(cap_of_a_new_batch(&r, 1), 0, "nothing is under way any more");

    b = lanes_take(r.lanes, 1);
    buffer_reserve(&b->body, 5000);
    add(b, "an event that needed much room");
    b = lanes_exchange(r.lanes, b, &r.worker);
    cr_expect_eq(b->body.cap, 0, "larger than batches are");
    lanes_put(r.lanes, b, &r.worker);
    pool_reap(r.pool);
    rig_fini(&r);
}

/* It holds no events, but it is there: it counts, once, whether it waits or is used again. */
Test(lanes, the_memory_of_a_packed_body_counts)
{
    struct rig r;
    int64_t held;
    struct batch *b;

    rig_init(&r, &(struct batch_limits){1000, 1000, 500}, 0);
    b = lanes_take(r.lanes, 0); /* something is under way */
    put(&r, 1, 112);
    cr_assert_eq(r.n_ready, 1);
    cr_assert(r.ready->is_packed);
    held = budget_held(&r.budget);
    cr_expect_gt(held, r.ready->counted_bytes + 1000, "%lld", (long long)held);
    put(&r, 1, 1);
    cr_expect_leq(budget_held(&r.budget), held + 64 * (int64_t)sizeof(struct batch_item),
                  "an event in memory that counted before");
    tick(&r, true);
    cr_expect_eq(r.n_ready, 2);
    tick(&r, true);
    cr_expect_eq(budget_held(&r.budget), r.ready->counted_bytes + r.ready->next->counted_bytes,
                 "memory is short: it is given back, though something is under way");
    lanes_put(r.lanes, b, &r.worker);
    rig_fini(&r);
}

Test(lanes, the_memory_of_a_packed_body_is_not_kept_when_memory_is_short)
{
    struct rig r;
    struct batch *b;

    rig_init(&r, &(struct batch_limits){1000, 1000, 500}, 0);
    r.budget.limit_bytes = 3000;
    b = lanes_take(r.lanes, 0);
    put(&r, 1, 112);
    cr_assert_eq(r.n_ready, 1);
    cr_expect_eq(budget_held(&r.budget), r.ready->counted_bytes);
    cr_expect_eq(cap_of_a_new_batch(&r, 1), 0);
    lanes_put(r.lanes, b, &r.worker);
    rig_fini(&r);
}

Test(lanes, a_batch_is_sealed_when_it_is_full)
{
    static const struct {
        struct batch_limits limits;
        unsigned n_events;
        unsigned want_ready;
        size_t want_items;
        const char *because;
    } rows[] = {
        {{1000, 4, 500}, 9, 2, 4, "by count, in the middle of a chunk"},
        {{1000, 4, 500}, 4, 1, 4, "by count, at its end"},
        {{20, 100, 500}, 7, 2, 3, "by bytes"},
        {{1000, 100, 0}, 5, 1, 5, "linger 0: with its chunk"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;

        rig_init(&r, &rows[i].limits, 0);
        put(&r, 0, rows[i].n_events);
        cr_expect_eq(r.n_ready, rows[i].want_ready, "%s", rows[i].because);
        if (r.ready)
            cr_expect_eq(r.ready->n_items, rows[i].want_items, "%s", rows[i].because);
        rig_fini(&r);
    }
}

Test(lanes, flush_seals_all_of_it)
{
    struct rig r;

    rig_init(&r, &(struct batch_limits){1000, 100, 60000}, 0);
    put(&r, 0, 1);
    put(&r, 1, 1);
    cr_expect_eq(lanes_pending(r.lanes), 2);
    tick(&r, true);
    cr_expect_eq(r.n_ready, 2);
    cr_expect_eq(lanes_pending(r.lanes), 0);
    rig_fini(&r);
}

Test(lanes, packed_for_the_output_that_wants_it)
{
    struct rig r;
    struct buffer body = {0};

    rig_init(&r, &(struct batch_limits){1000, 100, 0}, 0);
    put(&r, 0, 1);
    cr_expect_not(r.ready->is_packed);
    put(&r, 1, 2);
    cr_expect(r.ready->is_packed);
    tick(&r, false); /* nothing is under way: the memory of the packed one goes */
    cr_assert_eq(batch_unpack(r.ready, &body, NULL), 0);
    cr_expect(slice_is(buffer_slice(&body), "an event\nan event\n"));
    cr_expect_eq(budget_held(&r.budget), (int64_t)(r.ready->body.cap + r.ready->next->body.cap +
                                                   2 * 64 * sizeof(struct batch_item)));
    buffer_free(&body);
    rig_fini(&r);
}

Test(lanes, a_chunk_without_events_leaves_nothing_open)
{
    struct rig r;

    rig_init(&r, &(struct batch_limits){1000, 100, 500}, 0);
    put(&r, 0, 0);
    cr_expect_eq(lanes_pending(r.lanes), 0);
    rig_fini(&r);
}

/* Without memory a batch stays open, or goes unpacked; its events are not lost. */
Test(lanes, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct rig r;
        struct batch *b;
        size_t n_items = 0;

        rig_init(&r, &(struct batch_limits){1000, 3, 500}, 0);
        b = lanes_take(r.lanes, 1);
        add(b, "an event\n");
        add(b, "an event\n");
        add(b, "an event\n");
        failing_malloc_at(n);
        lanes_put(r.lanes, b, &r.worker);
        while (pool_reap(r.pool))
            ;
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        tick(&r, true);
        for (b = r.ready; b; b = b->next)
            n_items += b->n_items;
        cr_expect_eq(n_items, 3, "allocation %u", n);
        cr_expect_eq(lanes_pending(r.lanes), 0);
        rig_fini(&r);
    }
}

/* --- many workers ---------------------------------------------------------------------------- */

enum { N_JOBS = 300, PER_JOB = 50 };

struct fill {
    struct job job;
    struct rig *rig;
    unsigned n;
};

static void run_fill(struct job *job, struct worker *w)
{
    struct fill *f = (struct fill *)job;
    struct lanes *l = f->rig->lanes;

    for (size_t lane = 0; lane < 2; lane++) {
        struct batch *b = lanes_take(l, lane);

        for (unsigned i = 0; i < PER_JOB; i++) {
            char text[32];

            if (batch_is_full(b, &lanes_options(l, lane)->limits))
                b = lanes_exchange(l, b, w);
            snprintf(text, sizeof text, "%u\n", f->n * PER_JOB + i);
            add(b, text);
        }
        lanes_put(l, b, w);
    }
}

static void done_fill(struct job *job)
{
    (void)job;
}

Test(lanes, each_event_comes_once_whoever_works, .timeout = 300)
{
    static struct fill fills[N_JOBS];
    static unsigned char seen[2][N_JOBS * PER_JOB];
    struct timespec pause = {0, 1000000};
    struct rig r;

    rig_init(&r, &(struct batch_limits){4000, 170, 20}, 3);
    for (unsigned i = 0; i < N_JOBS; i++) {
        fills[i] = (struct fill){{run_fill, done_fill, NULL, NULL}, &r, i};
        pool_submit(r.pool, &fills[i].job, JOB_NORMAL);
    }
    for (size_t done = 0; done < N_JOBS || lanes_pending(r.lanes);) {
        unsigned before = r.n_ready;
        size_t n = pool_reap(r.pool);

        done += n - (r.n_ready - before); /* the others were packings */
        lanes_tick(r.lanes, r.now_ms, done == N_JOBS);
        if (n == 0)
            nanosleep(&pause, NULL);
    }
    for (struct batch *b = r.ready; b; b = b->next) {
        struct buffer body = {0};

        cr_assert_eq(batch_unpack(b, &body, NULL), 0);
        for (size_t i = 0; i < b->n_items; i++)
            seen[b->output][strtoul(body.ptr + b->items[i].body_offset, NULL, 10)]++;
        buffer_free(&body);
    }
    for (size_t i = 0; i < N_JOBS * PER_JOB; i++)
        cr_assert(seen[0][i] == 1 && seen[1][i] == 1, "event %zu: %u, %u", i, seen[0][i],
                  seen[1][i]);
    rig_fini(&r);
}
