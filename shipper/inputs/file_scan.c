/* Which files are there: scans, checks of single spots, and what they find. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/watch.h"

enum { PACKED_RATIO = 8 }; /* a guess at what a packed file holds, until it is read */

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

bool file_matches(const struct input *in, const char *path)
{
    bool is_match = false;

    for (size_t i = 0; in->patterns[i] && !is_match; i++)
        is_match = glob_match(in->patterns[i], path);
    for (size_t i = 0; in->excludes[i] && is_match; i++)
        is_match = !glob_excludes(in->excludes[i], path);
    return is_match;
}

static bool is_excluded(const struct input *in, const char *path)
{
    for (size_t i = 0; in->excludes[i]; i++)
        if (glob_excludes(in->excludes[i], path))
            return true;
    return false;
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

static void on_trouble(void *ctx, const struct err *e)
{
    struct input *in = ctx;
    struct err copy = *e;

    in->stats.errors += !is_live(in);
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

    if (hint == FILE_DIRECTORY || is_excluded(in, path))
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
    for (size_t i = 0; in->patterns[i]; i++)
        is_all_there &= scan_pattern(in, in->patterns[i]);
    /* What this scan did not see may be gone: its path will say. */
    for (size_t i = 0; i < in->spot_buckets; i++)
        for (struct spot *s = in->spots[i]; s; s = s->next)
            if (s->seen != in->scan)
                file_queue_check(in, s);
    order_checks(in);
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
}

/* --- tails ----------------------------------------------------------------------------------- */

/* "checkout" of "/var/log/functions/checkout.log.1" */
static struct slice function_of(const struct input *in, const char *path)
{
    struct slice origin = stream_origin_path(slice_str(path));
    size_t base = origin.len;
    size_t end;

    if (in->common->function)
        return slice_str(in->common->function);
    while (base > 0 && origin.ptr[base - 1] != '/')
        base--;
    origin = slice_from(origin, base);
    for (end = origin.len; end > 1 && origin.ptr[end - 1] != '.'; end--)
        ;
    return end > 1 ? slice_of(origin.ptr, end - 1) : origin;
}

static void set_up_stream(struct input *in, struct tail *t)
{
    /* A tail's rows are found again by its real path. */
    const char *path = in->options->as && !is_live(in) ? in->options->as : t->path;
    struct profile_parts parts;

    input_profile_parts(in->common, &parts);
    parts.host = slice_str(in->world->host);
    parts.path = slice_str(path);
    parts.function = function_of(in, path);
    t->stream.options = &in->stream_options;
    t->stream.key = in->world->checkpoints && is_live(in) ? t->key : NULL;
    stream_profile_build(&t->stream.profile, &parts, &t->profile);
    /* A file written anew in its old inode is another generation. */
    stream_set_origin(&t->stream, parts.host, parts.path, t->id.device, t->id.inode,
                      t->id.generation + t->n_rewritten * 0x9e3779b97f4a7c15u);
}

struct tail *file_make_tail(struct input *in, const char *path, const char *where,
                            const struct file_stat *st, unsigned n_rewritten)
{
    struct file_id id = file_id_of(st);
    struct tail *t = tail_new(path, &id, n_rewritten);
    struct err e = {0};

    if (!t)
        goto nomem;
    t->is_packed = rotation_is_packed(where);
    t->stream.is_sequential = t->is_packed;
    if (!t->is_packed) {
        t->file = source_file_new(in->world->files, where, &id);
        if (!t->file)
            goto nomem;
        t->stream.source = source_file_base(t->file);
    }
    set_up_stream(in, t);
    t->stream.mtime_ns = st->mtime_ns;
    t->size = st->size;
    t->grown_ms = in->now_ms;
    if (!file_tail_insert(in, t))
        goto nomem;
    in->stats.streams++;
    in->stats.total_bytes += t->is_packed ? st->size * PACKED_RATIO : st->size;
    t->is_counted = true;
    in->n_unread++;
    return t;

nomem:
    tail_free(t);
    err_set(&e, ERR_NOMEM, "%s: out of memory for another file; trying again", where);
    file_log(in, &e);
    return NULL;
}

static void take_spot(struct input *in, struct spot *s, struct tail *t)
{
    (void)in;
    s->tail = t;
    s->is_done = false;
    t->spot = s;
    list_remove(&t->homeless);
    if (!t->successor)
        list_remove(&t->away);
}

/* The predecessor lost its place to this one: it may still be written to for a moment. */
static void follow(struct input *in, struct tail *t, struct tail *predecessor)
{
    file_hold(in, t, predecessor);
    if (t->state != TAIL_HELD || !is_live(in) || in->is_first_scan)
        return;
    predecessor->away_ms = in->now_ms;
    list_push(&in->away, &predecessor->away);
    if (!t->is_packed)
        file_open(in, t); /* it may be rotated away itself before its turn comes */
}

static bool is_read_already(struct input *in, struct spot *s, const struct file_stat *st,
                            const struct known *k)
{
    if (!s || !k || !k->is_finished || !rotation_is_packed(s->path))
        return false;
    (void)in;
    s->is_done = true;
    s->done = file_id_of(st);
    s->done_size = st->size;
    return true;
}

/* Without birth times a row may be that of a file whose number was given out again; of one that was
 * not read yet only the name can tell. */
static bool is_of_another(const struct known *k, const char *path)
{
    return k->id.generation == 0 && k->position == 0 && !rotation_is_sibling(k->path, path);
}

/* Which generation in its inode a file is that was not known as this one. */
static unsigned next_generation(const struct input *in, const struct file_id *id,
                                const struct known *k)
{
    const struct tail *t = file_tail_find(in, id);
    unsigned n = k ? k->n_rewritten + 1 : 0;

    return t && t->n_rewritten >= n ? t->n_rewritten + 1 : n;
}

struct tail *file_discover(struct input *in, struct spot *s, const char *path,
                           const struct file_stat *st, struct tail *predecessor)
{
    struct file_id id = file_id_of(st);
    struct known *k = file_known_find(in, &id);
    bool fits = k && !is_of_another(k, path) && file_row_fits(in, k, path, st);
    unsigned n = fits ? k->n_rewritten : next_generation(in, &id, k);
    struct tail *t;

    if (fits && is_read_already(in, s, st, k))
        return NULL;
    t = file_make_tail(in, fits && !k->is_finished ? k->path : path, path, st, n);
    if (!t)
        return NULL;
    if (fits)
        file_restore(in, t, k);
    else if (!k && in->skips_present && in->is_first_scan)
        file_start_at_end(in, t, path, st->size);
    else
        file_put_row(in, t, false); /* or a crash before its first ack would forget that it was */
    file_forget_rows(in, &id);
    if (s)
        take_spot(in, s, t);
    t->has_gap_before = s && predecessor && predecessor->spot &&
                        !rotation_is_next(predecessor->spot->path, s->path);
    if (predecessor && predecessor != t)
        follow(in, t, predecessor);
    if (t->state == TAIL_WAITING)
        file_ready(in, t);
    return t;
}

void file_rewritten(struct input *in, struct tail *t)
{
    uint64_t lost = t->has_shrunk ? tail_lost_bytes(t) : 0;
    const char *path = source_file_path(t->file);
    struct file_stat st = {.device = t->id.device,
                           .inode = t->id.inode,
                           .generation = t->id.generation,
                           .type = FILE_REGULAR};
    struct tail *n;
    struct err e = {0};

    n = file_make_tail(in, t->path, path ? path : t->path, &st, t->n_rewritten + 1);
    if (!n)
        return;
    err_set(&e, ERR_INPUT, "%s: was truncated or written anew; reading it from its beginning%s",
            t->path, lost ? "" : ", nothing of the old content was left to read");
    if (lost)
        err_set(&e, ERR_INPUT,
                "%s: was truncated or written anew before its last %llu bytes were read: they are "
                "lost; reading it from its beginning",
                t->path, (unsigned long long)lost);
    in->stats.lost_bytes += lost;
    file_log(in, &e);

    list_remove(&t->idle);
    source_file_adopt(n->file, source_file_resign(t->file));
    t->is_superseded = true;
    n->successor = t->successor;
    if (n->successor)
        n->successor->predecessor = n;
    t->successor = NULL;
    if (t->spot)
        take_spot(in, t->spot, n);
    if (list_has(&t->away)) {
        n->away_ms = t->away_ms;
        list_push(&in->away, &n->away);
        list_remove(&t->away);
    }
    t->spot = NULL;
    file_hold(in, n, t); /* inherits what correlation knows as soon as t is drained: now */
    file_put_row(in, n, false);
    file_drained(in, t);
}

/* --- checks ---------------------------------------------------------------------------------- */

static void complain(struct input *in, struct spot *s, struct err *e)
{
    if (s->has_complained)
        return;
    s->has_complained = true;
    in->stats.errors++;
    file_log(in, e);
}

static void check_gone(struct input *in, struct spot *s, struct err *e)
{
    if (!is_live(in))
        complain(in, s, e);
    if (s->tail)
        file_displace(in, s->tail);
    if (s->previous)
        return; /* its successor will come here */
    if (s->is_link && in->watch)
        watch_remove(in->watch, s->path);
    file_spot_remove(in, s);
}

static bool is_still_at(const struct input *in, const struct spot *s, const struct file_id *id)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct file_id there;
    bool missing;

    if (files->stat(files->ctx, s->path, &st, &missing, NULL) < 0)
        return !missing; /* in doubt nothing changes */
    there = file_id_of(&st);
    return file_id_eq(&there, id);
}

