/* How the agent's parts are wired together, and taken down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outputs/transport.h"
#include "shipper/base/files.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/pipeline/line.h"
#include "shipper/verbs/agent_inside.h"
#include "shipper/verbs/own_files.h"
#include "shipper/verbs/state.h"

/* --- where the parts meet --- */

static void on_pool_wake(void *ctx)
{
    struct agent *a = ctx;

    ev_async_send(a->loop, &a->wake);
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
    struct agent *a = w->data;

    (void)loop;
    (void)revents;
    pool_reap(a->pool);
    pool_reap(a->writer);
}

static void on_batch_ready(void *ctx, struct batch *batch)
{
    struct agent *a = ctx;

    intake_offer(a->intakes[batch->output], batch);
}

static void on_moved(void *ctx, struct stream *s, uint64_t position, struct slice state)
{
    struct agent *a = ctx;
    char path[4096];

    if (!a->checkpoints || !s->key)
        return;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(s->profile.path));
    checkpoints_put(a->checkpoints, &(struct checkpoint){
                                        .key = s->key,
                                        .path = path,
                                        .position = position,
                                        .head_hash = s->head_hash,
                                        .seen_s = clock_wall_ns(&clock_real) / 1000000000,
                                        .state = state,
                                    });
}

static void on_part_log(void *ctx, const struct err *what)
{
    struct agent *a = ctx;

    log_err(a->plan.log, what->code == ERR_NONE ? LOG_INFO : LOG_WARN, what);
}

/* --- opening --- */

static void start_watchers(struct agent *a)
{
    ev_async_init(&a->wake, on_wake);
    ev_prepare_init(&a->tick, agent_on_tick);
    ev_timer_init(&a->due, agent_on_due, 0, 0);
    a->wake.data = a->tick.data = a->due.data = a;
    ev_async_start(a->loop, &a->wake);
    ev_prepare_start(a->loop, &a->tick);
}

static unsigned worker_count(const struct global_options *g)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (g->workers > 0)
        return (unsigned)g->workers;
    return cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus;
}

static void find_host(struct agent *a)
{
    if (a->plan.global->host)
        snprintf(a->host, sizeof a->host, "%s", a->plan.global->host);
    else if (gethostname(a->host, sizeof a->host - 1) < 0)
        snprintf(a->host, sizeof a->host, "localhost");
}

static int open_outputs(struct agent *a, struct err *e)
{
    size_t n = a->plan.n_outputs;
    struct lane_options lanes[LANES_MAX];
    struct sink_world world = {&clock_real, a->transport, a->loop, random_next, &a->random};

    if (n > LANES_MAX)
        return err_set(e, ERR_CONFIG, "%zu outputs; at most %d at once", n, LANES_MAX);
    a->sinks = calloc(n, sizeof(struct sink *));
    a->engine_outputs = calloc(n, sizeof *a->engine_outputs);
    if (!a->sinks || !a->engine_outputs)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const struct output_config *o = &a->plan.outputs[i];

        a->sinks[i] = o->ops->open(o->options, &world, e);
        if (!a->sinks[i])
            return err_at(e, "output %s", o->common.name ? o->common.name : o->ops->name);
        a->engine_outputs[i] = (struct engine_output){
            o->ops, a->sinks[i], o->common.name ? o->common.name : o->ops->name};
        lanes[i] = (struct lane_options){o->ops, o->options, o->common.batch};
    }
    a->lanes = lanes_new(lanes, n, a->pool, &a->budget, &clock_real, on_batch_ready, a, e);
    return a->lanes ? 0 : -1;
}

static int open_stores(struct agent *a, struct err *e)
{
    char *state = state_directory(a->plan.global->state, a->plan.is_replay);
    char *dead = state ? state_dead_letters(a->plan.global->dead_letters, state) : NULL;
    int rc = -1;

    if (!state || !dead) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto end;
    }
    a->dead_letters = dead_letters_new(dead, a->writer, e);
    if (!a->dead_letters)
        goto end;
    dead_letters_rotate_at(a->dead_letters, a->plan.global->dead_letters_rotate_bytes);
    if (!a->plan.is_replay && !(a->checkpoints = checkpoints_open(state, a->writer, e)))
        goto end;
    rc = 0;
end:
    free(state);
    free(dead);
    return rc;
}

static int open_engine(struct agent *a, struct err *e)
{
    struct engine_options options = {
        .outputs = a->engine_outputs,
        .n_outputs = a->plan.n_outputs,
        .retry = {.initial_ms = a->plan.global->retry_initial_ms,
                  .max_ms = a->plan.global->retry_max_ms,
                  .hold_ms = 30000},
        .pool = a->pool,
        .tracker = &a->tracker,
        .dead_letters = a->plan.on_verdict ? NULL : a->dead_letters,
        .on_verdict = a->plan.on_verdict,
        .verdict_ctx = a->plan.verdict_ctx,
        .random = random_next,
        .random_ctx = &a->random,
        .log = a->plan.log,
    };

    if (a->plan.is_replay) {
        /* A person waits for the answer. What was not sent stays where it is. */
        options.retry.give_up_unreached_ms = 5000;
        options.retry.give_up_ms = 120000;
        options.retry.give_up_on_hold = true;
        if (options.retry.max_ms > 10000)
            options.retry.max_ms = 10000;
    }
    a->engine = engine_new(&options, e);
    return a->engine ? 0 : -1;
}

