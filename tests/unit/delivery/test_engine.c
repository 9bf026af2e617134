#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/retry.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"

/* A sink that answers as the test says, when the test says. */
struct fake {
    struct batch *held[8];
    sink_done_fn *done[8];
    void *ctx[8];
    unsigned n_held;
};

static unsigned fake_in_flight(const struct sink *s)
{
    (void)s;
    return 2;
}

static void fake_send(struct sink *s, struct batch *b, sink_done_fn *done, void *ctx)
{
    struct fake *f = (struct fake *)s;

    f->held[f->n_held] = b;
    f->done[f->n_held] = done;
    f->ctx[f->n_held++] = ctx;
}

static const char *fake_where(const struct sink *s)
{
    (void)s;
    return "fake";
}

static const struct output_ops fake_ops = {
    .name = "fake", .max_in_flight = fake_in_flight, .send = fake_send, .where = fake_where};

static uint64_t no_jitter(void *ctx)
{
    (void)ctx;
    return 0; /* the shortest delay: what the server asks for, or the floor */
}

static void on_wake(void *ctx)
{
    (void)ctx;
}

struct world {
    struct fake fake;
    struct engine_output output;
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct dead_letters *dead;
    struct engine *engine;
    struct stream stream;
    char directory[64];
    uint64_t moved_to;
    int64_t now;
};

static void on_moved(void *ctx, struct stream *s, uint64_t position, struct slice state)
{
    struct world *w = ctx;

    (void)s;
    (void)state;
    cr_expect_gt(position, w->moved_to, "positions never go back");
    w->moved_to = position;
}

static struct world *world_new(struct retry_options retry)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->directory, "/tmp/ship-engine-XXXXXX");
    cr_assert(mkdtemp(w->directory));
    w->output = (struct engine_output){&fake_ops, (struct sink *)&w->fake, "fake"};
    budget_init(&w->budget, 1 << 30);
    tracker_init(&w->tracker, on_moved, w);
    w->pool = pool_new(0, on_wake, NULL, NULL);
    w->dead = dead_letters_new(w->directory, w->pool, NULL);
    w->engine = engine_new(&(struct engine_options){.outputs = &w->output,
                                                    .n_outputs = 1,
                                                    .retry = retry,
                                                    .pool = w->pool,
                                                    .tracker = &w->tracker,
                                                    .dead_letters = w->dead,
                                                    .random = no_jitter},
                           NULL);
    w->now = 1000;
    return w;
}

static void world_free(struct world *w)
{
    char command[256];

    for (unsigned i = 0; i < w->fake.n_held; i++)
        batch_free(w->fake.held[i]);
    pool_free(w->pool);
    tracker_drop(&w->tracker, &w->stream);
    engine_free(w->engine);
    dead_letters_free(w->dead);
    snprintf(command, sizeof command, "rm -r %s", w->directory);
    cr_expect_eq(system(command), 0);
    cr_expect_eq(budget_held(&w->budget), 0, "%ld bytes are still held",
                 (long)budget_held(&w->budget));
    free(w);
}

/* A chunk [start, start + 10 n) with n events in one batch of their own. */
static struct chunk *chunk_of(struct world *w, uint64_t start, int n, struct batch **out)
{
    struct chunk *c = calloc(1, sizeof *c);
    struct batch *b = batch_new(0, &w->budget);

    c->stream = &w->stream;
    c->start = start;
    c->end = start + (uint64_t)n * 10;
    for (int i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "{\"create\":{}}\n{\"n\":%d}\n", (int)start / 10 + i);
        cr_assert(batch_commit(b, from, c, (uint32_t)i * 10, 0));
        c->n_parts++;
    }
    tracker_add(&w->tracker, c);
    batch_recount(b);
    *out = b;
    return c;
}

static void tick(struct world *w, int64_t pass_ms)
{
    w->now += pass_ms;
    engine_tick(w->engine, w->now);
    pool_reap(w->pool);
    engine_tick(w->engine, w->now);
}

/* Answers the oldest request. */
static void answer(struct world *w, struct sink_reply reply)
{
    struct fake *f = &w->fake;
    struct batch *b = f->held[0];
    sink_done_fn *done = f->done[0];
    void *ctx = f->ctx[0];

    cr_assert_gt(f->n_held, 0, "nothing was sent");
    f->n_held--;
    memmove(&f->held[0], &f->held[1], sizeof f->held - sizeof f->held[0]);
    memmove(&f->done[0], &f->done[1], sizeof f->done - sizeof f->done[0]);
    memmove(&f->ctx[0], &f->ctx[1], sizeof f->ctx - sizeof f->ctx[0]);
    done(ctx, b, &reply);
    pool_reap(w->pool);
    engine_tick(w->engine, w->now);
}

static struct sink_reply items(enum verdict *v)
{
    return (struct sink_reply){.outcome = SINK_ITEMS, .verdicts = v, .retry_after_ms = -1};
}

