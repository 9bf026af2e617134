/* The file input: its options, and its life. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/watch.h"

static const char *const watch_choices[] = {"inotify", "poll", NULL};
static const char *const from_choices[] = {"beginning", "end", NULL};

#define FIELD(name) offsetof(struct file_options, name)

static const struct option options[] = {
    {.name = "paths",
     .type = OPTION_LIST,
     .offset = FIELD(paths),
     .help = "files to read: globs with *, ?, [a-z] and ** for any directories",
     .is_required = true},
    {.name = "exclude",
     .type = OPTION_LIST,
     .offset = FIELD(exclude),
     .help = "globs of files to leave out; without a slash they are held against the name alone"},
    {.name = "watch",
     .type = OPTION_ENUM,
     .offset = FIELD(watch),
     .fallback = "inotify",
     .choices = watch_choices,
     .help = "how changes are noticed; poll for file systems without inotify, as NFS"},
    {.name = "poll_interval",
     .type = OPTION_DURATION,
     .offset = FIELD(poll_interval_ms),
     .fallback = "1s",
     .min = 10,
     .max = 3600000,
     .help = "how often to look when polling; how long a rotated file is read on after its end"},
    {.name = "read_from",
     .type = OPTION_ENUM,
     .offset = FIELD(read_from),
     .fallback = "beginning",
     .choices = from_choices,
     .help = "where to begin with files that are there at the very first start"},
    {.name = "recursive_directories",
     .type = OPTION_BOOL,
     .offset = FIELD(recursive_directories),
     .fallback = "false",
     .help = "a path that is a directory stands for all files below it"},
    {.name = "as",
     .type = OPTION_PATH,
     .offset = FIELD(as),
     .help = "in a replay: the path that events say they are from, and that their ids grow from"},
};

static int validate(const void *opts, struct err *e)
{
    const struct file_options *o = opts;

    if (o->paths.n_items == 0)
        return err_set(e, ERR_CONFIG, "paths: at least one path is needed");
    for (size_t i = 0; i < o->paths.n_items && !o->recursive_directories; i++)
        if (glob_check(o->paths.items[i], e) < 0)
            return err_at(e, "paths[%zu]", i);
    for (size_t i = 0; i < o->exclude.n_items; i++)
        if (glob_check(o->exclude.items[i], e) < 0)
            return err_at(e, "exclude[%zu]", i);
    return 0;
}

/* --- life ------------------------------------------------------------------------------------ */

static void file_close(struct input *in)
{
    if (!in)
        return;
    watch_free(in->watch);
    if (in->all.next && !in->world->is_replay)
        file_tell_unread(in);
    while (in->all.next && !list_is_empty(&in->all)) {
        struct tail *t = LIST_ENTRY(in->all.next, struct tail, all);

        tracker_drop(in->world->tracker, &t->stream);
        file_forget_tail(in, t);
    }
    file_tables_free(in);
    file_free_had(in);
    handover_fini(&in->left);
    file_paths_free(in->patterns);
    file_paths_free(in->excludes);
    file_paths_free(in->own_files);
    free(in);
}

static void init_lists(struct input *in)
{
    list_init(&in->all);
    list_init(&in->checks);
    list_init(&in->homeless);
    list_init(&in->ready);
    list_init(&in->idle);
    list_init(&in->cut);
    list_init(&in->quiet);
    list_init(&in->away);
    list_init(&in->settling);
    list_init(&in->seeking);
}

static unsigned at_most(unsigned most, unsigned n)
{
    return n < most ? n : most;
}

/* Half of what is left beside the files that wander stays free: after a reload the next one opens
 * its files while this one still has its own. */
static void share_descriptors(struct input *in)
{
    unsigned n = in->world->n_descriptors;

    in->most_open = FILE_MAX_OPEN;
    in->most_held = FILE_MAX_HELD;
    if (n) {
        in->most_open = at_most(FILE_MAX_OPEN, n / 2);
        in->most_held = at_most(FILE_MAX_HELD, (n - in->most_open) / 2);
    }
}

static void start_watching(struct input *in)
{
    struct err e = {0};

    if (in->world->is_replay || !in->world->loop || in->options->watch == FILE_WATCH_POLL)
        return;
    in->watch = watch_new(in->world->loop, file_on_changed, in, &e);
    if (in->watch)
        return;
    err_at(&e, "looking every %lld ms instead", (long long)in->options->poll_interval_ms);
    file_log(in, &e);
}

