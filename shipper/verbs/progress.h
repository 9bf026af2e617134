/* How a replay gets on, on a terminal: bytes, events, rate, time left.
 *
 * Owner:  the agent. Thread: the loop's. */
#ifndef SHIP_VERBS_PROGRESS_H
#define SHIP_VERBS_PROGRESS_H

#include <ev.h>

struct agent;

struct progress {
    ev_timer timer;
    struct ev_loop *loop;
    const struct agent *agent;
};

void progress_start(struct progress *p, struct ev_loop *loop, const struct agent *agent);
/* Wipes the line. */
void progress_stop(struct progress *p);

#endif
