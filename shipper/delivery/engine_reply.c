/* What becomes of a batch when its reply has come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/apart.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine_output.h"
#include "shipper/delivery/retry.h"
#include "shipper/observe/log.h"

enum {
    NO_MEMORY_MS = 1000,
    HALVE_EVERY = 4, /* tries of one batch until it is sent in two halves */
    HALVE_EVERY_OVERLOAD = 2,
    HALVE_LEAST = 16 * 1024, /* plain bytes: below, size is not what is wrong */
    LONE_TRIES = 8,          /* of one event, while others got through */
    DOUBT_TRIES = 16,        /* of what the far side breaks on, while it takes other events */
    REFUSED_PART = 10,       /* so many times the events refused are all of them: it is full */
};

/* --- again, in full or in parts -------------------------------------------------------------- */

static void on_apart(void *ctx, struct batch *parts[APART_PARTS], struct batch *whole)
{
    struct output *o = ctx;

    o->n_elsewhere--;
    for (int i = 0; i < APART_PARTS; i++)
        if (parts[i])
            engine_send_again(o, parts[i], parts[i]->delay_ms);
    if (whole)
        engine_send_again(o, whole, NO_MEMORY_MS);
}

void engine_take_apart(struct output *o, struct batch *b)
{
    o->n_elsewhere++;
    engine_forget(b);
    if (apart_start(o->engine->options.pool, b, on_apart, o))
        return;
    o->n_elsewhere--;
    engine_send_again(o, b, NO_MEMORY_MS);
}

static void halve(struct output *o, struct batch *b, int64_t delay_ms)
{
    b->delay_ms = delay_ms;
    b->pick = malloc(b->n_items);
    if (!b->pick) {
        engine_send_again(o, b, delay_ms > NO_MEMORY_MS ? delay_ms : NO_MEMORY_MS);
        return;
    }
    for (size_t i = 0; i < b->n_items; i++)
        b->pick[i] = i < b->n_items / 2 ? PICK_FIRST : PICK_SECOND;
    engine_take_apart(o, b);
}

/* Why none of it was taken. */
enum again_why { AGAIN_ANYWAY, AGAIN_PERHAPS_SIZE, AGAIN_OVERLOAD };

/* Each fourth time it goes in two halves: the far side, or a proxy, may have no room or no time for
 * a request of this size, and does not always say so. Where it does say that it has enough, it is
 * each second time, and the same batch until it fits: in turn, all of them would have to be made
 * small before the first gets through. */
static void again(struct output *o, struct batch *b, enum again_why why, int64_t delay_ms)
{
    bool is_divisible = b->n_items > 1 && b->plain_bytes > HALVE_LEAST;
    unsigned every = why == AGAIN_OVERLOAD ? HALVE_EVERY_OVERLOAD : HALVE_EVERY;

    b->goes_first = is_divisible && why == AGAIN_OVERLOAD;
    if (why != AGAIN_ANYWAY && is_divisible && (b->attempts + 1) % every == 0)
        halve(o, b, delay_ms);
    else
        engine_send_again(o, b, delay_ms);
}

/* --- verdicts -------------------------------------------------------------------------------- */

static void tell_verdicts(const struct output *o, const struct batch *b, size_t from, size_t n,
                          enum verdict verdict)
{
    const struct engine_options *options = &o->engine->options;

    for (size_t i = from; options->on_verdict && i < from + n; i++)
        options->on_verdict(options->verdict_ctx, &b->items[i], verdict, NULL);
}

/* n neighbours with one and the same final verdict. */
static void settle_items(struct output *o, const struct batch *b, size_t from, size_t n,
                         enum verdict verdict)
{
    if (verdict != VERDICT_REJECTED)
        tell_verdicts(o, b, from, n, verdict);
    tracker_settle_items(o->engine->options.tracker, b->output, &b->items[from], n);
    o->progress_ms = 0;
    o->stats.in_flight_events -= n;
    o->stats.delivered += verdict == VERDICT_DELIVERED ? n : 0;
    o->stats.duplicates += verdict == VERDICT_DUPLICATE ? n : 0;
    o->stats.dead += verdict == VERDICT_REJECTED ? n : 0;
}

