/* What an end wants to know and to do: which of it all can still come to its verdict. */
#include "shipper/delivery/engine_output.h"

static bool is_failing(const struct output *o)
{
    return o->failures > 0 || o->is_holding;
}

/* When the first of what is ready can be sent; INT64_MAX: there is nothing. */
static int64_t next_send_ms(const struct output *o, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    for (const struct batch *b = o->ready; b; b = b->next) {
        int64_t due = b->delay_ms > 0 ? now_ms + b->delay_ms : b->due_ms;

        if (due < next)
            next = due;
    }
    if (next == INT64_MAX)
        return next;
    if (o->pending_delay >= 0 && now_ms + o->pending_delay > next)
        return now_ms + o->pending_delay;
    return o->not_before_ms > next ? o->not_before_ms : next;
}

static bool is_moving(const struct output *o, int64_t until_ms, int64_t now_ms)
{
    if (o->n_elsewhere)
        return true;
    return now_ms < until_ms && (o->n_in_flight || next_send_ms(o, now_ms) < until_ms);
}

bool engine_is_moving(const struct engine *en, const struct engine_patience *p, int64_t now_ms)
{
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        const struct output *o = &en->outputs[i];

        if (is_moving(o, is_failing(o) ? p->failing_until_ms : p->until_ms, now_ms))
            return true;
    }
    return false;
}

bool engine_would_double(const struct engine *en)
{
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        const struct output *o = &en->outputs[i];

        if (o->n_elsewhere || (o->conf.doubles && (o->n_in_flight || (o->ready && !is_failing(o)))))
            return true;
    }
    return false;
}

void engine_try_now(struct engine *en)
{
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        struct output *o = &en->outputs[i];

        if (!is_failing(o))
            continue;
        o->pending_delay = -1;
        o->not_before_ms = 0;
    }
}
