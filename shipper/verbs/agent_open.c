/* How the agent's parts are wired together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outputs/transport.h"
#include "shipper/base/files.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/intake.h"
#include "shipper/observe/log.h"
#include "shipper/pipeline/line.h"
#include "shipper/verbs/agent_inside.h"
#include "shipper/verbs/overlap.h"
#include "shipper/verbs/own_files.h"
#include "shipper/verbs/queues.h"
#include "shipper/verbs/state.h"

enum { DESCRIPTORS_RESERVED = 32, DESCRIPTORS_LEAST = 16, DESCRIPTORS_MAX = 1 << 20 };

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
    for (size_t i = 0; a->queue_writers && i < a->plan.n_outputs; i++)
        if (a->queue_writers[i])
            pool_reap(a->queue_writers[i]);
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

    if (s->is_stand_in) {
        intake_settled(s); /* may free it */
        return;
    }
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

/* The tick begins when it is at work. */
static void init_watchers(struct agent *a)
{
    ev_async_init(&a->wake, on_wake);
    ev_prepare_init(&a->tick, agent_on_tick);
    ev_timer_init(&a->due, agent_on_due, 0, 0);
    a->wake.data = a->tick.data = a->due.data = a;
    ev_async_start(a->loop, &a->wake);
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

static bool has_events_without_id(const struct agent_plan *plan)
{
    for (size_t i = 0; i < plan->n_inputs; i++)
        if (plan->inputs[i].common.id_mode == ID_NONE)
            return true;
    return false;
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
            o->ops, a->sinks[i], o->common.name ? o->common.name : o->ops->name,
            o->ops->doubles || has_events_without_id(&a->plan)};
        lanes[i] = (struct lane_options){o->ops, o->options, o->common.batch, o->common.identity};
    }
    a->lanes = lanes_new(lanes, n, a->pool, &a->budget, &clock_real, on_batch_ready, a, e);
    return a->lanes ? 0 : -1;
}

static int open_dead_letters(struct agent *a, struct err *e)
{
    char *dead = state_dead_letters(a->plan.global->dead_letters, a->state);

    if (!dead)
        return err_set(e, ERR_NOMEM, "out of memory");
    a->dead_letters = dead_letters_new(dead, a->writer, e);
    free(dead);
    if (!a->dead_letters)
        return -1;
    dead_letters_rotate_at(a->dead_letters, a->plan.global->dead_letters_rotate_bytes);
    return 0;
}

/* One that was not there cannot be the other's. */
static bool is_same_directory(const char *one, const char *other)
{
    struct stat a;
    struct stat b;

    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static bool has_open(const struct agent *other, const char *state)
{
    return other && other->checkpoints && is_same_directory(other->state, state);
}

/* Its lock is ours as soon as no other agent has it. */
static int open_checkpoints(struct agent *a, const struct agent *const others[], struct err *e)
{
    if (a->plan.is_replay || a->checkpoints)
        return 0;
    for (size_t i = 0; others && i < AGENT_OTHERS; i++)
        if (has_open(others[i], a->state))
            return 0;
    a->checkpoints = checkpoints_open(a->state, a->writer, e);
    return a->checkpoints ? 0 : -1;
}

/* What holds (credentials, a read-only index) is tried again so often, however long retry.max is.
 */
enum { HOLD_MAX_MS = 20000 };

static int open_engine(struct agent *a, struct err *e)
{
    const struct global_options *g = a->plan.global;
    struct engine_options options = {
        .outputs = a->engine_outputs,
        .n_outputs = a->plan.n_outputs,
        .retry = {.initial_ms = g->retry_initial_ms,
                  .max_ms = g->retry_max_ms,
                  .hold_ms = g->retry_max_ms < HOLD_MAX_MS ? g->retry_max_ms : HOLD_MAX_MS},
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

/* With a thread of its own: a disk that hangs holds up neither the other outputs nor positions. */
static int open_queue(struct agent *a, size_t i, struct queue **out, struct err *e)
{
    struct queue_world world = {NULL, &a->budget, on_part_log, a};

    if (!queues_has(&a->plan, i))
        return 0;
    world.writer = a->queue_writers[i] = pool_new(1, on_pool_wake, a, e);
    return world.writer ? queues_open(&a->plan, i, &world, out, e) : -1;
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
        .doubles = a->engine_outputs[i].doubles,
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
    if (open_queue(a, i, &options.queue, e) < 0)
        return -1;
    a->intakes[i] = intake_new(&options, e);
    if (!a->intakes[i])
        queue_close(options.queue, NULL);
    return a->intakes[i] ? 0 : -1;
}

static int open_intakes(struct agent *a, struct err *e)
{
    a->intakes = calloc(a->plan.n_outputs, sizeof(struct intake *));
    a->queue_writers = calloc(a->plan.n_outputs, sizeof(struct pool *));
    if (!a->intakes || !a->queue_writers)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < a->plan.n_outputs; i++)
        if (open_intake(a, i, e) < 0)
            return -1;
    return 0;
}

/* What is not for the store, connections, directories and the like, shared by the inputs. */
static unsigned descriptors_for_each(size_t n_inputs)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    rlim_t left;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > DESCRIPTORS_MAX)
        limit.rlim_cur = DESCRIPTORS_MAX;
    left = limit.rlim_cur > DESCRIPTORS_RESERVED ? limit.rlim_cur - DESCRIPTORS_RESERVED : 0;
    left /= n_inputs ? n_inputs : 1;
    return left > DESCRIPTORS_LEAST ? (unsigned)left : DESCRIPTORS_LEAST;
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
        .handover = &a->handover,
        .n_descriptors = descriptors_for_each(a->plan.n_inputs),
        .log = on_part_log,
        .log_ctx = a,
    };
    if (!a->plan.is_replay && overlap_check(a->plan.inputs, a->plan.n_inputs, e) < 0)
        return -1;
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