static struct tally count_verdicts(const struct batch *b, const enum verdict *v)
{
    struct tally t = {0};

    for (size_t i = 0; i < b->n_items; i++) {
        t.good += v[i] == VERDICT_DELIVERED || v[i] == VERDICT_DUPLICATE;
        t.retry += v[i] == VERDICT_RETRY || v[i] == VERDICT_DOUBT;
        t.doubt += v[i] == VERDICT_DOUBT;
        t.hold += v[i] == VERDICT_HOLD;
        t.rejected += v[i] == VERDICT_REJECTED;
    }
    return t;
}

/* Settles what is final, and sends the n_again others again after b->delay_ms. */
static void settle_reply(struct output *o, struct batch *b, const enum verdict *v, size_t n_again,
                         bool letters_failed)
{
    uint8_t *pick = n_again ? calloc(1, b->n_items) : NULL;

    if (n_again && !pick) { /* nothing is settled: all of it again, ids make that harmless */
        engine_send_again(o, b, NO_MEMORY_MS);
        return;
    }
    for (size_t i = 0; i < b->n_items;) {
        bool is_again =
            pick && (v[i] == VERDICT_RETRY || v[i] == VERDICT_DOUBT || v[i] == VERDICT_HOLD ||
                     (v[i] == VERDICT_REJECTED && letters_failed));
        size_t run = 1;

        if (is_again) {
            pick[i++] = PICK_FIRST;
            continue;
        }
        while (i + run < b->n_items && v[i + run] == v[i])
            run++;
        settle_items(o, b, i, run, v[i]);
        i += run;
    }
    b->pick = pick;
    if (pick) {
        engine_take_apart(o, b);
        return;
    }
    engine_forget(b);
    batch_free(b);
}

/* The verdicts of a batch whose dead letters are being written. */
struct burial {
    struct output *output;
    struct tally tally;
    enum verdict verdicts[];
};

static void letters_failed(struct output *o, struct batch *b, const struct err *why)
{
    struct err told = *why;

    err_at(&told, "dead letters");
    b->delay_ms = o->engine->options.retry.hold_ms;
    o->trouble = told;
    o->has_pending_fail = true;
    if (engine_gives_up_on_hold(o, &told))
        return;
    strncat(told.what, "; keeping the events and trying again",
            sizeof told.what - strlen(told.what) - 1);
    engine_log_trouble(o, LOG_ERROR, &told);
}

static void on_buried(void *ctx, struct batch *b, const struct err *why)
{
    struct burial *burial = ctx;
    struct output *o = burial->output;
    const struct tally *t = &burial->tally;
    bool has_failed = why->code != ERR_NONE;

    o->n_elsewhere--;
    if (has_failed)
        letters_failed(o, b, why);
    settle_reply(o, b, burial->verdicts, t->retry + t->hold + (has_failed ? t->rejected : 0),
                 has_failed);
    free(burial);
}

/* They stay where they came from. */
static void tell_rejected(const struct output *o, const struct batch *b,
                          const struct sink_reply *reply)
{
    const struct engine_options *options = &o->engine->options;
    size_t k = 0; /* both stand in the order of the batch */

    for (size_t i = 0; i < b->n_items; i++) {
        const struct rejection *why = NULL;

        if (reply->verdicts[i] != VERDICT_REJECTED)
            continue;
        while (k < reply->n_rejections && reply->rejections[k].index < i)
            k++;
        if (k < reply->n_rejections && reply->rejections[k].index == i)
            why = &reply->rejections[k];
        options->on_verdict(options->verdict_ctx, &b->items[i], VERDICT_REJECTED, why);
    }
}

