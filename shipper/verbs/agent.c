/* What the agent does, tick by tick, until its end. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent_inside.h"

enum { STOP_NOW_MS = 300 };

/* --- the tick --- */

static bool inputs_are_finished(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (!a->plan.inputs[i].ops->is_finished(a->inputs[i]))
            return false;
    return true;
}

static bool is_all_settled(const struct agent *a)
{
    return a->tracker.n_chunks == 0 && lanes_pending(a->lanes) == 0 && engine_is_idle(a->engine);
}

static void finish(struct agent *a, enum agent_end end)
{
    a->end = end;
    ev_break(a->loop, EVBREAK_ALL);
}

static int64_t sooner(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* A store that cannot be written stops nothing but the positions: told once each time it changes.
 */
static void watch_store(struct agent *a)
{
    const struct err *now;

    if (!a->checkpoints)
        return;
    now = checkpoints_trouble(a->checkpoints);
    if (now->code != ERR_NONE && strcmp(now->what, a->store_trouble.what) != 0) {
        struct err told = *now;

        strncat(told.what,
                "; positions are not saved until this is mended: a restart now would "
                "send again what was sent since",
                sizeof told.what - strlen(told.what) - 1);
        log_err(a->plan.log, LOG_ERROR, &told);
    }
    a->store_trouble = *now;
}

/* The lines of a chunk are counted when its worker is done with it, what was made of them when it
 * is delivered: for the sums to agree, chunks in work are waited for, and nothing else. */
static bool is_cut_short(const struct agent *a)
{
    return a->stopping == STOP_NOW && a->tracker.n_reading == 0;
}

static void judge_end(struct agent *a, int64_t now_ms)
{
    enum engine_state state = engine_state(a->engine, &a->why);
    /* An input that follows never finishes; standard input does, and a service of nothing else ends
     * with it. */
    bool has_read_all = inputs_are_finished(a) || (!a->plan.is_replay && a->stopping != STOP_NO);

    if (state == ENGINE_CLOSED)
        finish(a, AGENT_CLOSED);
    else if (state == ENGINE_GAVE_UP)
        finish(a, AGENT_GAVE_UP);
    else if (has_read_all && is_all_settled(a))
        finish(a, a->wants_reload ? AGENT_RELOAD : AGENT_DONE);
    else if (a->stopping != STOP_NO && (now_ms >= a->stop_by_ms || is_cut_short(a)))
        finish(a, a->wants_reload ? AGENT_RELOAD : AGENT_UNSETTLED);
}

/* An output that is full and must not lose anything stops reading, for all outputs. */
static int64_t tick_intakes(struct agent *a, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    bool is_open = true;

    for (size_t i = 0; i < a->plan.n_outputs; i++) {
        next = sooner(next, intake_tick(a->intakes[i], now_ms));
        is_open &= intake_is_open(a->intakes[i]);
    }
    budget_shut(&a->budget, !is_open);
    return next;
}

/* Open batches must not wait for their linger when nothing is being read, or when it is they that
 * hold the room that reading waits for. What is sealed is on its way. */
static bool is_flush_due(struct agent *a)
{
    int64_t half = a->budget.limit_bytes / 2;
    bool has_refused = budget_has_refused(&a->budget);
    int64_t sealed = 0;

    for (size_t i = 0; i < a->plan.n_outputs; i++)
        sealed += intake_stats(a->intakes[i])->held_bytes;
    return budget_held(&a->budget) - sealed > half || (has_refused && sealed <= half) ||
           a->stopping != STOP_NO || inputs_are_finished(a) ||
           (a->plan.is_replay && a->tracker.n_reading == 0);
}

static int64_t tick_all(struct agent *a, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    if (a->stopping == STOP_NO)
        for (size_t i = 0; i < a->plan.n_inputs; i++)
            next = sooner(next, a->plan.inputs[i].ops->tick(a->inputs[i], now_ms));
    else
        next = a->stop_by_ms;
    next = sooner(next, lanes_tick(a->lanes, now_ms, is_flush_due(a)));
    next = sooner(next, tick_intakes(a, now_ms));
    next = sooner(next, engine_tick(a->engine, now_ms));
    if (a->checkpoints)
        next = sooner(next, checkpoints_tick(a->checkpoints, now_ms));
    watch_store(a);
    judge_end(a, now_ms);
    return next;
}

void agent_on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)w;
    (void)revents; /* agent_on_tick, which comes next, does the work */
}

