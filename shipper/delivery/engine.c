#include <stdlib.h>

#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine_output.h"

static void init_concurrency(struct output *o)
{
    unsigned most = o->conf.ops->max_in_flight(o->conf.sink);

    concurrency_init(&o->concurrency, most < ENGINE_REQUESTS_MAX ? most : ENGINE_REQUESTS_MAX);
}

struct engine *engine_new(const struct engine_options *options, struct err *e)
{
    struct engine *en = calloc(1, sizeof *en);

    if (en)
        en->outputs = calloc(options->n_outputs, sizeof *en->outputs);
    if (!en || !en->outputs) {
        free(en);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    en->options = *options;
    for (size_t i = 0; i < options->n_outputs; i++) {
        struct output *o = &en->outputs[i];

        o->conf = options->outputs[i];
        o->engine = en;
        o->ready_end = &o->ready;
        o->pending_delay = -1;
        init_concurrency(o);
    }
    return en;
}

/* --- the queue of what can be sent ----------------------------------------------------------- */

void engine_push(struct output *o, struct batch *b)
{
    struct batch **at = b->goes_first ? &o->ready : o->ready_end;

    b->next = *at;
    *at = b;
    if (!b->next)
        o->ready_end = &b->next;
    engine_know(o, b);
    o->n_ready++;
}

void engine_send_again(struct output *o, struct batch *b, int64_t delay_ms)
{
    b->is_resend = true;
    b->attempts++;
    b->delay_ms = delay_ms;
    b->due_ms = 0;
    o->has_new_delay |= delay_ms > 0;
    o->stats.retried += b->n_items;
    engine_push(o, b);
}

void engine_offer(struct engine *en, struct batch *b)
{
    struct output *o = &en->outputs[b->output];

    if (o->stats.in_flight_events == 0)
        o->progress_ms = 0;
    if (!b->is_resend)
        o->stats.in_flight_events += b->n_items;
    engine_push(o, b);
}

/* A delay begins with the tick after the reply, and a round trip ends with it. */
static void note_answers(struct output *o, int64_t now_ms)
{
    for (unsigned i = 0; i < o->n_answers; i++) {
        o->answers[i].now_ms = now_ms;
        concurrency_answered(&o->concurrency, &o->answers[i]);
    }
    o->n_answers = 0;
}

static void begin_delays(struct output *o, int64_t now_ms)
{
    for (struct batch *b = o->has_new_delay ? o->ready : NULL; b; b = b->next) {
        if (b->delay_ms > 0)
            b->due_ms = now_ms + b->delay_ms;
        b->delay_ms = 0;
    }
    o->has_new_delay = false;
}

/* The first batch that is due; *next: when the earliest of those before it is. */
static struct batch *pop_due(struct output *o, int64_t now_ms, int64_t *next)
{
    for (struct batch **link = &o->ready; *link; link = &(*link)->next) {
        struct batch *b = *link;

        if (b->delay_ms > 0 || b->due_ms > now_ms) {
            if (b->due_ms < *next)
                *next = b->due_ms; /* of one that came back in this tick: at once */
            continue;
        }
        *link = b->next;
        if (!b->next)
            o->ready_end = link;
        o->n_ready--;
        b->next = NULL;
        return b;
    }
    return NULL;
}

/* --- the tick -------------------------------------------------------------------------------- */

static void settle_clock(struct output *o, int64_t now_ms)
{
    const struct retry_options *r = &o->engine->options.retry;
    int64_t patience = o->was_reached ? r->give_up_ms : r->give_up_unreached_ms;

    o->now_ms = now_ms;
    if (o->pending_delay >= 0)
        o->not_before_ms = now_ms + o->pending_delay;
    o->pending_delay = -1;
    if (o->has_pending_fail && !o->failing_since_ms)
        o->failing_since_ms = now_ms;
    o->has_pending_fail = false;
    if (patience > 0 && o->failing_since_ms && now_ms - o->failing_since_ms >= patience)
        o->state = ENGINE_GAVE_UP;
    if (!o->progress_ms || o->stats.in_flight_events == 0)
        o->progress_ms = now_ms;
    begin_delays(o, now_ms);
    note_answers(o, now_ms);
}

static void start(struct output *o, struct batch *b)
{
    if (b->pick) { /* there was no memory to take it apart */
        engine_take_apart(o, b);
        return;
    }
    o->n_in_flight++;
    o->stats.requests++;
    b->sent_after = o->failures;
    b->sent_ms = o->now_ms;
    b->goes_first = false;
    o->conf.ops->send(o->conf.sink, b, engine_on_reply, o->engine);
}

static unsigned most_requests(const struct output *o)
{
    return o->failures ? 1 : concurrency_limit(&o->concurrency);
}

static bool may_send(const struct output *o)
{
    return o->pending_delay < 0 && o->state == ENGINE_RUNNING && o->n_in_flight < most_requests(o);
}

static int64_t tick_output(struct output *o, int64_t now_ms)
{
    const struct retry_options *r = &o->engine->options.retry;
    int64_t next = INT64_MAX;
    struct batch *b;

    settle_clock(o, now_ms);
    if (o->state != ENGINE_RUNNING)
        return INT64_MAX;
    if (o->failing_since_ms && r->give_up_ms > 0)
        next = o->failing_since_ms + (o->was_reached ? r->give_up_ms : r->give_up_unreached_ms);
    if (now_ms < o->not_before_ms)
        return o->ready && o->not_before_ms < next ? o->not_before_ms : next;
    while (may_send(o) && (b = pop_due(o, now_ms, &next)))
        start(o, b);
    if (o->pending_delay >= 0 || o->has_new_delay)
        next = now_ms; /* it came back at once: the delay begins with the next tick */
    return next;
}

int64_t engine_tick(struct engine *en, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    if (en->options.dead_letters)
        dead_letters_tick(en->options.dead_letters);
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        int64_t due = tick_output(&en->outputs[i], now_ms);

        if (due < next)
            next = due;
    }
    return next;
}

/* --- what can be asked ----------------------------------------------------------------------- */

bool engine_is_idle(const struct engine *en)
{
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        const struct output *o = &en->outputs[i];

        if (o->n_ready || o->n_in_flight || o->n_elsewhere)
            return false;
    }
    return true;
}

enum engine_state engine_state(const struct engine *en, struct err *why)
{
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        if (en->outputs[i].state == ENGINE_RUNNING)
            continue;
        if (why)
            *why = en->outputs[i].trouble;
        return en->outputs[i].state;
    }
    return ENGINE_RUNNING;
}

const struct output_stats *engine_stats(const struct engine *en, size_t output)
{
    struct output *o = &en->outputs[output];

    o->stats.in_flight_requests = o->n_in_flight;
    o->stats.most_requests = most_requests(o);
    return &o->stats;
}

void engine_free(struct engine *en)
{
    if (!en)
        return;
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        struct output *o = &en->outputs[i];

        while (o->ready) {
            struct batch *b = o->ready;

            o->ready = b->next;
            batch_free(b);
        }
    }
    free(en->outputs);
    free(en);
}
