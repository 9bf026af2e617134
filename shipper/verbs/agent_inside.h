/* The inside of the agent, shared by the files that make it: agent.c (what it does, tick by tick),
 * agent_end.c (how it comes to its end), agent_open.c (how its parts are wired together) and
 * agent_close.c (taken down, and followed by the next).
 *
 * Thread: main's. */
#ifndef SHIP_VERBS_AGENT_INSIDE_H
#define SHIP_VERBS_AGENT_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include "shipper/base/random.h"
#include "shipper/inputs/handover.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/parts.h"
#include "shipper/verbs/progress.h"
#include "shipper/verbs/signals.h"

struct agent {
    struct agent_plan plan;
    struct ev_loop *loop;
    bool owns_loop;
    ev_prepare tick; /* all that decides by time runs here, once an iteration */
    ev_timer due;    /* when the next of it wants to be called */
    ev_async wake;   /* a worker has finished something */
    struct signals signals;
    struct random random;
    struct pool *pool;
    struct pool *writer; /* one thread for what must reach the disk: checkpoints, dead letters */
    struct pool **queue_writers; /* one each for the disk queue of an output; NULL: it has none */
    struct budget budget;
    struct tracker tracker;
    struct lanes *lanes;
    struct transport *transport;
    struct sink **sinks;
    struct engine_output *engine_outputs;
    struct engine *engine;
    struct intake **intakes; /* one for each output */
    struct dead_letters *dead_letters;
    char *state; /* directory */
    struct checkpoints *checkpoints;
    struct input **inputs;
    bool *is_paused;          /* each: another of its kind goes on */
    struct handover handover; /* from the agent before, until an input takes it */
    struct option_list own_files;
    struct input_world input_world;
    char host[256];
    struct progress progress;

    struct ending ending;
    enum agent_end end;
    struct err why;
    struct err store_trouble; /* the last that was told */
    int64_t started_ms;
    int64_t ended_ms;
    int64_t gap_ms;
    uint64_t lost; /* events */
};

/* agent.c: what the watchers of the loop call. */
void agent_on_tick(struct ev_loop *loop, ev_prepare *w, int revents);
void agent_on_due(struct ev_loop *loop, ev_timer *w, int revents);

/* agent_end.c */
void agent_on_signal(void *ctx, int number);
bool agent_inputs_are_finished(const struct agent *a);
/* Ends agent_run, if it is time. */
void agent_judge_end(struct agent *a, int64_t now_ms);
struct parts agent_parts(struct agent *a);
/* Events that are lost if it is closed now and no other agent takes over. */
uint64_t agent_would_lose(const struct agent *a);

/* agent_close.c: at the end of agent_run. What the writers have on the disk by now is told: batches
 * that their queue has, dead letters, what a pipe or a local store has taken. Untold, the next
 * start would read and send them once more. Blocks until what is being written is. */
void agent_end_writing(struct agent *a);

/* agent_open.c: what only one agent can have open; the last of it are the signals. */
int agent_open_exclusive(struct agent *a, struct err *e);

#endif
