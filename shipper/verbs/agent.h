/* The agent: inputs, pipeline and outputs wired together around one loop.
 *
 * Runs until all is settled (replay), until it is told to stop or to make way (run), or until an
 * output gives up. Several agents can be there at a time, one at work: the next is prepared while
 * the one before goes on.
 * Owner:  the verb. Thread: main's; the agent starts its workers. */
#ifndef SHIP_VERBS_AGENT_H
#define SHIP_VERBS_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "shipper/base/error.h"
#include "shipper/delivery/engine.h"

struct ev_loop;
struct log;

/* SIGHUP came, while it was at work. */
typedef void agent_hangup_fn(void *ctx);

struct agent_plan {
    const struct global_options *global;
    const struct input_config *inputs;
    size_t n_inputs;
    const struct output_config *outputs;
    size_t n_outputs;
    bool is_replay; /* read to the end, remember no positions, give up on outputs that stay away */
    bool shows_progress; /* on standard error, a terminal */
    bool has_told;       /* what is dangerous was said already, by an agent before */
    /* What becomes of each event; with it, what is refused is no dead letter (again). NULL: there
     * are dead letters. */
    engine_verdict_fn *on_verdict;
    void *verdict_ctx;
    agent_hangup_fn *on_hangup; /* NULL: SIGHUP ends us */
    void *hangup_ctx;
    struct ev_loop *loop; /* lent, for agents that follow each other; NULL: one of its own */
    struct log *log;
};

enum agent_end {
    AGENT_DONE,      /* replay: all settled; run: stopped, all settled within limits.drain */
    AGENT_UNSETTLED, /* run: stopped, and the rest waits for the next start */
    AGENT_GAVE_UP,   /* an output did not take it: why */
    AGENT_CLOSED,    /* the reader of standard output has gone */
    AGENT_RELOAD,    /* it has made way: the next agent takes over */
};

struct agent_totals {
    uint64_t bytes;
    uint64_t lines;
    uint64_t events;
    uint64_t truncated;
    uint64_t errors;      /* files that could not be read */
    uint64_t total_bytes; /* that there are to read; 0 unknown */
    uint64_t delivered;   /* over all outputs */
    uint64_t duplicates;
    uint64_t dead;
    uint64_t dropped; /* on_full, and what was damaged in a queue */
    uint64_t waiting; /* events under way: most of them that one output still had to take; after a
                         reload without those in its queue */
    uint64_t lost;    /* events that were read, are not delivered, and that no source has any more;
                         known once it ended */
    double seconds;
    const char *dead_path;
};

struct agent;
struct snapshot;

/* Opens everything. NULL and *e (ERR_CONFIG, ERR_INPUT, ERR_STORE). Borrows the plan's parts. */
struct agent *agent_new(const struct agent_plan *plan, struct err *e);
/* The inputs' first turns, before the loop's: who is told that ship runs may rotate what was there,
 * for it is known. Once, after agent_new. */
void agent_look_around(struct agent *a);
/* AGENT_GAVE_UP: why in *e. */
enum agent_end agent_run(struct agent *a, struct err *e);
void agent_totals(const struct agent *a, struct agent_totals *out);
/* What it counted since it was made. False: out of memory. The caller's to free. */
bool agent_snapshot(const struct agent *a, struct snapshot *out);
/* -1 and *e when the last positions, or what of a queue is settled, could not be written. NULL is
 * fine. */
int agent_free(struct agent *a, struct err *e);

/* --- a reload: agent_prepare, agent_make_way, agent_run returns, agent_take_over ---------------
 */

/* Opens what can be open beside `others` (NULL: none), of which one goes on meanwhile: so what does
 * not start changes nothing. NULL and *e. */
enum { AGENT_OTHERS = 2 };
struct agent *agent_prepare(const struct agent_plan *plan,
                            const struct agent *const others[AGENT_OTHERS], struct err *e);
/* Reads no more, lets what is under way settle for a moment; then agent_run returns AGENT_RELOAD.
 * False: it is told to stop, and goes on with that. A later call with another plan is fine. */
bool agent_make_way(struct agent *a, const struct agent_plan *next);
/* Takes `before` down, in any case, and begins where it ended. -1 and *e: it does not start, and is
 * still to be freed, or taken over from. A loss on the way is logged. */
int agent_take_over(struct agent *a, struct agent *before, struct err *e);
/* How long nothing was read, from agent_make_way to the end of agent_take_over. */
int64_t agent_gap_ms(const struct agent *a);

#endif
