/* How the agent is taken down, and followed by the next. */
#include <stdlib.h>
#include <string.h>

#include "outputs/transport.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent_inside.h"
#include "shipper/verbs/own_files.h"

static void stop_watchers(struct agent *a)
{
    ev_async_stop(a->loop, &a->wake);
    ev_prepare_stop(a->loop, &a->tick);
    ev_timer_stop(a->loop, &a->due);
    signals_stop(&a->signals);
    if (a->owns_loop)
        ev_loop_destroy(a->loop);
}

static void end_writer(struct pool *writer)
{
    if (!writer)
        return;
    pool_stop(writer);
    pool_reap(writer);
}

void agent_end_writing(struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        if (a->plan.outputs[i].ops->finish)
            a->plan.outputs[i].ops->finish(a->sinks[i]);
    for (size_t i = 0; a->queue_writers && i < a->plan.n_outputs; i++)
        end_writer(a->queue_writers[i]);
    end_writer(a->writer);
}

/* What the inputs have goes on; and what none of ours ever took. */
static void hand_over(struct agent *a, struct handover *to)
{
    for (size_t i = 0; a->inputs && i < a->plan.n_inputs; i++) {
        const struct input_ops *ops = a->plan.inputs[i].ops;

        if (a->inputs[i] && ops->hand_over)
            ops->hand_over(a->inputs[i], to);
    }
    handover_move(&a->handover, to);
}

static bool has_all_inputs(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (!a->inputs || !a->inputs[i])
            return false;
    return true;
}

/* What some outputs have had, and others not: the next agent, or the next start, sends it to those
 * alone. One that did not come up leaves what was noted before. */
static void note_had(struct agent *a)
{
    if (!a->checkpoints || !has_all_inputs(a))
        return;
    checkpoints_forget_had(a->checkpoints);
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (a->plan.inputs[i].ops->note_had)
            a->plan.inputs[i].ops->note_had(a->inputs[i]);
}

/* What becomes of a last word that could not be written. */
static void add_consequence(struct err *e)
{
    if (e)
        strncat(e->what,
                "; some of what was delivered is sent again by the next start, under the same ids",
                sizeof e->what - strlen(e->what) - 1);
}

/* In the order of who uses whom. `handover`: for the agent that takes over; NULL: none does. */
static int take_down(struct agent *a, struct handover *handover, struct err *e)
{
    int rc;

    for (size_t i = 0; a->sinks && i < a->plan.n_outputs; i++)
        a->plan.outputs[i].ops->close(a->sinks[i]);
    pool_free(a->pool);
    pool_free(a->writer);
    for (size_t i = 0; a->queue_writers && i < a->plan.n_outputs; i++)
        pool_free(a->queue_writers[i]);
    note_had(a);
    rc = checkpoints_close(a->checkpoints, e);
    if (handover)
        hand_over(a, handover);
    for (size_t i = 0; a->inputs && i < a->plan.n_inputs; i++)
        if (a->inputs[i])
            a->plan.inputs[i].ops->close(a->inputs[i]);
    handover_fini(&a->handover);
    lanes_free(a->lanes);
    engine_free(a->engine);
    dead_letters_free(a->dead_letters); /* it may hold batches, which are counted in an intake */
    for (size_t i = 0; a->intakes && i < a->plan.n_outputs; i++)
        if (intake_free(a->intakes[i], rc < 0 ? NULL : e) < 0)
            rc = -1;
    if (rc < 0)
        add_consequence(e);
    transport_curl_free(a->transport);
    if (a->loop)
        stop_watchers(a);
    own_files_fini(&a->own_files);
    free(a->state);
    free(a->is_paused);
    free(a->inputs);
    free(a->intakes);
    free(a->queue_writers);
    free(a->sinks);
    free(a->engine_outputs);
    free(a);
    return rc;
}

int agent_free(struct agent *a, struct err *e)
{
    return a ? take_down(a, NULL, e) : 0;
}

static bool reads_standard_input(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (a->plan.inputs[i].ops->pause)
            return true;
    return false;
}

/* No input is there for it any more. */
static void tell_lost(const struct agent *a)
{
    uint64_t n = rest_count_lines(&a->handover.rest);

    if (n && !reads_standard_input(a))
        log_line(a->plan.log, LOG_ERROR,
                 "standard input is no input any more; %llu line%s read of it and could not be "
                 "delivered within limits.drain %s lost",
                 (unsigned long long)n, n == 1 ? " that was" : "s that were",
                 n == 1 ? "is" : "are");
}

int agent_take_over(struct agent *a, struct agent *before, struct err *e)
{
    int64_t stopped_ms = before->ending.since_ms;
    struct err trouble = {0};
    int rc;

    if (take_down(before, &a->handover, &trouble) < 0)
        log_err(a->plan.log, LOG_ERROR, &trouble);
    tell_lost(a);
    rc = agent_open_exclusive(a, e);
    if (rc == 0)
        handover_fini(&a->handover);
    a->ending.since_ms = stopped_ms; /* if it does not start, the gap goes on */
    a->gap_ms = clock_mono_ms(&clock_real) - stopped_ms;
    return rc;
}

int64_t agent_gap_ms(const struct agent *a)
{
    return a->gap_ms;
}
