#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/engine_rig.h"

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

Test(engine, a_position_moves_after_the_acks_in_order)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b1, *b2;
    struct chunk *c1 = engine_rig_chunk(w, 0, 2, 0, &b1);
    struct chunk *c2 = engine_rig_chunk(w, 20, 1, 0, &b2);
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DUPLICATE};

    engine_offer(w->engine, b1);
    engine_offer(w->engine, b2);
    engine_rig_tick(w, 0);
    tracker_read(&w->tracker, c1);
    tracker_read(&w->tracker, c2);
    cr_expect_eq(w->fake.n_held, 2, "two in flight");
    /* The second is answered first. */
    struct batch *first = w->fake.held[0];

    w->fake.held[0] = w->fake.held[1];
    w->fake.held[1] = first;
    engine_rig_answer(w, reply_items(ok));
    cr_expect_eq(w->moved_to, 0, "nothing moves past what is not acknowledged");
    engine_rig_answer(w, reply_items(ok));
    cr_expect_eq(w->moved_to, 30);
    cr_expect_eq(engine_stats(w->engine, 0)->delivered, 2);
    cr_expect_eq(engine_stats(w->engine, 0)->duplicates, 1);
    cr_expect_eq(engine_stats(w->engine, 0)->in_flight_events, 0);
    cr_expect(engine_is_idle(w->engine));
    engine_rig_free(w);
}

/* FB5, V1, V8: just the events that want it are sent again, the bad one leaves, counts are true. */
Test(engine, mixed_verdicts)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    struct chunk *c = engine_rig_chunk(w, 0, 5, 0, &b);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_RETRY, VERDICT_REJECTED, VERDICT_RETRY,
                        VERDICT_DUPLICATE};
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED};
    const struct output_stats *stats = engine_stats(w->engine, 0);

    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    engine_rig_tick(w, 0);
    engine_rig_answer(w, reply_items(v));
    cr_expect_eq(w->fake.n_held, 0, "the rest waits for its backoff");
    cr_expect_eq(stats->dead, 1);
    cr_expect_eq(stats->in_flight_events, 2);
    cr_expect_eq(dead_letters_count(w->dead), 1);
    engine_rig_tick(w, 0);
    engine_rig_tick(w, 200);
    cr_assert_eq(w->fake.n_held, 1);
    cr_expect_eq(w->fake.held[0]->n_items, 2);
    cr_expect(slice_is(buffer_slice(&w->fake.held[0]->body),
                       "{\"create\":{}}\n{\"n\":1}\n{\"create\":{}}\n{\"n\":3}\n"));
    cr_expect_eq(w->moved_to, 0);
    engine_rig_answer(w, reply_items(ok));
    cr_expect_eq(w->moved_to, 50);
    cr_expect_eq(stats->delivered + stats->duplicates + stats->dead, 5);
    cr_expect_eq(stats->in_flight_events, 0);
    engine_rig_free(w);
}

/* V10: an output that refuses in an instant gets one request per backoff, not a stream of them. */
Test(engine, backs_off_as_a_whole)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b[4];
    enum verdict ok[] = {VERDICT_DELIVERED};

    for (int i = 0; i < 4; i++) {
        struct chunk *c = engine_rig_chunk(w, (uint64_t)i * 10, 1, 0, &b[i]);

        tracker_read(&w->tracker, c);
        engine_offer(w->engine, b[i]);
    }
    engine_rig_tick(w, 0);
    cr_assert_eq(w->fake.n_held, 2);
    engine_rig_answer(w, reply_whole(SINK_RETRY));
    engine_rig_answer(w, reply_whole(SINK_RETRY));
    for (int i = 0; i < 5; i++) {
        engine_rig_tick(w, 99);
        cr_expect_eq(w->fake.n_held, 0, "not before its time");
        engine_rig_tick(w, 1);
        cr_assert_eq(w->fake.n_held, 1, "one probe");
        engine_rig_answer(w, reply_whole(SINK_RETRY));
    }
    engine_rig_tick(w, 800);
    engine_rig_answer(w, reply_items(ok));
    engine_rig_tick(w, 0);
    cr_expect_eq(w->fake.n_held, 2, "an answer opens the way again");
    while (w->fake.n_held)
        engine_rig_answer(w, reply_items(ok));
    engine_rig_tick(w, 1000);
    while (w->fake.n_held)
        engine_rig_answer(w, reply_items(ok));
    cr_expect_eq(w->moved_to, 40);
    engine_rig_free(w);
}

