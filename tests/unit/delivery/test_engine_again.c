/* What is sent again: when, in which parts, and what it may not do to others. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/engine_rig.h"
#include "tests/support/failing_malloc.h"

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

/* A server that is full for some events is not asked again in the same moment. */
Test(engine_again, the_rest_of_a_batch_waits)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_RETRY};
    struct sink_reply reply = reply_items(v);

    reply.retry_after_ms = 300;
    engine_rig_offer(r, 0, 2, 0);
    engine_rig_tick(r, 0);
    engine_rig_answer(r, reply);
    engine_rig_tick(r, 299);
    cr_expect_eq(r->fake.n_held, 0, "not before the server wants it");
    cr_expect_eq(engine_tick(r->engine, r->now), r->now + 1, "and it says when");
    engine_rig_tick(r, 1);
    cr_assert_eq(r->fake.n_held, 1);
    cr_expect_eq(r->fake.held[0]->n_items, 1);
    engine_rig_answer(r, reply_items(v));
    cr_expect_eq(r->moved_to, 20);
    engine_rig_free(r);
}

/* indexing_pressure, a proxy's client_max_body_size, a time-out: a request of this size never gets
 * through, and nobody says 413. */
Test(engine_again, what_is_refused_for_its_size_alone_gets_through_in_parts)
{
    static const enum sink_outcome outcomes[] = {SINK_RETRY, SINK_ITEMS};
    enum verdict full[64], ok[64];

    for (int i = 0; i < 64; i++) {
        full[i] = VERDICT_RETRY;
        ok[i] = VERDICT_DELIVERED;
    }
    for (size_t k = 0; k < sizeof outcomes / sizeof outcomes[0]; k++) {
        struct engine_rig *r = engine_rig_new(plain_retry, NULL);

        engine_rig_offer(r, 0, 64, 2000);
        for (int i = 0; i < 400 && !engine_is_idle(r->engine); i++) {
            engine_rig_tick(r, 100);
            if (!r->fake.n_held)
                continue;
            if (r->fake.held[0]->body.len < 40000)
                engine_rig_answer(r, reply_items(ok));
            else if (outcomes[k] == SINK_ITEMS)
                engine_rig_answer(r, reply_items(full));
            else
                engine_rig_answer(r, reply_whole(SINK_RETRY));
        }
        cr_expect_eq(engine_stats(r->engine, 0)->delivered, 64);
        cr_expect_eq(r->moved_to, 640);
        engine_rig_free(r);
    }
}

Test(engine_again, a_sink_that_is_away_does_not_make_batches_small)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    struct sink_reply unreached = reply_whole(SINK_RETRY);

    unreached.was_reached = false;
    engine_rig_offer(r, 0, 64, 2000);
    for (int i = 0; i < 100; i++) {
        engine_rig_tick(r, 1000);
        cr_assert_eq(r->fake.n_held, 1);
        cr_assert_eq(r->fake.held[0]->n_items, 64);
        engine_rig_answer(r, unreached);
    }
    engine_rig_free(r);
}

/* S1: an event that breaks the server (HTTP 500 for the whole request) leaves, and until then its
 * neighbours flow. */
Test(engine_again, an_event_that_breaks_the_far_side)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict ok[] = {VERDICT_DELIVERED};
    struct sink_reply broken = reply_whole(SINK_RETRY);
    unsigned n_broken = 0;
    unsigned n_ok = 0;

    broken.status = 500;
    broken.retry_after_ms = -1;
    engine_rig_offer(r, 0, 1, 0); /* {"n":0} is the one */
    for (int i = 1; i <= 400; i++) {
        engine_rig_offer(r, (uint64_t)i * 10, 1, 0);
        for (int turns = 0; turns < 3; turns++) {
            engine_rig_tick(r, 10);
            if (engine_rig_has_event(r, 0)) {
                n_broken++;
                engine_rig_answer(r, broken);
            } else if (r->fake.n_held) {
                n_ok++;
                engine_rig_answer(r, reply_items(ok));
            }
        }
    }
    cr_expect_eq(engine_stats(r->engine, 0)->dead, 1);
    cr_expect_eq(dead_letters_count(r->dead), 1);
    cr_expect_eq(n_ok, 400);
    cr_expect_lt(n_broken, 20, "%u", n_broken);
    cr_expect_eq(r->moved_to, 4010);
    engine_rig_free(r);
}

/* A lone event and a server that is down look alike: only while others get through is it the event.
 */
Test(engine_again, an_outage_kills_no_event)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict ok[] = {VERDICT_DELIVERED};
    struct sink_reply broken = reply_whole(SINK_RETRY);

    broken.status = 500;
    for (int i = 0; i < 3; i++)
        engine_rig_offer(r, (uint64_t)i * 10, 1, 0);
    for (int i = 0; i < 200; i++) {
        engine_rig_tick(r, 1000);
        while (r->fake.n_held)
            engine_rig_answer(r, broken);
    }
    cr_expect_eq(engine_stats(r->engine, 0)->dead, 0);
    for (int i = 0; i < 10; i++) {
        engine_rig_tick(r, 1000);
        while (r->fake.n_held)
            engine_rig_answer(r, reply_items(ok));
    }
    cr_expect_eq(engine_stats(r->engine, 0)->delivered, 3);
    cr_expect_eq(r->moved_to, 30);
    engine_rig_free(r);
}

