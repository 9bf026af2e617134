#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "outputs/blocking.h"
#include "shipper/pipeline/pool.h"

struct blocking {
    struct job job; /* first: the one write under way */
    const struct blocking_ops *ops;
    void *self;
    char *where;
    struct ev_loop *loop; /* NULL: the pool runs its jobs when it is reaped */
    ev_async wake;
    struct pool *thread;
    struct batch *batch; /* being written, or waiting; one at a time */
    sink_done_fn *done;
    void *ctx;
    struct sink_reply reply;
};

static void on_pool_wake(void *ctx)
{
    struct blocking *b = ctx;

    if (b->loop)
        ev_async_send(b->loop, &b->wake);
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
    struct blocking *b = w->data;

    (void)loop;
    (void)revents;
    pool_reap(b->thread);
}

struct sink *blocking_new(const struct blocking_ops *ops, void *self, const char *where,
                          const struct sink_world *world, struct err *e)
{
    struct blocking *b = calloc(1, sizeof *b);

    if (!b || !(b->where = strdup(where))) {
        free(b);
        ops->close(self);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    b->ops = ops;
    b->self = self;
    b->loop = world->loop;
    b->thread = pool_new(world->loop ? 1 : 0, on_pool_wake, b, e);
    if (!b->thread) {
        ops->close(self);
        free(b->where);
        free(b);
        return NULL;
    }
    if (b->loop) {
        ev_async_init(&b->wake, on_wake);
        b->wake.data = b;
        ev_async_start(b->loop, &b->wake);
    }
    return (struct sink *)b;
}

unsigned blocking_max_in_flight(const struct sink *sink)
{
    (void)sink;
    return 1;
}

const char *blocking_where(const struct sink *sink)
{
    return ((const struct blocking *)sink)->where;
}

static void run_write(struct job *job, struct worker *w)
{
    struct blocking *b = (struct blocking *)job;

    (void)w;
    b->reply.verdicts = calloc(b->batch->n_items, sizeof *b->reply.verdicts);
    if (b->reply.verdicts) {
        b->ops->write(b->self, b->batch, &b->reply);
        return;
    }
    b->reply.outcome = SINK_RETRY;
    err_set(&b->reply.why, ERR_NOMEM, "out of memory");
    err_at(&b->reply.why, "%s", b->where);
}

static void done_write(struct job *job)
{
    struct blocking *b = (struct blocking *)job;
    struct sink_reply reply = b->reply;
    struct batch *batch = b->batch;

    b->batch = NULL;
    b->done(b->ctx, batch, &reply);
    free(reply.verdicts);
}

void blocking_send(struct sink *sink, struct batch *batch, sink_done_fn *done, void *ctx)
{
    struct blocking *b = (struct blocking *)sink;

    b->reply = (struct sink_reply){.retry_after_ms = -1, .was_reached = true};
    b->batch = batch;
    b->done = done;
    b->ctx = ctx;
    b->job = (struct job){run_write, done_write, NULL, NULL};
    pool_submit(b->thread, &b->job, JOB_NORMAL);
}

void blocking_probe(struct sink *sink, sink_probe_fn *done, void *ctx)
{
    struct blocking *b = (struct blocking *)sink;
    struct err why = {0};

    if (b->ops->probe)
        b->ops->probe(b->self, &why);
    done(ctx, &why);
}

void blocking_finish(struct sink *sink)
{
    struct blocking *b = (struct blocking *)sink;

    if (b->ops->stop)
        b->ops->stop(b->self);
    pool_stop(b->thread);
    if (b->batch && b->reply.outcome == SINK_ITEMS) /* else there is nothing to tell */
        pool_reap(b->thread);
}

void blocking_close(struct sink *sink)
{
    struct blocking *b = (struct blocking *)sink;

    if (!b)
        return;
    if (b->ops->stop)
        b->ops->stop(b->self);
    pool_free(b->thread);
    if (b->loop)
        ev_async_stop(b->loop, &b->wake);
    if (b->batch)
        free(b->reply.verdicts);
    batch_free(b->batch);
    b->ops->close(b->self);
    free(b->where);
    free(b);
}
