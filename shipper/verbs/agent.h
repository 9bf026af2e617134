/* The agent: inputs, pipeline and outputs wired together around one loop.
 *
 * Runs until all is settled (replay), until it is told to stop (run), or until an output gives up.
 * Owner:  the verb. Thread: main's; the agent starts its workers. */
#ifndef SHIP_VERBS_AGENT_H
#define SHIP_VERBS_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "shipper/base/error.h"
#include "shipper/delivery/engine.h"

struct log;

struct agent_plan {
    const struct global_options *global;
    const struct input_config *inputs;
    size_t n_inputs;
    const struct output_config *outputs;
    size_t n_outputs;
    bool is_replay; /* read to the end, remember no positions, give up on outputs that stay away */
    bool shows_progress; /* on standard error, a terminal */
    /* What becomes of each event; with it, what is refused is no dead letter (again). NULL: there
     * are dead letters. */
    engine_verdict_fn *on_verdict;
    void *verdict_ctx;
    struct log *log;
};

enum agent_end {
    AGENT_DONE,      /* replay: all settled; run: stopped, all settled within limits.drain */
    AGENT_UNSETTLED, /* run: stopped, and the rest waits for the next start */
    AGENT_GAVE_UP,   /* an output did not take it: why */
    AGENT_CLOSED,    /* the reader of standard output has gone */
    AGENT_RELOAD,    /* SIGHUP: agent_run returns, settled or not, to be made anew */
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
    double seconds;
    const char *dead_path;
};

struct agent;

/* Opens everything. NULL and *e (ERR_CONFIG, ERR_INPUT, ERR_STORE). Borrows the plan's parts. */
struct agent *agent_new(const struct agent_plan *plan, struct err *e);
/* AGENT_GAVE_UP: why in *e. */
enum agent_end agent_run(struct agent *a, struct err *e);
void agent_totals(const struct agent *a, struct agent_totals *out);
/* Asks before a reload ends this agent: false keeps it running. Called on SIGHUP. */
typedef bool agent_reload_fn(void *ctx);
void agent_on_reload(struct agent *a, agent_reload_fn *fn, void *ctx);
/* -1 and *e when the last positions could not be written. NULL is fine. */
int agent_free(struct agent *a, struct err *e);

#endif
