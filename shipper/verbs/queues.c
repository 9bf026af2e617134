#include "shipper/verbs/queues.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/disk.h"
#include "shipper/base/path.h"
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

static bool is_configured(const struct agent_plan *plan, const char *directory)
{
    for (size_t i = 0; i < plan->n_outputs; i++) {
        const char *path = plan->outputs[i].common.queue_path;

        if (path && strcmp(path, directory) == 0)
            return true;
    }
    return false;
}

static void tell_left_behind(const struct agent_plan *plan, const char *directory, const char *name)
{
    struct queue_stats found;

    if (is_configured(plan, directory) || !queue_peek(directory, &disk_posix, &found, NULL) ||
        !found.events)
        return;
    log_line(
        plan->log, LOG_WARN,
        "queue %s: %llu event%s for an output that is not configured; to be sent once there is "
        "one with `name: %s` again, or with `queue: {path: %s}`; not wanted: delete the "
        "directory",
        directory, (unsigned long long)found.events, plural_s(found.events), name, directory);
}

void queues_tell_left_behind(const struct agent_plan *plan)
{
    const char *top = plan->global->queue_path;
    DIR *dir = top && !plan->is_replay ? opendir(top) : NULL;
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *directory = entry->d_name[0] == '.' ? NULL : path_join(top, entry->d_name);

        if (directory)
            tell_left_behind(plan, directory, entry->d_name);
        free(directory);
    }
    if (dir)
        closedir(dir);
}

void queues_tell_waiting(const struct agent_plan *plan, size_t i, const struct queue_stats *queue,
                         const char *then)
{
    const struct output_common *o = &plan->outputs[i].common;

    if (queue && queue->events)
        log_line(plan->log, LOG_INFO, "output %s: %llu event%s in its queue %s, %s", o->name,
                 (unsigned long long)queue->events, plural_s(queue->events), o->queue_path, then);
}
