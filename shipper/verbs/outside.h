/* What is seen of a service from outside: its status server, and counters that outlive an agent.
 *
 * A reload ends one agent and makes another. Between the two whoever asks waits in the socket; the
 * counters go on where they were.
 * Owner:  the verb's, for as long as the service runs. Thread: main's. */
#ifndef SHIP_VERBS_OUTSIDE_H
#define SHIP_VERBS_OUTSIDE_H

#include <stdint.h>

#include "config/config.h"
#include "shipper/observe/snapshot.h"

struct agent;
struct ev_loop;
struct log;
struct status_server;

struct outside {
    struct ev_loop *loop;
    struct log *log;
    const struct agent *agent;    /* which runs; NULL: none */
    struct status_server *server; /* NULL: none */
    char *listens;                /* as configured, for the server that is there */
    struct snapshot before;       /* what was counted by the agents before */
    double start_s;
    uint64_t reloads_good;
    uint64_t reloads_bad;
};

void outside_init(struct outside *o, struct ev_loop *loop, struct log *log);
/* This agent runs from now on, with these options. A server that cannot be had is told of; the
 * service goes on without. */
void outside_show(struct outside *o, const struct agent *a, const struct global_options *global);
/* It has ended, and is about to be freed: what it counted is kept. */
void outside_keep(struct outside *o);
/* The server ends. Twice is fine. */
void outside_fini(struct outside *o);

#endif
