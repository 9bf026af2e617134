/* How much at once, how often, and how soon again: an output under pressure. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/engine_rig.h"

/* As the configuration has it by default. */
static const struct retry_options default_retry = {
    .initial_ms = 500, .max_ms = 20000, .hold_ms = 20000};

enum { MANY = 5000 };

static enum verdict all_good[MANY];
static enum verdict all_busy[MANY];
static enum verdict all_held[MANY];

static void fill_verdicts(void)
{
    for (int i = 0; i < MANY; i++) {
        all_good[i] = VERDICT_DELIVERED;
        all_busy[i] = VERDICT_RETRY;
        all_held[i] = VERDICT_HOLD;
    }
}

/* --- how much at once ------------------------------------------------------------------------ */

static struct sink_reply reply_overload(void)
{
    struct sink_reply reply = reply_whole(SINK_RETRY);

    reply.is_overload = true;
    return reply;
}

static void answer_all(struct engine_rig *r, struct sink_reply reply)
{
    for (unsigned n = r->fake.n_held; n; n--)
        engine_rig_answer(r, reply);
}

Test(engine_pressure, fewer_at_once_for_a_sink_that_has_enough)
{
    struct engine_rig *r = engine_rig_new_wide(default_retry, 8, NULL);
    const struct output_stats *stats = engine_stats(r->engine, 0);

    fill_verdicts();
    for (int i = 0; i < 100; i++)
        engine_rig_offer(r, (uint64_t)i * 10, 1, 0);
    engine_rig_tick(r, 0);
    cr_expect_eq(r->fake.n_held, 8, "a healthy sink gets all that it may have at once");
    cr_expect_eq(engine_stats(r->engine, 0)->in_flight_requests, 8);
    answer_all(r, reply_overload());
    cr_expect_eq(engine_stats(r->engine, 0)->most_requests, 1, "it is failing");
    engine_rig_tick(r, 20000);
    cr_assert_eq(r->fake.n_held, 1);
    engine_rig_answer(r, reply_items(all_good));
    engine_rig_tick(r, 0);
    cr_expect_eq(engine_stats(r->engine, 0)->most_requests, 4, "half of it, for eight refusals");
    for (int i = 0; i < 10 && !engine_is_idle(r->engine); i++) {
        cr_expect_eq(r->fake.n_held, stats->most_requests);
        answer_all(r, reply_items(all_good));
        engine_rig_tick(r, 10);
        engine_stats(r->engine, 0);
    }
    cr_expect_eq(stats->most_requests, 8, "and back, one a round");
    while (!engine_is_idle(r->engine)) {
        answer_all(r, reply_items(all_good));
        engine_rig_tick(r, 10);
    }
    cr_expect_eq(r->moved_to, 1000);
    engine_rig_free(r);
}

/* A server that takes most of a request and not the rest has enough as well. */
Test(engine_pressure, refused_items_count_if_they_are_many)
{
    static const struct {
        int n_busy; /* of 100 */
        unsigned want;
    } rows[] = {{0, 8}, {5, 8}, {10, 4}, {99, 4}};

    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct engine_rig *r = engine_rig_new_wide(default_retry, 8, NULL);
        enum verdict v[100];

        for (int i = 0; i < 100; i++)
            v[i] = i < rows[k].n_busy ? VERDICT_RETRY : VERDICT_DELIVERED;
        engine_rig_offer(r, 0, 100, 0);
        engine_rig_tick(r, 0);
        engine_rig_answer(r, reply_items(v));
        cr_expect_eq(engine_stats(r->engine, 0)->most_requests, rows[k].want, "%d of 100",
                     rows[k].n_busy);
        engine_rig_free(r);
    }
}

/* --- how often, and how soon again ----------------------------------------------------------- */

enum mood { MOOD_429, MOOD_ITEMS_429, MOOD_503, MOOD_AWAY, MOOD_HOLD, MOOD_ITEMS_HOLD };

static struct sink_reply mood_reply(enum mood mood)
{
    struct sink_reply reply = reply_overload();

