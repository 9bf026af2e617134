#include "shipper/verbs/check/sinks.h"

#include <stdio.h>
#include <stdlib.h>

#include <ev.h>

#include "outputs/transport.h"
#include "shipper/base/clock.h"
#include "shipper/base/random.h"

struct asking {
    struct ev_loop *loop;
    ev_timer limit;
    struct question *questions;
    size_t n_open;
};

struct question {
    struct asking *asking;
    struct sink *sink;
    struct sink_answer *answer;
    bool is_open;
};

static void on_answer(void *ctx, const struct err *why)
{
    struct question *q = ctx;

    q->is_open = false;
    q->answer->why = *why;
    if (--q->asking->n_open == 0)
        ev_break(q->asking->loop, EVBREAK_ALL);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static void look(struct sink_answer *answer, const struct output_config *o)
{
    struct buffer where = {0};

    int rc = o->ops->check(o->options, &where, &answer->why);

    snprintf(answer->where, sizeof answer->where, "%.*s", SLICE_ARG(buffer_slice(&where)));
    buffer_free(&where);
    if (rc < 0 && !*answer->why.where)
        err_at(&answer->why, "%s", answer->where);
}

static void ask(struct question *q, const struct output_config *o, const struct sink_world *world)
{
    if (o->ops->check) {
        look(q->answer, o);
        return;
    }
    q->sink = o->ops->open(o->options, world, &q->answer->why);
    if (!q->sink)
        return;
    snprintf(q->answer->where, sizeof q->answer->where, "%s", o->ops->where(q->sink));
    q->is_open = true;
    q->asking->n_open++;
    o->ops->probe(q->sink, on_answer, q);
}

static void await(struct asking *a, size_t n)
{
    if (a->n_open) {
        ev_timer_init(&a->limit, on_limit, CHECK_SINKS_MS / 1000., 0.);
        ev_timer_start(a->loop, &a->limit);
        ev_run(a->loop, 0);
        ev_timer_stop(a->loop, &a->limit);
    }
    for (size_t i = 0; i < n; i++)
        if (a->questions[i].is_open)
            err_set(&a->questions[i].answer->why, ERR_NET, "no answer within %d s",
                    CHECK_SINKS_MS / 1000);
}

int check_sinks(const struct output_config *outputs, size_t n, struct sink_answer *answers,
                struct err *e)
{
    struct random random;
    struct asking a = {.loop = ev_loop_new(EVFLAG_AUTO),
                       .questions = calloc(n + 1, sizeof(struct question))};
    struct transport *transport = a.loop && a.questions ? transport_curl_new(a.loop, e) : NULL;
    struct sink_world world = {&clock_real, transport, a.loop, random_next, &random};
    int rc = transport ? 0 : -1;

    if (!a.loop || !a.questions)
        err_set(e, ERR_NOMEM, "out of memory");
    random_init(&random);
    for (size_t i = 0; transport && i < n; i++) {
        a.questions[i].asking = &a;
        a.questions[i].answer = &answers[i];
        ask(&a.questions[i], &outputs[i], &world);
    }
    if (transport)
        await(&a, n);
    for (size_t i = 0; transport && i < n; i++)
        if (a.questions[i].sink)
            outputs[i].ops->close(a.questions[i].sink);
    transport_curl_free(transport);
    if (a.loop)
        ev_loop_destroy(a.loop);
    free(a.questions);
    return rc;
}
