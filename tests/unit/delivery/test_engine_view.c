#include <criterion/criterion.h>

#include "shipper/delivery/engine_view.h"
#include "tests/support/engine_rig.h"

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

static struct engine_view look(struct engine_rig *r)
{
    struct engine_view v;

    engine_view(r->engine, 0, r->now, &v);
    return v;
}

/* S5: it is stalled from when something waits, or from the last event that got through. */
Test(engine_view, how_long_nothing_got_through)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict half[] = {VERDICT_DELIVERED, VERDICT_RETRY};
    enum verdict ok[] = {VERDICT_DELIVERED};

    engine_rig_tick(r, 3600000);
    cr_expect_eq(look(r).stalled_ms, 0, "nothing waits");
    engine_rig_offer(r, 0, 2, 0);
    cr_expect_eq(look(r).stalled_ms, 0, "it has just come: the hour before does not count");
    engine_rig_tick(r, 0);
    engine_rig_tick(r, 20000);
    cr_expect_eq(look(r).stalled_ms, 20000);
    engine_rig_answer(r, reply_whole(SINK_RETRY));
    engine_rig_tick(r, 10000);
    cr_expect_eq(look(r).stalled_ms, 30000, "an answer alone is no progress");
    engine_rig_answer(r, reply_items(half));
    engine_rig_tick(r, 500);
    cr_expect_eq(look(r).stalled_ms, 500, "one got through, one waits");
    engine_rig_tick(r, 700);
    engine_rig_answer(r, reply_items(ok));
    engine_rig_tick(r, 700);
    cr_expect_eq(look(r).stalled_ms, 0, "all is settled");
    engine_rig_free(r);
}

Test(engine_view, where_batches_are_and_why)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict half[] = {VERDICT_DELIVERED, VERDICT_RETRY};
    struct engine_view v;

    engine_rig_offer(r, 0, 2, 0);
    v = look(r);
    cr_expect_eq(v.batches[BATCH_READY], 1);
    cr_expect_null(v.trouble);
    engine_rig_tick(r, 0);
    cr_expect_eq(look(r).batches[BATCH_SENDING], 1);
    engine_rig_answer(r, reply_items(half));
    cr_expect_eq(look(r).batches[BATCH_RETRYING], 1, "what was left over of it");
    engine_rig_tick(r, 1000);
    engine_rig_answer(r, reply_whole(SINK_HOLD));
    v = look(r);
    cr_expect_eq(v.batches[BATCH_HOLDING], 1);
    cr_assert_not_null(v.trouble);
    cr_expect_str_eq(v.trouble->what, "HTTP 429");
    engine_rig_free(r);
}

Test(engine_view, a_failing_output_holds_all)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);

    engine_rig_offer(r, 0, 1, 0);
    engine_rig_tick(r, 0);
    engine_rig_answer(r, reply_whole(SINK_RETRY));
    engine_rig_offer(r, 10, 1, 0);
    cr_expect_eq(look(r).batches[BATCH_FAILING], 2);
    engine_rig_free(r);
}

/* What is with the far side, or with the dead letters, is held as well. */
Test(engine_view, age_of_all_that_is_held)
{
    struct engine_rig *r = engine_rig_new(plain_retry, NULL);
    enum verdict ok[] = {VERDICT_DELIVERED};
    struct batch *b[2];

    for (int i = 0; i < 2; i++) {
        tracker_read(&r->tracker, engine_rig_chunk(r, (uint64_t)i * 10, 1, 1000, &b[i]));
        b[i]->first_ms = r->now + i * 100;
        engine_offer(r->engine, b[i]);
    }
    engine_rig_tick(r, 500);
    cr_expect_eq(look(r).batches[BATCH_SENDING], 2);
    cr_expect_eq(look(r).oldest_ms, 500);
    engine_rig_answer(r, reply_items(ok));
    cr_expect_eq(look(r).oldest_ms, 400);
    engine_rig_answer(r, reply_items(ok));
    cr_expect_eq(look(r).oldest_ms, 0);
    engine_rig_free(r);
}
