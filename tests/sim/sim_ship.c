#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/sim_ship.h"
#include "tests/sim/sim_vfs.h"

int64_t sim_ship_wall_ns(const struct sim_ship *s)
{
    return INT64_C(1767225600000000000) + s->now_ms * 1000000;
}

void sim_ship_violate(struct sim_ship *s, const char *format, ...)
{
    va_list args;

    if (s->violation[0])
        return;
    va_start(args, format);
    vsnprintf(s->violation, sizeof s->violation, format, args);
    va_end(args);
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
        while ((!s->agent || goes_on(s)) && sim_server_step(&s->servers[i], s->now_ms))
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

static uint64_t in_flight(const struct sim_agent *a)
{
    uint64_t n = 0;

    for (size_t i = 0; i < a->config.n_outputs; i++)
        n += engine_stats(a->engine, i)->in_flight_events;
    return n;
}

static int64_t tick_intakes(struct sim_agent *a, const struct parts *parts)
{
    uint64_t n = in_flight(a);
    int64_t next = parts_tick_intakes(parts, a->ship->now_ms);

    a->is_engine_free |= in_flight(a) != n;
    return next;
}

/* It may only do something when it said that it would, or when something came in since: in a ship
 * where nothing else happens it would not be woken. */
static int64_t tick_engine(struct sim_agent *a)
{
    struct sim_ship *s = a->ship;
    int64_t due_ms = a->engine_due_ms;
    bool may_act = a->is_engine_free || s->now_ms >= due_ms;
    unsigned n = n_requests(s);

    a->engine_due_ms = engine_tick(a->engine, s->now_ms);
    if (!may_act && n_requests(s) != n)
        sim_ship_violate(s,
                         "a lost wake-up: a request goes out, and the engine asked to be called %s",
                         due_ms == INT64_MAX ? "never" : "later");
    a->is_engine_free = false;
    return a->engine_due_ms;
}

/* What comes in from outside. False: killed. */
static bool take_in(struct sim_ship *s, bool *is_busy)
{
    struct sim_agent *a = s->agent;
    bool has_news = step_servers(s);

    if (!goes_on(s))
        return false;
    has_news |= pool_reap(a->pool) > 0;
    if (!goes_on(s))
        return false;
    has_news |= pool_reap(a->writer) > 0;
    a->is_engine_free |= has_news;
    *is_busy |= has_news;
    return goes_on(s);
}

/* One round of the loop: everything once, and what came of it until nothing more does. *due: when
 * the next round is wanted. False: killed in it. */
static bool turn(struct sim_ship *s, int64_t *due)
{
    struct sim_agent *a = s->agent;
    const struct parts parts = sim_agent_parts(a);
    bool is_stopping = a->ending.how != STOP_NO;
    bool is_busy = true;

    while (is_busy) {
        uint64_t n;

        is_busy = false;
        *due = INT64_MAX;
        if (!take_in(s, &is_busy))
            return false;
        if (is_stopping)
            *due = sooner(*due, ending_due_ms(&a->ending, s->now_ms));
        else
            *due = sooner(*due, input_file.tick(a->input, s->now_ms));
        if (!goes_on(s))
            return false;
        n = in_flight(a);
        *due =
            sooner(*due, lanes_tick(a->lanes, s->now_ms, parts_is_flush_due(&parts, is_stopping)));
        *due = sooner(*due, tick_intakes(a, &parts));
        a->is_engine_free |= in_flight(a) != n;
        *due = sooner(*due, tick_engine(a));
        if (!goes_on(s))
            return false;
        *due = sooner(*due, checkpoints_tick(a->checkpoints, s->now_ms));
        is_busy |= pool_waiting(a->pool) + pool_waiting(a->writer) > 0;
    }
    return goes_on(s);
}

bool sim_ship_run(struct sim_ship *s, int64_t ms)
{
    int64_t until = s->now_ms + ms;

    for (;;) {
        int64_t due = INT64_MAX;

        s->disk.now_ns = sim_ship_wall_ns(s);
        if (s->agent && !turn(s, &due)) {
            sim_ship_kill(s);
            s->now_ms = until;
            return false;
        }
        if (!s->agent)
            step_servers(s);
        for (size_t i = 0; i < s->n_servers; i++)
            due = sooner(due, sim_server_due_ms(&s->servers[i]));
        if (due <= s->now_ms)
            due = s->now_ms + 1; /* the clock moves on between two rounds */
        if (due > until || s->now_ms == until) {
            s->now_ms = until;
            s->disk.now_ns = sim_ship_wall_ns(s);
            return true;
        }
        s->now_ms = due;
    }
}

bool sim_ship_is_idle(struct sim_ship *s)
{
    return sim_agent_look(s->agent).is_all_settled;
}

const char *sim_ship_what_is_left(const struct sim_ship *s)
{
    static char text[256];
    const struct sim_agent *a = s->agent;
    size_t len = (size_t)snprintf(text, sizeof text, "%llu chunks, %zu open batches",
                                  (unsigned long long)a->tracker.n_chunks, lanes_pending(a->lanes));

    for (size_t i = 0; i < a->config.n_outputs; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "; output %zu: %llu events in flight, %llu in its queue", i,
                                (unsigned long long)engine_stats(a->engine, i)->in_flight_events,
                                (unsigned long long)intake_stats(a->intakes[i])->queued_events);
    return text;
}

/* --- its ends -------------------------------------------------------------------------------- */

/* Nothing of it may be left open. */
static void drop_all(struct sim_ship *s)
{
    sim_agent_free(s->next);
    sim_agent_free(s->agent);
    s->agent = s->next = NULL;
    if (s->disk.n_open)
        sim_ship_violate(s, "%d descriptors stayed open", s->disk.n_open);
    if (s->own.n_open)
        sim_ship_violate(s, "%u files of its own stayed open", s->own.n_open);
}

static bool cannot_start(struct sim_ship *s, const struct err *why)
{
    err_text(why, s->error, sizeof s->error);
    drop_all(s);
    return false;
}

bool sim_ship_open(struct sim_ship *s)
{
    struct err e = {0};

    s->kill_in = 0;
    s->agent = sim_agent_prepare(s, &s->config);
    return sim_agent_open_exclusive(s->agent, &e) || cannot_start(s, &e);
}

void sim_ship_kill(struct sim_ship *s)
{
    if (!s->agent)
        return;
    sim_vfs_die();
    drop_all(s);
}

void sim_ship_starve(struct sim_ship *s, bool is_starved)
{
    if (s->agent)
        sim_agent_starve(s->agent, is_starved);
}

static bool is_over(struct sim_ship *s)
{
    const struct ending_facts facts = sim_agent_look(s->agent);

    return ending_decide(&s->agent->ending, &facts, s->now_ms) != ENDING_NOT_YET;
}

/* Until it comes to its end, at most so long. False: it was killed. */
static bool run_to_end(struct sim_ship *s, int64_t most_ms)
{
    for (; most_ms > 0; most_ms -= 20) {
        if (!sim_ship_run(s, 20))
            return false;
        if (is_over(s))
            break;
    }
    if (sim_ship_is_idle(s))
        sim_agent_check_sums(s->agent);
    return true;
}

void sim_ship_stop(struct sim_ship *s, const struct sim_stop *how)
{
    if (!s->agent)
        return;
    sim_agent_tell(s->agent, STOP_DRAIN, how->drain_ms);
    if (!run_to_end(s, how->again_ms ? how->again_ms : INT64_MAX))
        return;
    if (!is_over(s)) {
        sim_agent_tell(s->agent, STOP_NOW, how->drain_ms);
        if (!run_to_end(s, INT64_MAX))
            return;
    }
    drop_all(s);
}

/* It was prepared, and could not take over: the one before it, made anew, goes on. */
static bool go_back(struct sim_ship *s, struct sim_agent *failed, const struct sim_config *config)
{
    struct err e = {0};

    s->config = *config;
    s->agent = sim_agent_prepare(s, config);
    return sim_agent_take_over(s->agent, failed, &e) || cannot_start(s, &e);
}

bool sim_ship_reload(struct sim_ship *s, int64_t drain_ms)
{
    const struct sim_config before = s->agent->config;
    struct sim_agent *agent = s->agent;
    struct err e = {0};

    s->next = sim_agent_prepare(s, &s->config);
    sim_agent_tell(agent, STOP_RELOAD, drain_ms);
    if (!run_to_end(s, INT64_MAX))
        return false;
    s->agent = s->next;
    s->next = NULL;
    if (sim_agent_take_over(s->agent, agent, &e))
        return true;
    err_text(&e, s->error, sizeof s->error);
    return go_back(s, s->agent, &before);
}
