/* The agent's end: the facts that ending.h decides by, what it decides, and what signals begin. */
#include <signal.h>

#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent_inside.h"

/* --- facts ----------------------------------------------------------------------------------- */

struct parts agent_parts(struct agent *a)
{
    return (struct parts){&a->budget, &a->tracker, a->lanes,
                          a->engine,  a->intakes,  a->plan.n_outputs};
}

bool agent_inputs_are_finished(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (!a->plan.inputs[i].ops->is_finished(a->inputs[i]))
            return false;
    return true;
}

uint64_t agent_would_lose(const struct agent *a)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (a->plan.inputs[i].ops->unsettled)
            n += a->plan.inputs[i].ops->unsettled(a->inputs[i]);
    return n;
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

static struct ending_facts look(struct agent *a, int64_t now_ms)
{
    const struct parts parts = agent_parts(a);
    struct ending_facts f = {
        .is_replay = a->plan.is_replay,
        .inputs_are_finished = agent_inputs_are_finished(a),
        .would_lose = a->ending.how == STOP_RELOAD  ? would_lose_in_reload(a)
                      : a->ending.how == STOP_DRAIN ? agent_would_lose(a) > 0
                                                    : false,
    };

    parts_look(&parts, &a->ending, now_ms, &f, &a->why);
    return f;
}

/* --- judging --------------------------------------------------------------------------------- */

static void finish(struct agent *a, enum agent_end end)
{
    a->end = end;
    ev_break(a->loop, EVBREAK_ALL);
}

void agent_judge_end(struct agent *a, int64_t now_ms)
{
    const struct ending_facts facts = look(a, now_ms);
    bool makes_way = a->ending.how == STOP_RELOAD;

    switch (ending_decide(&a->ending, &facts, now_ms)) {
    case ENDING_NOT_YET:
        break;
    case ENDING_CLOSED:
        finish(a, AGENT_CLOSED);
        break;
    case ENDING_GAVE_UP:
        finish(a, AGENT_GAVE_UP);
        break;
    case ENDING_SETTLED:
        finish(a, makes_way ? AGENT_RELOAD : AGENT_DONE);
        break;
    case ENDING_UNSETTLED:
        finish(a, makes_way ? AGENT_RELOAD : AGENT_UNSETTLED);
        break;
    }
}

/* --- being told ------------------------------------------------------------------------------ */

static void begin(struct agent *a, enum stopping how)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        intake_stop(a->intakes[i]);
    ending_begin(&a->ending, how, a->plan.global->drain_ms, clock_mono_ms(&clock_real));
}

static void on_stop_signal(struct agent *a)
{
    enum stopping how = ending_after_signal(&a->ending, a->plan.is_replay);

    if (how == STOP_DRAIN) {
        log_line(a->plan.log, LOG_INFO, "stopping: delivering what is under way, at most %.1f s",
                 (double)a->plan.global->drain_ms / 1000);
        engine_try_now(a->engine);
    }
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        a->plan.inputs[i].ops->stop(a->inputs[i]);
    begin(a, how);
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
    if (a->ending.how >= STOP_DRAIN)
        return false;
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_ops *ops = a->plan.inputs[i].ops;

        a->is_paused[i] = ops->pause && has_kind(next, ops);
        (a->is_paused[i] ? ops->pause : ops->stop)(a->inputs[i]);
    }
    if (a->ending.how == STOP_NO)
        begin(a, STOP_RELOAD);
    return true;
}
