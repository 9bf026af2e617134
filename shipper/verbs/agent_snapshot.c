/* What the agent's parts say of themselves, in one snapshot. */
#include <string.h>

#include "shipper/base/clock.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/snapshot.h"
#include "shipper/verbs/agent_inside.h"

static bool look_at_input(const struct agent *a, size_t i, struct snapshot_input *out)
{
    const struct input_config *in = &a->plan.inputs[i];

    out->name = strdup(in->common.name ? in->common.name : in->ops->name);
    out->type = in->ops->name;
    out->stats = *in->ops->stats(a->inputs[i]);
    if (in->ops->lag_bytes)
        out->lag_bytes = in->ops->lag_bytes(a->inputs[i]);
    return out->name;
}

static bool look_at_output(const struct agent *a, size_t i, int64_t now_ms,
                           struct snapshot_output *out)
{
    const struct intake_stats *intake = intake_stats(a->intakes[i]);
    const struct queue_stats *queue = intake_queue_stats(a->intakes[i]);

    out->name = strdup(a->engine_outputs[i].name);
    out->type = a->engine_outputs[i].ops->name;
    out->stats = *engine_stats(a->engine, i);
    out->in = intake->events_in;
    out->in_flight = out->stats.in_flight_events + intake->queued_events;
    out->dropped = intake->dropped;
    out->held_bytes = intake->held_bytes;
    out->has_queue = queue;
    if (queue)
        out->queue = *queue;
    engine_view(a->engine, i, now_ms, &out->view);
    if (out->view.trouble)
        out->trouble = *out->view.trouble;
    out->view.trouble = NULL;
    return out->name;
}

bool agent_snapshot(const struct agent *a, struct snapshot *out)
{
    int64_t now_ms = clock_mono_ms(&clock_real);
    bool is_whole = snapshot_init(out, a->plan.n_inputs, a->plan.n_outputs);

    for (size_t i = 0; is_whole && i < a->plan.n_inputs; i++)
        is_whole = look_at_input(a, i, &out->inputs[i]);
    for (size_t i = 0; is_whole && i < a->plan.n_outputs; i++)
        is_whole = look_at_output(a, i, now_ms, &out->outputs[i]);
    if (!is_whole) {
        snapshot_free(out);
        return false;
    }
    out->memory_held_bytes = budget_held(&a->budget);
    out->memory_limit_bytes = a->budget.limit_bytes;
    out->memory_peak_bytes = atomic_load(&a->budget.peak_bytes);
    return true;
}
