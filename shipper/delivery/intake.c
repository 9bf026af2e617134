#include <stdlib.h>

#include "shipper/base/plural.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/intake_inside.h"
#include "shipper/delivery/queue.h"

enum { TELL_EVERY_MS = 10000 };

/* --- its share of the memory ----------------------------------------------------------------- */

static bool has_used_its_share(const struct intake *in)
{
    return budget_held(&in->memory) >= in->options.memory_bytes;
}

/* A batch that is alone always fits. */
static bool fits(const struct intake *in, const struct batch *b)
{
    int64_t held = budget_held(&in->memory);

    if (in->options.queue)
        return !spool_is_full(in, b);
    return held <= in->options.memory_bytes || held <= b->counted_bytes;
}

static void note_state(struct intake *in)
{
    in->stats.held_bytes = budget_held(&in->memory);
    in->stats.is_full = has_used_its_share(in) || in->spool.n_on_disk > 0;
}

struct intake *intake_new(const struct intake_options *options, struct err *e)
{
    struct intake *in = calloc(1, sizeof *in);

    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    in->options = *options;
    budget_init_part(&in->memory, options->budget, options->memory_bytes);
    if (options->queue)
        spool_open(in);
    note_state(in);
    return in;
}

/* --- batches --------------------------------------------------------------------------------- */

void intake_pass_on(struct intake *in, struct batch *b)
{
    engine_offer(in->options.engine, b);
}

void intake_drop(struct intake *in, struct batch *b)
{
    in->stats.dropped += b->n_items;
    in->stats.dropped_bytes += b->plain_bytes;
    in->untold.events += b->n_items;
    tracker_settle_items(in->options.tracker, b->output, b->items, b->n_items);
    batch_free(b);
}

void intake_offer(struct intake *in, struct batch *b)
{
    in->stats.events_in += b->n_items;
    batch_move_budget(b, &in->memory);
    if (in->options.on_full == ON_FULL_DROP && !fits(in, b))
        intake_drop(in, b);
    else if (in->options.queue)
        spool_offer(in, b);
    else
        intake_pass_on(in, b);
    note_state(in);
}

/* --- the tick -------------------------------------------------------------------------------- */

static void tell_dropped(struct intake *in)
{
    struct untold *u = &in->untold;
    struct err told = {0};

    if (!u->events)
        return;
    err_set(&told, ERR_BUSY,
            "%llu event%s dropped%s: it does not take them as fast as they come "
            "(on_full: drop-and-count); %llu since the start",
            (unsigned long long)u->events, plural_s(u->events),
            u->told_ms ? " since this was last said" : "", (unsigned long long)in->stats.dropped);
    err_at(&told, "output %s", in->options.name);
    in->options.log(in->options.log_ctx, &told);
    *u = (struct untold){0, in->now_ms};
}

/* At once, and then at most every ten seconds, with the sum of what came in between. */
static int64_t tick_dropped(struct intake *in)
{
    const struct untold *u = &in->untold;

    if (u->events && u->told_ms && in->now_ms - u->told_ms < TELL_EVERY_MS)
        return u->told_ms + TELL_EVERY_MS;
    tell_dropped(in);
    return INT64_MAX;
}

int64_t intake_tick(struct intake *in, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    int64_t told;

    in->now_ms = now_ms;
    if (in->options.queue)
        next = spool_tick(in);
    told = tick_dropped(in);
    note_state(in);
    return told < next ? told : next;
}

void intake_stop(struct intake *in)
{
    in->spool.is_stopping = true;
}

/* --- what can be asked ----------------------------------------------------------------------- */

bool intake_is_open(const struct intake *in)
{
    switch (in->options.on_full) {
    case ON_FULL_DROP:
        return true;
    case ON_FULL_SPILL:
        return !spool_has_waiting(in);
    case ON_FULL_AUTO:
    case ON_FULL_BLOCK:
        break;
    }
    return !has_used_its_share(in);
}

bool intake_is_idle(const struct intake *in)
{
    return !in->spool.oldest;
}

uint64_t intake_stand_ins(const struct intake *in)
{
    return in->spool.n_stand_ins;
}

const struct intake_stats *intake_stats(const struct intake *in)
{
    return &in->stats;
}

const struct queue_stats *intake_queue_stats(const struct intake *in)
{
    return in->options.queue ? queue_stats(in->options.queue) : NULL;
}

int intake_free(struct intake *in, struct err *e)
{
    int rc = 0;

    if (!in)
        return 0;
    tell_dropped(in);
    if (in->options.queue)
        rc = spool_close(in, e);
    free(in);
    return rc;
}