static void set_previous(struct spot *s, struct tail *t)
{
    if (s->previous)
        s->previous->left = NULL;
    if (t->left)
        t->left->previous = NULL;
    s->previous = t;
    t->left = s;
}

/* A file that we know is here now: a rename, or a second name. */
static void check_known(struct input *in, struct spot *s, struct tail *t)
{
    struct spot *old = t->spot;

    if (old && is_still_at(in, old, &t->id))
        return; /* a second name of the same file: it is read once */
    if (s->tail)
        file_displace(in, s->tail);
    if (old) {
        old->tail = NULL;
        set_previous(old, t);
        file_queue_check(in, old);
    }
    take_spot(in, s, t);
    t->wants_finish = false;
    if (t->file)
        source_file_move(t->file, s->path);
    file_ready(in, t);
}

static void check_same(struct input *in, struct tail *t, const struct file_stat *st)
{
    if (t->state == TAIL_BUSY) {
        /* What is seen now must not pass for what the worker has met. It is looked at again, when
         * the chunk is back. */
        t->has_news = true;
        return;
    }
    switch (tail_look(t, st, in->now_ms)) {
    case TAIL_NOTHING:
        break;
    case TAIL_GROWN:
        file_ready(in, t);
        break;
    case TAIL_REWRITTEN:
        file_rewritten(in, t);
        break;
    }
}