/* All of it but what agent_open_exclusive opens. */
static int open_all(struct agent *a, const struct agent *const others[], struct err *e)
{
    a->owns_loop = !a->plan.loop;
    a->loop = a->owns_loop ? ev_default_loop(EVFLAG_AUTO) : a->plan.loop;
    if (!a->loop)
        return err_set(e, ERR_NOMEM, "the event loop cannot be started");
    random_init(&a->random);
    find_host(a);
    init_watchers(a);
    budget_init(&a->budget, a->plan.global->memory_bytes);
    tracker_init(&a->tracker, on_moved, a);
    a->state = state_directory(a->plan.global->state, a->plan.is_replay);
    a->is_paused = calloc(a->plan.n_inputs + 1, sizeof *a->is_paused);
    if (!a->state || !a->is_paused)
        return err_set(e, ERR_NOMEM, "out of memory");
    a->pool = pool_new(worker_count(a->plan.global), on_pool_wake, a, e);
    a->writer = a->pool ? pool_new(1, on_pool_wake, a, e) : NULL;
    if (!a->writer)
        return -1;
    a->transport = transport_curl_new(a->loop, e);
    if (!a->transport)
        return -1;
    if (open_outputs(a, e) < 0 || open_dead_letters(a, e) < 0 || open_engine(a, e) < 0)
        return -1;
    return open_checkpoints(a, others, e);
}

int agent_open_exclusive(struct agent *a, struct err *e)
{
    /* The queues after all that can fail: a start that comes to nothing leaves them as they are. */
    if (open_checkpoints(a, NULL, e) < 0 || open_inputs(a, e) < 0 || open_intakes(a, e) < 0)
        return -1;
    ev_prepare_start(a->loop, &a->tick);
    /* Last: until then Ctrl-C ends us, however long opening takes. */
    return signals_start(&a->signals, a->loop, a->plan.on_hangup, agent_on_signal, a, e);
}

struct agent *agent_prepare(const struct agent_plan *plan,
                            const struct agent *const others[AGENT_OTHERS], struct err *e)
{
    struct agent *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->plan = *plan;
    a->started_ms = clock_mono_ms(&clock_real);
    if (open_all(a, others, e) == 0)
        return a;
    agent_free(a, NULL);
    return NULL;
}

struct agent *agent_new(const struct agent_plan *plan, struct err *e)
{
    struct agent *a = agent_prepare(plan, NULL, e);

    if (!a || agent_open_exclusive(a, e) == 0)
        return a;
    agent_free(a, NULL);
    return NULL;
}
