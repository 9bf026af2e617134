#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_ship.h"
#include "tests/sim/sim_vfs.h"
#include "tests/support/failing_malloc.h"

/* --- the world, as ship sees it -------------------------------------------------------------- */

static int64_t sim_mono(void *ctx)
{
    return ((struct sim_ship *)ctx)->now_ms;
}

static int64_t sim_wall(void *ctx)
{
    return INT64_C(1767225600000000000) + ((struct sim_ship *)ctx)->now_ms * 1000000;
}

static void on_wake(void *ctx)
{
    (void)ctx; /* pools are reaped in every round */
}

static void on_log(void *ctx, const struct err *what)
{
    struct sim_ship *s = ctx;

    if (s->on_log)
        s->on_log(s->log_ctx, what);
}

static void violate(struct sim_ship *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void violate(struct sim_ship *s, const char *format, ...)
{
    va_list args;

    if (s->violation[0])
        return;
    va_start(args, format);
    vsnprintf(s->violation, sizeof s->violation, format, args);
    va_end(args);
}

static void on_batch(void *ctx, struct batch *b)
{
    struct sim_ship *s = ctx;

    intake_offer(s->intakes[b->output], b);
}

static void on_moved(void *ctx, struct stream *stream, uint64_t position, struct slice state)
{
    struct sim_ship *s = ctx;
    char path[256];

    if (stream->is_stand_in) {
        intake_settled(stream);
        return;
    }
    if (!stream->key)
        return;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(stream->profile.path));
    checkpoints_put(s->checkpoints, &(struct checkpoint){.key = stream->key,
                                                         .path = path,
                                                         .position = position,
                                                         .head_hash = stream->head_hash,
                                                         .seen_s = sim_wall(s) / 1000000000,
                                                         .state = state});
}

static bool doubles(const struct sim_ship *s)
{
    return s->common.id_mode == ID_NONE;
}

/* --- opening --------------------------------------------------------------------------------- */

static bool open_outputs(struct sim_ship *s, struct err *e)
{
    struct lane_options lanes[SIM_OUTPUTS_MAX];

    for (size_t i = 0; i < s->n_outputs; i++) {
        struct sim_server *server = &s->servers[s->outputs[i].server];
        struct sink_world world = {&s->clock, &server->transport, NULL, random_next, s->random};

        sim_server_meet(server);
        s->sinks[i] = output_elasticsearch.open(&s->es_options, &world, e);
        if (!s->sinks[i])
            return false;
        s->engine_outputs[i] =
            (struct engine_output){&output_elasticsearch, s->sinks[i], "es", doubles(s)};
        lanes[i] = (struct lane_options){&output_elasticsearch, &s->es_options, s->limits, NULL};
    }
    s->lanes = lanes_new(lanes, s->n_outputs, s->pool, &s->budget, &s->clock, on_batch, s, e);
    return s->lanes;
}

static bool open_engine(struct sim_ship *s, struct err *e)
{
    s->dead = dead_letters_new(SIM_DEAD, s->writer, e);
    if (!s->dead)
        return false;
    dead_letters_on(s->dead, &s->own.disk, &s->clock);
    dead_letters_rotate_at(s->dead, s->letters_rotate_bytes);
    s->checkpoints = checkpoints_open(s->state, s->writer, e);
    if (!s->checkpoints)
        return false;
    s->engine = engine_new(
        &(struct engine_options){.outputs = s->engine_outputs,
                                 .n_outputs = s->n_outputs,
                                 .retry = {.initial_ms = 500, .max_ms = 20000, .hold_ms = 20000},
                                 .pool = s->pool,
                                 .tracker = &s->tracker,
                                 .dead_letters = s->dead,
                                 .random = random_next,
                                 .random_ctx = s->random},
        e);
    return s->engine;
}

static bool open_queue(struct sim_ship *s, unsigned i, struct queue **out, struct err *e)
{
    unsigned id = s->outputs[i].id;
    char directory[64];

    *out = NULL;
    if (!s->intake_options[id].queue_bytes)
        return true;
    snprintf(directory, sizeof directory, "/state/%u" SIM_QUEUES, id);
    *out = queue_open(&(struct queue_options){.directory = directory,
                                              .output_type = "elasticsearch",
                                              .max_bytes = s->intake_options[id].queue_bytes,
                                              .disk = &s->own.disk,
                                              .writer = s->writer,
                                              .budget = &s->budget,
                                              .output = i},
                      on_log, s, e);
    return *out;
}