/* Sets the rejected items aside first; the rest follows in on_buried. */
static void bury(struct output *o, struct batch *b, const struct sink_reply *reply,
                 const struct tally *t)
{
    struct burial *burial = malloc(sizeof *burial + b->n_items * sizeof *burial->verdicts);

    if (!burial) {
        engine_send_again(o, b, NO_MEMORY_MS);
        return;
    }
    burial->output = o;
    burial->tally = *t;
    memcpy(burial->verdicts, reply->verdicts, b->n_items * sizeof *burial->verdicts);
    o->n_elsewhere++;
    dead_letters_put(o->engine->options.dead_letters, b, reply, o->conf.name, on_buried, burial);
}

/* --- one reply ------------------------------------------------------------------------------- */

static void add_sum(struct err *told, const struct tally *sum, bool is_since)
{
    size_t len = strlen(told->what);
    char dead[64] = "";
    char kept[64] = "";

    if (sum->rejected)
        snprintf(dead, sizeof dead, "; %zu to the dead letters", sum->rejected);
    if (sum->retry)
        snprintf(kept, sizeof kept, "; %zu kept, to be sent again", sum->retry);
    if (sum->rejected || sum->retry)
        snprintf(told->what + len, sizeof told->what - len, "%s%s%s", dead, kept,
                 is_since ? ", since this was last said" : "");
}

/* One line for what replies set aside or sent back; its text names no event. A mapping that refuses
 * one line in a hundred must not fill the log. */
static void tell_tally(struct output *o, const struct tally *t, const struct sink_reply *reply)
{
    struct tally *sum = &o->untold;
    struct err told = reply->why;
    int64_t every_ms;

    sum->rejected += t->rejected;
    sum->retry += t->retry + t->hold;
    if (told.code == ERR_NONE && !t->rejected && !t->hold && !t->retry)
        return;
    if (told.code == ERR_NONE) {
        err_set(&told, ERR_REFUSED, "not all events were taken");
        err_at(&told, "%s", engine_where(o));
    }
    every_ms = !t->rejected && strcmp(told.what, o->told_events) == 0 ? ENGINE_REMIND_MS
                                                                      : ENGINE_TELL_EVERY_MS;
    if (o->told_ms && o->now_ms - o->told_ms < every_ms)
        return;
    snprintf(o->told_events, sizeof o->told_events, "%s", told.what);
    add_sum(&told, sum, o->told_ms != 0);
    engine_log_trouble(o, t->hold || t->rejected ? LOG_ERROR : LOG_WARN, &told);
    *sum = (struct tally){0};
    o->told_ms = o->now_ms;
}

/* How long what goes again of a batch waits, by itself. */
static int64_t delay_of(const struct output *o, const struct batch *b,
                        const struct sink_reply *reply, const struct tally *t)
{
    int64_t hold_ms = o->engine->options.retry.hold_ms;
    int64_t delay_ms = engine_jittered(o, b->attempts + 1, reply->retry_after_ms);

    return t->hold && delay_ms < hold_ms ? hold_ms : delay_ms;
}

/* What was left over of a batch failed again, while others get through: its own matter. */
static void again_alone(struct output *o, struct batch *b, const struct sink_reply *reply,
                        const struct tally *t)
{
    o->has_pending_fail = true;
    o->trouble = reply->why;
    if (!t->hold || !engine_gives_up_on_hold(o, &reply->why))
        tell_tally(o, t, reply);
    again(o, b, t->hold ? AGAIN_ANYWAY : AGAIN_PERHAPS_SIZE, delay_of(o, b, reply, t));
}

/* What it says of how much the far side can take. */
static void note_round_trip(struct output *o, const struct batch *b, bool is_refusal)
{
    if (o->n_answers < ENGINE_REQUESTS_MAX)
        o->answers[o->n_answers++] = (struct concurrency_answer){
            .sent_ms = b->sent_ms, .bytes = b->plain_bytes, .is_refusal = is_refusal};
}