static struct sink_reply whole(enum sink_outcome outcome)
{
    struct sink_reply r = {.outcome = outcome, .retry_after_ms = 100, .status = 429};

    err_set(&r.why, ERR_BUSY, "HTTP 429");
    return r;
}

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

Test(engine, a_position_moves_after_the_acks_in_order)
{
    struct world *w = world_new(plain_retry);
    struct batch *b1, *b2;
    struct chunk *c1 = chunk_of(w, 0, 2, &b1);
    struct chunk *c2 = chunk_of(w, 20, 1, &b2);
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DUPLICATE};

    engine_offer(w->engine, b1);
    engine_offer(w->engine, b2);
    tick(w, 0);
    tracker_read(&w->tracker, c1);
    tracker_read(&w->tracker, c2);
    cr_expect_eq(w->fake.n_held, 2, "two in flight");
    /* The second is answered first. */
    struct batch *first = w->fake.held[0];

    w->fake.held[0] = w->fake.held[1];
    w->fake.held[1] = first;
    answer(w, items(ok));
    cr_expect_eq(w->moved_to, 0, "nothing moves past what is not acknowledged");
    answer(w, items(ok));
    cr_expect_eq(w->moved_to, 30);
    cr_expect_eq(engine_stats(w->engine, 0)->delivered, 2);
    cr_expect_eq(engine_stats(w->engine, 0)->duplicates, 1);
    cr_expect_eq(engine_stats(w->engine, 0)->in_flight_events, 0);
    cr_expect(engine_is_idle(w->engine));
    world_free(w);
}

/* FB5, V1, V8: just the events that want it are sent again, the bad one leaves, counts are true. */
Test(engine, mixed_verdicts)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    struct chunk *c = chunk_of(w, 0, 5, &b);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_RETRY, VERDICT_REJECTED, VERDICT_RETRY,
                        VERDICT_DUPLICATE};
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED};
    const struct output_stats *stats = engine_stats(w->engine, 0);

    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    tick(w, 0);
    answer(w, items(v));
    cr_expect_eq(w->fake.n_held, 0, "the rest waits for its backoff");
    cr_expect_eq(stats->dead, 1);
    cr_expect_eq(stats->in_flight_events, 2);
    cr_expect_eq(dead_letters_count(w->dead), 1);
    tick(w, 0);
    tick(w, 200);
    cr_assert_eq(w->fake.n_held, 1);
    cr_expect_eq(w->fake.held[0]->n_items, 2);
    cr_expect(slice_is(buffer_slice(&w->fake.held[0]->body),
                       "{\"create\":{}}\n{\"n\":1}\n{\"create\":{}}\n{\"n\":3}\n"));
    cr_expect_eq(w->moved_to, 0);
    answer(w, items(ok));
    cr_expect_eq(w->moved_to, 50);
    cr_expect_eq(stats->delivered + stats->duplicates + stats->dead, 5);
    cr_expect_eq(stats->in_flight_events, 0);
    world_free(w);
}

/* V10: an output that refuses in an instant gets one request per backoff, not a stream of them. */
Test(engine, backs_off_as_a_whole)
{
    struct world *w = world_new(plain_retry);
    struct batch *b[4];
    enum verdict ok[] = {VERDICT_DELIVERED};

    for (int i = 0; i < 4; i++) {
        struct chunk *c = chunk_of(w, (uint64_t)i * 10, 1, &b[i]);

        tracker_read(&w->tracker, c);
        engine_offer(w->engine, b[i]);
    }
    tick(w, 0);
    cr_assert_eq(w->fake.n_held, 2);
    answer(w, whole(SINK_RETRY));
    answer(w, whole(SINK_RETRY));
    for (int i = 0; i < 5; i++) {
        tick(w, 99);
        cr_expect_eq(w->fake.n_held, 0, "not before its time");
        tick(w, 1);
        cr_assert_eq(w->fake.n_held, 1, "one probe");
        answer(w, whole(SINK_RETRY));
    }
    tick(w, 800);
    answer(w, items(ok));
    tick(w, 0);
    cr_expect_eq(w->fake.n_held, 2, "an answer opens the way again");
    while (w->fake.n_held)
        answer(w, items(ok));
    tick(w, 1000);
    while (w->fake.n_held)
        answer(w, items(ok));
    cr_expect_eq(w->moved_to, 40);
    world_free(w);
}