void agent_on_tick(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct agent *a = w->data;
    int64_t now_ms = clock_mono_ms(&clock_real);
    int64_t next = tick_all(a, now_ms);

    (void)revents;
    ev_timer_stop(loop, &a->due);
    if (next == INT64_MAX)
        return;
    ev_timer_set(&a->due, next > now_ms ? (double)(next - now_ms) / 1000 : 0, 0);
    ev_timer_start(loop, &a->due);
}

/* --- being told to stop --- */

static void stop(struct agent *a, enum stopping how)
{
    if (a->stopping == STOP_NO)
        for (size_t i = 0; i < a->plan.n_inputs; i++)
            a->plan.inputs[i].ops->stop(a->inputs[i]);
    a->stop_by_ms =
        clock_mono_ms(&clock_real) + (how == STOP_NOW ? STOP_NOW_MS : a->plan.global->drain_ms);
    a->stopping = how;
}

static void on_stop_signal(struct agent *a)
{
    a->wants_reload = false;
    if (a->stopping != STOP_NO || a->plan.is_replay) {
        stop(a, STOP_NOW);
        return;
    }
    log_line(a->plan.log, LOG_INFO, "stopping: delivering what is under way, at most %.1f s",
             (double)a->plan.global->drain_ms / 1000);
    stop(a, STOP_DRAIN);
}

static void on_reload_signal(struct agent *a)
{
    bool is_stopping = a->stopping != STOP_NO;

    /* One that comes while the last is still being carried out changes only what comes next. */
    if ((is_stopping && !a->wants_reload) || !a->on_reload || !a->on_reload(a->reload_ctx) ||
        is_stopping)
        return;
    a->wants_reload = true;
    stop(a, STOP_DRAIN);
}

void agent_on_signal(void *ctx, int number)
{
    struct agent *a = ctx;

    if (number == SIGHUP)
        on_reload_signal(a);
    else
        on_stop_signal(a);
}

void agent_on_reload(struct agent *a, agent_reload_fn *fn, void *ctx)
{
    a->on_reload = fn;
    a->reload_ctx = ctx;
}

/* --- its life --- */

/* What is legal but dangerous, once at the start: a service's owner may never run `ship check`. */
static void tell_dangers(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++) {
        const struct output_config *o = &a->plan.outputs[i];
        struct buffer lines = {0};
        struct slice rest;
        struct slice line;

        if (o->ops->warn)
            o->ops->warn(o->options, &lines);
        rest = buffer_slice(&lines);
        while (rest.len && slice_cut(&rest, '\n', &line))
            log_line(a->plan.log, LOG_WARN, "output %s: %.*s", o->common.name, SLICE_ARG(line));
        buffer_free(&lines);
    }
}

enum agent_end agent_run(struct agent *a, struct err *e)
{
    tell_dangers(a);
    if (a->plan.shows_progress)
        progress_start(&a->progress, a->loop, a);
    ev_run(a->loop, 0);
    if (a->plan.shows_progress)
        progress_stop(&a->progress);
    a->ended_ms = clock_mono_ms(&clock_real);
    if (e)
        *e = a->why;
    return a->end;
}

void agent_totals(const struct agent *a, struct agent_totals *out)
{
    int64_t until = a->ended_ms ? a->ended_ms : clock_mono_ms(&clock_real);

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_stats *in = a->plan.inputs[i].ops->stats(a->inputs[i]);

        out->bytes += in->bytes;
        out->lines += in->lines;
        out->events += in->events;
        out->truncated += in->truncated;
        out->errors += in->errors;
        out->total_bytes += in->total_bytes;
    }
    for (size_t i = 0; i < a->plan.n_outputs; i++) {
        const struct output_stats *o = engine_stats(a->engine, i);

        out->delivered += o->delivered;
        out->duplicates += o->duplicates;
        out->dead += o->dead;
    }
    out->seconds = (double)(until - a->started_ms) / 1000;
    out->dead_path = dead_letters_path(a->dead_letters);
}
