#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/apart.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/retry.h"
#include "shipper/observe/log.h"

/* One output's side of the engine.
 *
 * Invariants: every batch that was offered is in `ready`, with the sink (n_in_flight), or counted
 * in n_elsewhere (being taken apart or written to the dead letters). After a failure of the output
 * as a whole (failures > 0) only one request at a time goes out, until one is answered. */
struct output {
    struct engine_output conf;
    struct engine *engine;
    struct output_stats stats;

    struct batch *ready; /* in order of arrival; those with due_ms in the future wait in it */
    struct batch **ready_end;
    size_t n_ready;
    unsigned n_in_flight;
    unsigned n_elsewhere;

    unsigned failures;     /* in a row, of the output as a whole */
    int64_t pending_delay; /* to be turned into not_before_ms at the next tick; -1: none */
    int64_t not_before_ms;
    bool has_pending_fail;    /* failing_since_ms is to be set at the next tick */
    int64_t failing_since_ms; /* 0: not failing */
    bool was_reached;
    bool is_holding;
    struct err trouble; /* what the last failure said */
    enum engine_state state;
};

struct engine {
    struct engine_options options;
    struct output *outputs;
};

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
    }
    return en;
}

/* --- the queue of what can be sent --- */

static void push(struct output *o, struct batch *b)
{
    b->next = NULL;
    *o->ready_end = b;
    o->ready_end = &b->next;
    o->n_ready++;
}

