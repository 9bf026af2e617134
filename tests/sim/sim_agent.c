#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_ship.h"

/* --- the world, as ship sees it -------------------------------------------------------------- */

static int64_t sim_mono(void *ctx)
{
    return ((struct sim_agent *)ctx)->ship->now_ms;
}

static int64_t sim_wall(void *ctx)
{
    return sim_ship_wall_ns(((struct sim_agent *)ctx)->ship);
}

static void on_wake(void *ctx)
{
    (void)ctx; /* pools are reaped in every round */
}

static void on_log(void *ctx, const struct err *what)
{
    struct sim_ship *s = ((struct sim_agent *)ctx)->ship;

    if (s->on_log)
        s->on_log(s->log_ctx, what);
}

static void on_batch(void *ctx, struct batch *b)
{
    struct sim_agent *a = ctx;

    intake_offer(a->intakes[b->output], b);
}

static void on_moved(void *ctx, struct stream *stream, uint64_t position, struct slice state)
{
    struct sim_agent *a = ctx;
    char path[256];

    if (stream->is_stand_in) {
        intake_settled(stream);
        return;
    }
    if (!stream->key)
        return;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(stream->profile.path));
    checkpoints_put(a->checkpoints, &(struct checkpoint){.key = stream->key,
                                                         .path = path,
                                                         .position = position,
                                                         .head_hash = stream->head_hash,
                                                         .seen_s = sim_wall(a) / 1000000000,
                                                         .state = state});
}

static bool doubles(const struct sim_agent *a)
{
    return a->config.common.id_mode == ID_NONE;
}

static struct sim_server *server_of(const struct sim_agent *a, size_t output)
{
    return &a->ship->servers[a->config.outputs[output].server];
}

/* --- opening --------------------------------------------------------------------------------- */

static bool open_outputs(struct sim_agent *a, struct err *e)
{
    struct lane_options lanes[SIM_OUTPUTS_MAX];

    for (size_t i = 0; i < a->config.n_outputs; i++) {
        struct sink_world world = {&a->clock, &server_of(a, i)->transport, NULL, random_next,
                                   a->ship->random};

        snprintf(a->identities[i], sizeof a->identities[i], "es %u", a->config.outputs[i].id);
        a->sinks[i] = output_elasticsearch.open(&a->config.es_options, &world, e);
        if (!a->sinks[i])
            return false;
        a->engine_outputs[i] =
            (struct engine_output){&output_elasticsearch, a->sinks[i], "es", doubles(a)};
        lanes[i] = (struct lane_options){&output_elasticsearch, &a->config.es_options,
                                         a->config.limits, a->identities[i]};
    }
    a->lanes =
        lanes_new(lanes, a->config.n_outputs, a->pool, &a->budget, &a->clock, on_batch, a, e);
    return a->lanes;
}

static bool open_dead_letters(struct sim_agent *a, struct err *e)
{
    a->dead = dead_letters_new(SIM_DEAD, a->writer, e);
    if (!a->dead)
        return false;
    dead_letters_on(a->dead, &a->ship->own.disk, &a->clock);
    dead_letters_rotate_at(a->dead, a->config.letters_rotate_bytes);
    return true;
}

static bool open_engine(struct sim_agent *a, struct err *e)
{
    a->engine = engine_new(
        &(struct engine_options){.outputs = a->engine_outputs,
                                 .n_outputs = a->config.n_outputs,
                                 .retry = {.initial_ms = 500, .max_ms = 20000, .hold_ms = 20000},
                                 .pool = a->pool,
                                 .tracker = &a->tracker,
                                 .dead_letters = a->dead,
                                 .random = random_next,
                                 .random_ctx = a->ship->random},
        e);
    return a->engine;
}

static bool open_queue(struct sim_agent *a, unsigned i, struct queue **out, struct err *e)
{
    unsigned id = a->config.outputs[i].id;
    char directory[64];

    *out = NULL;
    if (!a->config.intake_options[id].queue_bytes)
        return true;
    snprintf(directory, sizeof directory, "/state/%u" SIM_QUEUES, id);
    *out = queue_open(&(struct queue_options){.directory = directory,
                                              .output_type = "elasticsearch",
                                              .max_bytes = a->config.intake_options[id].queue_bytes,
                                              .disk = &a->ship->own.disk,
                                              .writer = a->writer,
                                              .budget = &a->budget,
                                              .output = i},
                      on_log, a, e);
    return *out;
}

