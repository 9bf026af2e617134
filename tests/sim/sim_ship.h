/* A whole ship in simulated time: its agents one after the other, and the world that they live in.
 *
 * It can be killed between any two of its steps, or in the middle of a write of its database, and
 * is then made anew from what the disk has. At a reload the next agent is prepared beside the one
 * that goes on, and takes over its descriptors. Thread: one. */
#ifndef SHIP_TESTS_SIM_SHIP_H
#define SHIP_TESTS_SIM_SHIP_H

#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_own.h"
#include "tests/sim/sim_server.h"
#include "tests/support/temp_dir.h"

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

    struct sim_config config; /* for the next start */
    struct sim_agent *agent;  /* the one that runs; NULL: none does */
    struct sim_agent *next;   /* prepared; takes over as soon as `agent` has made way */
    unsigned kill_in;         /* steps; 0: not */
    char error[1100];         /* why it did not open */
};

struct sim_stop {
    int64_t drain_ms; /* sooner if waiting is no use */
    int64_t again_ms; /* told again after so long; 0: not */
};

/* The world and the configuration are the caller's to fill in. False: ->error. */
bool sim_ship_open(struct sim_ship *s);
/* Lets time pass; the ship does what is due. False: it was killed meanwhile (and is gone). */
bool sim_ship_run(struct sim_ship *s, int64_t ms);
/* SIGKILL: nothing reaches the disk any more. */
void sim_ship_kill(struct sim_ship *s);
/* It is told to end, and does so in order; or is killed meanwhile. */
void sim_ship_stop(struct sim_ship *s, const struct sim_stop *how);
/* It has a new configuration; if that does not start, it goes on with the old one. False: it was
 * killed meanwhile, or neither starts (->error): it is gone. */
bool sim_ship_reload(struct sim_ship *s, int64_t drain_ms);
/* Others hold its memory: nothing more is read. */
void sim_ship_starve(struct sim_ship *s, bool is_starved);
/* Nothing is read and not settled. */
bool sim_ship_is_idle(struct sim_ship *s);
/* In words; borrowed until the next call. */
const char *sim_ship_what_is_left(const struct sim_ship *s);

int64_t sim_ship_wall_ns(const struct sim_ship *s);
/* The first is kept. */
void sim_ship_violate(struct sim_ship *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