/* A replay must name what is there. */
static int check_replay_paths(struct input *in, struct err *e)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct err trouble = {0};
    bool missing;

    for (size_t i = 0; in->patterns[i]; i++) {
        if (files->stat(files->ctx, in->patterns[i], &st, &missing, NULL) == 0 || !missing ||
            glob_has_wildcard(in->patterns[i]))
            continue;
        err_set(e, ERR_INPUT, "no such file; nothing to replay");
        return err_at(e, "%s", in->options->paths.items[i]);
    }
    in->trouble = &trouble;
    file_scan_patterns(in);
    in->trouble = NULL;
    if (in->has_match) {
        if (trouble.code != ERR_NONE)
            file_log(in, &trouble);
        return 0;
    }
    if (trouble.code == ERR_NONE)
        err_set(&trouble, ERR_INPUT, "no file matches");
    err_set(e, ERR_INPUT, "%s; nothing to replay", trouble.what);
    return err_at(e, "%s", trouble.where[0] ? trouble.where : in->options->paths.items[0]);
}

static struct input *file_input_open(const void *opts, const struct input_common *common,
                                     const struct parser *parser, const struct input_world *world,
                                     struct err *e)
{
    struct input *in = calloc(1, sizeof *in);

    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    in->options = opts;
    in->common = common;
    in->world = world;
    in->stream_options = input_stream_options(common, parser, world);
    init_lists(in);
    share_descriptors(in);
    in->is_first_scan = true;
    in->keep_s = FILE_FORGET_S;
    in->now_ms = clock_mono_ms(world->clock);
    in->patterns = file_paths(&in->options->paths, false);
    in->excludes = file_paths(&in->options->exclude, true);
    in->own_files = file_paths(&world->own_files, false);
    if (!in->patterns || !in->excludes || !in->own_files) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto fail;
    }
    if (world->is_replay) {
        if (check_replay_paths(in, e) < 0)
            goto fail;
        return in;
    }
    if (file_load_rows(in, e) < 0 || file_load_had(in, e) < 0)
        goto fail;
    file_take_left(in);
    start_watching(in);
    file_find_orphans(in);
    file_scan_patterns(in);
    file_claim_copies(in);
    return in;

fail:
    file_close(in);
    return NULL;
}

/* Events come by the thousand; a scan looks at all that they are about. */
static int64_t scan_due(const struct input *in)
{
    bool is_wanted_now = in->is_scan_due && in->may_scan_ms < in->scan_ms;

    if (in->world->is_replay)
        return INT64_MAX;
    return is_wanted_now ? in->may_scan_ms : in->scan_ms;
}

static void scan_if_due(struct input *in)
{
    if (in->now_ms < scan_due(in))
        return;
    if (in->has_orphans)
        file_find_orphans(in);
    file_scan_patterns(in);
}

static int64_t file_tick(struct input *in, int64_t now_ms)
{
    int64_t due;

    in->now_ms = now_ms;
    if (!in->is_stopped) {
        scan_if_due(in);
        file_check_spots(in);
        file_late_step(in);
    }
    file_read_some(in);
    file_sweep(in);
    due = file_read_due(in);
    if (in->is_stopped)
        return due;
    if (!list_is_empty(&in->homeless))
        return now_ms + 1;
    if (!list_is_empty(&in->checks) && (!in->world->is_replay || in->n_tails < FILE_REPLAY_AHEAD))
        return now_ms + 1;
    if (scan_due(in) < due)
        due = scan_due(in);
    if (file_late_due(in) < due)
        due = file_late_due(in);
    return due > now_ms ? due : now_ms + 1;
}

static bool file_is_finished(const struct input *in)
{
    return in->world->is_replay && list_is_empty(&in->checks) && in->n_unread == 0 &&
           in->n_busy == 0;
}

static const struct input_stats *file_stats(const struct input *in)
{
    return &in->stats;
}

static void file_stop(struct input *in)
{
    in->is_stopped = true;
    watch_free(in->watch);
    in->watch = NULL;
}

const struct input_ops input_file = {
    .name = "file",
    .help = "log files: follows them as they grow and rotate; .gz and .zst too",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct file_options)},
    .validate = validate,
    .check = file_check,
    .overlaps = file_overlaps,
    .open = file_input_open,
    .tick = file_tick,
    .is_finished = file_is_finished,
    .stats = file_stats,
    .lag_bytes = file_lag_bytes,
    .stop = file_stop,
    .note_had = file_note_had,
    .hand_over = file_leave,
    .close = file_close,
};
