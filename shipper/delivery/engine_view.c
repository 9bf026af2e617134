#include "shipper/delivery/engine_view.h"
#include "shipper/delivery/engine_output.h"

void engine_know(struct output *o, struct batch *b)
{
    if (b->known_at)
        return;
    b->known_next = o->known;
    b->known_at = &o->known;
    if (b->known_next)
        b->known_next->known_at = &b->known_next;
    o->known = b;
}

void engine_forget(struct batch *b)
{
    if (!b->known_at)
        return;
    *b->known_at = b->known_next;
    if (b->known_next)
        b->known_next->known_at = b->known_at;
    b->known_next = NULL;
    b->known_at = NULL;
}

static enum batch_place place_of(const struct output *o, const struct batch *b, int64_t now_ms)
{
    if (o->is_holding)
        return BATCH_HOLDING;
    if (o->failures)
        return BATCH_FAILING;
    return b->delay_ms > 0 || b->due_ms > now_ms ? BATCH_RETRYING : BATCH_READY;
}

void engine_view(const struct engine *en, size_t output, int64_t now_ms, struct engine_view *out)
{
    const struct output *o = &en->outputs[output];
    bool has_waited = o->stats.in_flight_events > 0 && o->progress_ms;
    int64_t first_ms = now_ms;

    *out = (struct engine_view){0};
    for (const struct batch *b = o->ready; b; b = b->next)
        out->batches[place_of(o, b, now_ms)]++;
    out->batches[BATCH_SENDING] = o->n_in_flight;
    out->batches[BATCH_ASIDE] = o->n_elsewhere;
    for (const struct batch *b = o->known; b; b = b->known_next)
        if (b->first_ms < first_ms)
            first_ms = b->first_ms;
    out->oldest_ms = now_ms - first_ms;
    out->stalled_ms = has_waited && now_ms > o->progress_ms ? now_ms - o->progress_ms : 0;
    out->trouble = o->failures || o->failing_since_ms ? &o->trouble : NULL;
}
