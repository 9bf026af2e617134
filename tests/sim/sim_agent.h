/* One agent of the simulated ship: the file input, the pipeline without threads, the engine, the
 * elasticsearch output, checkpoints, dead letters and disk queues, wired as shipper/verbs/agent_*.c
 * wires them, and followed by the next in the same steps.
 *
 * Owner: the ship (sim_ship.h). Thread: one. */
#ifndef SHIP_TESTS_SIM_AGENT_H
#define SHIP_TESTS_SIM_AGENT_H

#include "outputs/es_options.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/intake.h"
#include "shipper/delivery/queue.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/handover.h"
#include "shipper/verbs/parts.h"

#define SIM_DEAD "/state/dead"
#define SIM_QUEUES "-queue" /* what the paths of queues end in */

enum { SIM_BATCH_MAX = 60000 }; /* batch.max_bytes in any configuration */
enum { SIM_OUTPUTS_MAX = 2, SIM_SERVERS_MAX = 3 };

struct sim_ship;

struct sim_config {
    size_t n_outputs;
    struct sim_output {
        unsigned id; /* its name, and its queue's */
        unsigned server;
    } outputs[SIM_OUTPUTS_MAX];
    const char *pattern;
    struct file_options file_options;
    struct input_common common;
    struct parser parser;
    struct es_options es_options;
    struct batch_limits limits;
    struct sim_intake {
        enum on_full on_full;
        int64_t memory_bytes;
        int64_t queue_bytes;           /* 0: it has no queue */
    } intake_options[SIM_OUTPUTS_MAX]; /* by the output's id */
    int64_t memory_bytes;
    int64_t letters_rotate_bytes;
};

struct sim_agent {
    struct sim_ship *ship;
    struct sim_config config;
    struct clock clock;
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct pool *writer;
    struct lanes *lanes;
    struct sink *sinks[SIM_OUTPUTS_MAX];
    struct engine_output engine_outputs[SIM_OUTPUTS_MAX];
    char identities[SIM_OUTPUTS_MAX][16];
    struct engine *engine;
    struct intake *intakes[SIM_OUTPUTS_MAX];
    uint64_t n_found[SIM_OUTPUTS_MAX]; /* events that were in the queue when it was opened */
    bool has_had; /* some outputs had some of what is read: it is not sent to them again */
    struct dead_letters *dead;
    struct checkpoints *checkpoints;
    struct handover handover; /* from the agent before, until the input takes it */
    struct input_world input_world;
    struct input *input;

    struct ending ending;
    bool is_starved;       /* the test holds all of its memory */
    int64_t engine_due_ms; /* when it wants to be called next, ... */
    bool is_engine_free;   /* ... or may act before, since something came in */
};

/* Opens what can be open beside another one that goes on; it never fails. */
struct sim_agent *sim_agent_prepare(struct sim_ship *ship, const struct sim_config *config);
/* What only one can have open. False and *e: it is still to be freed, or taken over from. */
bool sim_agent_open_exclusive(struct sim_agent *a, struct err *e);
/* Takes `before` down, in any case, and begins where it ended. */
bool sim_agent_take_over(struct sim_agent *a, struct sim_agent *before, struct err *e);
/* In order, or dead. NULL is fine. */
void sim_agent_free(struct sim_agent *a);

struct parts sim_agent_parts(struct sim_agent *a);
struct ending_facts sim_agent_look(struct sim_agent *a);
/* Others hold its memory: nothing more is read. */
void sim_agent_starve(struct sim_agent *a, bool is_starved);
/* Told: reads no more. */
void sim_agent_tell(struct sim_agent *a, enum stopping how, int64_t drain_ms);
/* When all is settled: what the engine counts is what was read, and what the servers told. */
void sim_agent_check_sums(struct sim_agent *a);

#endif