static bool open_intakes(struct sim_agent *a, struct err *e)
{
    for (unsigned i = 0; i < a->config.n_outputs; i++) {
        const struct sim_intake *intake = &a->config.intake_options[a->config.outputs[i].id];
        struct intake_options options = {
            .output = i,
            .name = "es",
            .on_full = intake->on_full,
            .memory_bytes = intake->memory_bytes,
            .doubles = doubles(a),
            .budget = &a->budget,
            .tracker = &a->tracker,
            .engine = a->engine,
            .log = on_log,
            .log_ctx = a,
        };

        if (!open_queue(a, i, &options.queue, e))
            return false;
        a->intakes[i] = intake_new(&options, e);
        if (!a->intakes[i]) {
            queue_close(options.queue, NULL);
            return false;
        }
        a->n_found[i] = intake_stats(a->intakes[i])->events_in;
    }
    return true;
}

static void on_had(void *ctx, const char *key, struct slice had)
{
    struct sim_agent *a = ctx;

    a->has_had |= key && had.len;
}

static bool open_input(struct sim_agent *a, struct err *e)
{
    a->input_world = (struct input_world){
        .clock = &a->clock,
        .files = &a->ship->disk.files,
        .pool = a->pool,
        .lanes = a->lanes,
        .budget = &a->budget,
        .tracker = &a->tracker,
        .checkpoints = a->checkpoints,
        .host = "h",
        .handover = &a->handover,
        .log = on_log,
        .log_ctx = a,
    };
    if (checkpoints_each_had(a->checkpoints, on_had, a, e) < 0)
        return false;
    a->config.file_options.paths = (struct option_list){&a->config.pattern, 1};
    a->input = input_file.open(&a->config.file_options, &a->config.common, &a->config.parser,
                               &a->input_world, e);
    return a->input;
}

/* limits.memory is asked before a chunk is read, and what comes of the chunk is counted as it is
 * (budget.h): its events in each encoding, in a batch that has the room of another one already
 * (twice max_bytes at most), for each of the chunks that may be read at a time. */
static int64_t most_bytes(const struct sim_agent *a)
{
    enum { AT_ONCE = 2, GROWTH = 16, LINE_ROOM = 8192 };
    int64_t of_chunk = GROWTH * (int64_t)a->config.common.chunk_bytes + LINE_ROOM;
    int64_t most = a->budget.limit_bytes + AT_ONCE * (int64_t)a->config.n_outputs *
                                               (of_chunk + 2 * a->config.limits.max_bytes);

    for (size_t i = 0; i < a->config.n_outputs; i++)
        if (a->config.intake_options[a->config.outputs[i].id].queue_bytes)
            most += 2 * SIM_BATCH_MAX; /* one may always be on its way out of a queue (intake.h) */
    return most;
}

static void check_memory(struct sim_agent *a)
{
    int64_t peak = atomic_load(&a->budget.peak_bytes);

    if (!a->is_starved && peak > most_bytes(a))
        sim_ship_violate(a->ship, "%lld bytes of events were held, limits.memory is %lld",
                         (long long)peak, (long long)a->budget.limit_bytes);
}

void sim_agent_starve(struct sim_agent *a, bool is_starved)
{
    if (a->is_starved == is_starved)
        return;
    check_memory(a);
    budget_add(&a->budget, is_starved ? a->budget.limit_bytes : -a->budget.limit_bytes);
    atomic_store(&a->budget.peak_bytes, budget_held(&a->budget));
    a->is_starved = is_starved;
}

/* --- its life -------------------------------------------------------------------------------- */

struct sim_agent *sim_agent_prepare(struct sim_ship *ship, const struct sim_config *config)
{
    struct sim_agent *a = calloc(1, sizeof *a);
    struct err e = {0};

    cr_assert_not_null(a);
    a->ship = ship;
    a->config = *config;
    a->clock = (struct clock){sim_mono, sim_wall, a};
    a->is_engine_free = true;
    budget_init(&a->budget, a->config.memory_bytes);
    tracker_init(&a->tracker, on_moved, a);
    a->pool = pool_new(0, on_wake, a, &e);
    a->writer = pool_new(0, on_wake, a, &e);
    cr_assert(open_outputs(a, &e) && open_dead_letters(a, &e) && open_engine(a, &e), "%s", e.what);
    return a;
}

bool sim_agent_open_exclusive(struct sim_agent *a, struct err *e)
{
    for (size_t i = 0; i < a->config.n_outputs; i++)
        sim_server_meet(server_of(a, i));
    a->checkpoints = checkpoints_open(a->ship->state, a->writer, e);
    /* The queues last: a start that comes to nothing leaves them as they are. */
    return a->checkpoints && open_input(a, e) && open_intakes(a, e);
}

