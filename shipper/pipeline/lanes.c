#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "shipper/pipeline/lanes.h"

/* Bodies of packed batches whose memory the next ones use: growing one anew costs as much as
 * filling it. They hold no events, but count in the budget, since they are there; so they are only
 * kept while half of it is free, and given back when it is not, or when nothing is under way. */
enum { SPARES_MAX = 4 };

struct lane {
    struct lane_options options;
    pthread_mutex_t lock; /* over what follows */
    struct batch *shelf;  /* open batches that no worker holds */
    struct buffer spares[SPARES_MAX];
    size_t n_spares;
};

struct lanes {
    struct lane *lanes;
    size_t n_lanes;
    struct pool *pool;
    struct budget *budget;
    const struct clock *clock;
    lane_ready_fn *on_ready;
    void *ctx;
    _Atomic size_t n_pending;   /* batches that exist and were not handed to on_ready */
    _Atomic unsigned n_packing; /* jobs that wait or run */
};

/* A sealed batch on its way through a worker to the loop. */
struct pack_job {
    struct job job; /* first */
    struct lanes *lanes;
    struct batch *batch;
};

struct lanes *lanes_new(const struct lane_options *options, size_t n_lanes, struct pool *pool,
                        struct budget *budget, const struct clock *clock, lane_ready_fn *on_ready,
                        void *ctx, struct err *e)
{
    struct lanes *l = calloc(1, sizeof *l);

    if (l)
        l->lanes = calloc(n_lanes, sizeof *l->lanes);
    if (!l || !l->lanes) {
        free(l);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n_lanes; i++) {
        l->lanes[i].options = options[i];
        pthread_mutex_init(&l->lanes[i].lock, NULL);
    }
    l->n_lanes = n_lanes;
    l->pool = pool;
    l->budget = budget;
    l->clock = clock;
    l->on_ready = on_ready;
    l->ctx = ctx;
    return l;
}

size_t lanes_count(const struct lanes *l)
{
    return l->n_lanes;
}

struct budget *lanes_budget(const struct lanes *l)
{
    return l->budget;
}

const struct lane_options *lanes_options(const struct lanes *l, size_t lane)
{
    return &l->lanes[lane].options;
}

size_t lanes_pending(const struct lanes *l)
{
    return atomic_load(&l->n_pending);
}

static void free_spare(struct lanes *l, struct buffer *spare)
{
    if (spare->cap)
        budget_add(l->budget, -(int64_t)spare->cap);
    buffer_free(spare);
}

static bool has_room_for_spare(const struct lanes *l, const struct buffer *plain)
{
    return budget_held(l->budget) + (int64_t)plain->cap <= l->budget->limit_bytes / 2;
}

struct batch *lanes_take(struct lanes *l, size_t lane)
{
    struct lane *at = &l->lanes[lane];
    struct buffer spare = {0};
    struct batch *b;

    pthread_mutex_lock(&at->lock);
    b = at->shelf;
    if (b)
        at->shelf = b->next;
    else if (at->n_spares)
        spare = at->spares[--at->n_spares];
    pthread_mutex_unlock(&at->lock);
    if (b) {
        b->next = NULL;
        return b;
    }
    b = batch_new((unsigned)lane, l->budget);
    if (!b) {
        free_spare(l, &spare);
        return NULL;
    }
    b->body = spare;
    b->counted_bytes = (int64_t)spare.cap; /* already */
    atomic_fetch_add(&l->n_pending, 1);
    return b;
}

/* Takes the memory, unless a huge event made it larger than batches are, or there is enough: one
 * for each worker. */
static void keep_spare(struct lanes *l, struct lane *at, struct buffer *plain)
{
    size_t enough = pool_size(l->pool) ? pool_size(l->pool) : 1;

    pthread_mutex_lock(&at->lock);
    if (plain->cap && at->n_spares < SPARES_MAX && at->n_spares < enough &&
        (int64_t)plain->cap <= 2 * at->options.limits.max_bytes && has_room_for_spare(l, plain)) {
        budget_add(l->budget, (int64_t)plain->cap);
        plain->len = 0;
        at->spares[at->n_spares++] = *plain;
        *plain = (struct buffer){0};
    }
    pthread_mutex_unlock(&at->lock);
    buffer_free(plain);
}

static void drop_spares(struct lanes *l, struct lane *at)
{
    pthread_mutex_lock(&at->lock);
    while (at->n_spares)
        free_spare(l, &at->spares[--at->n_spares]);
    pthread_mutex_unlock(&at->lock);
}

/* A batch that cannot be packed for want of memory goes as it is. */
static void pack(struct lanes *l, struct batch *b, struct worker *w)
{
    if (batch_pack(b, w, NULL) == 0)
        keep_spare(l, &l->lanes[b->output], &w->plain);
}