    reply.retry_after_ms = -1;
    switch (mood) {
    case MOOD_429:
        break;
    case MOOD_ITEMS_429:
        return reply_items(all_busy);
    case MOOD_503:
        reply.status = 503;
        break;
    case MOOD_AWAY:
        reply.was_reached = reply.is_overload = false;
        break;
    case MOOD_HOLD:
        reply.outcome = SINK_HOLD;
        reply.status = 403;
        break;
    case MOOD_ITEMS_HOLD:
        return reply_items(all_held);
    }
    return reply;
}

static uint64_t draw(void *ctx)
{
    uint64_t *x = ctx;

    *x = *x * 6364136223846793005u + 1442695040888963407u;
    return *x >> 16;
}

struct storm {
    struct engine_rig *r;
    uint64_t random;
    unsigned n_requests;
};

/* Time passes in steps of a millisecond near what happens; each request is answered at once. */
static void pass(struct storm *s, int64_t until_ms, struct sink_reply reply)
{
    struct engine_rig *r = s->r;

    while (r->now < until_ms && !engine_is_idle(r->engine)) {
        int64_t due;

        engine_rig_tick(r, 0);
        while (r->fake.n_held) {
            s->n_requests++;
            r->now++;
            engine_rig_answer(r, reply);
        }
        due = engine_tick(r->engine, r->now);
        if (r->fake.n_held || engine_is_idle(r->engine))
            continue;
        cr_assert_lt(due, INT64_MAX, "a pause without a resume");
        due = due > r->now ? due : r->now + 1;
        r->now = due < until_ms ? due : until_ms;
    }
}

/* V10, FB4: refused within a millisecond for ten minutes: a bounded rate, nothing more in memory,
 * and when it ends all is delivered within half a minute. */
Test(engine_pressure, ten_minutes_of_refusals)
{
    static const enum mood moods[] = {MOOD_429,  MOOD_ITEMS_429, MOOD_503,
                                      MOOD_AWAY, MOOD_HOLD,      MOOD_ITEMS_HOLD};

    fill_verdicts();
    for (size_t k = 0; k < sizeof moods / sizeof moods[0]; k++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct storm s = {.random = seed};
            int64_t held_bytes;

            s.r = engine_rig_new_wide(default_retry, 8, NULL);
            engine_rig_random(s.r, draw, &s.random);
            for (int i = 0; i < 20; i++)
                engine_rig_offer(s.r, (uint64_t)i * 1000, 100, 100);
            held_bytes = budget_held(&s.r->budget);
            pass(&s, s.r->now + 600000, mood_reply(moods[k]));
            cr_expect_leq(s.n_requests, 140, "mood %d, seed %lu: %u", (int)moods[k],
                          (unsigned long)seed, s.n_requests);
            cr_expect_geq(s.n_requests, 20, "it goes on trying");
            cr_expect_leq(budget_held(&s.r->budget), held_bytes + 4096, "nothing piles up");
            cr_expect_eq(engine_stats(s.r->engine, 0)->in_flight_events, 2000);
            pass(&s, s.r->now + 30000, reply_items(all_good));
            cr_expect(engine_is_idle(s.r->engine), "mood %d, seed %lu: not back in 30 s",
                      (int)moods[k], (unsigned long)seed);
            cr_expect_eq(engine_stats(s.r->engine, 0)->delivered, 2000);
            cr_expect_eq(s.r->moved_to, 20000);
            engine_rig_free(s.r);
        }
}

/* FB4: a hundred times away and back. */
Test(engine_pressure, a_hundred_cycles)
{
    static const enum mood moods[] = {MOOD_429, MOOD_AWAY, MOOD_HOLD, MOOD_ITEMS_HOLD, MOOD_503};
    struct storm s = {.random = 1};

    fill_verdicts();
    s.r = engine_rig_new_wide(default_retry, 4, NULL);
    engine_rig_random(s.r, draw, &s.random);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < 5; k++)
            engine_rig_offer(s.r, (uint64_t)i * 50 + (uint64_t)k * 10, 1, 0);
        pass(&s, s.r->now + 60000, mood_reply(moods[i % 5]));
        cr_assert_eq(engine_stats(s.r->engine, 0)->in_flight_events, 5);
        pass(&s, s.r->now + 30000, reply_items(all_good));
        cr_assert(engine_is_idle(s.r->engine), "cycle %d", i);
        cr_assert_eq(s.r->moved_to, (uint64_t)i * 50 + 50);
    }
    engine_rig_free(s.r);
}

