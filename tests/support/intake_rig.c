#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/intake_rig.h"

static const struct retry_options retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

static void on_log(void *ctx, const struct err *what)
{
    struct intake_rig *r = ctx;

    r->n_logged++;
    err_text(what, r->logged, sizeof r->logged);
}

static void close_intake(void *ctx)
{
    struct intake_rig *r = ctx;
    struct err e = {0};
    int rc = intake_free(r->intake, &e);

    if (!r->disk.has_failed)
        cr_expect_eq(rc, 0, "%s: %s", e.where, e.what);
}

void intake_rig_open(struct intake_rig *r, const struct intake_options *options, int64_t max_bytes)
{
    struct intake_options o = *options;
    struct err e = {0};

    r->world = engine_rig_new(retry, NULL);
    r->world->on_free = close_intake;
    r->world->on_free_ctx = r;
    r->queue = NULL;
    if (max_bytes) {
        r->queue = queue_open(&(struct queue_options){.directory = "/queue",
                                                      .output_type = "fake",
                                                      .max_bytes = max_bytes,
                                                      .disk = &r->disk.disk,
                                                      .writer = r->world->pool,
                                                      .budget = &r->world->budget},
                              on_log, r, &e);
        cr_assert_not_null(r->queue, "%s: %s", e.where, e.what);
    }
    o.name = "es";
    o.queue = r->queue;
    o.budget = &r->world->budget;
    o.tracker = &r->world->tracker;
    o.engine = r->world->engine;
    o.log = on_log;
    o.log_ctx = r;
    r->intake = intake_new(&o, NULL);
    cr_assert_not_null(r->intake);
    r->last = -1;
    r->is_in_order = true;
}

void intake_rig_close(struct intake_rig *r)
{
    engine_rig_free(r->world);
    if (r->queue)
        memory_disk_kill(&r->disk);
}

void intake_rig_fini(struct intake_rig *r)
{
    intake_rig_close(r);
    if (r->queue)
        memory_disk_fini(&r->disk);
}

int64_t intake_rig_offer(struct intake_rig *r, int first, int n)
{
    struct batch *b;
    struct chunk *c = engine_rig_chunk(r->world, (uint64_t)first * 10, n, 1000, &b);
    int64_t counted = b->counted_bytes;

    tracker_read(&r->world->tracker, c);
    intake_offer(r->intake, b);
    return counted;
}

int64_t intake_rig_tick(struct intake_rig *r, int64_t pass_ms)
{
    int64_t next;

    engine_rig_tick(r->world, pass_ms);
    next = intake_tick(r->intake, r->world->now);
    while (pool_reap(r->world->pool))
        next = intake_tick(r->intake, r->world->now);
    engine_rig_tick(r->world, 0);
    return next;
}

static int number_of(const struct batch *b, size_t i)
{
    struct slice text = slice_of(b->body.ptr + b->items[i].body_offset, b->items[i].body_len);
    ptrdiff_t at = slice_find(text, slice_str("{\"n\":"));
    int n = 0;

    cr_assert_geq(at, 0);
    for (const char *digit = text.ptr + at + 5; *digit >= '0' && *digit <= '9'; digit++)
        n = n * 10 + (*digit - '0');
    return n;
}

static void note_seen(struct intake_rig *r, const struct batch *b, const enum verdict *v)
{
    for (size_t i = 0; i < b->n_items; i++) {
        int n = number_of(b, i);

        if (v[i] == VERDICT_RETRY || v[i] == VERDICT_HOLD)
            continue;
        r->seen[n]++;
        r->is_in_order &= n == r->last + 1;
        r->last = n;
    }
}

bool intake_rig_answer_each(struct intake_rig *r, verdict_fn *pick, void *ctx)
{
    const struct batch *b = r->world->fake.held[0];
    enum verdict *v;

    if (!r->world->fake.n_held)
        return false;
    v = calloc(b->n_items, sizeof *v);
    for (size_t i = 0; i < b->n_items; i++)
        v[i] = pick(ctx);
    note_seen(r, b, v);
    engine_rig_answer(r->world, reply_items(v));
    free(v);
    return true;
}

static enum verdict always(void *ctx)
{
    return *(const enum verdict *)ctx;
}

bool intake_rig_answer(struct intake_rig *r, enum verdict verdict)
{
    return intake_rig_answer_each(r, always, &verdict);
}

void intake_rig_drain(struct intake_rig *r)
{
    for (int idle = 0; idle < 200; idle++) {
        intake_rig_tick(r, 100);
        while (intake_rig_answer(r, VERDICT_DELIVERED)) {
            intake_rig_tick(r, 0);
            idle = 0;
        }
    }
}

void intake_rig_expect_balance(const struct intake_rig *r)
{
    const struct intake_stats *in = intake_stats(r->intake);
    const struct output_stats *out = engine_stats(r->world->engine, 0);
    uint64_t settled = out->delivered + out->duplicates + out->dead + in->dropped;

    cr_assert_eq(in->events_in, settled + in->queued_events + out->in_flight_events,
                 "in %llu, settled %llu, queued %llu, in flight %llu",
                 (unsigned long long)in->events_in, (unsigned long long)settled,
                 (unsigned long long)in->queued_events, (unsigned long long)out->in_flight_events);
}

void intake_rig_expect_once(const struct intake_rig *r, int from, int to)
{
    for (int n = from; n < to; n++)
        cr_expect_eq(r->seen[n], 1, "event %d was seen %d times", n, r->seen[n]);
}
