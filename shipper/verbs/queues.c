#include "shipper/verbs/queues.h"

#include "shipper/base/disk.h"
#include "shipper/base/plural.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent.h"

bool queues_has(const struct agent_plan *plan, size_t i)
{
    return !plan->is_replay && plan->outputs[i].common.queue_path;
}

int queues_open(const struct agent_plan *plan, size_t i, const struct queue_world *world,
                struct queue **out, struct err *e)
{
    const struct output_config *o = &plan->outputs[i];

    *out = queue_open(&(struct queue_options){.directory = o->common.queue_path,
                                              .output_type = o->ops->name,
                                              .max_bytes = o->common.queue_max_bytes,
                                              .disk = &disk_posix,
                                              .writer = world->writer,
                                              .budget = world->budget,
                                              .output = (unsigned)i},
                      world->log, world->log_ctx, e);
    return *out ? 0 : err_at(e, "output %s", o->common.name);
}

void queues_tell_waiting(const struct agent_plan *plan, size_t i, const struct queue_stats *queue,
                         const char *then)
{
    const struct output_common *o = &plan->outputs[i].common;

    if (queue && queue->events)
        log_line(plan->log, LOG_INFO, "output %s: %llu event%s in its queue %s, %s", o->name,
                 (unsigned long long)queue->events, plural_s(queue->events), o->queue_path, then);
}
