#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ev.h>

#include "outputs/transport.h"
#include "shipper/base/files.h"
#include "shipper/base/random.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/observe/log.h"
#include "shipper/pipeline/line.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/own_files.h"
#include "shipper/verbs/progress.h"
#include "shipper/verbs/signals.h"
#include "shipper/verbs/state.h"

enum stopping { STOP_NO, STOP_DRAIN, STOP_NOW };

enum { STOP_NOW_MS = 300 };

struct agent {
    struct agent_plan plan;
    struct ev_loop *loop;
    ev_prepare tick; /* all that decides by time runs here, once an iteration */
    ev_timer due;    /* when the next of it wants to be called */
    ev_async wake;   /* a worker has finished something */
    struct signals signals;
    struct random random;
    struct pool *pool;
    struct pool *writer; /* one thread for what must reach the disk: checkpoints, dead letters */
    struct budget budget;
    struct tracker tracker;
    struct lanes *lanes;
    struct transport *transport;
    struct sink **sinks;
    struct engine_output *engine_outputs;
    struct engine *engine;
    struct dead_letters *dead_letters;
    struct checkpoints *checkpoints;
    struct input **inputs;
    struct option_list own_files;
    struct input_world input_world;
    char host[256];
    struct progress progress;

    enum stopping stopping;
    int64_t stop_by_ms;
    bool wants_reload;
    agent_reload_fn *on_reload;
    void *reload_ctx;
    enum agent_end end;
    struct err why;
    struct err store_trouble; /* the last that was told */
    int64_t started_ms;
    int64_t ended_ms;
};

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

    engine_offer(a->engine, batch);
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

static void on_input_log(void *ctx, const struct err *what)
{
    struct agent *a = ctx;

    log_err(a->plan.log, what->code == ERR_NONE ? LOG_INFO : LOG_WARN, what);
}

/* --- the tick --- */

static bool inputs_are_finished(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_inputs; i++)
        if (!a->plan.inputs[i].ops->is_finished(a->inputs[i]))
            return false;
    return true;
}

static bool is_all_settled(const struct agent *a)
{
    return a->tracker.n_chunks == 0 && lanes_pending(a->lanes) == 0 && engine_is_idle(a->engine);
}

static void finish(struct agent *a, enum agent_end end)
{
    a->end = end;
    ev_break(a->loop, EVBREAK_ALL);
}

static int64_t sooner(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* A store that cannot be written stops nothing but the positions: told once each time it changes.
 */
static void watch_store(struct agent *a)
{
    const struct err *now;

    if (!a->checkpoints)
        return;
    now = checkpoints_trouble(a->checkpoints);
    if (now->code != ERR_NONE && strcmp(now->what, a->store_trouble.what) != 0) {
        struct err told = *now;

        strncat(told.what,
                "; positions are not saved until this is mended: a restart now would "
                "send again what was sent since",
                sizeof told.what - strlen(told.what) - 1);
        log_err(a->plan.log, LOG_ERROR, &told);
    }
    a->store_trouble = *now;
}

/* The lines of a chunk are counted when its worker is done with it, what was made of them when it
 * is delivered: for the sums to agree, chunks in work are waited for, and nothing else. */
static bool is_cut_short(const struct agent *a)
{
    return a->stopping == STOP_NOW && a->tracker.n_reading == 0;
}

static void judge_end(struct agent *a, int64_t now_ms)
{
    enum engine_state state = engine_state(a->engine, &a->why);
    /* An input that follows never finishes; standard input does, and a service of nothing else ends
     * with it. */
    bool has_read_all = inputs_are_finished(a) || (!a->plan.is_replay && a->stopping != STOP_NO);

    if (state == ENGINE_CLOSED)
        finish(a, AGENT_CLOSED);
    else if (state == ENGINE_GAVE_UP)
        finish(a, AGENT_GAVE_UP);
    else if (has_read_all && is_all_settled(a))
        finish(a, a->wants_reload ? AGENT_RELOAD : AGENT_DONE);
    else if (a->stopping != STOP_NO && (now_ms >= a->stop_by_ms || is_cut_short(a)))
        finish(a, a->wants_reload ? AGENT_RELOAD : AGENT_UNSETTLED);
}

static int64_t tick_all(struct agent *a, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    bool flush = a->stopping != STOP_NO;

    if (a->stopping == STOP_NO)
        for (size_t i = 0; i < a->plan.n_inputs; i++)
            next = sooner(next, a->plan.inputs[i].ops->tick(a->inputs[i], now_ms));
    else
        next = a->stop_by_ms;
    /* Nothing is being read, or reading waits for room that only open batches hold: they must not
     * wait for their linger. */
    flush |= inputs_are_finished(a) || (a->plan.is_replay && a->tracker.n_reading == 0) ||
             budget_held(&a->budget) > a->budget.limit_bytes / 2;
    next = sooner(next, lanes_tick(a->lanes, now_ms, flush));
    next = sooner(next, engine_tick(a->engine, now_ms));
    if (a->checkpoints)
        next = sooner(next, checkpoints_tick(a->checkpoints, now_ms));
    watch_store(a);
    judge_end(a, now_ms);
    return next;
}

static void on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)w;
    (void)revents; /* on_tick, which comes next, does the work */
}

