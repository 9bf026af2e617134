/* How the agent comes to its end: all is done, it is told to stop, or to make way for the next.
 *
 *   STOP_RELOAD  nothing is lost by not waiting: what is not settled is read again. So only what
 *                settles soon is waited for, and what would be there twice.
 *   STOP_DRAIN   as long as something may still settle, at most limits.drain. An output that fails
 *                gets one more try, of a second. What is in a disk queue is not waited for.
 *   STOP_NOW     told twice: only what workers have in hand.
 *
 * What no source has any more (standard input) is worth all of limits.drain. */
#include <signal.h>

#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent_inside.h"

enum {
    STOP_NOW_MS = 300,
    IN_HAND_MS = 10000, /* for workers, which are waited for later anyway: a guard, no deadline */
    LAST_TRY_MS = 1000, /* of an output that fails */
    RELOAD_MS = 500,    /* for what is under way in a reload */
};

/* --- what there is to wait for --------------------------------------------------------------- */

bool agent_inputs_are_finished(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (!a->plan.inputs[i].ops->is_finished(a->inputs[i]))
            return false;
    return true;
}

static bool intakes_are_idle(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        if (!intake_is_idle(a->intakes[i]))
            return false;
    return true;
}

/* Nothing is being read, open, or on its way to where it is safe: a disk queue has it all. */
static bool is_rest_durable(const struct agent *a)
{
    uint64_t n_durable = 0;

    for (size_t i = 0; i < a->plan.n_outputs; i++)
        n_durable += intake_stand_ins(a->intakes[i]);
    return a->tracker.n_chunks == n_durable && lanes_pending(a->lanes) == 0 && intakes_are_idle(a);
}

static bool is_all_settled(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        if (intake_stats(a->intakes[i])->queued_events)
            return false;
    return a->tracker.n_chunks == 0 && is_rest_durable(a) && engine_is_idle(a->engine);
}

uint64_t agent_would_lose(const struct agent *a)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (a->plan.inputs[i].ops->unsettled)
            n += a->plan.inputs[i].ops->unsettled(a->inputs[i]);
    return n;
}

/* May something come to its end within this time? */
static bool is_moving(const struct agent *a, int64_t ms, int64_t failing_ms, int64_t now_ms)
{
    const struct engine_patience patience = {a->stopped_ms + ms, a->stopped_ms + failing_ms};

    return a->tracker.n_reading || lanes_pending(a->lanes) || !intakes_are_idle(a) ||
           engine_is_moving(a->engine, &patience, now_ms);
}

/* Is there something that only this agent can still save? */
static bool would_lose_in_reload(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_ops *ops = a->plan.inputs[i].ops;

        if (ops->unsettled && !a->is_paused[i] && ops->unsettled(a->inputs[i]))
            return true;
    }
    return false;
}

/* A chunk in work is waited for in any case: it has bytes that are handed over. */
static bool may_make_way(const struct agent *a, int64_t now_ms)
{
    if (a->tracker.n_reading)
        return false;
    if (now_ms >= a->stop_by_ms)
        return true;
    if (engine_would_double(a->engine) || would_lose_in_reload(a))
        return false;
    return now_ms >= a->stopped_ms + RELOAD_MS || !is_moving(a, RELOAD_MS, RELOAD_MS, now_ms);
}

static bool is_worth_waiting(const struct agent *a, int64_t now_ms)
{
    return agent_would_lose(a) || is_moving(a, a->plan.global->drain_ms, LAST_TRY_MS, now_ms);
}

/* What is durable needs no drain. Requests that are under way get the moment that an answer takes,
 * so that less is sent again; what would be there twice gets all the time there is. */
static bool is_drained(const struct agent *a, int64_t now_ms)
{
    if (!is_rest_durable(a))
        return !is_worth_waiting(a, now_ms);
    return engine_is_idle(a->engine) ||
           (now_ms >= a->stopped_ms + STOP_NOW_MS && !engine_would_double(a->engine));
}