/* The first batch that is due; *next: when the earliest of the others is. */
static struct batch *pop_due(struct output *o, int64_t now_ms, int64_t *next)
{
    for (struct batch **link = &o->ready; *link; link = &(*link)->next) {
        struct batch *b = *link;

        if (b->delay_ms > 0) {
            b->due_ms = now_ms + b->delay_ms;
            b->delay_ms = 0;
        }
        if (b->due_ms > now_ms) {
            if (b->due_ms < *next)
                *next = b->due_ms;
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

void engine_offer(struct engine *en, struct batch *b)
{
    struct output *o = &en->outputs[b->output];

    if (!b->is_resend)
        o->stats.in_flight_events += b->n_items;
    push(o, b);
}

/* --- verdicts --- */

static void settle_items(struct output *o, const struct batch *b, size_t from, size_t n)
{
    /* Neighbours mostly come from the same chunk: settle them together. */
    for (size_t i = from; i < from + n;) {
        struct chunk *chunk = b->items[i].chunk;
        size_t run = 1;

        while (i + run < from + n && b->items[i + run].chunk == chunk)
            run++;
        tracker_settle(o->engine->options.tracker, chunk, run);
        i += run;
    }
    o->stats.in_flight_events -= n;
}

static void log_trouble(struct output *o, enum log_level level, const struct err *why)
{
    if (o->engine->options.log)
        log_err(o->engine->options.log, level, why);
}

static int64_t jittered(struct output *o, unsigned failures, int64_t retry_after_ms)
{
    const struct retry_options *r = &o->engine->options.retry;

    return retry_delay_ms(failures, r->initial_ms, r->max_ms, retry_after_ms,
                          o->engine->options.random(o->engine->options.random_ctx));
}

/* A one-shot run does not wait for somebody to mend what holds: it ends, and says why itself. */
static bool gives_up_on_hold(struct output *o, const struct err *why)
{
    if (!o->engine->options.retry.give_up_on_hold)
        return false;
    o->trouble = *why;
    o->state = ENGINE_GAVE_UP;
    return true;
}

/* The output as a whole did not take a batch: wait before the next request. */
static void back_off(struct output *o, const struct sink_reply *reply, bool is_hold)
{
    struct err told = reply->why;
    char tail[160];
    int64_t delay;

    o->stats.failures++;
    o->failures++;
    o->has_pending_fail = true;
    o->was_reached |= reply->was_reached;
    o->trouble = reply->why;
    delay = is_hold ? o->engine->options.retry.hold_ms
                    : jittered(o, o->failures, reply->retry_after_ms);
    if (delay > o->pending_delay)
        o->pending_delay = delay;
    if (is_hold && gives_up_on_hold(o, &reply->why))
        return;
    snprintf(tail, sizeof tail, "; keeping %llu events, try %u in %.1f s",
             (unsigned long long)o->stats.in_flight_events, o->failures + 1, (double)delay / 1000);
    strncat(told.what, tail, sizeof told.what - strlen(told.what) - 1);
    if (!is_hold || !o->is_holding)
        log_trouble(o, is_hold ? LOG_ERROR : LOG_WARN, &told);
    o->is_holding = is_hold;
}

static void note_good(struct output *o)
{
    if (o->failures && o->engine->options.log)
        log_line(o->engine->options.log, LOG_INFO, "%s: answering again after %u failed tries",
                 o->conf.ops->where(o->conf.sink), o->failures);
    o->failures = 0;
    o->failing_since_ms = 0;
    o->has_pending_fail = false;
    o->was_reached = true;
    o->is_holding = false;
    o->pending_delay = -1;
    o->not_before_ms = 0;
}

static void send_again(struct output *o, struct batch *b, int64_t delay_ms)
{
    b->is_resend = true;
    b->attempts++;
    b->delay_ms = delay_ms;
    b->due_ms = 0;
    o->stats.retried += b->n_items;
    push(o, b);
}

static void on_apart(void *ctx, struct batch *parts[APART_PARTS], struct batch *whole)
{
    struct output *o = ctx;

    o->n_elsewhere--;
    for (int i = 0; i < APART_PARTS; i++)
        if (parts[i])
            send_again(o, parts[i], parts[i]->delay_ms);
    if (whole) /* no memory to take it apart: all of it again, ids make that harmless */
        send_again(o, whole, whole->delay_ms);
}

/* Sends the picked items of b again, in one or two parts; takes b and pick. */
static void take_apart(struct output *o, struct batch *b, uint8_t *pick)
{
    o->n_elsewhere++;
    if (apart_start(o->engine->options.pool, b, pick, on_apart, o))
        return;
    o->n_elsewhere--;
    free(pick);
    send_again(o, b, 1000);
}

static void halve(struct output *o, struct batch *b)
{
    uint8_t *pick = malloc(b->n_items);

    if (!pick) {
        send_again(o, b, 1000);
        return;
    }
    for (size_t i = 0; i < b->n_items; i++)
        pick[i] = i < b->n_items / 2 ? PICK_FIRST : PICK_SECOND;
    b->delay_ms = 0;
    take_apart(o, b, pick);
}

/* What a reply with verdicts comes to. */
struct tally {
    size_t delivered;
    size_t duplicates;
    size_t retry;
    size_t hold;
    size_t rejected;
};

static struct tally count_verdicts(const struct batch *b, const enum verdict *v)
{
    struct tally t = {0};

    for (size_t i = 0; i < b->n_items; i++) {
        t.delivered += v[i] == VERDICT_DELIVERED;
        t.duplicates += v[i] == VERDICT_DUPLICATE;
        t.retry += v[i] == VERDICT_RETRY;
        t.hold += v[i] == VERDICT_HOLD;
        t.rejected += v[i] == VERDICT_REJECTED;
    }
    return t;
}

/* Settles what is final (rejected too, once its letter is written), and sends the rest again. */
static void settle_reply(struct output *o, struct batch *b, const enum verdict *v, size_t n_again,
                         bool letters_failed)
{
    uint8_t *pick = n_again ? calloc(1, b->n_items) : NULL;

    if (n_again && !pick) { /* no memory: the whole batch again; nothing settled, nothing lost */
        send_again(o, b, 1000);
        return;
    }
    for (size_t i = 0; i < b->n_items;) {
        bool is_again = v[i] == VERDICT_RETRY || v[i] == VERDICT_HOLD ||
                        (v[i] == VERDICT_REJECTED && letters_failed);
        size_t run = 1;

        if (is_again) {
            pick[i++] = PICK_FIRST;
            continue;
        }
        while (i + run < b->n_items && v[i + run] == v[i])
            run++;
        settle_items(o, b, i, run);
        i += run;
    }
    if (n_again)
        take_apart(o, b, pick);
    else
        batch_free(b);
}

/* The verdicts of a batch whose dead letters are being written. */
struct burial {
    struct output *output;
    struct tally tally;
    enum verdict verdicts[];
};

static void on_buried(void *ctx, struct batch *b, const struct err *why)
{
    struct burial *burial = ctx;
    struct output *o = burial->output;
    bool has_failed = why->code != ERR_NONE;
    size_t again = burial->tally.retry + burial->tally.hold;

    o->n_elsewhere--;
    if (has_failed) {
        struct err told = *why;

        err_at(&told, "dead letters");
        again += burial->tally.rejected;
        b->delay_ms = o->engine->options.retry.hold_ms;
        o->trouble = told;
        o->has_pending_fail = true;
        if (!gives_up_on_hold(o, &told)) {
            strncat(told.what, "; keeping the events and trying again",
                    sizeof told.what - strlen(told.what) - 1);
            log_trouble(o, LOG_ERROR, &told);
        }
    } else {
        o->stats.dead += burial->tally.rejected;
    }
    settle_reply(o, b, burial->verdicts, again, has_failed);
    free(burial);
}

/* Sets the rejected items aside first; the rest follows in on_buried. */
static void bury(struct output *o, struct batch *b, const struct sink_reply *reply,
                 const struct tally *t)
{
    struct burial *burial = malloc(sizeof *burial + b->n_items * sizeof *burial->verdicts);

    if (!burial) {
        send_again(o, b, 1000);
        return;
    }
    burial->output = o;
    burial->tally = *t;
    memcpy(burial->verdicts, reply->verdicts, b->n_items * sizeof *burial->verdicts);
    o->n_elsewhere++;
    dead_letters_put(o->engine->options.dead_letters, b, reply, o->conf.name, on_buried, burial);
}

/* One line for what a reply set aside or sent back; its text names no event. */
static void tell_tally(struct output *o, const struct tally *t, const struct sink_reply *reply)
{
    struct err told = reply->why;

    if (!t->rejected && !t->hold && !t->retry)
        return;
    if (told.code == ERR_NONE) {
        err_set(&told, ERR_REFUSED, "not all events were taken");
        err_at(&told, "%s", o->conf.ops->where(o->conf.sink));
    }
    snprintf(told.what + strlen(told.what), sizeof told.what - strlen(told.what),
             "; %zu to the dead letters, %zu again later", t->rejected, t->retry + t->hold);
    log_trouble(o, t->hold || t->rejected ? LOG_ERROR : LOG_WARN, &told);
}

static void on_items(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    struct tally t = count_verdicts(b, reply->verdicts);
    size_t n_good = t.delivered + t.duplicates + t.rejected;

    b->delay_ms = 0;
    if (n_good == 0 && b->is_resend && !o->failures && t.hold == 0) {
        /* What was left over of a batch failed again, while others get through: its own matter. */
        o->has_pending_fail = true;
        o->trouble = reply->why;
        tell_tally(o, &t, reply);
        send_again(o, b, jittered(o, b->attempts + 1, reply->retry_after_ms));
        return;
    }
    if (n_good == 0 && t.retry + t.hold == b->n_items) {
        /* Nobody got through: that is the output, not the events. */
        back_off(o, reply, t.hold == b->n_items);
        send_again(o, b, 0);
        return;
    }
    note_good(o);
    o->stats.delivered += t.delivered;
    o->stats.duplicates += t.duplicates;
    if (!t.hold || !gives_up_on_hold(o, &reply->why))
        tell_tally(o, &t, reply);
    if (t.retry + t.hold) {
        b->delay_ms = jittered(o, b->attempts + 1, reply->retry_after_ms);
        if (t.hold && b->delay_ms < o->engine->options.retry.hold_ms)
            b->delay_ms = o->engine->options.retry.hold_ms;
    }
    if (t.rejected)
        bury(o, b, reply, &t);
    else
        settle_reply(o, b, reply->verdicts, t.retry + t.hold, false);
}

/* Refused as a whole for its size or for one of its events: halved until the one is alone. */
static void on_refused_whole(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    enum verdict lone = VERDICT_REJECTED;
    struct rejection rejection = {0, reply->status, "request_refused", reply->why.what};
    struct sink_reply letter = *reply;

    note_good(o);
    if (b->n_items > 1) {
        halve(o, b);
        return;
    }
    letter.outcome = SINK_ITEMS;
    letter.verdicts = &lone;
    letter.rejections = &rejection;
    letter.n_rejections = 1;
    on_items(o, b, &letter);
}

static void on_done(void *ctx, struct batch *b, const struct sink_reply *reply)
{
    struct engine *en = ctx;
    struct output *o = &en->outputs[b->output];

    o->n_in_flight--;
    switch (reply->outcome) {
    case SINK_ITEMS:
        on_items(o, b, reply);
        break;
    case SINK_RETRY:
    case SINK_HOLD:
        back_off(o, reply, reply->outcome == SINK_HOLD);
        send_again(o, b, 0);
        break;
    case SINK_SPLIT:
    case SINK_BISECT:
        on_refused_whole(o, b, reply);
        break;
    case SINK_CLOSED:
        o->trouble = reply->why;
        o->state = ENGINE_CLOSED;
        batch_free(b);
        break;
    }
}

/* --- the tick --- */

static void settle_clock(struct output *o, int64_t now_ms)
{
    const struct retry_options *r = &o->engine->options.retry;
    int64_t patience = o->was_reached ? r->give_up_ms : r->give_up_unreached_ms;

    if (o->pending_delay >= 0)
        o->not_before_ms = now_ms + o->pending_delay;
    o->pending_delay = -1;
    if (o->has_pending_fail && !o->failing_since_ms)
        o->failing_since_ms = now_ms;
    o->has_pending_fail = false;
    if (patience > 0 && o->failing_since_ms && now_ms - o->failing_since_ms >= patience)
        o->state = ENGINE_GAVE_UP;
}

static int64_t tick_output(struct output *o, int64_t now_ms)
{
    const struct retry_options *r = &o->engine->options.retry;
    int64_t next = INT64_MAX;

    settle_clock(o, now_ms);
    if (o->state != ENGINE_RUNNING)
        return INT64_MAX;
    if (o->failing_since_ms && r->give_up_ms > 0)
        next = o->failing_since_ms + (o->was_reached ? r->give_up_ms : r->give_up_unreached_ms);
    if (now_ms < o->not_before_ms)
        return o->ready && o->not_before_ms < next ? o->not_before_ms : next;
    while (o->pending_delay < 0 && o->state == ENGINE_RUNNING &&
           o->n_in_flight < (o->failures ? 1 : o->conf.ops->max_in_flight(o->conf.sink))) {
        struct batch *b = pop_due(o, now_ms, &next);

        if (!b)
            break;
        o->n_in_flight++;
        o->stats.requests++;
        o->conf.ops->send(o->conf.sink, b, on_done, o->engine);
    }
    if (o->pending_delay >= 0)
        next = now_ms; /* it came back at once: the delay begins with the next tick */
    return next;
}

int64_t engine_tick(struct engine *en, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    dead_letters_tick(en->options.dead_letters);
    for (size_t i = 0; i < en->options.n_outputs; i++) {
        int64_t due = tick_output(&en->outputs[i], now_ms);

        if (due < next)
            next = due;
    }
    return next;
}

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
    return &en->outputs[output].stats;
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