/* --- in ever smaller parts ------------------------------------------------------------------- */

static unsigned log2_ceiling(unsigned n)
{
    unsigned k = 0;

    while ((1u << k) < n)
        k++;
    return k;
}

static bool has_bad(const struct batch *b, const int *bad, int n_bad)
{
    for (int i = 0; i < n_bad; i++) {
        char text[32];

        snprintf(text, sizeof text, "{\"n\":%d}", bad[i]);
        if (slice_find(buffer_slice(&b->body), slice_str(text)) >= 0)
            return true;
    }
    return false;
}

/* L5, S1, F9: how many requests it takes to find n_bad among 5000. */
static unsigned requests_to_find(const int *bad, int n_bad, enum sink_outcome outcome)
{
    struct engine_rig *r = engine_rig_new(default_retry, NULL);
    struct sink_reply refused = reply_whole(outcome);
    unsigned n_requests = 0;

    refused.status = outcome == SINK_SPLIT ? 413 : 400;
    engine_rig_offer(r, 0, MANY, 0);
    engine_rig_tick(r, 0);
    for (int i = 0; i < 10000 && !engine_is_idle(r->engine); i++) {
        while (r->fake.n_held) {
            n_requests++;
            engine_rig_answer(r, has_bad(r->fake.held[0], bad, n_bad) ? refused
                                                                      : reply_items(all_good));
        }
        engine_rig_tick(r, 0);
    }
    cr_expect(engine_is_idle(r->engine), "at once: nothing in this waits");
    cr_expect_eq(engine_stats(r->engine, 0)->dead, (uint64_t)n_bad);
    cr_expect_eq(engine_stats(r->engine, 0)->delivered, (uint64_t)(MANY - n_bad));
    cr_expect_eq(r->moved_to, MANY * 10);
    engine_rig_free(r);
    return n_requests;
}

Test(engine_pressure, one_bad_event_among_five_thousand)
{
    static const int places[] = {0, 1, 2499, 2500, 3333, 4999};
    static const enum sink_outcome outcomes[] = {SINK_SPLIT, SINK_BISECT};

    fill_verdicts();
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        for (size_t k = 0; k < 2; k++) {
            unsigned n = requests_to_find(&places[i], 1, outcomes[k]);

            cr_expect_leq(n, 2 * log2_ceiling(MANY) + 1, "event %d: %u requests", places[i], n);
        }
}

Test(engine_pressure, several_bad_events_among_five_thousand)
{
    static const int bad[] = {17, 18, 1200, 2500, 2501, 3999, 4998, 4999};

    fill_verdicts();
    for (int n_bad = 2; n_bad <= 8; n_bad++) {
        unsigned n = requests_to_find(bad, n_bad, SINK_BISECT);

        cr_expect_leq(n, (unsigned)n_bad * (2 * log2_ceiling(MANY) + 1), "%d bad: %u requests",
                      n_bad, n);
    }
}

/* A server with room for 50 kB, and 20 batches of ten times that (indexing_pressure.memory.limit):
 * the first gets through before the others are made small. */
Test(engine_pressure, too_large_for_a_server_that_only_says_429)
{
    struct engine_rig *r = engine_rig_new(default_retry, NULL);
    unsigned n_refused = 0;
    bool is_any_through = false;

    fill_verdicts();
    for (int i = 0; i < 20; i++)
        engine_rig_offer(r, (uint64_t)i * 1000, 100, 5000);
    for (int i = 0; i < 2000 && !engine_is_idle(r->engine); i++) {
        engine_rig_tick(r, 20000);
        while (r->fake.n_held) {
            bool fits = r->fake.held[0]->plain_bytes < 50000;

            n_refused += !fits && !is_any_through;
            is_any_through |= fits;
            engine_rig_answer(r, fits ? reply_items(all_good) : reply_overload());
        }
    }
    cr_expect_leq(n_refused, 10, "%u tries until the first", n_refused);
    cr_expect_eq(engine_stats(r->engine, 0)->delivered, 2000);
    cr_expect_eq(r->moved_to, 20000);
    engine_rig_free(r);
}
