/* Whole lives of ship, each out of one seed: files that grow, rotate, are cut and vanish; servers
 * that refuse, stall, answer twice or half; a disk that fills; kills between any two steps, power
 * cuts, restarts. After each life the promises are held against what the servers have.
 *
 *   SHIP_SIM_LIVES=100000   so many of them (SHIP_SIM_FIRST: from this seed on)
 *   SHIP_SIM_SEED=4711      only this one, with its story; SHIP_SIM_DUMP=1: and the files
 *   SHIP_SIM_STEPS=6        short lives, which are easier to understand
 *   SHIP_SIM_CUT=20         ends each life after so many steps: the first that fails is the one to
 *                           look at */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/sim_ship.h"
#include "tests/sim/sim_vfs.h"
#include "tests/sim/sim_world.h"

enum { STEPS_MAX = 120, SETTLE_MS = 2 * 3600 * 1000, STORY_MAX = 16384 };

struct life {
    uint64_t seed;
    struct random random;
    struct sim_ship ship;
    struct sim_world world;
    bool is_blocked; /* the budget is taken by the test */
    bool is_dead_blocked;
    bool is_dead[SIM_EVENTS_MAX]; /* lines in the dead letters */
    char story[STORY_MAX];
    size_t story_len;
    char why[1200];
};

static unsigned long number_of(const char *name, unsigned long fallback)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : fallback;
}

static void tell(struct life *l, const char *what, long long n)
{
    int len = snprintf(l->story + l->story_len, sizeof l->story - l->story_len, "%lld %s %lld\n",
                       (long long)l->ship.now_ms, what, n);

    if (len > 0 && l->story_len + (size_t)len < sizeof l->story)
        l->story_len += (size_t)len;
}

static void on_log(void *ctx, const struct err *what)
{
    char text[1200];

    tell(ctx, err_text(what, text, sizeof text), 0);
}

/* --- how a life is set up -------------------------------------------------------------------- */

static const char *const hosts[] = {"http://a:1", "http://b:1"};

static void draw_servers(struct life *l)
{
    struct random *r = &l->random;
    unsigned poison = sim_chance(r, 300) ? 5 + sim_draw(r, 20) : 0;
    bool refuses_whole = sim_chance(r, 300);
    bool has_limit = sim_chance(r, 250);
    int status = sim_draw(r, 2) ? 413 : 429;

    l->ship.n_outputs = 1 + sim_chance(r, 250);
    for (size_t i = 0; i < l->ship.n_outputs; i++) {
        struct sim_server *s = &l->ship.servers[i];

        sim_server_init(s, r);
        s->poison = poison;
        s->refuses_whole = refuses_whole;
        s->most_bytes = !has_limit ? 0 : status == 413 ? 4000 : 20000;
        s->most_bytes_status = status;
    }
}