/* It broke on them so often, and took others meanwhile: they will not get better. */
static void end_doubts(const struct batch *b, enum verdict *v)
{
    for (size_t i = 0; b->lone_failures >= DOUBT_TRIES && i < b->n_items; i++)
        if (v[i] == VERDICT_DOUBT)
            v[i] = VERDICT_REJECTED;
}

static void on_items(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    struct tally t;

    end_doubts(b, reply->verdicts);
    t = count_verdicts(b, reply->verdicts);
    note_round_trip(o, b, reply->is_overload || (t.retry - t.doubt) * REFUSED_PART >= b->n_items);
    if (t.doubt && (t.good || (b->is_resend && !o->failures)))
        b->lone_failures++;
    if (t.good + t.rejected == 0) {
        if (b->is_resend && !o->failures) {
            again_alone(o, b, reply, &t);
            return;
        }
        /* Nobody got through: that is the output, not the events. */
        engine_back_off(o, b, reply, t.retry == 0);
        again(o, b, t.retry ? AGAIN_OVERLOAD : AGAIN_ANYWAY, 0);
        return;
    }
    engine_note_good(o);
    if (!t.hold || !engine_gives_up_on_hold(o, &reply->why))
        tell_tally(o, &t, reply);
    b->delay_ms = t.retry || t.hold ? delay_of(o, b, reply, &t) : 0;
    if (t.rejected && o->engine->options.dead_letters) {
        bury(o, b, reply, &t);
    } else {
        if (t.rejected)
            tell_rejected(o, b, reply);
        settle_reply(o, b, reply->verdicts, t.retry + t.hold, false);
    }
}

static void reject_lone(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    enum verdict rejected = VERDICT_REJECTED;
    struct rejection rejection = {0, reply->status, "request_refused", reply->why.what};
    struct sink_reply letter = *reply;

    letter.outcome = SINK_ITEMS;
    letter.verdicts = &rejected;
    letter.rejections = &rejection;
    letter.n_rejections = 1;
    on_items(o, b, &letter);
}

/* Refused as a whole for its size or for one of its events: halved until the one is alone. */
static void on_refused_whole(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    engine_note_good(o);
    if (b->n_items > 1)
        halve(o, b, 0);
    else
        reject_lone(o, b, reply);
}

/* A request that failed, while others before it got through, waits longer each time by itself: an
 * event that breaks the far side must not take every second turn. */
static void on_failed(struct output *o, struct batch *b, const struct sink_reply *reply)
{
    bool is_hold = reply->outcome == SINK_HOLD;
    enum again_why why = is_hold || !reply->was_reached ? AGAIN_ANYWAY
                         : reply->is_overload           ? AGAIN_OVERLOAD
                                                        : AGAIN_PERHAPS_SIZE;
    int64_t delay_ms = 0;

    if (reply->is_overload)
        note_round_trip(o, b, true);
    if (!is_hold && reply->was_reached && !o->failures)
        b->lone_failures++;
    if (b->lone_failures > 1)
        delay_ms = engine_jittered(o, b->lone_failures, -1);
    if (b->n_items == 1 && reply->status == 500 && b->lone_failures > LONE_TRIES) {
        reject_lone(o, b, reply);
        return;
    }
    engine_back_off(o, b, reply, is_hold);
    again(o, b, why, delay_ms);
}

void engine_on_reply(void *ctx, struct batch *b, const struct sink_reply *reply)
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
        on_failed(o, b, reply);
        break;
    case SINK_SPLIT:
    case SINK_BISECT:
        on_refused_whole(o, b, reply);
        break;
    case SINK_CLOSED:
        o->trouble = reply->why;
        o->state = ENGINE_CLOSED;
        engine_forget(b);
        batch_free(b);
        break;
    }
}
