#include <criterion/criterion.h>

#include "tests/support/engine_rig.h"

static const struct retry_options retry = {.initial_ms = 100, .max_ms = 60000, .hold_ms = 30000};

static const struct sink_reply away = {
    .outcome = SINK_RETRY, .retry_after_ms = 20000, .why = {ERR_NET, "away", "fake"}};

static bool is_moving(const struct engine_rig *r, int64_t ms, int64_t failing_ms)
{
    return engine_is_moving(r->engine, &(struct engine_patience){r->now + ms, r->now + failing_ms},
                            r->now);
}

/* FB8: a stop waits for what may still be answered, and for nothing else. */
Test(engine_end, what_is_worth_waiting_for)
{
    struct engine_rig *r = engine_rig_new(retry, NULL);
    enum verdict ok[] = {VERDICT_DELIVERED};

    cr_expect(!is_moving(r, 10000, 1000), "nothing is here");
    engine_rig_offer(r, 0, 1, 0);
    cr_expect(is_moving(r, 10000, 1000), "it can be sent at once");
    engine_rig_tick(r, 0);
    cr_expect(is_moving(r, 10000, 0), "a request of an output that answers");
    cr_expect(!is_moving(r, 0, 0), "the time is over");
    engine_rig_answer(r, away);
    cr_expect(!is_moving(r, 60000, 1000), "it fails, and is to be left alone for 20 s");
    engine_rig_tick(r, 0);
    cr_expect(!is_moving(r, 60000, 1000), "the same, when the delay has begun");
    cr_expect(is_moving(r, 60000, 25000), "its turn comes within that time");
    engine_try_now(r->engine);
    cr_expect(is_moving(r, 60000, 1000), "told to try, it does not wait");
    engine_rig_tick(r, 0);
    cr_expect_eq(r->fake.n_held, 1);
    cr_expect(is_moving(r, 60000, 1000));
    cr_expect(!is_moving(r, 60000, 0), "but it is not waited for as long as one that answers");
    engine_rig_answer(r, reply_items(ok));
    cr_expect(!is_moving(r, 10000, 1000));
    cr_expect_eq(r->moved_to, 10);
    engine_rig_free(r);
}

Test(engine_end, an_output_that_answers_is_not_hurried)
{
    struct engine_rig *r = engine_rig_new(retry, NULL);
    enum verdict one_again[] = {VERDICT_DELIVERED, VERDICT_RETRY};
    enum verdict ok[] = {VERDICT_DELIVERED};

    engine_rig_offer(r, 0, 2, 0);
    engine_rig_tick(r, 0);
    engine_rig_answer(r, reply_items(one_again));
    engine_rig_tick(r, 0);
    engine_try_now(r->engine);
    engine_rig_tick(r, 0);
    cr_expect_eq(r->fake.n_held, 0, "the event waits for its own time");
    cr_expect(is_moving(r, 10000, 0), "which comes soon");
    engine_rig_tick(r, 1000);
    engine_rig_answer(r, reply_items(ok));
    engine_rig_free(r);
}

/* V6: a reload cuts what is under way, unless that would then be there twice. */
Test(engine_end, what_would_be_there_twice)
{
    struct engine_rig *r = engine_rig_new(retry, NULL);
    enum verdict rejected[] = {VERDICT_REJECTED};

    engine_rig_offer(r, 0, 1, 0);
    engine_rig_tick(r, 0);
    cr_expect(!engine_would_double(r->engine), "its id answers 409");
    engine_rig_answer(r, reply_items(rejected));
    engine_rig_tick(r, 0);
    cr_expect(!engine_would_double(r->engine), "its letter is written by now");
    cr_expect(!is_moving(r, 10000, 1000));
    engine_rig_free(r);
}

Test(engine_end, an_output_that_knows_no_ids)
{
    struct engine_rig *r = engine_rig_new(retry, NULL);
    struct engine_output doubles = r->output;
    struct engine_options options = {.outputs = &doubles,
                                     .n_outputs = 1,
                                     .retry = retry,
                                     .pool = r->pool,
                                     .tracker = &r->tracker,
                                     .dead_letters = r->dead};
    struct batch *b;
    struct chunk *c;
    enum verdict ok[] = {VERDICT_DELIVERED};

    engine_free(r->engine);
    doubles.doubles = true;
    r->engine = engine_new(&options, NULL);
    c = engine_rig_chunk(r, 0, 1, 0, &b);
    tracker_read(&r->tracker, c);
    cr_expect(!engine_would_double(r->engine));
    engine_offer(r->engine, b);
    cr_expect(engine_would_double(r->engine), "a part of its chunk may be written already");
    engine_rig_tick(r, 0);
    cr_expect(engine_would_double(r->engine), "it is being written");
    engine_rig_answer(r, reply_items(ok));
    cr_expect(!engine_would_double(r->engine));
    engine_rig_free(r);
}