static void on_tick(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct agent *a = w->data;
    int64_t now_ms = clock_mono_ms(&clock_real);
    int64_t next = tick_all(a, now_ms);

    (void)revents;
    ev_timer_stop(loop, &a->due);
    if (next == INT64_MAX)
        return;
    ev_timer_set(&a->due, next > now_ms ? (double)(next - now_ms) / 1000 : 0, 0);
    ev_timer_start(loop, &a->due);
}

/* --- being told to stop --- */

static void stop(struct agent *a, enum stopping how)
{
    if (a->stopping == STOP_NO)
        for (size_t i = 0; i < a->plan.n_inputs; i++)
            a->plan.inputs[i].ops->stop(a->inputs[i]);
    a->stop_by_ms =
        clock_mono_ms(&clock_real) + (how == STOP_NOW ? STOP_NOW_MS : a->plan.global->drain_ms);
    a->stopping = how;
}

static void on_stop_signal(struct agent *a)
{
    a->wants_reload = false;
    if (a->stopping != STOP_NO || a->plan.is_replay) {
        stop(a, STOP_NOW);
        return;
    }
    log_line(a->plan.log, LOG_INFO, "stopping: delivering what is under way, at most %.1f s",
             (double)a->plan.global->drain_ms / 1000);
    stop(a, STOP_DRAIN);
}

static void on_reload_signal(struct agent *a)
{
    bool is_stopping = a->stopping != STOP_NO;

    /* One that comes while the last is still being carried out changes only what comes next. */
    if ((is_stopping && !a->wants_reload) || !a->on_reload || !a->on_reload(a->reload_ctx) ||
        is_stopping)
        return;
    a->wants_reload = true;
    stop(a, STOP_DRAIN);
}

static void on_signal(void *ctx, int number)
{
    struct agent *a = ctx;

    if (number == SIGHUP)
        on_reload_signal(a);
    else
        on_stop_signal(a);
}

void agent_on_reload(struct agent *a, agent_reload_fn *fn, void *ctx)
{
    a->on_reload = fn;
    a->reload_ctx = ctx;
}

/* --- opening --- */

static void start_watchers(struct agent *a)
{
    ev_async_init(&a->wake, on_wake);
    ev_prepare_init(&a->tick, on_tick);
    ev_timer_init(&a->due, on_due, 0, 0);
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
        .log = on_input_log,
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
    if (open_inputs(a, e) < 0)
        return -1;
    /* Last: until then Ctrl-C ends us, however long opening takes. */
    return signals_start(&a->signals, a->loop, !a->plan.is_replay, on_signal, a, e);
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

/* What is legal but dangerous, once at the start: a service's owner may never run `ship check`. */
static void tell_dangers(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.n_outputs; i++) {
        const struct output_config *o = &a->plan.outputs[i];
        struct buffer lines = {0};
        struct slice rest;
        struct slice line;

        if (o->ops->warn)
            o->ops->warn(o->options, &lines);
        rest = buffer_slice(&lines);
        while (rest.len && slice_cut(&rest, '\n', &line))
            log_line(a->plan.log, LOG_WARN, "output %s: %.*s", o->common.name, SLICE_ARG(line));
        buffer_free(&lines);
    }
}

enum agent_end agent_run(struct agent *a, struct err *e)
{
    tell_dangers(a);
    if (a->plan.shows_progress)
        progress_start(&a->progress, a->loop, a);
    ev_run(a->loop, 0);
    if (a->plan.shows_progress)
        progress_stop(&a->progress);
    a->ended_ms = clock_mono_ms(&clock_real);
    if (e)
        *e = a->why;
    return a->end;
}

void agent_totals(const struct agent *a, struct agent_totals *out)
{
    int64_t until = a->ended_ms ? a->ended_ms : clock_mono_ms(&clock_real);

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < a->plan.n_inputs; i++) {
        const struct input_stats *in = a->plan.inputs[i].ops->stats(a->inputs[i]);

        out->bytes += in->bytes;
        out->lines += in->lines;
        out->events += in->events;
        out->truncated += in->truncated;
        out->errors += in->errors;
        out->total_bytes += in->total_bytes;
    }
    for (size_t i = 0; i < a->plan.n_outputs; i++) {
        const struct output_stats *o = engine_stats(a->engine, i);

        out->delivered += o->delivered;
        out->duplicates += o->duplicates;
        out->dead += o->dead;
    }
    out->seconds = (double)(until - a->started_ms) / 1000;
    out->dead_path = dead_letters_path(a->dead_letters);
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
    dead_letters_free(a->dead_letters);
    transport_curl_free(a->transport);
    if (a->loop) {
        stop_watchers(a);
        ev_loop_destroy(a->loop);
    }
    own_files_fini(&a->own_files);
    free(a->inputs);
    free(a->sinks);
    free(a->engine_outputs);
    free(a);
    return rc;
}
