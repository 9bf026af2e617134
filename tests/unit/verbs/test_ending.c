/* When an agent ends: facts in, a decision out. */
#include <criterion/criterion.h>

#include "shipper/verbs/ending.h"

enum { TOLD = 1000, DRAIN = 10000 };

static struct ending told(enum stopping how)
{
    struct ending e = {0};

    if (how != STOP_NO)
        ending_begin(&e, how, DRAIN, TOLD);
    return e;
}

Test(ending, decisions)
{
    static const struct {
        enum stopping how;
        int64_t after_ms;
        struct ending_facts f;
        enum ending_decision want;
        const char *because;
    } rows[] = {
        {STOP_NO, 0, {.is_all_settled = true}, ENDING_NOT_YET, "an input that follows goes on"},
        {STOP_NO,
         0,
         {.inputs_are_finished = true, .is_all_settled = true},
         ENDING_SETTLED,
         "all is read and settled"},
        {STOP_NO, 0, {.inputs_are_finished = true}, ENDING_NOT_YET, "read, and not settled"},
        {STOP_NO, 99999, {.engine = ENGINE_GAVE_UP}, ENDING_GAVE_UP, "an output did"},
        {STOP_DRAIN,
         0,
         {.engine = ENGINE_CLOSED, .is_moving = true},
         ENDING_CLOSED,
         "nobody reads standard output any more"},

        {STOP_RELOAD, 0, {.is_all_settled = true}, ENDING_SETTLED, "nothing to wait for"},
        {STOP_RELOAD, 499, {.is_moving = true}, ENDING_NOT_YET, "half a second for what moves"},
        {STOP_RELOAD, 500, {.is_moving = true}, ENDING_UNSETTLED, "and no more: it is read again"},
        {STOP_RELOAD, 0, {0}, ENDING_UNSETTLED, "what does not move is not waited for"},
        {STOP_RELOAD, 9999, {.would_double = true}, ENDING_NOT_YET, "it would be there twice"},
        {STOP_RELOAD, 9999, {.would_lose = true}, ENDING_NOT_YET, "it would be nowhere"},
        {STOP_RELOAD,
         DRAIN,
         {.would_double = true, .would_lose = true, .is_moving = true},
         ENDING_UNSETTLED,
         "but limits.drain is the end"},
        {STOP_RELOAD, 99999, {.n_reading = 1}, ENDING_NOT_YET, "a worker's bytes are handed over"},

        {STOP_DRAIN, 9999, {.is_moving = true}, ENDING_NOT_YET, "it may still settle"},
        {STOP_DRAIN, 0, {0}, ENDING_UNSETTLED, "nothing of it will"},
        {STOP_DRAIN, 9999, {.would_lose = true}, ENDING_NOT_YET, "no source has it any more"},
        {STOP_DRAIN,
         DRAIN,
         {.is_moving = true, .would_lose = true, .n_reading = 1},
         ENDING_UNSETTLED,
         "limits.drain"},
        {STOP_DRAIN,
         299,
         {.is_rest_durable = true, .is_moving = true},
         ENDING_NOT_YET,
         "durable, and an answer may be on its way"},
        {STOP_DRAIN,
         300,
         {.is_rest_durable = true, .is_moving = true},
         ENDING_UNSETTLED,
         "it did not come in its moment"},
        {STOP_DRAIN,
         300,
         {.is_rest_durable = true, .would_double = true},
         ENDING_NOT_YET,
         "it would be there twice"},
        {STOP_DRAIN,
         0,
         {.is_rest_durable = true, .is_engine_idle = true},
         ENDING_UNSETTLED,
         "all is in the queue"},

        {STOP_NOW, 0, {.is_moving = true, .would_double = true}, ENDING_UNSETTLED, "at once"},
        {STOP_NOW, 9999, {.n_reading = 1}, ENDING_NOT_YET, "but for what workers have in hand"},
        {STOP_NOW, 10000, {.n_reading = 1}, ENDING_UNSETTLED, "which may hang"},
        {STOP_NOW,
         0,
         {.is_replay = true, .is_all_settled = true},
         ENDING_UNSETTLED,
         "a replay that was interrupted has not read all"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ending e = told(rows[i].how);

        cr_expect_eq(ending_decide(&e, &rows[i].f, TOLD + rows[i].after_ms), rows[i].want, "%s",
                     rows[i].because);
    }
}

/* Whenever time alone changes the decision, somebody looks. */
Test(ending, is_looked_at_when_time_changes_it)
{
    static const struct ending_facts facts[] = {
        {.is_moving = true},
        {.is_rest_durable = true, .is_moving = true},
        {.would_double = true, .would_lose = true},
        {.n_reading = 1, .is_moving = true},
    };

    for (int how = STOP_NO; how <= STOP_NOW; how++)
        for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
            struct ending e = told((enum stopping)how);
            enum ending_decision last = ending_decide(&e, &facts[i], TOLD);
            int64_t due = ending_due_ms(&e, TOLD);

            for (int64_t ms = TOLD + 1; ms < TOLD + 2 * DRAIN; ms++) {
                enum ending_decision now = ending_decide(&e, &facts[i], ms);

                cr_assert(now == last || ms == due, "how %d, facts %zu: at %d", how, i, (int)ms);
                last = now;
                due = ms == due ? ending_due_ms(&e, ms) : due;
            }
        }
}

Test(ending, signals)
{
    struct ending e = told(STOP_NO);
    struct engine_patience p;

    cr_expect_eq(ending_after_signal(&e, false), STOP_DRAIN);
    cr_expect_eq(ending_after_signal(&e, true), STOP_NOW, "who replays sees it at once");
    e = told(STOP_RELOAD);
    cr_expect_eq(ending_after_signal(&e, false), STOP_DRAIN, "a stop ends a reload");
    p = ending_patience(&e);
    cr_expect_eq(p.until_ms, TOLD + 500);
    cr_expect_eq(p.failing_until_ms, TOLD + 500);
    e = told(STOP_DRAIN);
    cr_expect_eq(ending_after_signal(&e, false), STOP_NOW, "told twice");
    p = ending_patience(&e);
    cr_expect_eq(p.until_ms, TOLD + DRAIN);
    cr_expect_eq(p.failing_until_ms, TOLD + 1000, "one more try");
}
