#include "shipper/observe/snapshot.h"

#include <stdlib.h>
#include <string.h>

bool snapshot_init(struct snapshot *s, size_t n_inputs, size_t n_outputs)
{
    *s = (struct snapshot){.n_inputs = n_inputs, .n_outputs = n_outputs};
    s->inputs = calloc(n_inputs + 1, sizeof *s->inputs);
    s->outputs = calloc(n_outputs + 1, sizeof *s->outputs);
    if (s->inputs && s->outputs)
        return true;
    free(s->inputs);
    free(s->outputs);
    *s = (struct snapshot){0};
    return false;
}

void snapshot_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->n_inputs; i++)
        free(s->inputs[i].name);
    for (size_t i = 0; i < s->n_outputs; i++)
        free(s->outputs[i].name);
    free(s->inputs);
    free(s->outputs);
    *s = (struct snapshot){0};
}

/* --- over a reload --- */

static void carry_input(struct snapshot_input *now, const struct snapshot_input *before)
{
    now->stats.bytes += before->stats.bytes;
    now->stats.lines += before->stats.lines;
    now->stats.events += before->stats.events;
    now->stats.truncated += before->stats.truncated;
    now->stats.lost_bytes += before->stats.lost_bytes;
    now->stats.errors += before->stats.errors;
}

/* What was under way when the agent ended was counted as come in, and comes in again. Until it
 * has, it is in flight: with its source. */
static void carry_in_flight(struct snapshot_output *now, const struct snapshot_output *before)
{
    uint64_t to_come = before->in_flight;
    uint64_t come = now->in < to_come ? now->in : to_come;

    now->in = before->in + now->in - come;
    now->in_flight += to_come - come;
}

static void carry_output(struct snapshot_output *now, const struct snapshot_output *before)
{
    struct output_stats *s = &now->stats;
    const struct output_stats *b = &before->stats;
    bool has_settled = s->delivered + s->duplicates + s->dead + now->dropped > 0;

    carry_in_flight(now, before);
    if (!has_settled && now->view.stalled_ms)
        now->view.stalled_ms += before->view.stalled_ms;
    now->dropped += before->dropped;
    s->delivered += b->delivered;
    s->duplicates += b->duplicates;
    s->dead += b->dead;
    s->retried += b->retried;
    s->requests += b->requests;
    s->failures += b->failures;
    if (now->has_queue) {
        now->queue.damaged_records += before->queue.damaged_records;
        now->queue.damaged_bytes += before->queue.damaged_bytes;
    }
}

void snapshot_carry(struct snapshot *now, const struct snapshot *before)
{
    for (size_t i = 0; i < now->n_inputs; i++)
        for (size_t k = 0; k < before->n_inputs; k++)
            if (strcmp(now->inputs[i].name, before->inputs[k].name) == 0)
                carry_input(&now->inputs[i], &before->inputs[k]);
    for (size_t i = 0; i < now->n_outputs; i++)
        for (size_t k = 0; k < before->n_outputs; k++)
            if (strcmp(now->outputs[i].name, before->outputs[k].name) == 0)
                carry_output(&now->outputs[i], &before->outputs[k]);
}
