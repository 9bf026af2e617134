/* Which files are there: scans of the patterns, and what the kernel says between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/watch.h"

void file_log(struct input *in, struct err *e)
{
    if (in->world->log)
        in->world->log(in->world->log_ctx, e);
}

static bool is_live(const struct input *in)
{
    return !in->world->is_replay;
}

/* --- scans ----------------------------------------------------------------------------------- */

/* SQLite has two files more beside each of its own. */
static bool is_own(const struct input *in, const char *path)
{
    for (size_t i = 0; in->own_files[i]; i++) {
        size_t len = strlen(in->own_files[i]);
        const char *rest = path + len;

        if (strncmp(path, in->own_files[i], len) == 0 &&
            (!*rest || *rest == '/' || strcmp(rest, "-wal") == 0 || strcmp(rest, "-shm") == 0))
            return true;
    }
    return false;
}

static bool is_excluded(const struct input *in, const char *path)
{
    for (size_t i = 0; in->excludes[i]; i++)
        if (glob_excludes(in->excludes[i], path))
            return true;
    return false;
}

bool file_matches(const struct input *in, const char *path)
{
    bool is_match = false;

    for (size_t i = 0; in->patterns[i] && !is_match; i++)
        is_match = glob_match(in->patterns[i], path);
    return is_match && !is_excluded(in, path) && !is_own(in, path);
}

void file_queue_check(struct input *in, struct spot *s)
{
    if (!list_has(&s->queued))
        list_push(&in->checks, &s->queued);
}

static void watch_directory(void *ctx, const char *path)
{
    struct input *in = ctx;
    struct err e = {0};

    if (!in->watch || watch_add(in->watch, path, &e) == 0 || e.code != ERR_BUSY)
        return;
    watch_free(in->watch);
    in->watch = NULL;
    err_at(&e, "no watches left; looking every %lld ms instead",
           (long long)in->options->poll_interval_ms);
    file_log(in, &e);
}

/* Whether the last scan met this too: it stays so until somebody mends it, and is said once. */
static bool is_old_trouble(struct input *in, uint64_t hash)
{
    for (size_t i = 0; i < FILE_MAX_TROUBLES; i++) {
        struct file_trouble *t = &in->troubles[i];

        if (t->hash != hash || t->seen + 1 < in->scan)
            continue;
        t->seen = in->scan;
        return true;
    }
    return false;
}

/* False: there are too many already. */
static bool remember_trouble(struct input *in, uint64_t hash)
{
    for (size_t i = 0; i < FILE_MAX_TROUBLES; i++) {
        struct file_trouble *t = &in->troubles[i];

        if (t->hash && t->seen + 1 >= in->scan)
            continue;
        *t = (struct file_trouble){hash, in->scan};
        return true;
    }
    return false;
}

/* Whoever may make directories below a ** must not fill our log with them at each scan. */
static bool is_worth_telling(struct input *in, const struct err *e)
{
    uint64_t hash = hash64(slice_str(e->where)) ^ hash64(slice_str(e->what));
    bool was_full = in->untold_scan && in->untold_scan + 1 >= in->scan;
    struct err more = {0};

    if (is_old_trouble(in, hash))
        return false;
    if (remember_trouble(in, hash))
        return true;
    in->untold_scan = in->scan;
    if (was_full)
        return false;
    err_set(&more, ERR_INPUT, "cannot look into more than %d directories; the others are not named",
            FILE_MAX_TROUBLES);
    err_at(&more, "%s", in->patterns[0]);
    file_log(in, &more);
    return false;
}

static void on_trouble(void *ctx, const struct err *e)
{
    struct input *in = ctx;
    struct err copy = *e;

    in->stats.errors += !is_live(in);
    if (in->trouble && in->trouble->code == ERR_NONE)
        *in->trouble = *e;
    if (in->trouble && strcmp(in->trouble->where, e->where) == 0)
        return;
    if (is_live(in) && !is_worth_telling(in, e))
        return;
    err_at(&copy, "cannot look into a directory");
    file_log(in, &copy);
}

struct match {
    struct input *in;
    bool is_literal;
};

static void on_match(void *ctx, const char *path, enum file_type hint)
{
    struct match *match = ctx;
    struct input *in = match->in;
    struct spot *s;

    if (hint == FILE_DIRECTORY || is_excluded(in, path) || (!match->is_literal && is_own(in, path)))
        return;
    in->has_match = true;
    s = file_spot_get(in, path);
    if (!s)
        return;
    s->seen = in->scan;
    s->is_literal |= match->is_literal;
    if (in->watch && hint == FILE_OTHER && !s->is_link)
        s->is_link = watch_add_link(in->watch, path, NULL) == 0;
    file_queue_check(in, s);
}

static bool is_directory(const struct input *in, const char *path)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;

    return files->stat(files->ctx, path, &st, &missing, NULL) == 0 && st.type == FILE_DIRECTORY;
}

