/* Disk queues whose outputs are no longer configured. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/text_file.h"
#include "shipper/base/disk.h"
#include "shipper/base/path.h"
#include "shipper/base/plural.h"
#include "shipper/observe/log.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/queues.h"

static const char LIST[] = "queues"; /* in the state directory */
enum { LIST_MAX_BYTES = 64 * 1024 };

struct look {
    const struct agent_plan *plan;
    struct buffer known; /* the list as it is to be: a directory a line */
};

static bool is_configured(const struct agent_plan *plan, const char *directory)
{
    for (size_t i = 0; i < plan->n_outputs; i++) {
        const char *path = plan->outputs[i].common.queue_path;

        if (path && strcmp(path, directory) == 0)
            return true;
    }
    return false;
}

static void remember(struct look *look, const char *directory)
{
    if (strchr(directory, '\n'))
        return;
    buffer_add_slice(&look->known, slice_str(directory));
    buffer_add_char(&look->known, '\n');
}

/* `name`: what the output was called, if that is known. */
static void look_at(struct look *look, const char *directory, const char *name)
{
    struct queue_stats found;
    char hint[160] = "";

    if (is_configured(look->plan, directory) || !queue_peek(directory, &disk_posix, &found, NULL) ||
        !found.events)
        return;
    remember(look, directory);
    if (name)
        snprintf(hint, sizeof hint, "`name: %.100s` again, or with ", name);
    log_line(look->plan->log, LOG_WARN,
             "queue %s: %llu event%s for an output that is not configured; to be sent once there "
             "is one with %s`queue: {path: %s}`; not wanted: delete the directory",
             directory, (unsigned long long)found.events, plural_s(found.events), hint, directory);
}

static void look_into(struct look *look, const char *top)
{
    DIR *dir = opendir(top);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *directory = entry->d_name[0] == '.' ? NULL : path_join(top, entry->d_name);

        if (directory)
            look_at(look, directory, entry->d_name);
        free(directory);
    }
    if (dir)
        closedir(dir);
}

static bool is_directly_below(struct slice path, const char *top)
{
    size_t len = top ? strlen(top) : 0;

    return len && path.len > len + 1 && memcmp(path.ptr, top, len) == 0 && path.ptr[len] == '/' &&
           !memchr(path.ptr + len + 1, '/', path.len - len - 1);
}

/* What was configured once; but for what was looked into already. */
static void look_through_list(struct look *look, struct slice list)
{
    struct slice line;

    while (list.len && slice_cut(&list, '\n', &line)) {
        char directory[4096];

        if (is_directly_below(line, look->plan->global->queue_path) || !line.len)
            continue;
        snprintf(directory, sizeof directory, "%.*s", SLICE_ARG(line));
        look_at(look, directory, NULL);
    }
}

/* If it cannot be written, what it would have said is not told later: no more than that. */
static void write_list(const char *state, struct slice text)
{
    const struct disk *disk = &disk_posix;
    int dir = disk->open_dir(disk->ctx, state, false, NULL);

    if (dir < 0)
        return;
    disk_replace(disk, dir, LIST, text);
    disk->close(disk->ctx, dir);
}

void queues_tell_left_behind(const struct agent_plan *plan, const char *state)
{
    char *path = plan->is_replay ? NULL : path_join(state, LIST);
    struct look look = {.plan = plan};
    struct buffer before = {0};

    if (!path)
        return;
    text_file_read(path, LIST_MAX_BYTES, &before, NULL);
    for (size_t i = 0; i < plan->n_outputs; i++)
        if (plan->outputs[i].common.queue_path)
            remember(&look, plan->outputs[i].common.queue_path);
    if (plan->global->queue_path)
        look_into(&look, plan->global->queue_path);
    look_through_list(&look, buffer_slice(&before));
    if (!look.known.failed && !slice_eq(buffer_slice(&look.known), buffer_slice(&before)))
        write_list(state, buffer_slice(&look.known));
    buffer_free(&look.known);
    buffer_free(&before);
    free(path);
}