/* FB6, S1: too large is halved down to the one event, which is set aside; its neighbours flow. */
Test(engine, splits_down_to_the_bad_one)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    struct chunk *c = chunk_of(w, 0, 5, &b);
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED,
                         VERDICT_DELIVERED};

    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    tick(w, 0);
    for (int i = 0; i < 40 && !engine_is_idle(w->engine); i++) {
        if (w->fake.n_held) {
            struct slice body = buffer_slice(&w->fake.held[0]->body);
            bool has_bad = slice_find(body, slice_str("{\"n\":3}")) >= 0;

            answer(w, has_bad ? whole(SINK_SPLIT) : items(ok));
        }
        tick(w, 1);
    }
    cr_expect_eq(engine_stats(w->engine, 0)->delivered, 4);
    cr_expect_eq(engine_stats(w->engine, 0)->dead, 1);
    cr_expect_eq(w->moved_to, 50);
    world_free(w);
}

Test(engine, a_dead_letter_that_cannot_be_written_settles_nothing)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    struct chunk *c = chunk_of(w, 0, 1, &b);
    enum verdict v[] = {VERDICT_REJECTED};
    char command[256];

    /* A file where the directory should be: also root cannot write below it. */
    snprintf(command, sizeof command, "rmdir %s && touch %s", w->directory, w->directory);
    cr_assert_eq(system(command), 0);
    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    tick(w, 0);
    answer(w, items(v));
    tick(w, 0);
    cr_expect_eq(w->moved_to, 0);
    cr_expect_eq(engine_stats(w->engine, 0)->dead, 0);
    snprintf(command, sizeof command, "rm %s && mkdir %s", w->directory, w->directory);
    cr_assert_eq(system(command), 0);
    tick(w, 5000);
    tick(w, 5000);
    cr_assert_eq(w->fake.n_held, 1, "tried again later");
    answer(w, items(v));
    cr_expect_eq(w->moved_to, 10);
    world_free(w);
}

/* A batch that is sealed and refused in the middle of a chunk: what the chunk keeps of its lines is
 * the worker's until it is through with it. */
Test(engine, a_letter_waits_until_its_chunk_is_read)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    struct chunk *c = chunk_of(w, 0, 2, &b);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_REJECTED};

    engine_offer(w->engine, b);
    tick(w, 0);
    answer(w, items(v));
    tick(w, 0);
    cr_expect_eq(dead_letters_count(w->dead), 0);
    cr_expect_not(engine_is_idle(w->engine));
    tracker_read(&w->tracker, c);
    tick(w, 0);
    cr_expect_eq(dead_letters_count(w->dead), 1);
    cr_expect_eq(w->moved_to, 20);
    world_free(w);
}

Test(engine, letters_that_wait_are_freed)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    enum verdict v[] = {VERDICT_REJECTED};

    chunk_of(w, 0, 1, &b);
    engine_offer(w->engine, b);
    tick(w, 0);
    answer(w, items(v));
    world_free(w); /* which looks at the budget */
}

Test(engine, a_one_shot_gives_up)
{
    struct retry_options retry = plain_retry;
    struct world *w;
    struct batch *b;
    struct err why;

    retry.give_up_unreached_ms = 1000;
    retry.give_up_ms = 60000;
    w = world_new(retry);
    tracker_read(&w->tracker, chunk_of(w, 0, 1, &b));
    engine_offer(w->engine, b);
    tick(w, 0);
    for (int i = 0; i < 20 && engine_state(w->engine, &why) == ENGINE_RUNNING; i++) {
        if (w->fake.n_held)
            answer(w, whole(SINK_RETRY));
        tick(w, 100);
    }
    cr_expect_eq(engine_state(w->engine, &why), ENGINE_GAVE_UP);
    cr_expect_str_eq(why.what, "HTTP 429");
    cr_expect_eq(w->moved_to, 0);
    world_free(w);
}

Test(engine, holds_when_credentials_are_refused)
{
    struct world *w = world_new(plain_retry);
    struct batch *b;
    enum verdict ok[] = {VERDICT_DELIVERED};

    tracker_read(&w->tracker, chunk_of(w, 0, 1, &b));
    engine_offer(w->engine, b);
    tick(w, 0);
    answer(w, whole(SINK_HOLD));
    tick(w, 4999);
    cr_expect_eq(w->fake.n_held, 0);
    tick(w, 1);
    cr_assert_eq(w->fake.n_held, 1);
    answer(w, items(ok));
    cr_expect_eq(w->moved_to, 10);
    world_free(w);
}

Test(retry, delays)
{
    static const struct {
        unsigned failures;
        int64_t retry_after;
        uint64_t random;
        int64_t want;
        const char *because;
    } rows[] = {
        {1, -1, 500, 500, "at most the initial delay"},
        {1, -1, 501, 10, "the range ends there; never less than the floor"},
        {3, -1, 2000, 2000, "twice as long each time"},
        {60, -1, 60000, 60000, "but no longer than the maximum, and no overflow"},
        {1, 3000, 0, 3000, "the server's word is a floor"},
        {1, 86400000, 0, 60000, "as far as the maximum goes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            retry_delay_ms(rows[i].failures, 500, 60000, rows[i].retry_after, rows[i].random),
            rows[i].want, "%s", rows[i].because);
}