static bool open_intakes(struct sim_ship *s, struct err *e)
{
    for (unsigned i = 0; i < s->n_outputs; i++) {
        const struct sim_intake *intake = &s->intake_options[s->outputs[i].id];
        struct intake_options options = {
            .output = i,
            .name = "es",
            .on_full = intake->on_full,
            .memory_bytes = intake->memory_bytes,
            .doubles = doubles(s),
            .budget = &s->budget,
            .tracker = &s->tracker,
            .engine = s->engine,
            .log = on_log,
            .log_ctx = s,
        };

        if (!open_queue(s, i, &options.queue, e))
            return false;
        s->intakes[i] = intake_new(&options, e);
        if (!s->intakes[i]) {
            queue_close(options.queue, NULL);
            return false;
        }
        s->n_found[i] = intake_stats(s->intakes[i])->events_in;
    }
    return true;
}

static bool open_input(struct sim_ship *s, struct err *e)
{
    s->input_world = (struct input_world){
        .clock = &s->clock,
        .files = &s->disk.files,
        .pool = s->pool,
        .lanes = s->lanes,
        .budget = &s->budget,
        .tracker = &s->tracker,
        .checkpoints = s->checkpoints,
        .host = "h",
        .log = on_log,
        .log_ctx = s,
    };
    s->file_options.paths = (struct option_list){&s->pattern, 1};
    s->input = input_file.open(&s->file_options, &s->common, &s->parser, &s->input_world, e);
    return s->input;
}

/* limits.memory is asked before a chunk is read, and what comes of the chunk is counted as it is
 * (budget.h): its events in each encoding, in a batch that has the room of another one already
 * (twice max_bytes at most), for each of the chunks that may be read at a time. */
static int64_t most_bytes(const struct sim_ship *s)
{
    enum { AT_ONCE = 2, GROWTH = 16, LINE_ROOM = 8192 };
    int64_t of_chunk = GROWTH * (int64_t)s->common.chunk_bytes + LINE_ROOM;
    int64_t most = s->budget.limit_bytes +
                   AT_ONCE * (int64_t)s->n_outputs * (of_chunk + 2 * s->limits.max_bytes);

    for (size_t i = 0; i < s->n_outputs; i++)
        if (s->intake_options[s->outputs[i].id].queue_bytes)
            most += 2 * SIM_BATCH_MAX; /* one may always be on its way out of a queue (intake.h) */
    return most;
}

static void check_memory(struct sim_ship *s)
{
    int64_t peak = atomic_load(&s->budget.peak_bytes);

    if (!s->is_starved && peak > most_bytes(s))
        violate(s, "%lld bytes of events were held, limits.memory is %lld", (long long)peak,
                (long long)s->budget.limit_bytes);
}

void sim_ship_starve(struct sim_ship *s, bool is_starved)
{
    if (!s->is_up || s->is_starved == is_starved)
        return;
    check_memory(s);
    budget_add(&s->budget, is_starved ? s->budget.limit_bytes : -s->budget.limit_bytes);
    atomic_store(&s->budget.peak_bytes, budget_held(&s->budget));
    s->is_starved = is_starved;
}

/* In the order of who uses whom, as the agent does. */
static void close_all(struct sim_ship *s)
{
    check_memory(s);
    for (size_t i = 0; i < s->n_outputs; i++)
        output_elasticsearch.close(s->sinks[i]);
    pool_free(s->pool);
    pool_free(s->writer);
    checkpoints_close(s->checkpoints, NULL);
    if (s->input)
        input_file.close(s->input);
    lanes_free(s->lanes);
    engine_free(s->engine);
    dead_letters_free(s->dead);
    for (size_t i = 0; i < s->n_outputs; i++)
        if (s->intakes[i])
            intake_free(s->intakes[i], NULL);
    if (s->disk.n_open)
        violate(s, "%d descriptors stayed open", s->disk.n_open);
    if (s->own.n_open)
        violate(s, "%u files of its own stayed open", s->own.n_open);
    memset(s->sinks, 0, sizeof s->sinks);
    memset(s->intakes, 0, sizeof s->intakes);
    s->pool = s->writer = NULL;
    s->checkpoints = NULL;
    s->input = NULL;
    s->lanes = NULL;
    s->engine = NULL;
    s->dead = NULL;
    s->is_up = false;
}

