#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/delivery/intake.h"
#include "tests/support/engine_rig.h"

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

struct rig {
    struct engine_rig *world;
    struct intake *intake;
    unsigned n_logged;
    char logged[1100]; /* the last of it */
};

static void on_log(void *ctx, const struct err *what)
{
    struct rig *r = ctx;

    r->n_logged++;
    err_text(what, r->logged, sizeof r->logged);
}

static void rig_init(struct rig *r, enum on_full on_full, int64_t memory_bytes)
{
    struct intake_options options = {.name = "es",
                                     .on_full = on_full,
                                     .memory_bytes = memory_bytes,
                                     .log = on_log,
                                     .log_ctx = r};

    *r = (struct rig){.world = engine_rig_new(plain_retry, NULL)};
    options.budget = &r->world->budget;
    options.tracker = &r->world->tracker;
    options.engine = r->world->engine;
    r->intake = intake_new(&options, NULL);
    cr_assert_not_null(r->intake);
}

static void rig_fini(struct rig *r)
{
    engine_rig_free(r->world);
    cr_expect_eq(intake_free(r->intake, NULL), 0);
}

/* n events, from 10 * first on; returns what the batch counts. */
static int64_t offer(struct rig *r, int first, int n)
{
    struct batch *b;
    struct chunk *c = engine_rig_chunk(r->world, (uint64_t)first * 10, n, 1000, &b);
    int64_t counted = b->counted_bytes;

    tracker_read(&r->world->tracker, c);
    intake_offer(r->intake, b);
    return counted;
}

/* Lets time pass. */
static int64_t tick(struct rig *r, int64_t pass_ms)
{
    engine_rig_tick(r->world, pass_ms);
    return intake_tick(r->intake, r->world->now);
}

static void answer(struct rig *r, int n)
{
    enum verdict *v = calloc((size_t)n, sizeof *v);

    engine_rig_answer(r->world, reply_items(v));
    free(v);
}

/* in = delivered + duplicates + dead + dropped + in flight */
static void expect_balance(const struct rig *r)
{
    const struct intake_stats *in = intake_stats(r->intake);
    const struct output_stats *out = engine_stats(r->world->engine, 0);

    cr_expect_eq(in->events_in, out->delivered + out->duplicates + out->dead + in->dropped +
                                    in->queued_events + out->in_flight_events);
}

Test(intake, what_blocks_stops_reading_at_its_share)
{
    struct rig r;
    int64_t one;

    rig_init(&r, ON_FULL_BLOCK, 1);
    cr_expect(intake_is_open(r.intake));
    one = offer(&r, 0, 2);
    cr_expect_not(intake_is_open(r.intake));
    offer(&r, 2, 2); /* it was read already: nothing is lost */
    tick(&r, 0);
    cr_expect_eq(r.world->fake.n_held, 2);
    cr_expect_geq(intake_stats(r.intake)->held_bytes, 2 * one);
    cr_expect(intake_stats(r.intake)->is_full);
    answer(&r, 2);
    cr_expect_not(intake_is_open(r.intake));
    answer(&r, 2);
    cr_expect(intake_is_open(r.intake), "a pause has a resume");
    cr_expect_eq(r.world->moved_to, 40);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    expect_balance(&r);
    rig_fini(&r);
}

Test(intake, what_does_not_fit_is_dropped_and_counted)
{
    struct rig r;

    rig_init(&r, ON_FULL_DROP, 20000);
    offer(&r, 0, 4);
    offer(&r, 4, 20); /* does not fit behind the first */
    expect_balance(&r);
    tick(&r, 0);
    cr_expect(intake_is_open(r.intake), "what drops never stops reading");
    cr_expect_eq(intake_stats(r.intake)->events_in, 24);
    cr_expect_eq(intake_stats(r.intake)->dropped, 20);
    cr_expect_gt(intake_stats(r.intake)->dropped_bytes, 20 * 1000);
    cr_expect_eq(r.world->fake.n_held, 1);
    cr_expect_eq(r.world->moved_to, 0, "what is before it is still under way");
    answer(&r, 4);
    cr_expect_eq(r.world->moved_to, 240, "and then the position moves over what was dropped");
    expect_balance(&r);
    rig_fini(&r);
}

Test(intake, a_batch_alone_fits_however_large)
{
    struct rig r;

    rig_init(&r, ON_FULL_DROP, 10);
    offer(&r, 0, 4);
    tick(&r, 0);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    cr_expect_eq(r.world->fake.n_held, 1);
    answer(&r, 4);
    offer(&r, 4, 4);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    expect_balance(&r);
    rig_fini(&r);
}

Test(intake, what_is_dropped_is_told_at_most_every_ten_seconds)
{
    struct rig r;

    rig_init(&r, ON_FULL_DROP, 10);
    offer(&r, 0, 1);
    offer(&r, 1, 3);
    cr_expect_eq(tick(&r, 0), INT64_MAX);
    cr_expect_eq(r.n_logged, 1);
    cr_expect_str_eq(r.logged,
                     "output es: 3 events dropped: it does not take them as fast as they come "
                     "(on_full: drop-and-count); 3 since the start");
    offer(&r, 4, 2);
    offer(&r, 6, 2);
    cr_expect_eq(tick(&r, 1000), r.world->now + 9000, "it wants to be called when it may tell");
    cr_expect_eq(r.n_logged, 1);
    tick(&r, 9000);
    cr_expect_eq(r.n_logged, 2);
    cr_expect_str_eq(r.logged, "output es: 4 events dropped since this was last said: it does not "
                               "take them as fast as they come (on_full: drop-and-count); 7 since "
                               "the start");
    tick(&r, 20000);
    cr_expect_eq(r.n_logged, 2, "nothing new, nothing to tell");
    rig_fini(&r);
}