static void run_pack(struct job *job, struct worker *w)
{
    struct pack_job *p = (struct pack_job *)job;

    if (p->lanes->lanes[p->batch->output].options.ops->wants_gzip)
        pack(p->lanes, p->batch, w);
    else
        batch_recount(p->batch);
}

static void on_packed(struct job *job)
{
    struct pack_job *p = (struct pack_job *)job;
    struct lanes *l = p->lanes;
    struct batch *b = p->batch;

    free(p);
    atomic_fetch_sub(&l->n_packing, 1);
    atomic_fetch_sub(&l->n_pending, 1);
    l->on_ready(l->ctx, b);
}

static void drop_pack(struct job *job)
{
    struct pack_job *p = (struct pack_job *)job;

    batch_free(p->batch);
    free(p);
}

static void put_on_shelf(struct lanes *l, struct batch *b)
{
    struct lane *at = &l->lanes[b->output];

    pthread_mutex_lock(&at->lock);
    b->next = at->shelf;
    at->shelf = b;
    pthread_mutex_unlock(&at->lock);
}

/* Sends the batch through a worker to the loop. `w` is the worker that seals it, NULL on the loop.
 * A worker packs at once when as many wait as there are workers: so plain bodies do not pile up. */
static void seal(struct lanes *l, struct batch *b, struct worker *w)
{
    struct pack_job *p = calloc(1, sizeof *p);

    if (!p) { /* out of memory: it stays open, and is tried again by age */
        put_on_shelf(l, b);
        return;
    }
    p->job.run = run_pack;
    p->job.done = on_packed;
    p->job.drop = drop_pack;
    p->lanes = l;
    p->batch = b;
    if (w && l->lanes[b->output].options.ops->keeps_order) {
        /* Two workers would bring two batches in any order. */
        atomic_fetch_add(&l->n_packing, 1);
        run_pack(&p->job, w);
        pool_finish_from_worker(l->pool, &p->job);
        return;
    }
    if (w && l->lanes[b->output].options.ops->wants_gzip &&
        atomic_load(&l->n_packing) >= pool_size(l->pool))
        pack(l, b, w);
    atomic_fetch_add(&l->n_packing, 1);
    if (w)
        pool_submit_from_worker(l->pool, &p->job, JOB_URGENT);
    else
        pool_submit(l->pool, &p->job, JOB_URGENT);
}

static void drop_empty(struct lanes *l, struct batch *b)
{
    batch_free(b);
    atomic_fetch_sub(&l->n_pending, 1);
}

void lanes_put(struct lanes *l, struct batch *b, struct worker *w)
{
    const struct lane_options *options = &l->lanes[b->output].options;
    bool is_done = options->limits.linger_ms == 0 || options->ops->keeps_order;

    if (b->n_items == 0) {
        drop_empty(l, b);
        return;
    }
    if (b->first_ms == 0)
        b->first_ms = clock_mono_ms(l->clock);
    batch_recount(b);
    if (is_done || batch_is_full(b, &options->limits))
        seal(l, b, w);
    else
        put_on_shelf(l, b);
}

struct batch *lanes_exchange(struct lanes *l, struct batch *b, struct worker *w)
{
    size_t lane = b->output;

    b->first_ms = clock_mono_ms(l->clock);
    batch_recount(b);
    seal(l, b, w);
    return lanes_take(l, lane);
}

/* Takes what is due off one shelf, and lowers *next to when the rest is. */
static struct batch *take_due(struct lane *at, int64_t now_ms, bool flush_all, int64_t *next)
{
    struct batch *due = NULL;
    struct batch **link = &at->shelf;

    pthread_mutex_lock(&at->lock);
    while (*link) {
        struct batch *b = *link;
        int64_t when = b->first_ms + at->options.limits.linger_ms;

        if (flush_all || when <= now_ms) {
            *link = b->next;
            b->next = due;
            due = b;
            continue;
        }
        if (when < *next)
            *next = when;
        link = &b->next;
    }
    pthread_mutex_unlock(&at->lock);
    return due;
}

int64_t lanes_tick(struct lanes *l, int64_t now_ms, bool flush_all)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < l->n_lanes; i++) {
        struct batch *due = take_due(&l->lanes[i], now_ms, flush_all, &next);

        while (due) {
            struct batch *b = due;

            due = b->next;
            b->next = NULL;
            seal(l, b, NULL);
        }
        if (lanes_pending(l) == 0 || flush_all)
            drop_spares(l, &l->lanes[i]);
    }
    return next;
}

void lanes_free(struct lanes *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_lanes; i++) {
        while (l->lanes[i].shelf) {
            struct batch *b = l->lanes[i].shelf;

            l->lanes[i].shelf = b->next;
            batch_free(b);
        }
        drop_spares(l, &l->lanes[i]);
        pthread_mutex_destroy(&l->lanes[i].lock);
    }
    free(l->lanes);
    free(l);
}