bool sim_ship_open(struct sim_ship *s)
{
    struct err e = {0};

    s->clock = (struct clock){sim_mono, sim_wall, s};
    s->ending = (struct ending){0};
    s->is_starved = false;
    s->is_engine_free = true;
    s->kill_in = 0;
    budget_init(&s->budget, s->memory_bytes);
    tracker_init(&s->tracker, on_moved, s);
    s->pool = pool_new(0, on_wake, s, &e);
    s->writer = pool_new(0, on_wake, s, &e);
    if (open_outputs(s, &e) && open_engine(s, &e) && open_input(s, &e) && open_intakes(s, &e)) {
        s->is_up = true;
        return true;
    }
    err_text(&e, s->error, sizeof s->error);
    close_all(s);
    return false;
}

/* --- running --------------------------------------------------------------------------------- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* False: it is killed here. */
static bool goes_on(struct sim_ship *s)
{
    if (s->kill_in && --s->kill_in == 0)
        sim_vfs_die();
    return !sim_vfs_is_dead();
}

static bool step_servers(struct sim_ship *s)
{
    bool is_busy = false;

    for (size_t i = 0; i < s->n_servers; i++)
        while ((!s->is_up || goes_on(s)) && sim_server_step(&s->servers[i], s->now_ms))
            is_busy = true;
    return is_busy;
}

static unsigned n_requests(const struct sim_ship *s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s->n_servers; i++)
        n += s->servers[i].n_requests;
    return n;
}

static uint64_t in_flight(const struct sim_ship *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->n_outputs; i++)
        n += engine_stats(s->engine, i)->in_flight_events;
    return n;
}

static struct parts parts_of(struct sim_ship *s)
{
    return (struct parts){&s->budget, &s->tracker, s->lanes, s->engine, s->intakes, s->n_outputs};
}

static int64_t tick_intakes(struct sim_ship *s, const struct parts *parts)
{
    uint64_t n = in_flight(s);
    int64_t next = parts_tick_intakes(parts, s->now_ms);

    s->is_engine_free |= in_flight(s) != n;
    return next;
}

/* It may only do something when it said that it would, or when something came in since: in a ship
 * where nothing else happens it would not be woken. */
static int64_t tick_engine(struct sim_ship *s)
{
    int64_t due_ms = s->engine_due_ms;
    bool may_act = s->is_engine_free || s->now_ms >= due_ms;
    unsigned n = n_requests(s);

    s->engine_due_ms = engine_tick(s->engine, s->now_ms);
    if (!may_act && n_requests(s) != n)
        violate(s, "a lost wake-up: a request goes out, and the engine asked to be called %s",
                due_ms == INT64_MAX ? "never" : "later");
    s->is_engine_free = false;
    return s->engine_due_ms;
}

/* What comes in from outside. False: killed. */
static bool take_in(struct sim_ship *s, bool *is_busy)
{
    bool has_news = step_servers(s);

    if (!goes_on(s))
        return false;
    has_news |= pool_reap(s->pool) > 0;
    if (!goes_on(s))
        return false;
    has_news |= pool_reap(s->writer) > 0;
    s->is_engine_free |= has_news;
    *is_busy |= has_news;
    return goes_on(s);
}

/* One round of the loop: everything once, and what came of it until nothing more does. *due: when
 * the next round is wanted. False: killed in it. */
static bool turn(struct sim_ship *s, int64_t *due)
{
    const struct parts parts = parts_of(s);
    bool is_stopping = s->ending.how != STOP_NO;
    bool is_busy = true;

    while (is_busy) {
        uint64_t n;

        is_busy = false;
        *due = INT64_MAX;
        if (!take_in(s, &is_busy))
            return false;
        if (is_stopping)
            *due = sooner(*due, ending_due_ms(&s->ending, s->now_ms));
        else
            *due = sooner(*due, input_file.tick(s->input, s->now_ms));
        if (!goes_on(s))
            return false;
        n = in_flight(s);
        *due =
            sooner(*due, lanes_tick(s->lanes, s->now_ms, parts_is_flush_due(&parts, is_stopping)));
        *due = sooner(*due, tick_intakes(s, &parts));
        s->is_engine_free |= in_flight(s) != n;
        *due = sooner(*due, tick_engine(s));
        if (!goes_on(s))
            return false;
        *due = sooner(*due, checkpoints_tick(s->checkpoints, s->now_ms));
        is_busy |= pool_waiting(s->pool) + pool_waiting(s->writer) > 0;
    }
    return goes_on(s);
}

