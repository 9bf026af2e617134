#include "shipper/verbs/ending.h"

enum {
    MOMENT_MS = 300,    /* for answers that are under way, of what is durable */
    IN_HAND_MS = 10000, /* for workers, which are waited for later anyway: a guard, no deadline */
    LAST_TRY_MS = 1000, /* of an output that fails */
    RELOAD_MS = 500,    /* for what is under way in a reload */
};

enum stopping ending_after_signal(const struct ending *e, bool is_replay)
{
    return e->how >= STOP_DRAIN || is_replay ? STOP_NOW : STOP_DRAIN;
}

void ending_begin(struct ending *e, enum stopping how, int64_t drain_ms, int64_t now_ms)
{
    *e = (struct ending){how, now_ms, now_ms + (how == STOP_NOW ? IN_HAND_MS : drain_ms)};
}

struct engine_patience ending_patience(const struct ending *e)
{
    if (e->how == STOP_RELOAD)
        return (struct engine_patience){e->since_ms + RELOAD_MS, e->since_ms + RELOAD_MS};
    return (struct engine_patience){e->by_ms, e->since_ms + LAST_TRY_MS};
}

/* A chunk in work is waited for in any case: it has bytes that are handed over. */
static bool may_make_way(const struct ending *e, const struct ending_facts *f, int64_t now_ms)
{
    if (f->n_reading)
        return false;
    if (now_ms >= e->by_ms)
        return true;
    if (f->would_double || f->would_lose)
        return false;
    return now_ms >= e->since_ms + RELOAD_MS || !f->is_moving;
}

/* What is durable needs no drain. Requests that are under way get the moment that an answer takes,
 * so that less is sent again; what would be there twice gets all the time there is. */
static bool is_drained(const struct ending *e, const struct ending_facts *f, int64_t now_ms)
{
    if (!f->is_rest_durable)
        return !f->would_lose && !f->is_moving;
    return f->is_engine_idle || (now_ms >= e->since_ms + MOMENT_MS && !f->would_double);
}

static bool is_over(const struct ending *e, const struct ending_facts *f, int64_t now_ms)
{
    switch (e->how) {
    case STOP_NO:
        break;
    case STOP_RELOAD:
        return may_make_way(e, f, now_ms);
    case STOP_DRAIN:
        return now_ms >= e->by_ms || is_drained(e, f, now_ms);
    case STOP_NOW:
        /* The lines of a chunk are counted when its worker is done with it: so the sums agree. */
        return now_ms >= e->by_ms || f->n_reading == 0;
    }
    return false;
}

enum ending_decision ending_decide(const struct ending *e, const struct ending_facts *f,
                                   int64_t now_ms)
{
    /* An input that follows never finishes; standard input does, and a service of nothing else ends
     * with it. */
    bool has_read_all = f->inputs_are_finished || (!f->is_replay && e->how != STOP_NO);

    if (f->engine == ENGINE_CLOSED)
        return ENDING_CLOSED;
    if (f->engine == ENGINE_GAVE_UP)
        return ENDING_GAVE_UP;
    if (has_read_all && f->is_all_settled)
        return ENDING_SETTLED;
    return is_over(e, f, now_ms) ? ENDING_UNSETTLED : ENDING_NOT_YET;
}

int64_t ending_due_ms(const struct ending *e, int64_t now_ms)
{
    const int64_t times[] = {e->since_ms + MOMENT_MS, e->since_ms + RELOAD_MS,
                             e->since_ms + LAST_TRY_MS, e->by_ms};
    int64_t next = INT64_MAX;

    for (size_t i = 0; e->how != STOP_NO && i < sizeof times / sizeof times[0]; i++)
        if (times[i] > now_ms && times[i] < next)
            next = times[i];
    return next;
}
