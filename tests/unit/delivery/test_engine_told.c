/* What the engine says of an output: once a change, with what it wants and what happens next. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "shipper/observe/log.h"
#include "tests/support/engine_rig.h"

static const struct retry_options plain_retry = {.initial_ms = 100, .max_ms = 800, .hold_ms = 5000};

struct told {
    int ends[2];
    struct log *log;
    struct engine_rig *r;
    char text[8192];
};

static void told_init(struct told *t)
{
    cr_assert_eq(pipe(t->ends), 0);
    cr_assert_eq(fcntl(t->ends[0], F_SETFL, O_NONBLOCK), 0);
    t->log = log_new(t->ends[1], LOG_INFO, false);
    t->r = engine_rig_new(plain_retry, t->log);
}

static void told_fini(struct told *t)
{
    engine_rig_free(t->r);
    log_free(t->log);
    close(t->ends[0]);
    close(t->ends[1]);
}

/* What the log said since the last call. */
static const char *said(struct told *t)
{
    ssize_t n = read(t->ends[0], t->text, sizeof t->text - 1);

    t->text[n > 0 ? n : 0] = '\0';
    return t->text;
}

static void answer(struct told *t, int64_t pass_ms, struct sink_reply reply)
{
    engine_rig_tick(t->r, pass_ms);
    engine_rig_answer(t->r, reply);
}

/* E2 */
Test(engine_told, one_bad_line_in_each_batch_does_not_fill_the_log)
{
    struct told t;
    enum verdict v[] = {VERDICT_DELIVERED, VERDICT_REJECTED};

    told_init(&t);
    for (int i = 0; i < 100; i++) {
        engine_rig_offer(t.r, (uint64_t)i * 20, 2, 0);
        answer(&t, 10, reply_items(v));
    }
    cr_expect_str_eq(said(&t), "ship: error: fake: not all events were taken; 1 to the dead "
                               "letters\n");
    engine_rig_offer(t.r, 2000, 2, 0);
    answer(&t, 10000, reply_items(v));
    cr_expect_str_eq(said(&t),
                     "ship: error: fake: not all events were taken; 100 to the dead letters, "
                     "since this was last said\n",
                     "the sum is told");
    told_fini(&t);
}

Test(engine_told, a_line_for_each_change)
{
    struct told t;
    enum verdict ok[] = {VERDICT_DELIVERED};
    struct sink_reply refused = reply_whole(SINK_HOLD);

    told_init(&t);
    engine_rig_offer(t.r, 0, 1, 0);
    for (int i = 0; i < 50; i++)
        answer(&t, 1000, reply_whole(SINK_RETRY));
    cr_expect_str_eq(said(&t), "ship: warn: HTTP 429; keeping 1 event, try 2 in 0.1 s\n");
    err_set(&refused.why, ERR_REFUSED, "HTTP 401: the credentials were refused");
    engine_rig_offer(t.r, 10, 1, 0);
    for (int i = 0; i < 5; i++)
        answer(&t, 5000, refused);
    cr_expect_str_eq(said(&t),
                     "ship: error: HTTP 401: the credentials were refused; keeping 2 events, try "
                     "52 in 5.0 s\n");
    answer(&t, 5000, reply_items(ok));
    cr_expect_str_eq(said(&t), "ship: fake: answering again after 55 failed tries\n");
    told_fini(&t);
}

/* A sink at its limit refuses now and then; one that stays away is told of all the same. */
Test(engine_told, a_sink_that_comes_and_goes_does_not_fill_the_log)
{
    struct told t;
    enum verdict ok[] = {VERDICT_DELIVERED};

    told_init(&t);
    for (int i = 0; i < 20; i++) {
        engine_rig_offer(t.r, (uint64_t)i * 10, 1, 0);
        answer(&t, 100, reply_whole(SINK_RETRY));
        answer(&t, 100, reply_items(ok));
    }
    cr_expect_str_eq(said(&t), "ship: warn: HTTP 429; keeping 1 event, try 2 in 0.1 s\n"
                               "ship: fake: answering again after 1 failed try\n");
    engine_rig_offer(t.r, 200, 1, 0);
    for (int i = 0; i < 20; i++)
        answer(&t, 1000, reply_whole(SINK_RETRY));
    cr_expect_not_null(strstr(said(&t), "ship: warn: HTTP 429; keeping 1 event, try "));
    answer(&t, 1000, reply_items(ok));
    cr_expect_str_eq(said(&t), "ship: fake: answering again after 20 failed tries\n");
    told_fini(&t);
}

/* Four requests that a server takes with it when it falls are one failure, not four. */
Test(engine_told, requests_that_fail_together_are_one_try)
{
    struct told t;
    enum verdict ok[] = {VERDICT_DELIVERED};
    struct sink_reply cut = reply_whole(SINK_RETRY);

    cut.retry_after_ms = -1;
    err_set(&cut.why, ERR_NET, "interrupted");
    told_init(&t);
    engine_rig_offer(t.r, 0, 1, 0);
    engine_rig_offer(t.r, 10, 1, 0);
    engine_rig_tick(t.r, 0);
    cr_assert_eq(t.r->fake.n_held, 2);
    engine_rig_answer(t.r, cut);
    engine_rig_answer(t.r, cut);
    cr_expect_str_eq(said(&t), "ship: warn: interrupted; keeping 2 events, try 2 in 0.0 s\n");
    engine_rig_tick(t.r, 100);
    cr_assert_eq(t.r->fake.n_held, 1);
    engine_rig_answer(t.r, cut);
    answer(&t, 100, reply_items(ok));
    answer(&t, 100, reply_items(ok));
    cr_expect_str_eq(said(&t), "ship: fake: answering again after 2 failed tries\n");
    cr_expect_eq(engine_stats(t.r->engine, 0)->failures, 3);
    cr_expect_eq(t.r->moved_to, 20);
    told_fini(&t);
}

/* A closed index among others, for days: what stays as it is is not said every twenty seconds. */
Test(engine_told, what_is_held_is_said_once)
{
    struct told t;
    enum verdict mixed[] = {VERDICT_DELIVERED, VERDICT_HOLD};
    enum verdict hold[] = {VERDICT_HOLD};
    struct sink_reply held = reply_items(hold);

    told_init(&t);
    err_set(&held.why, ERR_REFUSED, "no event was taken: index_closed_exception (HTTP 400)");
    engine_rig_offer(t.r, 0, 2, 0);
    answer(&t, 0, reply_items(mixed));
    said(&t);
    for (int i = 0; i < 100; i++)
        answer(&t, 5000, held);
    cr_expect_str_eq(said(&t),
                     "ship: error: no event was taken: index_closed_exception (HTTP 400); 2 kept, "
                     "to be sent again, since this was last said\n");
    told_fini(&t);
}