/* Who replays waits for all of it: nothing is dropped then. */
static int open_intake(struct agent *a, size_t i, struct err *e)
{
    const struct output_common *common = &a->plan.outputs[i].common;
    struct intake_options options = {
        .output = (unsigned)i,
        .name = a->engine_outputs[i].name,
        .on_full = (enum on_full)common->on_full,
        .memory_bytes = common->memory_bytes,
        .keeps_order = a->plan.outputs[i].ops->keeps_order,
        .budget = &a->budget,
        .tracker = &a->tracker,
        .engine = a->engine,
        .log = on_part_log,
        .log_ctx = a,
    };

    if (a->plan.is_replay) {
        options.on_full = ON_FULL_BLOCK;
        options.memory_bytes = a->budget.limit_bytes;
    }
    a->intakes[i] = intake_new(&options, e);
    return a->intakes[i] ? 0 : -1;
}

static int open_intakes(struct agent *a, struct err *e)
{
    a->intakes = calloc(a->plan.n_outputs, sizeof(struct intake *));
    if (!a->intakes)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        if (open_intake(a, i, e) < 0)
            return -1;
    return 0;
}

static int open_inputs(struct agent *a, struct err *e)
{
    own_files_init(&a->own_files, &a->plan);
    a->input_world = (struct input_world){
        .clock = &clock_real,
        .files = &files_posix,
        .pool = a->pool,
        .lanes = a->lanes,
        .budget = &a->budget,
        .tracker = &a->tracker,
        .checkpoints = a->checkpoints,
        .loop = a->loop,
        .host = a->host,
        .is_replay = a->plan.is_replay,
        .own_files = a->own_files,
        .log = on_part_log,
        .log_ctx = a,
    };
    a->inputs = calloc(a->plan.n_inputs, sizeof(struct input *));
    if (!a->inputs)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_config *in = &a->plan.inputs[i];

        a->inputs[i] = in->ops->open(in->options, &in->common, &in->parser, &a->input_world, e);
        if (!a->inputs[i])
            return -1;
    }
    return 0;
}

static int open_all(struct agent *a, struct err *e)
{
    a->loop = ev_default_loop(EVFLAG_AUTO);
    if (!a->loop)
        return err_set(e, ERR_NOMEM, "the event loop cannot be started");
    random_init(&a->random);
    find_host(a);
    start_watchers(a);
    budget_init(&a->budget, a->plan.global->memory_bytes);
    tracker_init(&a->tracker, on_moved, a);
    a->pool = pool_new(worker_count(a->plan.global), on_pool_wake, a, e);
    a->writer = a->pool ? pool_new(1, on_pool_wake, a, e) : NULL;
    if (!a->writer)
        return -1;
    a->transport = transport_curl_new(a->loop, e);
    if (!a->transport)
        return -1;
    if (open_outputs(a, e) < 0 || open_stores(a, e) < 0 || open_engine(a, e) < 0)
        return -1;
    if (open_inputs(a, e) < 0 || open_intakes(a, e) < 0)
        return -1;
    /* Last: until then Ctrl-C ends us, however long opening takes. */
    return signals_start(&a->signals, a->loop, !a->plan.is_replay, agent_on_signal, a, e);
}

struct agent *agent_new(const struct agent_plan *plan, struct err *e)
{
    struct agent *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->plan = *plan;
    a->started_ms = clock_mono_ms(&clock_real);
    if (open_all(a, e) == 0)
        return a;
    agent_free(a, NULL);
    return NULL;
}

/* --- closing, in the order of who uses whom --- */

static void stop_watchers(struct agent *a)
{
    ev_async_stop(a->loop, &a->wake);
    ev_prepare_stop(a->loop, &a->tick);
    ev_timer_stop(a->loop, &a->due);
    signals_stop(&a->signals);
}

int agent_free(struct agent *a, struct err *e)
{
    int rc;

    if (!a)
        return 0;
    for (size_t i = 0; a->sinks && i < a->plan.n_outputs; i++)
        a->plan.outputs[i].ops->close(a->sinks[i]);
    pool_free(a->pool);
    pool_free(a->writer);
    rc = checkpoints_close(a->checkpoints, e);
    for (size_t i = 0; a->inputs && i < a->plan.n_inputs; i++)
        if (a->inputs[i])
            a->plan.inputs[i].ops->close(a->inputs[i]);
    lanes_free(a->lanes);
    engine_free(a->engine);
    for (size_t i = 0; a->intakes && i < a->plan.n_outputs; i++)
        if (intake_free(a->intakes[i], rc < 0 ? NULL : e) < 0)
            rc = -1;
    dead_letters_free(a->dead_letters);
    transport_curl_free(a->transport);
    if (a->loop) {
        stop_watchers(a);
        ev_loop_destroy(a->loop);
    }
    own_files_fini(&a->own_files);
    free(a->inputs);
    free(a->intakes);
    free(a->sinks);
    free(a->engine_outputs);
    free(a);
    return rc;
}