struct recursion {
    struct glob_walk below;
    struct match *match;
};

/* In a replay a directory that matches stands for everything below it; what it holds was not named.
 */
static void on_match_recursive(void *ctx, const char *path, enum file_type hint)
{
    struct recursion *r = ctx;
    bool was_literal = r->match->is_literal;

    if (hint == FILE_REGULAR || !is_directory(r->match->in, path)) {
        on_match(r->match, path, hint);
        return;
    }
    r->match->is_literal = false;
    glob_below(&r->below, path);
    r->match->is_literal = was_literal;
}

static void on_directory(void *ctx, const char *path)
{
    watch_directory(((struct match *)ctx)->in, path);
}

static void on_match_trouble(void *ctx, const struct err *e)
{
    on_trouble(((struct match *)ctx)->in, e);
}

static void on_recursive_trouble(void *ctx, const struct err *e)
{
    on_trouble(((struct recursion *)ctx)->match->in, e);
}

/* False: the directory that it begins with is not there. */
static bool scan_pattern(struct input *in, const char *pattern)
{
    const struct files *files = in->world->files;
    struct match match = {in, !glob_has_wildcard(pattern)};
    struct glob_walk walk = {.files = files,
                             .on_match = on_match,
                             .on_directory = on_directory,
                             .on_trouble = on_match_trouble,
                             .ctx = &match};
    struct recursion recursion = {walk, &match};
    struct file_stat st;
    bool missing;

    if (in->options->recursive_directories) {
        walk.on_match = on_match_recursive;
        walk.on_directory = NULL;
        walk.on_trouble = on_recursive_trouble;
        walk.ctx = &recursion;
        /* A name given on a command line is meant as it is, whatever signs are in it. */
        if (files->stat(files->ctx, pattern, &st, &missing, NULL) == 0 || !missing) {
            match.is_literal = true;
            on_match_recursive(&recursion, pattern, FILE_OTHER);
            return true;
        }
    }
    return glob_expand(&walk, pattern);
}

static int compare_spots(const void *a, const void *b)
{
    const struct spot *const *sa = a;
    const struct spot *const *sb = b;

    return rotation_compare((*sa)->path, (*sb)->path);
}

static bool make_order(struct input *in)
{
    size_t n = 0;

    if (in->has_order)
        return true;
    free(in->order);
    in->order = calloc(in->n_spots + 1, sizeof(struct spot *));
    if (!in->order)
        return false;
    for (size_t i = 0; i < in->spot_buckets; i++)
        for (struct spot *s = in->spots[i]; s; s = s->next)
            in->order[n++] = s;
    qsort(in->order, n, sizeof(struct spot *), compare_spots);
    in->n_order = n;
    in->has_order = true;
    return true;
}

/* Oldest first, so that a file that was rotated is known to have left its place before the files
 * that follow it are looked at. */
static void order_checks(struct input *in)
{
    if (!make_order(in))
        return;
    for (size_t i = 0; i < in->n_order; i++)
        if (list_has(&in->order[i]->queued))
            list_push(&in->checks, &in->order[i]->queued);
}

void file_scan_patterns(struct input *in)
{
    bool is_all_there = true;

    in->scan++;
    in->is_scan_due = false;
    in->scanned_ns = (uint64_t)clock_wall_ns(in->world->clock);
    for (size_t i = 0; in->patterns[i]; i++)
        is_all_there &= scan_pattern(in, in->patterns[i]);
    /* What this scan did not see may be gone: its path will say. */
    for (size_t i = 0; i < in->spot_buckets; i++)
        for (struct spot *s = in->spots[i]; s; s = s->next)
            if (s->seen != in->scan)
                file_queue_check(in, s);
    order_checks(in);
    in->is_scanned = true;
    in->may_scan_ms = in->now_ms + FILE_SCAN_GAP_MS;
    /* What is not there has nothing to watch. */
    in->scan_ms =
        in->now_ms + (in->watch && is_all_there ? FILE_RESCAN_MS : in->options->poll_interval_ms);
}

void file_on_changed(void *ctx, const char *directory, const char *name, bool is_dir)
{
    struct input *in = ctx;
    char path[GLOB_PATH_MAX];
    struct spot *s;
    int n;

    if (!directory || is_dir) {
        in->is_scan_due = true; /* events were lost, or a directory came or went */
        return;
    }
    n = name ? snprintf(path, sizeof path, "%s%s%s", directory,
                        directory[strlen(directory) - 1] == '/' ? "" : "/", name)
             : snprintf(path, sizeof path, "%s", directory);
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    s = file_spot_find(in, path);
    if (!s && !name)
        in->is_scan_due = true; /* a watched directory itself */
    if (!s && name && file_matches(in, path))
        s = file_spot_get(in, path);
    if (s)
        file_queue_check(in, s);
    else if (name)
        file_late_changed(in, path);
}
