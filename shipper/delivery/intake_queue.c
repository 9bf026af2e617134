/* Intake's way into the disk queue and out of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/plural.h"
#include "shipper/delivery/intake_inside.h"
#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_record.h"

enum {
    AGAIN_MS = 1000,      /* after a disk error */
    TELL_FULL_MS = 60000, /* that the queue is full: at most so often */
};

/* A batch that is neither durable nor with the engine. */
struct pending {
    struct intake *intake;
    struct batch *batch;
    bool is_putting; /* lent to the queue */
    struct pending *next;
};

/* A record whose batch is with the engine. */
struct lent {
    struct intake *intake;
    struct queue_record *record;
    struct lent *next;
    struct lent **link; /* what points at it */
};

/* --- memory ---------------------------------------------------------------------------------- */

static int64_t engine_bytes(const struct intake *in)
{
    return budget_held(&in->memory) - in->spool.pending_bytes;
}

/* Room for a batch of so many bytes beside `others` in the engine; one alone may always be there.
 */
static bool has_room(const struct intake *in, int64_t others, int64_t bytes)
{
    return others <= 0 || others + bytes <= in->options.memory_bytes;
}

/* --- what goes wrong with the disk ----------------------------------------------------------- */

/* Once, until it is another matter. */
static void tell_trouble(struct intake *in, struct err *last, const struct err *why,
                         const char *meanwhile)
{
    struct err told = *why;

    if (last->code != ERR_NONE && strcmp(last->what, why->what) == 0)
        return;
    *last = *why;
    strncat(told.what, meanwhile, sizeof told.what - strlen(told.what) - 1);
    err_at(&told, "output %s", in->options.name);
    in->options.log(in->options.log_ctx, &told);
}

static void tell_mended(struct intake *in, struct err *last, const char *what)
{
    struct err told = {0};

    if (last->code == ERR_NONE)
        return;
    *last = (struct err){0};
    snprintf(told.what, sizeof told.what, "%s", what);
    err_at(&told, "output %s", in->options.name);
    in->options.log(in->options.log_ctx, &told);
}

static bool cannot_put(const struct intake *in)
{
    return in->spool.put_trouble.code != ERR_NONE;
}

/* What was found damaged does not come any more: its events are counted as dropped. */
static void note_damage(struct intake *in)
{
    uint64_t damaged = queue_stats(in->options.queue)->damaged_events;
    uint64_t more = damaged - in->spool.damaged_events;

    in->spool.damaged_events = damaged;
    in->stats.queued_events -= more;
    in->stats.dropped += more;
}

/* --- records in memory ----------------------------------------------------------------------- */

/* Gives a record's batch to the engine. */
static void lend(struct intake *in, struct lent *l, struct queue_record *r)
{
    struct spool *s = &in->spool;
    struct batch *b = r->batch;

    *l = (struct lent){.intake = in, .record = r, .next = s->lent, .link = &s->lent};
    if (l->next)
        l->next->link = &l->next;
    s->lent = l;
    r->owner = l;
    r->batch = NULL;
    s->n_stand_ins += r->n_unsettled;
    in->stats.queued_events -= b->n_items;
    intake_pass_on(in, b);
}

static void forget(struct lent *l)
{
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    queue_record_free(l->record);
    free(l);
}

void intake_settled(struct stream *stream)
{
    struct queue_record *r = stream->owner;
    struct lent *l = r->owner;
    struct intake *in = l->intake;

    in->spool.n_stand_ins--;
    if (--r->n_unsettled)
        return;
    queue_settle(in->options.queue, r->number);
    forget(l);
}

/* --- into the queue -------------------------------------------------------------------------- */

static void remove_pending(struct intake *in, struct pending *p)
{
    struct spool *s = &in->spool;
    struct pending **link = &s->oldest;

    while (*link != p)
        link = &(*link)->next;
    *link = p->next;
    if (s->end == &p->next)
        s->end = link;
    s->pending_bytes -= p->batch->counted_bytes;
    free(p);
}

/* A batch that has just become durable stays in memory if there is room, and nothing older is on
 * disk only. */