/* FB6, S1: too large is halved down to the one event, which is set aside; its neighbours flow. */
Test(engine, splits_down_to_the_bad_one)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    struct chunk *c = engine_rig_chunk(w, 0, 5, 0, &b);
    enum verdict ok[] = {VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED,
                         VERDICT_DELIVERED};

    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    engine_rig_tick(w, 0);
    for (int i = 0; i < 40 && !engine_is_idle(w->engine); i++) {
        if (w->fake.n_held) {
            struct slice body = buffer_slice(&w->fake.held[0]->body);
            bool has_bad = slice_find(body, slice_str("{\"n\":3}")) >= 0;

            engine_rig_answer(w, has_bad ? reply_whole(SINK_SPLIT) : reply_items(ok));
        }
        engine_rig_tick(w, 1);
    }
    cr_expect_eq(engine_stats(w->engine, 0)->delivered, 4);
    cr_expect_eq(engine_stats(w->engine, 0)->dead, 1);
    cr_expect_eq(w->moved_to, 50);
    engine_rig_free(w);
}

Test(engine, a_dead_letter_that_cannot_be_written_settles_nothing)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    struct chunk *c = engine_rig_chunk(w, 0, 1, 0, &b);
    enum verdict v[] = {VERDICT_REJECTED};
    char command[256];

    /* A file where the directory should be: also root cannot write below it. */
    snprintf(command, sizeof command, "rmdir %s && touch %s", w->directory, w->directory);
    cr_assert_eq(system(command), 0);
    engine_offer(w->engine, b);
    tracker_read(&w->tracker, c);
    engine_rig_tick(w, 0);
    engine_rig_answer(w, reply_items(v));
    engine_rig_tick(w, 0);
    cr_expect_eq(w->moved_to, 0);
    cr_expect_eq(engine_stats(w->engine, 0)->dead, 0);
    snprintf(command, sizeof command, "rm %s && mkdir %s", w->directory, w->directory);
    cr_assert_eq(system(command), 0);
    engine_rig_tick(w, 5000);
    engine_rig_tick(w, 5000);
    cr_assert_eq(w->fake.n_held, 1, "tried again later");
    engine_rig_answer(w, reply_items(v));
    cr_expect_eq(w->moved_to, 10);
    engine_rig_free(w);
}

/* A batch that is sealed and refused in the middle of a chunk: what the chunk keeps of its lines is
 * the worker's until it is through with it. */
Test(engine, a_letter_waits_until_its_chunk_is_read)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    struct chunk *c = engine_rig_chunk(w, 0, 2, 0, &b);
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_REJECTED};

    engine_offer(w->engine, b);
    engine_rig_tick(w, 0);
    engine_rig_answer(w, reply_items(v));
    engine_rig_tick(w, 0);
    cr_expect_eq(dead_letters_count(w->dead), 0);
    cr_expect_not(engine_is_idle(w->engine));
    tracker_read(&w->tracker, c);
    engine_rig_tick(w, 0);
    cr_expect_eq(dead_letters_count(w->dead), 1);
    cr_expect_eq(w->moved_to, 20);
    engine_rig_free(w);
}

Test(engine, letters_that_wait_are_freed)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    enum verdict v[] = {VERDICT_REJECTED};

    engine_rig_chunk(w, 0, 1, 0, &b);
    engine_offer(w->engine, b);
    engine_rig_tick(w, 0);
    engine_rig_answer(w, reply_items(v));
    engine_rig_free(w); /* which looks at the budget */
}

Test(engine, a_one_shot_gives_up)
{
    struct retry_options retry = plain_retry;
    struct engine_rig *w;
    struct batch *b;
    struct sink_reply unreached = reply_whole(SINK_RETRY);
    struct err why;

    unreached.was_reached = false;
    retry.give_up_unreached_ms = 1000;
    retry.give_up_ms = 60000;
    w = engine_rig_new(retry, NULL);
    tracker_read(&w->tracker, engine_rig_chunk(w, 0, 1, 0, &b));
    engine_offer(w->engine, b);
    engine_rig_tick(w, 0);
    for (int i = 0; i < 20 && engine_state(w->engine, &why) == ENGINE_RUNNING; i++) {
        if (w->fake.n_held)
            engine_rig_answer(w, unreached);
        engine_rig_tick(w, 100);
    }
    cr_expect_eq(engine_state(w->engine, &why), ENGINE_GAVE_UP);
    cr_expect_str_eq(why.what, "HTTP 429");
    cr_expect_eq(w->moved_to, 0);
    engine_rig_free(w);
}

Test(engine, holds_when_credentials_are_refused)
{
    struct engine_rig *w = engine_rig_new(plain_retry, NULL);
    struct batch *b;
    enum verdict ok[] = {VERDICT_DELIVERED};

    tracker_read(&w->tracker, engine_rig_chunk(w, 0, 1, 0, &b));
    engine_offer(w->engine, b);
    engine_rig_tick(w, 0);
    engine_rig_answer(w, reply_whole(SINK_HOLD));
    engine_rig_tick(w, 4999);
    cr_expect_eq(w->fake.n_held, 0);
    engine_rig_tick(w, 1);
    cr_assert_eq(w->fake.n_held, 1);
    engine_rig_answer(w, reply_items(ok));
    cr_expect_eq(w->moved_to, 10);
    engine_rig_free(w);
}
