#include <stdlib.h>

#include "shipper/delivery/apart.h"

struct apart {
    struct job job; /* first */
    struct batch *whole;
    struct batch *parts[APART_PARTS];
    apart_done_fn *on_done;
    void *ctx;
};

static void drop_parts(struct apart *a)
{
    for (int i = 0; i < APART_PARTS; i++) {
        batch_free(a->parts[i]);
        a->parts[i] = NULL;
    }
}

static bool has_pick(const struct apart *a, uint8_t want)
{
    for (size_t i = 0; i < a->whole->n_items; i++)
        if (a->whole->pick[i] == want)
            return true;
    return false;
}

static void run(struct job *job, struct worker *w)
{
    struct apart *a = (struct apart *)job;

    for (int i = 0; i < APART_PARTS; i++) {
        uint8_t want = (uint8_t)(PICK_FIRST + i);

        if (!has_pick(a, want))
            continue;
        a->parts[i] = batch_pick(a->whole, want, NULL);
        if (!a->parts[i] || (a->whole->is_packed && batch_pack(a->parts[i], w, NULL) < 0)) {
            drop_parts(a);
            return;
        }
    }
    batch_free(a->whole);
    a->whole = NULL;
}

static void done(struct job *job)
{
    struct apart *a = (struct apart *)job;

    a->on_done(a->ctx, a->parts, a->whole);
    free(a);
}

static void drop(struct job *job)
{
    struct apart *a = (struct apart *)job;

    drop_parts(a);
    batch_free(a->whole);
    free(a);
}

bool apart_start(struct pool *pool, struct batch *batch, apart_done_fn *on_done, void *ctx)
{
    struct apart *a = calloc(1, sizeof *a);

    if (!a)
        return false;
    a->job = (struct job){run, done, drop, NULL};
    a->whole = batch;
    a->on_done = on_done;
    a->ctx = ctx;
    pool_submit(pool, &a->job, JOB_URGENT);
    return true;
}