static bool keep(struct intake *in, struct batch *b, uint64_t number)
{
    const struct spool *s = &in->spool;
    struct queue_record *r;
    struct lent *l;

    if (s->is_stopping || s->n_on_disk || s->is_getting ||
        !has_room(in, engine_bytes(in) - b->counted_bytes, b->counted_bytes))
        return false;
    l = malloc(sizeof *l);
    r = l ? queue_record_new(b, number, in->options.tracker) : NULL;
    if (!r) {
        free(l);
        return false;
    }
    queue_keep(in->options.queue, number);
    lend(in, l, r);
    return true;
}

/* What the next life may find in the queue must not go another way meanwhile, where it would be
 * there twice. */
static bool must_wait(const struct intake *in)
{
    return in->options.doubles && queue_stats(in->options.queue)->is_in_doubt;
}

static void put_failed(struct intake *in, const struct err *why)
{
    struct spool *s = &in->spool;

    s->put_again_ms = in->now_ms + AGAIN_MS;
    tell_trouble(in, &s->put_trouble, why,
                 must_wait(in)
                     ? "; what was written could not be cut off again, and may be found by the "
                       "next start: its events are held, not to be there twice; trying again"
                     : "; its events are kept in memory, and sent from there; trying again");
}

static void on_put(void *ctx, struct batch *b, uint64_t number, const struct err *why)
{
    struct pending *p = ctx;
    struct intake *in = p->intake;
    struct spool *s = &in->spool;

    s->n_putting--;
    p->is_putting = false;
    if (why->code != ERR_NONE) {
        put_failed(in, why);
        return;
    }
    tell_mended(in, &s->put_trouble, "its queue can be written again");
    remove_pending(in, p);
    if (keep(in, b, number))
        return;
    s->n_on_disk++;
    tracker_settle_items(in->options.tracker, b->output, b->items, b->n_items);
    batch_free(b);
}

static void put(struct intake *in, struct pending *p)
{
    struct err why;

    if (queue_put(in->options.queue, p->batch, on_put, p)) {
        p->is_putting = true;
        in->spool.n_putting++;
        return;
    }
    err_set(&why, ERR_NOMEM, "out of memory");
    put_failed(in, &why);
}

/* While the disk fails, one at a time, to see whether it still does. */
static void put_what_waits(struct intake *in)
{
    struct spool *s = &in->spool;

    for (struct pending *p = s->oldest; p; p = p->next) {
        if (p->is_putting)
            continue;
        if (cannot_put(in) && (s->n_putting || in->now_ms < s->put_again_ms))
            return;
        if (!queue_has_room(in->options.queue, p->batch))
            return;
        put(in, p);
    }
}

/* While the disk fails, what the engine has room for goes there as it is: not durable, so its
 * positions wait for the verdicts. */
static void pass_by(struct intake *in)
{
    struct spool *s = &in->spool;

    for (struct pending *p = s->oldest; p && cannot_put(in) && !must_wait(in);) {
        struct pending *next = p->next;
        struct batch *b = p->batch;

        if (in->options.keeps_order && (s->n_on_disk || s->is_getting || p != s->oldest))
            return;
        if (!p->is_putting) {
            if (!has_room(in, engine_bytes(in), b->counted_bytes))
                return;
            remove_pending(in, p);
            in->stats.queued_events -= b->n_items;
            intake_pass_on(in, b);
        }
        p = next;
    }
}

void spool_offer(struct intake *in, struct batch *b)
{
    struct spool *s = &in->spool;
    struct pending *p = calloc(1, sizeof *p);

    if (!p) { /* out of memory: as if there were no queue */
        intake_pass_on(in, b);
        return;
    }
    p->intake = in;
    p->batch = b;
    *s->end = p;
    s->end = &p->next;
    s->pending_bytes += b->counted_bytes;
    in->stats.queued_events += b->n_items;
    put_what_waits(in);
}

bool spool_has_waiting(const struct intake *in)
{
    for (const struct pending *p = in->spool.oldest; p; p = p->next)
        if (!p->is_putting)
            return true;
    return false;
}

/* Also when the disk is so slow, or fails so long, that what waits for it fills the memory. */
bool spool_is_full(const struct intake *in, const struct batch *b)
{
    return !queue_has_room(in->options.queue, b) ||
           (in->spool.oldest && in->spool.pending_bytes > in->options.memory_bytes);
}

