/* How a life is set up: what its world is like, and how its ship is configured. */
#include <string.h>

#include "tests/sim/sim_life.h"

static const char *const hosts[] = {"http://a:1", "http://b:1"};

static void draw_servers(struct sim_life *l)
{
    struct random *r = &l->random;
    unsigned poison = sim_chance(r, 300) ? 5 + sim_draw(r, 20) : 0;
    bool refuses_whole = sim_chance(r, 300);
    bool has_limit = sim_chance(r, 250);
    int status = sim_draw(r, 2) ? 413 : 429;

    l->ship.config.n_outputs = 1 + sim_chance(r, 250);
    l->ship.n_servers = SIM_SERVERS_MAX;
    for (unsigned i = 0; i < SIM_OUTPUTS_MAX; i++)
        l->ship.config.outputs[i] = (struct sim_output){i, i};
    for (size_t i = 0; i < l->ship.n_servers; i++) {
        struct sim_server *s = &l->ship.servers[i];

        sim_server_init(s, r);
        s->poison = poison;
        s->refuses_whole = refuses_whole;
        s->most_bytes = !has_limit ? 0 : status == 413 ? 4000 : 20000;
        s->most_bytes_status = status;
        s->was_left = i >= l->ship.config.n_outputs;
    }
}

static void draw_batches(struct sim_life *l)
{
    struct random *r = &l->random;

    l->ship.config.limits = (struct batch_limits){
        .max_bytes = sim_draw(r, 2) ? SIM_BATCH_MAX : 1000 + sim_draw(r, 20000),
        .max_events = sim_draw(r, 2) ? 1000 : 1 + sim_draw(r, 20),
        .linger_ms = sim_draw(r, 3) ? sim_draw(r, 2000) : 0,
    };
    l->ship.config.common.chunk_bytes = sim_draw(r, 2) ? 64 * 1024 : 64 + sim_draw(r, 1000);
    l->ship.config.memory_bytes = sim_draw(r, 2) ? 8 << 20 : 200000 + sim_draw(r, 300000);
    for (unsigned id = 0; id < SIM_OUTPUTS_MAX; id++) {
        l->ship.config.intake_options[id] = (struct sim_intake){
            .on_full = l->has_queue[id] ? ON_FULL_SPILL : ON_FULL_BLOCK,
            .memory_bytes = l->ship.config.memory_bytes / (1 + sim_draw(r, 4)),
        };
        if (l->has_queue[id])
            l->ship.config.intake_options[id].queue_bytes = 4000 << sim_draw(r, 10);
    }
    /* What one of two drops, the other has. */
    if (l->ship.config.outputs[0].id == 0 && sim_chance(r, 300)) {
        l->ship.config.intake_options[1].on_full = ON_FULL_DROP;
        l->ship.servers[l->ship.config.outputs[1].server].was_left = true;
    }
    l->ship.config.letters_rotate_bytes = sim_draw(r, 2) ? DEAD_LETTERS_ROTATE : 2000;
}

static void draw_ship(struct sim_life *l)
{
    struct random *r = &l->random;
    struct sim_config *s = &l->ship.config;

    s->pattern = sim_draw(r, 2) ? SIM_LOGS "/*.log" : SIM_LOGS "/*.log*";
    s->file_options = (struct file_options){
        .poll_interval_ms = sim_draw(r, 2) ? 1000 : 50 + sim_draw(r, 3000),
        .watch = FILE_WATCH_POLL,
    };
    s->common = (struct input_common){
        .name = "sim",
        .max_line_bytes = 1 << 20,
        .with_invocations = true,
        .namespace = "app",
    };
    s->parser.ops = &parser_auto;
    s->es_options = (struct es_options){
        .hosts = {(const char **)hosts, 1 + sim_draw(r, 2)},
        .index = "logs-x-default",
        .verify = true,
        .timeout_ms = 1000 + sim_draw(r, 90000),
        .connect_ms = 1000,
        .concurrency = 1 + sim_draw(r, 4),
    };
    draw_batches(l);
}

static void draw_world(struct sim_life *l)
{
    struct random *r = &l->random;
    struct sim_world *w = &l->world;

    w->random = r;
    w->disk = &l->ship.disk;
    w->now_ms = &l->ship.now_ms;
    sim_disk_init(w->disk, r);
    w->disk->has_birth_times = sim_chance(r, 800);
    if (!w->disk->has_birth_times) /* what came and went between two looks cannot be known */
        l->ship.config.pattern = SIM_LOGS "/*.log*";
    w->disk->n_may_open = sim_chance(r, 200) ? 4 + (int)sim_draw(r, 8) : SIM_FDS_MAX - 1;
    w->is_dated = sim_draw(r, 2);
    /* Which generation in its inode an undated line is from is known by birth times or by rows, and
     * rows can be lost to a full disk. */
    w->disk->reuses_numbers = w->disk->has_birth_times || w->is_dated;
    /* A copy that is looked at too is another file with the same lines: only dated ones are the
     * same events. */
    w->may_lose = sim_chance(r, 400);
    w->is_cut_back = w->may_lose && w->is_dated && sim_draw(r, 2);
    w->sees_copies = strcmp(l->ship.config.pattern, SIM_LOGS "/*.log*") == 0;
    w->longest = sim_draw(r, 3) ? 40 : 400;
    /* What is sent without an id is there as often as it was sent. So each line must be in one
     * place only: not in a copy, nor, after a crash, in a queue and behind the position too. */
    if (w->disk->has_birth_times && !w->is_cut_back && !l->has_queue[0] && !l->has_queue[1] &&
        sim_chance(r, 200))
        l->ship.config.common.id_mode = ID_NONE;
}

/* One that is not in use. */
static unsigned free_server(const struct sim_life *l)
{
    unsigned i = 0;

    while (i == l->ship.config.outputs[0].server ||
           (l->ship.config.n_outputs > 1 && i == l->ship.config.outputs[1].server))
        i++;
    return i;
}

const char *sim_life_draw_again(struct sim_life *l)
{
    struct sim_config *s = &l->ship.config;
    unsigned which = sim_draw(&l->random, (unsigned)s->n_outputs);

    switch (sim_draw(&l->random, 4)) {
    case 0:
        return "nothing new";
    case 1:
        draw_batches(l);
        return "other batches and limits";
    case 2:
        l->ship.servers[s->outputs[which].server].was_left = true;
        s->outputs[which].server = free_server(l);
        return "another address of an output";
    default:
        if (s->n_outputs == 1) {
            s->outputs[1] = (struct sim_output){1 - s->outputs[0].id, free_server(l)};
            s->n_outputs = 2;
            return "one more output";
        }
        if (s->intake_options[1].on_full == ON_FULL_DROP) /* not the one that has all */
            which = s->outputs[1].id == 1;
        /* What waits in its queue stays there: the other may not have had it. */
        if (l->has_queue[s->outputs[which].id])
            return "nothing new either";
        l->ship.servers[s->outputs[which].server].was_left = true;
        s->outputs[which] = s->outputs[1];
        s->n_outputs = 1;
        return "one output less";
    }
}

void sim_life_draw(struct sim_life *l)
{
    for (int id = 0; id < SIM_OUTPUTS_MAX; id++)
        l->has_queue[id] = sim_chance(&l->random, 400);
    draw_servers(l);
    draw_ship(l);
    draw_world(l);
}
