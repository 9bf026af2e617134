/* A whole ship in simulated time: the file input, the pipeline without threads, the engine, the
 * elasticsearch output, checkpoints and dead letters, wired as the agent wires them.
 *
 * It can be killed between any two of its steps, or in the middle of a write of its database, and
 * is then made anew from what the disk has. Thread: one. */
#ifndef SHIP_TESTS_SIM_SHIP_H
#define SHIP_TESTS_SIM_SHIP_H

#include "outputs/es_options.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/intake.h"
#include "shipper/delivery/queue.h"
#include "shipper/inputs/file_input.h"
#include "shipper/verbs/parts.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_own.h"
#include "tests/sim/sim_server.h"
#include "tests/support/temp_dir.h"

#define SIM_DEAD "/state/dead"
#define SIM_QUEUES "-queue" /* what the paths of queues end in */

enum { SIM_BATCH_MAX = 60000 }; /* batch.max_bytes in any configuration */
enum { SIM_OUTPUTS_MAX = 2, SIM_SERVERS_MAX = 3 };

struct sim_ship {
    /* What outlives it. */
    struct random *random;
    struct sim_disk disk; /* with the logs */
    struct sim_own own;   /* with what it writes itself */
    struct sim_server servers[SIM_SERVERS_MAX];
    size_t n_servers;
    char state[TEMP_DIR_MAX]; /* its directory: the lock */
    int64_t now_ms;
    void (*on_log)(void *ctx, const struct err *what); /* what it says; may be NULL */
    void *log_ctx;

    char violation[256]; /* the first promise that was seen broken while it ran; "" none */

    /* How it is configured. */
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

    /* The one that runs, if one does. */
    bool is_up;
    struct ending ending;
    bool is_starved;  /* the test holds all of its memory */
    unsigned kill_in; /* steps; 0: not */
    struct clock clock;
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct pool *writer;
    struct lanes *lanes;
    struct sink *sinks[SIM_OUTPUTS_MAX];
    struct engine_output engine_outputs[SIM_OUTPUTS_MAX];
    struct engine *engine;
    struct intake *intakes[SIM_OUTPUTS_MAX];
    uint64_t n_found[SIM_OUTPUTS_MAX]; /* events that were in the queue when it was opened */
    struct dead_letters *dead;
    struct checkpoints *checkpoints;
    struct input_world input_world;
    struct input *input;
    int64_t engine_due_ms; /* when it wants to be called next, ... */
    bool is_engine_free;   /* ... or may act before, since something came in */
    char error[1100];      /* why it did not open */
};

/* The world and the configuration are the caller's to fill in. False: ->error. */
bool sim_ship_open(struct sim_ship *s);
/* Lets time pass; the ship does what is due. False: it was killed meanwhile (and is gone). */
bool sim_ship_run(struct sim_ship *s, int64_t ms);
/* SIGKILL: nothing reaches the disk any more. */
void sim_ship_kill(struct sim_ship *s);
/* It is told to end, and does so in order, after drain_ms at most; sooner if waiting is no use. */
void sim_ship_stop(struct sim_ship *s, enum stopping how, int64_t drain_ms);
/* Others hold its memory: nothing more is read. */
void sim_ship_starve(struct sim_ship *s, bool is_starved);
/* When all is settled: what the engine counts is what was read, and what the servers told. */
void sim_ship_check_sums(struct sim_ship *s);
/* Nothing is read and not settled. */
bool sim_ship_is_idle(struct sim_ship *s);
/* In words; borrowed until the next call. */
const char *sim_ship_what_is_left(const struct sim_ship *s);

#endif
