/* The disk queues of an agent's outputs: opening them, and telling what waits in them.
 *
 * Thread: main's; opening and looking around block. */
#ifndef SHIP_VERBS_QUEUES_H
#define SHIP_VERBS_QUEUES_H

#include "shipper/delivery/queue.h"

struct agent_plan;
struct output_common;

/* What the parts of an agent lend to its queues. */
struct queue_world {
    struct pool *writer; /* for this queue alone */
    struct budget *budget;
    queue_log_fn *log;
    void *log_ctx;
};

/* A replay never has. */
bool queues_has(const struct agent_plan *plan, size_t i);
/* The queue that output i has, into *out. 0, or -1 and *e. */
int queues_open(const struct agent_plan *plan, size_t i, const struct queue_world *world,
                struct queue **out, struct err *e);
/* One line for each queue whose output is no longer configured, if events wait in it: nobody else
 * would ever say so. They are found in queue.path, and in the file `queues` of the state directory,
 * which has a line for each that was configured before. */
void queues_tell_left_behind(const struct agent_plan *plan, const char *state);
/* "123 events in its queue DIR, `then`", for output i; nothing if its queue is empty, or NULL.
 */
void queues_tell_waiting(const struct agent_plan *plan, size_t i, const struct queue_stats *queue,
                         const char *then);

#endif