bool sim_ship_run(struct sim_ship *s, int64_t ms)
{
    int64_t until = s->now_ms + ms;

    for (;;) {
        int64_t due = INT64_MAX;

        s->disk.now_ns = sim_wall(s);
        if (s->is_up && !turn(s, &due)) {
            sim_ship_kill(s);
            s->now_ms = until;
            return false;
        }
        if (!s->is_up)
            step_servers(s);
        for (size_t i = 0; i < s->n_servers; i++)
            due = sooner(due, sim_server_due_ms(&s->servers[i]));
        if (due <= s->now_ms)
            due = s->now_ms + 1; /* the clock moves on between two rounds */
        if (due > until || s->now_ms == until) {
            s->now_ms = until;
            s->disk.now_ns = sim_wall(s);
            return true;
        }
        s->now_ms = due;
    }
}

void sim_ship_kill(struct sim_ship *s)
{
    if (!s->is_up)
        return;
    sim_vfs_die();
    close_all(s);
}

static struct ending_facts look(struct sim_ship *s)
{
    const struct parts parts = parts_of(s);
    struct ending_facts f = {.inputs_are_finished = true}; /* as if: then it says all */

    parts_look(&parts, &s->ending, s->now_ms, &f, NULL);
    f.inputs_are_finished = false;
    return f;
}

bool sim_ship_is_idle(struct sim_ship *s)
{
    return look(s).is_all_settled;
}

const char *sim_ship_what_is_left(const struct sim_ship *s)
{
    static char text[256];
    size_t len = (size_t)snprintf(text, sizeof text, "%llu chunks, %zu open batches",
                                  (unsigned long long)s->tracker.n_chunks, lanes_pending(s->lanes));

    for (size_t i = 0; i < s->n_outputs; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "; output %zu: %llu events in flight, %llu in its queue", i,
                                (unsigned long long)engine_stats(s->engine, i)->in_flight_events,
                                (unsigned long long)intake_stats(s->intakes[i])->queued_events);
    return text;
}

/* --- being told to end ----------------------------------------------------------------------- */

static bool is_over(struct sim_ship *s)
{
    const struct ending_facts facts = look(s);

    return ending_decide(&s->ending, &facts, s->now_ms) != ENDING_NOT_YET;
}

void sim_ship_stop(struct sim_ship *s, enum stopping how, int64_t drain_ms)
{
    if (!s->is_up)
        return;
    if (how == STOP_DRAIN)
        engine_try_now(s->engine);
    input_file.stop(s->input);
    for (size_t i = 0; i < s->n_outputs; i++)
        intake_stop(s->intakes[i]);
    ending_begin(&s->ending, how, drain_ms, s->now_ms);
    s->is_engine_free = true;
    do
        if (!sim_ship_run(s, 20))
            return;
    while (!is_over(s));
    if (sim_ship_is_idle(s))
        sim_ship_check_sums(s);
    close_all(s);
}

void sim_ship_check_sums(struct sim_ship *s)
{
    uint64_t events = input_file.stats(s->input)->events;

    for (size_t i = 0; i < s->n_outputs; i++) {
        const struct output_stats *o = engine_stats(s->engine, i);
        const struct sim_server *server = &s->servers[s->outputs[i].server];
        uint64_t dropped = intake_stats(s->intakes[i])->dropped;

        if (o->delivered + o->duplicates + o->dead + dropped != events + s->n_found[i] ||
            o->in_flight_events != 0)
            violate(s,
                    "the sums: %llu events read, %llu found in the queue; %llu delivered, %llu "
                    "duplicates, %llu dead, "
                    "%llu dropped, %llu in flight",
                    (unsigned long long)events, (unsigned long long)s->n_found[i],
                    (unsigned long long)o->delivered, (unsigned long long)o->duplicates,
                    (unsigned long long)o->dead, (unsigned long long)dropped,
                    (unsigned long long)o->in_flight_events);
        if (o->delivered != server->n_told_created || o->duplicates != server->n_told_duplicates)
            violate(s,
                    "the sums: the server told of %llu created and %llu duplicates, ship counts "
                    "%llu and %llu",
                    (unsigned long long)server->n_told_created,
                    (unsigned long long)server->n_told_duplicates, (unsigned long long)o->delivered,
                    (unsigned long long)o->duplicates);
    }
    if (budget_held(&s->budget) != 0)
        violate(s, "%lld bytes of the budget stayed taken", (long long)budget_held(&s->budget));
}
