#include "shipper/verbs/parts.h"

int64_t parts_tick_intakes(const struct parts *p, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    bool is_open = true;

    for (size_t i = 0; i < p->n_outputs; i++) {
        int64_t due = intake_tick(p->intakes[i], now_ms);

        next = due < next ? due : next;
        is_open &= intake_is_open(p->intakes[i]);
    }
    budget_shut(p->budget, !is_open);
    return next;
}

/* What is sealed is on its way. */
bool parts_is_flush_due(const struct parts *p, bool is_read_out)
{
    int64_t half = p->budget->limit_bytes / 2;
    bool has_refused = budget_has_refused(p->budget);
    int64_t sealed = 0;

    for (size_t i = 0; i < p->n_outputs; i++)
        sealed += intake_stats(p->intakes[i])->held_bytes;
    return budget_held(p->budget) - sealed > half || (has_refused && sealed <= half) || is_read_out;
}

static bool intakes_are_idle(const struct parts *p)
{
    for (size_t i = 0; i < p->n_outputs; i++)
        if (!intake_is_idle(p->intakes[i]))
            return false;
    return true;
}

static bool is_rest_durable(const struct parts *p)
{
    uint64_t n_durable = 0;

    for (size_t i = 0; i < p->n_outputs; i++)
        n_durable += intake_stand_ins(p->intakes[i]);
    return p->tracker->n_chunks == n_durable && lanes_pending(p->lanes) == 0 && intakes_are_idle(p);
}

static bool has_queued(const struct parts *p)
{
    for (size_t i = 0; i < p->n_outputs; i++)
        if (intake_stats(p->intakes[i])->queued_events)
            return true;
    return false;
}

void parts_look(const struct parts *p, const struct ending *e, int64_t now_ms,
                struct ending_facts *f, struct err *why)
{
    const struct engine_patience patience = ending_patience(e);

    f->engine = engine_state(p->engine, why);
    if (e->how == STOP_NO && !f->inputs_are_finished)
        return; /* nothing ends */
    f->n_reading = p->tracker->n_reading;
    f->is_rest_durable = is_rest_durable(p);
    f->is_engine_idle = engine_is_idle(p->engine);
    f->is_all_settled =
        p->tracker->n_chunks == 0 && f->is_rest_durable && f->is_engine_idle && !has_queued(p);
    if (e->how == STOP_NO)
        return;
    f->is_moving = f->n_reading || lanes_pending(p->lanes) || !intakes_are_idle(p) ||
                   engine_is_moving(p->engine, &patience, now_ms);
    f->would_double = engine_would_double(p->engine);
}