/* F10: one closed index among others (a pipeline routes) must not stop the rest. */
Test(engine_again, what_is_held_does_not_hold_the_output)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict mixed[] = {VERDICT_DELIVERED, VERDICT_HOLD};
    enum verdict hold[] = {VERDICT_HOLD};
    enum verdict ok[] = {VERDICT_DELIVERED};

    engine_rig_offer(r, 0, 2, 0);
    engine_rig_tick(r, 0);
    engine_rig_answer(r, reply_items(mixed));
    engine_rig_tick(r, 5000);
    cr_assert(engine_rig_has_event(r, 1), "tried again after hold_ms");
    engine_rig_answer(r, reply_items(hold));
    engine_rig_offer(r, 20, 1, 0);
    engine_rig_tick(r, 0);
    cr_assert(engine_rig_has_event(r, 2), "others do not wait for it");
    engine_rig_answer(r, reply_items(ok));
    engine_rig_tick(r, 4999);
    cr_expect_eq(r->fake.n_held, 0);
    engine_rig_tick(r, 1);
    cr_assert(engine_rig_has_event(r, 1));
    engine_rig_answer(r, reply_items(ok));
    cr_expect_eq(r->moved_to, 30);
    engine_rig_free(r);
}

/* Whatever allocation fails: each event is settled once, counted once, and nothing moves early. */
static bool live_with_failing_malloc(unsigned nth)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_RETRY, VERDICT_REJECTED, VERDICT_RETRY,
                        VERDICT_DUPLICATE};
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED,
                         VERDICT_DELIVERED};
    const struct output_stats *stats = engine_stats(r->engine, 0);
    bool has_failed;

    engine_rig_offer(r, 0, 5, 0);
    engine_rig_tick(r, 0);
    failing_malloc_at(nth);
    engine_rig_answer(r, reply_items(v));
    has_failed = failing_malloc_has_failed();
    failing_malloc_at(0);
    cr_expect_eq(stats->delivered + stats->duplicates + stats->dead + stats->in_flight_events, 5,
                 "allocation %u", nth);
    for (int i = 0; i < 20 && !engine_is_idle(r->engine); i++) {
        cr_expect_eq(r->moved_to, 0, "allocation %u", nth);
        engine_rig_tick(r, 5000);
        if (r->fake.n_held)
            engine_rig_answer(r, reply_items(r->fake.held[0]->n_items == 5 ? v : ok));
        cr_expect_eq(stats->delivered + stats->duplicates + stats->dead + stats->in_flight_events,
                     5, "allocation %u", nth);
    }
    cr_expect_eq(r->moved_to, 50, "allocation %u", nth);
    cr_expect_eq(stats->in_flight_events, 0);
    cr_expect_eq(stats->dead + stats->delivered + stats->duplicates, 5);
    engine_rig_free(r);
    return has_failed;
}

Test(engine_again, memory_that_runs_out)
{
    unsigned n = 1;

    while (live_with_failing_malloc(n))
        n++;
    cr_expect_gt(n, 10, "%u allocations were made to fail", n - 1);
}

/* An ingest pipeline that breaks on one event, in a way that nobody knows (item 500): its
 * neighbours are there, so it is the event, and it goes after some tries. What breaks on all is the
 * far side. */
Test(engine_again, what_the_far_side_breaks_on_is_not_tried_for_ever)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict mixed[] = {VERDICT_DELIVERED, VERDICT_DOUBT, VERDICT_DELIVERED};
    unsigned n_requests = 1;

    engine_rig_offer(r, 0, 3, 0);
    engine_rig_tick(r, 0);
    engine_rig_answer(r, reply_items(mixed));
    for (int i = 0; i < 100 && !engine_is_idle(r->engine); i++) {
        enum verdict doubt[] = {VERDICT_DOUBT};

        engine_rig_tick(r, 1000);
        if (!r->fake.n_held)
            continue;
        n_requests++;
        cr_expect_eq(dead_letters_count(r->dead), 0);
        engine_rig_answer(r, reply_items(doubt));
    }
    engine_rig_tick(r, 0);
    cr_expect(engine_is_idle(r->engine));
    cr_expect_eq(n_requests, 17);
    cr_expect_eq(engine_stats(r->engine, 0)->dead, 1);
    cr_expect_eq(engine_stats(r->engine, 0)->delivered, 2);
    cr_expect_eq(r->moved_to, 30);
    engine_rig_free(r);
}

Test(engine_again, what_breaks_on_every_event_is_the_far_side)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED};

    engine_rig_offer(r, 0, 3, 0);
    engine_rig_offer(r, 30, 3, 0);
    for (int i = 0; i < 200; i++) {
        engine_rig_tick(r, 1000);
        while (r->fake.n_held) {
            enum verdict doubt[] = {VERDICT_DOUBT, VERDICT_DOUBT, VERDICT_DOUBT};

            engine_rig_answer(r, reply_items(doubt));
        }
    }
    cr_expect_eq(engine_stats(r->engine, 0)->dead, 0);
    for (int i = 0; i < 10; i++) {
        engine_rig_tick(r, 1000);
        while (r->fake.n_held)
            engine_rig_answer(r, reply_items(ok));
    }
    cr_expect_eq(engine_stats(r->engine, 0)->delivered, 6);
    cr_expect_eq(r->moved_to, 60);
    engine_rig_free(r);
}
