#include <stdlib.h>

#include "shipper/delivery/engine.h"
#include "shipper/delivery/intake_inside.h"

enum { TELL_EVERY_MS = 10000 };

struct intake *intake_new(const struct intake_options *options, struct err *e)
{
    struct intake *in = calloc(1, sizeof *in);

    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    in->options = *options;
    budget_init_part(&in->memory, options->budget, options->memory_bytes);
    return in;
}

/* --- its share of the memory ----------------------------------------------------------------- */

static bool has_used_its_share(const struct intake *in)
{
    return budget_held(&in->memory) >= in->options.memory_bytes;
}

/* A batch that is alone always fits. */
static bool is_within_share(const struct intake *in, const struct batch *b)
{
    int64_t held = budget_held(&in->memory);

    return held <= in->options.memory_bytes || held <= b->counted_bytes;
}

static void note_state(struct intake *in)
{
    in->stats.held_bytes = budget_held(&in->memory);
    in->stats.is_full = has_used_its_share(in);
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
    tracker_settle_items(in->options.tracker, b->items, b->n_items);
    batch_free(b);
}

void intake_offer(struct intake *in, struct batch *b)
{
    in->stats.events_in += b->n_items;
    batch_move_budget(b, &in->memory);
    if (in->options.on_full == ON_FULL_DROP && !is_within_share(in, b))
        intake_drop(in, b);
    else
        intake_pass_on(in, b);
    note_state(in);
}

/* --- the tick -------------------------------------------------------------------------------- */

/* Told at once, and then at most every ten seconds, with the sum of what came in between. */
static int64_t tell_dropped(struct intake *in, int64_t now_ms)
{
    struct untold *u = &in->untold;
    struct err told = {0};

    if (!u->events)
        return INT64_MAX;
    if (u->told_ms && now_ms - u->told_ms < TELL_EVERY_MS)
        return u->told_ms + TELL_EVERY_MS;
    err_set(&told, ERR_BUSY,
            "%llu events dropped%s: it does not take them as fast as they come "
            "(on_full: drop-and-count); %llu since the start",
            (unsigned long long)u->events, u->told_ms ? " since this was last said" : "",
            (unsigned long long)in->stats.dropped);
    err_at(&told, "output %s", in->options.name);
    in->options.log(in->options.log_ctx, &told);
    *u = (struct untold){0, now_ms};
    return INT64_MAX;
}

int64_t intake_tick(struct intake *in, int64_t now_ms)
{
    int64_t next = tell_dropped(in, now_ms);

    note_state(in);
    return next;
}

/* --- what can be asked ----------------------------------------------------------------------- */

bool intake_is_open(const struct intake *in)
{
    return in->options.on_full != ON_FULL_BLOCK || !has_used_its_share(in);
}

bool intake_is_idle(const struct intake *in)
{
    (void)in; /* without a queue all is with the engine at once */
    return true;
}

const struct intake_stats *intake_stats(const struct intake *in)
{
    return &in->stats;
}

int intake_free(struct intake *in, struct err *e)
{
    (void)e;
    free(in);
    return 0;
}