static void draw_ship(struct life *l)
{
    struct random *r = &l->random;
    struct sim_ship *s = &l->ship;

    s->random = r;
    s->now_ms = 1000;
    s->on_log = on_log;
    s->log_ctx = l;
    s->pattern = sim_draw(r, 2) ? SIM_LOGS "/*.log" : SIM_LOGS "/*.log*";
    s->file_options = (struct file_options){
        .poll_interval_ms = sim_draw(r, 2) ? 1000 : 50 + sim_draw(r, 3000),
        .watch = FILE_WATCH_POLL,
    };
    s->common = (struct input_common){
        .name = "sim",
        .max_line_bytes = 1 << 20,
        .chunk_bytes = sim_draw(r, 2) ? 64 * 1024 : 64 + sim_draw(r, 1000),
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
    s->limits = (struct batch_limits){
        .max_bytes = sim_draw(r, 2) ? 60000 : 1000 + sim_draw(r, 20000),
        .max_events = sim_draw(r, 2) ? 1000 : 1 + sim_draw(r, 20),
        .linger_ms = sim_draw(r, 3) ? sim_draw(r, 2000) : 0,
    };
    s->memory_bytes = sim_draw(r, 2) ? 8 << 20 : 200000 + sim_draw(r, 300000);
}

static void draw_world(struct life *l)
{
    struct random *r = &l->random;
    struct sim_world *w = &l->world;

    w->random = r;
    w->disk = &l->ship.disk;
    w->now_ms = &l->ship.now_ms;
    sim_disk_init(w->disk, r);
    w->disk->has_birth_times = sim_chance(r, 800);
    if (!w->disk->has_birth_times) /* what came and went between two looks cannot be known */
        l->ship.pattern = SIM_LOGS "/*.log*";
    w->disk->n_may_open = sim_chance(r, 200) ? 4 + (int)sim_draw(r, 8) : SIM_FDS_MAX - 1;
    w->is_dated = sim_draw(r, 2);
    /* Which generation in its inode an undated line is from is known by birth times or by rows, and
     * rows can be lost to a full disk. */
    w->disk->reuses_numbers = w->disk->has_birth_times || w->is_dated;
    /* A copy that is looked at too is another file with the same lines: only dated ones are the
     * same events. */
    w->may_lose = sim_chance(r, 400);
    w->is_cut_back = w->may_lose && w->is_dated && sim_draw(r, 2);
    w->sees_copies = strcmp(l->ship.pattern, SIM_LOGS "/*.log*") == 0;
    w->longest = sim_draw(r, 3) ? 40 : 400;
}

static void life_init(struct life *l, uint64_t seed, const char *state)
{
    memset(l, 0, sizeof *l);
    l->seed = seed;
    l->random.state = seed * 0x9E3779B97F4A7C15u + 1;
    snprintf(l->ship.state, sizeof l->ship.state, "%s", state);
    draw_servers(l);
    draw_ship(l);
    draw_world(l);
    sim_vfs_init(&l->random);
}

static void path_of(const struct life *l, char path[TEMP_DIR_MAX + 32], const char *name)
{
    snprintf(path, TEMP_DIR_MAX + 32, "%s/%s", l->ship.state, name);
}

static void life_fini(struct life *l)
{
    char path[TEMP_DIR_MAX + 32];

    sim_disk_fini(&l->ship.disk);
    for (size_t i = 0; i < l->ship.n_outputs; i++)
        sim_server_fini(&l->ship.servers[i]);
    sim_vfs_fini();
    path_of(l, path, "dead/dead.ndjson");
    unlink(path);
}

/* --- what happens in it ---------------------------------------------------------------------- */

static void unblock_budget(struct life *l)
{
    if (l->is_blocked && l->ship.is_up)
        budget_add(&l->ship.budget, -l->ship.budget.limit_bytes);
    l->is_blocked = false;
}

/* A file stands where the directory of the dead letters should be. */
static void block_dead_letters(struct life *l, bool is_blocked)
{
    char dead[TEMP_DIR_MAX + 32];
    char away[TEMP_DIR_MAX + 32];

    if (l->is_dead_blocked == is_blocked)
        return;
    path_of(l, dead, "dead");
    path_of(l, away, "dead.away");
    if (is_blocked) {
        rename(dead, away);
        fclose(fopen(dead, "w"));
    } else {
        unlink(dead);
        rename(away, dead);
    }
    l->is_dead_blocked = is_blocked;
}

static void after_kill(struct life *l)
{
    bool is_power_cut = sim_draw(&l->random, 3) == 0;

    l->is_blocked = false;
    sim_vfs_revive(is_power_cut);
    tell(l, is_power_cut ? "killed by a power cut" : "killed", 0);
}

static void open_ship(struct life *l)
{
    if (l->ship.is_up)
        return;
    if (sim_ship_open(&l->ship)) {
        tell(l, "started", 0);
        return;
    }
    tell(l, l->ship.error, 0);
    if (sim_vfs_is_dead())
        after_kill(l); /* it died while it opened */
}

static void change_weather(struct life *l)
{
    for (size_t i = 0; i < l->ship.n_outputs; i++) {
        unsigned die = sim_draw(&l->random, 10);

        l->ship.servers[i].weather = die < 4 ? WEATHER_FINE : (enum sim_weather)(die % 5);
        tell(l, "weather", l->ship.servers[i].weather);
    }
}

static void change_disk(struct life *l)
{
    unsigned die = sim_draw(&l->random, 4);

    sim_vfs_set_full(die == 0);
    l->world.disk->faults_permille = die == 1 ? 20 : 0;
    if (sim_draw(&l->random, 3) == 0)
        block_dead_letters(l, !l->is_dead_blocked);
    tell(l, "disk", die);
}

static void change_budget(struct life *l)
{
    bool was_blocked = l->is_blocked;

    unblock_budget(l);
    if (!was_blocked && l->ship.is_up) {
        budget_add(&l->ship.budget, l->ship.budget.limit_bytes);
        l->is_blocked = true;
    }
    tell(l, "budget", l->is_blocked);
}

static void threaten(struct life *l)
{
    if (!l->ship.is_up)
        return;
    if (sim_draw(&l->random, 3)) {
        l->ship.kill_in = 1 + sim_draw(&l->random, 60);
        tell(l, "to be killed at step", l->ship.kill_in);
    } else {
        unsigned n = 1 + sim_draw(&l->random, 20);

        sim_vfs_die_at(n);
        tell(l, "to be killed at write", n);
    }
}

static void stop_ship(struct life *l)
{
    if (!l->ship.is_up)
        return;
    unblock_budget(l);
    tell(l, "told to stop", 0);
    sim_ship_stop(&l->ship, sim_draw(&l->random, 2) ? 10000 : 0);
    if (sim_vfs_is_dead())
        after_kill(l);
}

static void step(struct life *l)
{
    static const int64_t spans[] = {0, 10, 50, 300, 1000, 3000, 10000, 70000};
    unsigned die = sim_draw(&l->random, 100);
    int64_t ms = spans[sim_draw(&l->random, sizeof spans / sizeof spans[0])];

    for (unsigned n = sim_draw(&l->random, 4); n > 0; n--) {
        unsigned file;
        const char *what = sim_world_act(&l->world, &file);

        tell(l, what, file);
    }
    if (die < 8)
        change_weather(l);
    else if (die < 12)
        change_disk(l);
    else if (die < 15)
        change_budget(l);
    else if (die < 22)
        threaten(l);
    else if (die < 25)
        stop_ship(l);
    if (!l->ship.is_up && sim_draw(&l->random, 2))
        open_ship(l);
    if (!sim_ship_run(&l->ship, ms))
        after_kill(l);
}

/* --- what must hold -------------------------------------------------------------------------- */

/* Which lines are in the dead letters. */
static void read_dead_letters(struct life *l)
{
    char path[TEMP_DIR_MAX + 32];
    char *line = NULL;
    size_t cap = 0;
    FILE *f;

    path_of(l, path, "dead/dead.ndjson");
    f = fopen(path, "r");
    while (f && getline(&line, &cap, f) > 0) {
        const char *document = strstr(line, "\"document\":");
        const char *message = document ? strstr(document, "\"message\":\"") : NULL;
        enum sim_kind kind;
        unsigned n;

        if (message && sim_parse_event(slice_str(message + 11), &kind, &n) && kind == SIM_LINE)
            l->is_dead[n] = true;
    }
    free(line);
    if (f)
        fclose(f);
}

static void fail(struct life *l, const char *what)
{
    if (!l->why[0])
        snprintf(l->why, sizeof l->why, "%s", what);
}

/* in = delivered + dead letters, to the event, when nothing is in flight. */
static void check_sums(struct life *l)
{
    uint64_t events = input_file.stats(l->ship.input)->events;

    for (size_t i = 0; i < l->ship.n_outputs; i++) {
        const struct output_stats *o = engine_stats(l->ship.engine, i);

        if (o->delivered + o->duplicates + o->dead != events || o->in_flight_events != 0) {
            snprintf(l->why, sizeof l->why,
                     "%llu events: %llu delivered, %llu duplicates, %llu dead, %llu in flight",
                     (unsigned long long)events, (unsigned long long)o->delivered,
                     (unsigned long long)o->duplicates, (unsigned long long)o->dead,
                     (unsigned long long)o->in_flight_events);
            return;
        }
    }
    if (budget_held(&l->ship.budget) != 0)
        fail(l, "the budget is not given back");
}

/* The world is well again, and stands still. */
static void settle(struct life *l)
{
    int64_t until;
    uint64_t bytes = 0;
    int n_quiet = 0;

    unblock_budget(l);
    sim_vfs_set_full(false);
    sim_vfs_die_at(0);
    l->ship.kill_in = 0;
    l->world.disk->faults_permille = 0;
    block_dead_letters(l, false);
    for (size_t i = 0; i < l->ship.n_outputs; i++)
        l->ship.servers[i].weather = WEATHER_FINE;
    sim_world_end(&l->world);
    open_ship(l);
    until = l->ship.now_ms + SETTLE_MS;
    while (l->ship.is_up && n_quiet < 5 && l->ship.now_ms < until) {
        sim_ship_run(&l->ship, 10000);
        n_quiet = sim_ship_is_idle(&l->ship) && input_file.stats(l->ship.input)->bytes == bytes
                      ? n_quiet + 1
                      : 0;
        bytes = input_file.stats(l->ship.input)->bytes;
    }
    tell(l, "settled", n_quiet);
    if (!l->ship.is_up)
        fail(l, l->ship.error);
    else if (n_quiet < 5)
        fail(l, "it does not come to rest");
}

static void check(struct life *l)
{
    check_sums(l);
    read_dead_letters(l);
    for (size_t i = 0; i < l->ship.n_outputs && !l->why[0]; i++)
        sim_world_check(&l->world, &l->ship.servers[i], l->is_dead, l->why, sizeof l->why);
}

static void dump(const struct sim_disk *d)
{
    for (int i = 0; i < SIM_NAMES_MAX; i++) {
        const struct sim_inode *inode = d->names[i].inode;

        if (d->names[i].name[0])
            fprintf(stderr, "=== %s inode %llu born %llu\n%.*s\n", d->names[i].name,
                    (unsigned long long)inode->number, (unsigned long long)inode->generation,
                    (int)inode->bytes.len, inode->bytes.ptr);
    }
}

static bool live(struct life *l, uint64_t seed, const char *state)
{
    unsigned n_steps;

    life_init(l, seed, state);
    n_steps = 1 + sim_draw(&l->random, (unsigned)number_of("SHIP_SIM_STEPS", STEPS_MAX));
    n_steps = (unsigned)number_of("SHIP_SIM_CUT", n_steps);
    sim_world_begin(&l->world);
    open_ship(l);
    sim_ship_run(&l->ship, 2000);
    for (unsigned i = 0; i < n_steps && l->world.n_lines < SIM_EVENTS_MAX - 100; i++)
        step(l);
    settle(l);
    if (!l->why[0])
        check(l);
    if (getenv("SHIP_SIM_DUMP"))
        dump(&l->ship.disk);
    tell(l, "stopped", 0);
    sim_ship_stop(&l->ship, 10000);
    life_fini(l);
    return !l->why[0];
}

/* --- the tests ------------------------------------------------------------------------------- */

/* Dead letters are synced: in memory, if the machine has such a place. */
static void make_state(char path[TEMP_DIR_MAX])
{
    strcpy(path, "/dev/shm/ship-sim-XXXXXX");
    if (!mkdtemp(path))
        temp_dir_make(path);
}

static void live_many(unsigned long first, unsigned long n)
{
    static struct life life;
    unsigned long only = number_of("SHIP_SIM_SEED", 0);
    char state[TEMP_DIR_MAX];

    if (only) {
        first = only;
        n = 1;
    }
    make_state(state);
    for (unsigned long seed = first; seed < first + n; seed++) {
        bool is_well = live(&life, seed, state);

        cr_expect(is_well, "seed %lu: %s\n%s", seed, life.why, only ? life.story : "");
    }
    temp_dir_remove(state);
}

Test(life, of_many_seeds, .timeout = 100000)
{
    live_many(number_of("SHIP_SIM_FIRST", 1), number_of("SHIP_SIM_LIVES", 300));
}