/* In the first scan a file follows the one before it of the same origin. */
/* The file whose origin this is the rotated path of, if it has left its place. */
static struct tail *rotated_predecessor(const struct input *in, const struct spot *s)
{
    struct slice origin = stream_origin_path(slice_str(s->path));
    char path[GLOB_PATH_MAX];
    const struct spot *current;

    snprintf(path, sizeof path, "%.*s", SLICE_ARG(origin));
    current = file_spot_find(in, path);
    if (!current || !current->tail)
        return current ? current->previous : NULL;
    return is_still_at(in, current, &current->tail->id) ? NULL : current->tail;
}

/* Which file this one goes on from: the one next in age, where such names are looked at too; else
 * the one that was here before. */
static struct tail *predecessor_of(const struct input *in, const struct spot *s)
{
    const struct spot *older = in->newest ? in->newest->spot : NULL;

    if (older && rotation_is_sibling(older->path, s->path) &&
        rotation_compare(older->path, s->path) < 0)
        return in->newest;
    if (s->previous || !is_live(in) || !rotation_is_rotated(s->path))
        return s->previous;
    return rotated_predecessor(in, s);
}

static void check_new(struct input *in, struct spot *s, const struct file_stat *st)
{
    if (s->tail)
        file_displace(in, s->tail);
    file_discover(in, s, s->path, st, predecessor_of(in, s));
}

/* Its number was given out again: the file was deleted, and nobody has it open. (With birth times
 * the new one is told apart by its own.) */
static bool is_reused(const struct tail *t)
{
    return t->id.generation == 0 && t->is_gone && !tail_is_open(t);
}

static void check_regular(struct input *in, struct spot *s, const struct file_stat *st)
{
    struct file_id id = file_id_of(st);
    struct tail *t;

    if (s->is_done && file_id_eq(&s->done, &id) && s->done_size == st->size)
        return;
    if (s->tail && file_id_eq(&s->tail->id, &id)) {
        check_same(in, s->tail, st);
        return;
    }
    t = file_tail_find(in, &id);
    if (t && !is_reused(t))
        check_known(in, s, t);
    else
        check_new(in, s, st);
}

static void check_spot(struct input *in, struct spot *s)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct err e = {0};
    bool missing;

    if (files->stat(files->ctx, s->path, &st, &missing, &e) < 0) {
        if (missing)
            check_gone(in, s, &e);
        else
            complain(in, s, &e);
        return;
    }
    if (st.type == FILE_REGULAR) {
        check_regular(in, s, &st);
        in->newest = s->tail;
        return;
    }
    if (s->is_literal) {
        err_set(&e, ERR_INPUT, "%s: not a regular file; not read%s", s->path,
                is_live(in) ? "" : "; a pipe is read as standard input: `ship --replay - < PIPE`");
        complain(in, s, &e);
    }
    if (s->tail)
        file_displace(in, s->tail);
}

/* A replay may name more files than memory should know at a time. */
static bool may_check(const struct input *in)
{
    return is_live(in) || in->n_tails < FILE_REPLAY_AHEAD;
}

void file_check_spots(struct input *in)
{
    for (int n = 0; n < FILE_CHECKS_PER_TICK && !list_is_empty(&in->checks) && may_check(in); n++) {
        struct spot *s = LIST_ENTRY(in->checks.next, struct spot, queued);

        list_remove(&s->queued);
        check_spot(in, s); /* may free it */
    }
    if (!list_is_empty(&in->checks))
        return;
    in->is_first_scan = false;
    in->newest = NULL;
    file_find_homes(in);
}
