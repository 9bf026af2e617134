/* The inside of the agent, shared by the files that make it: agent.c (what it does, tick by tick)
 * and agent_open.c (how its parts are wired together and taken down).
 *
 * Thread: main's. */
#ifndef SHIP_VERBS_AGENT_INSIDE_H
#define SHIP_VERBS_AGENT_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "shipper/base/random.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/progress.h"
#include "shipper/verbs/signals.h"

enum stopping { STOP_NO, STOP_DRAIN, STOP_NOW };

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
    struct intake **intakes; /* one for each output */
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

/* agent.c: what the watchers of the loop call. */
void agent_on_tick(struct ev_loop *loop, ev_prepare *w, int revents);
void agent_on_due(struct ev_loop *loop, ev_timer *w, int revents);
void agent_on_signal(void *ctx, int number);

#endif