static void tell_full(struct intake *in)
{
    struct spool *s = &in->spool;
    struct err told = {0};

    if (cannot_put(in) || !spool_has_waiting(in) ||
        (s->full_told_ms && in->now_ms - s->full_told_ms < TELL_FULL_MS))
        return;
    s->full_told_ms = in->now_ms;
    err_set(
        &told, ERR_BUSY,
        "its queue is full (%llu event%s in %lld bytes); reading waits until something of it is "
        "delivered",
        (unsigned long long)queue_stats(in->options.queue)->events,
        plural_s(queue_stats(in->options.queue)->events),
        (long long)queue_stats(in->options.queue)->bytes);
    err_at(&told, "output %s", in->options.name);
    in->options.log(in->options.log_ctx, &told);
}

/* --- out of the queue ------------------------------------------------------------------------ */

static void on_nothing_got(struct intake *in, const struct err *why)
{
    struct spool *s = &in->spool;

    if (why->code != ERR_NONE) {
        s->get_again_ms = in->now_ms + AGAIN_MS;
        tell_trouble(in, &s->get_trouble, why, "; trying again");
    } else if (!queue_has_more(in->options.queue)) {
        s->n_on_disk = 0; /* the rest of them was damaged */
    }
}

static void on_get(void *ctx, struct queue_record *r, const struct err *why)
{
    struct intake *in = ctx;
    struct spool *s = &in->spool;
    struct lent *l = r ? malloc(sizeof *l) : NULL;

    s->is_getting = false;
    note_damage(in);
    if (!r) {
        on_nothing_got(in, why);
        return;
    }
    tell_mended(in, &s->get_trouble, "its queue can be read again");
    if (!l) {
        queue_give_back(in->options.queue, r->number);
        queue_record_free(r);
        s->get_again_ms = in->now_ms + AGAIN_MS;
        return;
    }
    s->n_on_disk -= s->n_on_disk > 0;
    if (!queue_has_more(in->options.queue))
        s->n_on_disk = 0;            /* damaged ones were passed over */
    r->batch->first_ms = in->now_ms; /* its age in this life */
    batch_move_budget(r->batch, &in->memory);
    if (r->batch->counted_bytes > s->largest_bytes)
        s->largest_bytes = r->batch->counted_bytes;
    queue_record_track(r, in->options.tracker);
    lend(in, l, r);
}

/* Its own share and the whole have room; one record may always be on its way, so that what waits
 * on disk cannot wait for ever. */
static bool may_get(const struct intake *in)
{
    const struct spool *s = &in->spool;
    const struct budget *all = in->options.budget;

    if (s->is_getting || s->is_stopping || in->now_ms < s->get_again_ms ||
        !queue_has_more(in->options.queue))
        return false;
    return engine_bytes(in) <= 0 || (has_room(in, engine_bytes(in), s->largest_bytes) &&
                                     budget_held(all) + s->largest_bytes <= all->limit_bytes);
}

/* --- its life -------------------------------------------------------------------------------- */

void spool_open(struct intake *in)
{
    const struct queue_stats *found = queue_stats(in->options.queue);
    struct spool *s = &in->spool;

    s->end = &s->oldest;
    s->n_on_disk = found->records;
    s->damaged_events = found->damaged_events;
    in->stats.events_in = in->stats.queued_events = found->events;
}

static int64_t sooner(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

int64_t spool_tick(struct intake *in)
{
    struct spool *s = &in->spool;
    int64_t next;

    put_what_waits(in);
    pass_by(in);
    tell_full(in);
    if (may_get(in)) {
        s->is_getting = true;
        queue_get(in->options.queue, on_get, in);
    }
    note_damage(in);
    next = queue_tick(in->options.queue, in->now_ms);
    if (cannot_put(in) && s->oldest && s->put_again_ms > in->now_ms)
        next = sooner(next, s->put_again_ms);
    if (s->get_again_ms > in->now_ms)
        next = sooner(next, s->get_again_ms);
    return next;
}

int spool_close(struct intake *in, struct err *e)
{
    struct spool *s = &in->spool;

    for (struct lent *l = s->lent, *next; l; l = next) {
        struct queue_record *r = l->record;

        next = l->next;
        for (size_t i = 0; i < r->n_streams; i++)
            tracker_drop(in->options.tracker, &r->streams[i]);
        queue_record_free(r);
        free(l);
    }
    while (s->oldest) {
        struct pending *p = s->oldest;

        s->oldest = p->next;
        if (!p->is_putting) /* else it is the queue's to free */
            batch_free(p->batch);
        free(p);
    }
    return queue_close(in->options.queue, e);
}
