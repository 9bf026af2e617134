/* What the agent does, tick by tick, until its end. */
#include <stdio.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent_inside.h"
#include "shipper/verbs/queues.h"

/* Enough for 16,384 files. */
enum { FIRST_TURNS = 64 };

/* --- the tick --- */

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
    } else if (now->code == ERR_NONE && a->store_trouble.code != ERR_NONE) {
        log_line(a->plan.log, LOG_INFO, "%s: positions are saved again", a->store_trouble.where);
    }
    a->store_trouble = *now;
}

/* Nothing more is read that could fill an open batch. */
static bool is_read_out(const struct agent *a)
{
    return a->ending.how != STOP_NO || agent_inputs_are_finished(a) ||
           (a->plan.is_replay && a->tracker.n_reading == 0);
}

static int64_t tick_all(struct agent *a, int64_t now_ms)
{
    const struct parts parts = agent_parts(a);
    int64_t next = INT64_MAX;

    if (a->ending.how == STOP_NO)
        for (size_t i = 0; i < a->plan.n_inputs; i++)
            next = sooner(next, a->plan.inputs[i].ops->tick(a->inputs[i], now_ms));
    else
        next = ending_due_ms(&a->ending, now_ms);
    next = sooner(next, lanes_tick(a->lanes, now_ms, parts_is_flush_due(&parts, is_read_out(a))));
    next = sooner(next, parts_tick_intakes(&parts, now_ms));
    next = sooner(next, engine_tick(a->engine, now_ms));
    if (a->checkpoints)
        next = sooner(next, checkpoints_tick(a->checkpoints, now_ms));
    watch_store(a);
    agent_judge_end(a, now_ms);
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

static void tell_queues(const struct agent *a, const char *then)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        queues_tell_waiting(&a->plan, i, intake_queue_stats(a->intakes[i]), then);
}

void agent_look_around(struct agent *a)
{
    int64_t now_ms = clock_mono_ms(&clock_real);

    for (size_t i = 0; i < a->plan.n_inputs; i++)
        for (int n = 0; n < FIRST_TURNS; n++)
            if (a->plan.inputs[i].ops->tick(a->inputs[i], now_ms) > now_ms + 1)
                break; /* else there is more to look at right away */
}

enum agent_end agent_run(struct agent *a, struct err *e)
{
    if (!a->plan.has_told) {
        tell_dangers(a);
        tell_queues(a, "to be sent first");
        queues_tell_left_behind(&a->plan, a->state);
    }
    if (a->plan.shows_progress)
        progress_start(&a->progress, a->loop, a);
    ev_run(a->loop, 0);
    if (a->plan.shows_progress)
        progress_stop(&a->progress);
    agent_end_writing(a);
    a->ended_ms = clock_mono_ms(&clock_real);
    if (a->end == AGENT_UNSETTLED || a->end == AGENT_GAVE_UP || a->end == AGENT_CLOSED)
        a->lost = agent_would_lose(a);
    if (a->end != AGENT_RELOAD)
        tell_queues(a, "for the next start");
    if (e)
        *e = a->why;
    return a->end;
}

/* What the next agent finds in a disk queue is not under way between the two. */
static uint64_t waiting_events(const struct agent *a, size_t output)
{
    const struct queue_stats *queue = intake_queue_stats(a->intakes[output]);
    uint64_t n = engine_stats(a->engine, output)->in_flight_events +
                 intake_stats(a->intakes[output])->queued_events;
    uint64_t durable = queue && a->end == AGENT_RELOAD ? queue->events : 0;

    return n > durable ? n - durable : 0;
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
        uint64_t waiting = waiting_events(a, i);

        out->delivered += o->delivered;
        out->duplicates += o->duplicates;
        out->dead += o->dead;
        out->dropped += intake_stats(a->intakes[i])->dropped;
        if (waiting > out->waiting)
            out->waiting = waiting;
    }
    out->lost = a->lost;
    out->seconds = (double)(until - a->started_ms) / 1000;
    out->dead_path = dead_letters_path(a->dead_letters);
}
