#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <string.h>

#include "tests/sim/sim_life.h"
#include "tests/sim/sim_vfs.h"

enum { STEPS_MAX = 120 };

/* How soon all must be delivered once nothing fails any more: what is under way runs into its
 * timeout, a pause may be a minute long, and who never says that a request is too large is asked
 * four times, each a pause apart, before it goes in halves. */
enum { SETTLE_MS = 5 * 60 * 1000, SETTLE_HALVING_MS = 45 * 60 * 1000 };

/* --- its story ------------------------------------------------------------------------------- */

void sim_life_tell(struct sim_life *l, const char *format, ...)
{
    char text[SIM_WHY_MAX + 128];
    size_t len;
    va_list args;

    snprintf(text, sizeof text, "%8lld.%03d  ", (long long)l->ship.now_ms / 1000,
             (int)(l->ship.now_ms % 1000));
    len = strlen(text);
    va_start(args, format);
    vsnprintf(text + len, sizeof text - len - 1, format, args);
    va_end(args);
    strcat(text, "\n");
    len = strlen(text);
    if (l->options.is_told)
        fputs(text, stderr);
    if (l->story_len + len < sizeof l->story) {
        memcpy(l->story + l->story_len, text, len + 1);
        l->story_len += len;
    }
}

void sim_life_fail(struct sim_life *l, const char *format, ...)
{
    va_list args;

    if (l->why[0])
        return;
    va_start(args, format);
    vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
    sim_life_tell(l, "WRONG: %s", l->why);
}

static void on_log(void *ctx, const struct err *what)
{
    char text[SIM_WHY_MAX];

    sim_life_tell(ctx, "ship says: %s", err_text(what, text, sizeof text));
}

/* --- what happens in it ---------------------------------------------------------------------- */

static void after_kill(struct sim_life *l)
{
    bool is_power_cut = sim_draw(&l->random, 3) == 0;

    sim_vfs_revive(is_power_cut);
    sim_own_revive(&l->ship.own, is_power_cut);
    sim_life_tell(l, "%s", is_power_cut ? "the power is cut" : "ship is killed");
}

static void open_ship(struct sim_life *l)
{
    if (l->ship.agent)
        return;
    if (sim_ship_open(&l->ship)) {
        sim_life_tell(l, "ship is started");
        return;
    }
    sim_life_tell(l, "ship does not start: %s", l->ship.error);
    if (sim_vfs_is_dead())
        after_kill(l); /* it died while it opened */
}

static void change_weather(struct sim_life *l)
{
    for (size_t i = 0; i < l->ship.n_servers; i++) {
        unsigned die = sim_draw(&l->random, 10);

        l->ship.servers[i].weather = die < 4 ? WEATHER_FINE : (enum sim_weather)(die % 5);
        sim_life_tell(l, "server %zu: %s", i, sim_weather_name(l->ship.servers[i].weather));
    }
}

static void change_disk(struct sim_life *l)
{
    unsigned die = sim_draw(&l->random, 4);

    sim_vfs_set_full(die == 0);
    l->world.disk->faults_permille = die == 1 ? 20 : 0;
    /* A queue gives up what cannot be read five times: with many calls to a try that would be
     * often. */
    l->ship.own.faults_permille = die != 1 ? 0 : l->has_queue[0] || l->has_queue[1] ? 2 : 20;
    if (sim_draw(&l->random, 3) == 0)
        l->ship.own.is_blocked = !l->ship.own.is_blocked;
    sim_life_tell(l, "disk: %s%s",
                  die == 0   ? "full"
                  : die == 1 ? "some calls fail"
                             : "well",
                  l->ship.own.is_blocked ? "; the state directory cannot be looked into" : "");
}

static void change_memory(struct sim_life *l)
{
    if (!l->ship.agent)
        return;
    sim_ship_starve(&l->ship, !l->ship.agent->is_starved);
    sim_life_tell(l, "limits.memory: %s", l->ship.agent->is_starved ? "taken by others" : "free");
}

static void threaten(struct sim_life *l)
{
    if (!l->ship.agent)
        return;
    if (sim_draw(&l->random, 3)) {
        l->ship.kill_in = 1 + sim_draw(&l->random, 60);
        sim_life_tell(l, "ship will be killed at its step %u", l->ship.kill_in);
    } else {
        unsigned n = 1 + sim_draw(&l->random, 20);

        sim_vfs_die_at(n);
        sim_life_tell(l, "ship will be killed at its write %u", n);
    }
}

static void stop_ship(struct sim_life *l)
{
    struct sim_stop how = {.drain_ms = sim_draw(&l->random, 2) ? 10000 : 0};

    if (!l->ship.agent)
        return;
    if (sim_draw(&l->random, 3) == 0)
        how.again_ms = 20 + sim_draw(&l->random, 1000);
    sim_ship_starve(&l->ship, false);
    sim_life_tell(l, "SIGTERM%s; at most %lld ms to drain", how.again_ms ? ", twice" : "",
                  (long long)how.drain_ms);
    sim_ship_stop(&l->ship, &how);
    if (sim_vfs_is_dead())
        after_kill(l);
}