/* What some outputs have had, and others not. */
static void note_had(struct sim_agent *a)
{
    if (!a->checkpoints || !a->input)
        return;
    checkpoints_forget_had(a->checkpoints);
    input_file.note_had(a->input);
}

/* In the order of who uses whom, as the agent does. `handover`: for the one that takes over; NULL:
 * none does. */
static void take_down(struct sim_agent *a, struct handover *handover)
{
    check_memory(a);
    for (size_t i = 0; i < a->config.n_outputs; i++)
        output_elasticsearch.close(a->sinks[i]);
    pool_free(a->pool);
    pool_free(a->writer);
    note_had(a);
    checkpoints_close(a->checkpoints, NULL);
    if (handover) {
        if (a->input)
            input_file.hand_over(a->input, handover);
        handover_move(&a->handover, handover);
    }
    if (a->input)
        input_file.close(a->input);
    handover_fini(&a->handover);
    lanes_free(a->lanes);
    engine_free(a->engine);
    dead_letters_free(a->dead);
    for (size_t i = 0; i < a->config.n_outputs; i++)
        if (a->intakes[i])
            intake_free(a->intakes[i], NULL);
    free(a);
}

void sim_agent_free(struct sim_agent *a)
{
    if (a)
        take_down(a, NULL);
}

bool sim_agent_take_over(struct sim_agent *a, struct sim_agent *before, struct err *e)
{
    take_down(before, &a->handover);
    if (!sim_agent_open_exclusive(a, e))
        return false;
    handover_fini(&a->handover);
    return true;
}

/* --- what it says ---------------------------------------------------------------------------- */

struct parts sim_agent_parts(struct sim_agent *a)
{
    return (struct parts){&a->budget, &a->tracker, a->lanes,
                          a->engine,  a->intakes,  a->config.n_outputs};
}

struct ending_facts sim_agent_look(struct sim_agent *a)
{
    const struct parts parts = sim_agent_parts(a);
    struct ending_facts f = {.inputs_are_finished = true}; /* as if: then it says all */

    parts_look(&parts, &a->ending, a->ship->now_ms, &f, NULL);
    f.inputs_are_finished = false;
    return f;
}

void sim_agent_tell(struct sim_agent *a, enum stopping how, int64_t drain_ms)
{
    if (how == STOP_DRAIN)
        engine_try_now(a->engine);
    input_file.stop(a->input);
    for (size_t i = 0; i < a->config.n_outputs; i++)
        intake_stop(a->intakes[i]);
    ending_begin(&a->ending, how, drain_ms, a->ship->now_ms);
    a->is_engine_free = true;
}

/* Its own numbers agree. */
static void check_own_sums(struct sim_agent *a, size_t i)
{
    const struct output_stats *o = engine_stats(a->engine, i);
    const struct intake_stats *in = intake_stats(a->intakes[i]);
    uint64_t out = o->delivered + o->duplicates + o->dead + in->dropped;
    uint64_t read = input_file.stats(a->input)->events + a->n_found[i];

    if (out != in->events_in || in->events_in > read || (in->events_in < read && !a->has_had) ||
        o->in_flight_events != 0)
        sim_ship_violate(a->ship,
                         "the sums: %llu events read or found in the queue, %llu came in; %llu "
                         "delivered, %llu duplicates, %llu dead, %llu dropped, %llu in flight",
                         (unsigned long long)read, (unsigned long long)in->events_in,
                         (unsigned long long)o->delivered, (unsigned long long)o->duplicates,
                         (unsigned long long)o->dead, (unsigned long long)in->dropped,
                         (unsigned long long)o->in_flight_events);
}

void sim_agent_check_sums(struct sim_agent *a)
{
    for (size_t i = 0; i < a->config.n_outputs; i++) {
        const struct output_stats *o = engine_stats(a->engine, i);
        const struct sim_server *server = server_of(a, i);

        check_own_sums(a, i);
        if (o->delivered != server->n_told_created || o->duplicates != server->n_told_duplicates)
            sim_ship_violate(a->ship,
                             "the sums: the server told of %llu created and %llu duplicates, ship "
                             "counts %llu and %llu",
                             (unsigned long long)server->n_told_created,
                             (unsigned long long)server->n_told_duplicates,
                             (unsigned long long)o->delivered, (unsigned long long)o->duplicates);
    }
    if (budget_held(&a->budget) != 0)
        sim_ship_violate(a->ship, "%lld bytes of the budget stayed taken",
                         (long long)budget_held(&a->budget));
}
