#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/delivery/intake.h"
#include "tests/support/engine_rig.h"

/* --- the sink -------------------------------------------------------------------------------- */

static unsigned fake_in_flight(const struct sink *s)
{
    const struct fake_sink *f = (const struct fake_sink *)s;

    return f->most;
}

static void fake_send(struct sink *s, struct batch *b, sink_done_fn *done, void *ctx)
{
    struct fake_sink *f = (struct fake_sink *)s;

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

/* --- the world ------------------------------------------------------------------------------- */

static uint64_t jitter(void *ctx)
{
    struct engine_rig *r = ctx;

    return r->random ? r->random(r->random_ctx) : 0;
}

void engine_rig_random(struct engine_rig *r, uint64_t (*random)(void *ctx), void *ctx)
{
    r->random = random;
    r->random_ctx = ctx;
}

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void on_moved(void *ctx, struct stream *s, uint64_t position, struct slice state)
{
    struct engine_rig *r = ctx;

    (void)state;
    if (s->is_stand_in) {
        intake_settled(s);
        return;
    }
    cr_expect_gt(position, r->moved_to, "positions never go back");
    r->moved_to = position;
}

struct engine_rig *engine_rig_new(struct retry_options retry, struct log *log)
{
    return engine_rig_new_wide(retry, 2, log);
}

struct engine_rig *engine_rig_new_wide(struct retry_options retry, unsigned most, struct log *log)
{
    struct engine_rig *r = calloc(1, sizeof *r);
    struct engine_options options = {.outputs = &r->output,
                                     .n_outputs = 1,
                                     .retry = retry,
                                     .tracker = &r->tracker,
                                     .random = jitter,
                                     .random_ctx = r,
                                     .log = log};

    cr_assert_not_null(r);
    temp_dir_make(r->directory);
    r->fake.most = most;
    r->output = (struct engine_output){&fake_ops, (struct sink *)&r->fake, "fake", false};
    budget_init(&r->budget, 1 << 30);
    tracker_init(&r->tracker, on_moved, r);
    r->pool = options.pool = pool_new(0, on_wake, NULL, NULL);
    r->dead = options.dead_letters = dead_letters_new(r->directory, r->pool, NULL);
    r->engine = engine_new(&options, NULL);
    r->now = 1000;
    return r;
}

void engine_rig_free(struct engine_rig *r)
{
    for (unsigned i = 0; i < r->fake.n_held; i++)
        batch_free(r->fake.held[i]);
    pool_free(r->pool);
    tracker_drop(&r->tracker, &r->stream);
    engine_free(r->engine);
    if (r->on_free)
        r->on_free(r->on_free_ctx);
    dead_letters_free(r->dead);
    temp_dir_remove(r->directory);
    cr_expect_eq(budget_held(&r->budget), 0, "%ld bytes are still held",
                 (long)budget_held(&r->budget));
    free(r);
}

struct chunk *engine_rig_chunk(struct engine_rig *r, uint64_t start, int n, int pad,
                               struct batch **out)
{
    struct chunk *c = calloc(1, sizeof *c);
    struct batch *b = batch_new(0, &r->budget);

    cr_assert(c && b);
    c->stream = &r->stream;
    c->start = start;
    c->end = start + (uint64_t)n * 10;
    for (int i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "{\"create\":{}}\n{\"n\":%d}%*s\n", (int)start / 10 + i, pad, "");
        cr_assert(batch_commit(b, from, c, (uint32_t)i * 10, 0));
        c->n_parts++;
    }
    tracker_add(&r->tracker, c);
    batch_recount(b);
    *out = b;
    return c;
}

void engine_rig_offer(struct engine_rig *r, uint64_t start, int n, int pad)
{
    struct batch *b;
    struct chunk *c = engine_rig_chunk(r, start, n, pad, &b);

    tracker_read(&r->tracker, c);
    engine_offer(r->engine, b);
}

void engine_rig_tick(struct engine_rig *r, int64_t pass_ms)
{
    r->now += pass_ms;
    engine_tick(r->engine, r->now);
    while (pool_reap(r->pool))
        ;
    engine_tick(r->engine, r->now);
}

void engine_rig_answer(struct engine_rig *r, struct sink_reply reply)
{
    struct fake_sink *f = &r->fake;
    struct batch *b = f->held[0];
    sink_done_fn *done = f->done[0];
    void *ctx = f->ctx[0];

    cr_assert_gt(f->n_held, 0, "nothing was sent");
    f->n_held--;
    memmove(&f->held[0], &f->held[1], sizeof f->held - sizeof f->held[0]);
    memmove(&f->done[0], &f->done[1], sizeof f->done - sizeof f->done[0]);
    memmove(&f->ctx[0], &f->ctx[1], sizeof f->ctx - sizeof f->ctx[0]);
    done(ctx, b, &reply);
    while (pool_reap(r->pool))
        ;
    engine_tick(r->engine, r->now);
}

bool engine_rig_has_event(const struct engine_rig *r, int n)
{
    char text[32];

    snprintf(text, sizeof text, "{\"n\":%d}", n);
    return r->fake.n_held && slice_find(buffer_slice(&r->fake.held[0]->body), slice_str(text)) >= 0;
}

/* --- answers --------------------------------------------------------------------------------- */

struct sink_reply reply_items(enum verdict *v)
{
    return (struct sink_reply){
        .outcome = SINK_ITEMS, .verdicts = v, .retry_after_ms = -1, .was_reached = true};
}

struct sink_reply reply_whole(enum sink_outcome outcome)
{
    struct sink_reply r = {
        .outcome = outcome, .retry_after_ms = 100, .status = 429, .was_reached = true};

    err_set(&r.why, ERR_BUSY, "HTTP 429");
    return r;
}