static void reload(struct sim_life *l)
{
    int64_t drain_ms = sim_draw(&l->random, 2) ? 10000 : 0;

    if (!l->ship.agent)
        return;
    sim_ship_starve(&l->ship, false);
    sim_life_tell(l, "SIGHUP; at most %lld ms to drain; the configuration has %s",
                  (long long)drain_ms, sim_life_draw_again(l));
    l->ship.error[0] = '\0';
    if (sim_ship_reload(&l->ship, drain_ms))
        sim_life_tell(l, "the next agent takes over");
    if (l->ship.error[0])
        sim_life_tell(l, "it does not: %s%s", l->ship.error,
                      l->ship.agent ? "; the old one again" : "");
    if (!l->ship.agent && sim_vfs_is_dead())
        after_kill(l);
}

static void step(struct sim_life *l)
{
    static const int64_t spans[] = {0, 10, 50, 300, 1000, 3000, 10000, 70000};
    unsigned die = sim_draw(&l->random, 100);
    int64_t ms = spans[sim_draw(&l->random, sizeof spans / sizeof spans[0])];

    for (unsigned n = sim_draw(&l->random, 4); n > 0; n--) {
        unsigned file;
        const char *what = sim_world_act(&l->world, &file);

        sim_life_tell(l, "%s %u", what, file);
    }
    if (die < 8)
        change_weather(l);
    else if (die < 12)
        change_disk(l);
    else if (die < 15)
        change_memory(l);
    else if (die < 22)
        threaten(l);
    else if (die < 25)
        stop_ship(l);
    else if (die < 29)
        reload(l);
    if (!l->ship.agent && sim_draw(&l->random, 2))
        open_ship(l);
    if (!sim_ship_run(&l->ship, ms))
        after_kill(l);
}

static int64_t patience_ms(const struct sim_life *l)
{
    const struct sim_server *s = &l->ship.servers[0];

    return s->most_bytes && s->most_bytes_status == 429 ? SETTLE_HALVING_MS : SETTLE_MS;
}

/* The world is well again, and stands still. */
static void settle(struct sim_life *l)
{
    int64_t until;
    uint64_t bytes = 0;
    int n_quiet = 0;

    sim_ship_starve(&l->ship, false);
    sim_vfs_set_full(false);
    sim_vfs_die_at(0);
    l->ship.kill_in = 0;
    l->world.disk->faults_permille = l->ship.own.faults_permille = 0;
    l->ship.own.is_blocked = false;
    for (size_t i = 0; i < l->ship.n_servers; i++)
        l->ship.servers[i].weather = WEATHER_FINE;
    sim_world_end(&l->world);
    open_ship(l);
    until = l->ship.now_ms + patience_ms(l);
    while (l->ship.agent && n_quiet < 5 && l->ship.now_ms < until) {
        sim_ship_run(&l->ship, 10000);
        n_quiet =
            sim_ship_is_idle(&l->ship) && input_file.stats(l->ship.agent->input)->bytes == bytes
                ? n_quiet + 1
                : 0;
        bytes = input_file.stats(l->ship.agent->input)->bytes;
    }
    sim_life_tell(l, "%s", n_quiet < 5 ? "it does not come to rest" : "all is at rest");
    if (!l->ship.agent)
        sim_life_fail(l, "%s", l->ship.error);
    else if (n_quiet < 5)
        sim_life_fail(l, "it does not come to rest within %lld s: %s",
                      (long long)patience_ms(l) / 1000, sim_ship_what_is_left(&l->ship));
}

static void life_init(struct sim_life *l, uint64_t seed, const struct sim_life_options *options)
{
    memset(l, 0, sizeof *l);
    l->seed = seed;
    l->options = *options;
    l->random.state = seed * 0x9E3779B97F4A7C15u + 1;
    snprintf(l->ship.state, sizeof l->ship.state, "%s", options->state);
    l->ship.random = &l->random;
    l->ship.now_ms = 1000;
    l->ship.on_log = on_log;
    l->ship.log_ctx = l;
    sim_life_draw(l);
    sim_vfs_init(&l->random);
    sim_own_init(&l->ship.own, &l->random);
    sim_plant_choose(options->plant);
    l->ship.own.unsynced = options->plant == PLANT_NO_FSYNC_LETTERS ? SIM_DEAD
                           : options->plant == PLANT_NO_FSYNC_QUEUE ? SIM_QUEUES
                                                                    : NULL;
}

static void life_fini(struct sim_life *l)
{
    sim_disk_fini(&l->ship.disk);
    for (size_t i = 0; i < l->ship.n_servers; i++)
        sim_server_fini(&l->ship.servers[i]);
    sim_plant_choose(PLANT_NONE);
    sim_own_fini(&l->ship.own);
    sim_vfs_fini();
}

/* In memory, if the machine has such a place. */
void sim_life_make_state(char path[TEMP_DIR_MAX])
{
    strcpy(path, "/dev/shm/ship-sim-XXXXXX");
    if (!mkdtemp(path))
        temp_dir_make(path);
}

bool sim_life_live(struct sim_life *l, uint64_t seed, const struct sim_life_options *options)
{
    unsigned n_steps;

    life_init(l, seed, options);
    n_steps = 1 + sim_draw(&l->random, options->most_steps ? options->most_steps : STEPS_MAX);
    if (options->cut_at)
        n_steps = options->cut_at;
    sim_world_begin(&l->world);
    open_ship(l);
    sim_ship_run(&l->ship, 2000);
    for (unsigned i = 0; i < n_steps && l->world.n_lines < SIM_EVENTS_MAX - 100; i++)
        step(l);
    settle(l);
    if (!l->why[0])
        sim_life_judge(l);
    if (options->is_dumped)
        sim_life_dump(l);
    sim_ship_stop(&l->ship, &(struct sim_stop){.drain_ms = 10000});
    life_fini(l);
    return !l->why[0];
}