static bool is_over(const struct agent *a, int64_t now_ms)
{
    switch (a->stopping) {
    case STOP_NO:
        break;
    case STOP_RELOAD:
        return may_make_way(a, now_ms);
    case STOP_DRAIN:
        return now_ms >= a->stop_by_ms || is_drained(a, now_ms);
    case STOP_NOW:
        /* The lines of a chunk are counted when its worker is done with it: so the sums agree. */
        return now_ms >= a->stop_by_ms || a->tracker.n_reading == 0;
    }
    return false;
}

/* --- judging --------------------------------------------------------------------------------- */

static void finish(struct agent *a, enum agent_end end)
{
    a->end = end;
    ev_break(a->loop, EVBREAK_ALL);
}

void agent_judge_end(struct agent *a, int64_t now_ms)
{
    enum engine_state state = engine_state(a->engine, &a->why);
    bool makes_way = a->stopping == STOP_RELOAD;
    /* An input that follows never finishes; standard input does, and a service of nothing else ends
     * with it. */
    bool has_read_all =
        agent_inputs_are_finished(a) || (!a->plan.is_replay && a->stopping != STOP_NO);

    if (state == ENGINE_CLOSED)
        finish(a, AGENT_CLOSED);
    else if (state == ENGINE_GAVE_UP)
        finish(a, AGENT_GAVE_UP);
    else if (has_read_all && is_all_settled(a))
        finish(a, makes_way ? AGENT_RELOAD : AGENT_DONE);
    else if (is_over(a, now_ms))
        finish(a, makes_way ? AGENT_RELOAD : AGENT_UNSETTLED);
}

int64_t agent_end_due_ms(const struct agent *a, int64_t now_ms)
{
    const int64_t times[] = {a->stopped_ms + STOP_NOW_MS, a->stopped_ms + RELOAD_MS,
                             a->stopped_ms + LAST_TRY_MS, a->stop_by_ms};
    int64_t next = INT64_MAX;

    for (size_t i = 0; a->stopping != STOP_NO && i < sizeof times / sizeof times[0]; i++)
        if (times[i] > now_ms && times[i] < next)
            next = times[i];
    return next;
}

/* --- being told ------------------------------------------------------------------------------ */

static void begin(struct agent *a, enum stopping how, int64_t ms)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        intake_stop(a->intakes[i]);
    a->stopping = how;
    a->stopped_ms = clock_mono_ms(&clock_real);
    a->stop_by_ms = a->stopped_ms + ms;
}

static void stop(struct agent *a, enum stopping how, int64_t ms)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        a->plan.inputs[i].ops->stop(a->inputs[i]);
    begin(a, how, ms);
}

static void on_stop_signal(struct agent *a)
{
    if (a->stopping >= STOP_DRAIN || a->plan.is_replay) {
        stop(a, STOP_NOW, IN_HAND_MS);
        return;
    }
    log_line(a->plan.log, LOG_INFO, "stopping: delivering what is under way, at most %.1f s",
             (double)a->plan.global->drain_ms / 1000);
    engine_try_now(a->engine);
    stop(a, STOP_DRAIN, a->plan.global->drain_ms);
}

void agent_on_signal(void *ctx, int number)
{
    struct agent *a = ctx;

    if (number != SIGHUP)
        on_stop_signal(a);
    else if (a->plan.on_hangup)
        a->plan.on_hangup(a->plan.hangup_ctx);
}

static bool has_kind(const struct agent_plan *plan, const struct input_ops *ops)
{
    for (size_t i = 0; i < plan->n_inputs; i++)
        if (plan->inputs[i].ops == ops)
            return true;
    return false;
}

bool agent_make_way(struct agent *a, const struct agent_plan *next)
{
    if (a->stopping >= STOP_DRAIN)
        return false;
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_ops *ops = a->plan.inputs[i].ops;

        a->is_paused[i] = ops->pause && has_kind(next, ops);
        (a->is_paused[i] ? ops->pause : ops->stop)(a->inputs[i]);
    }
    if (a->stopping == STOP_NO)
        begin(a, STOP_RELOAD, a->plan.global->drain_ms);
    return true;
}
