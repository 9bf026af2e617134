/* Files that were read to their end where they were rotated to, and that somebody writes to after
 * all: their rows are held against what is there, a few at a time, and where inotify says so at
 * once. */
#include <stdlib.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"

enum {
    PASS_MS = 10000, /* from the beginning of one pass over all rows to that of the next */
    BITE_MS = 50,    /* between its bites */
    BITE_ROWS = 512,
};

/* The newest generation of its inode, finished, plain, and in nobody's work. */
static bool is_left_alone(const struct input *in, const struct known *k)
{
    return k->is_finished && k == file_known_find(in, &k->id) && !file_tail_find(in, &k->id);
}

static bool has_grown(const struct known *k, const struct file_stat *st)
{
    return st->type == FILE_REGULAR && st->size > k->position && st->size != k->refused_size;
}

/* As one that is away, under the name that it had when it was written to. */
static void read_on(struct input *in, struct known *k, const char *path, const struct file_stat *st)
{
    char *origin = file_origin(in, path);
    struct file_id id = k->id;
    struct tail *t = file_make_tail(in, origin ? origin : path, path, st, k->n_rewritten);

    free(origin);
    if (!t)
        return;
    file_restore(in, t, k); /* which frees k */
    file_forget_rows(in, &id);
    file_put_row(in, t, false); /* or a reload would not take it over */
    t->away_ms = in->now_ms;
    list_push(&in->away, &t->away);
    file_keep(in, t);
    file_ready(in, t);
}

/* True: its row is gone. A path that a pattern has is looked at anyway. */
static bool look_at(struct input *in, struct known *k, const char *path, const struct file_stat *st)
{
    if (!is_left_alone(in, k) || !has_grown(k, st) || rotation_is_packed(path) ||
        file_matches(in, path))
        return false;
    if (!file_row_fits(in, k, path, st)) {
        k->refused_size = st->size;
        return false;
    }
    read_on(in, k, path, st);
    return true;
}

static bool stat_path(const struct input *in, const char *path, struct file_stat *st)
{
    bool missing;

    return in->world->files->stat(in->world->files->ctx, path, st, &missing, NULL) == 0;
}

void file_late_changed(struct input *in, const char *path)
{
    struct file_stat st;
    struct file_id id;
    struct known *k;

    if (!in->n_knowns || in->is_first_scan || !rotation_is_rotated(path) ||
        !stat_path(in, path, &st))
        return;
    id = file_id_of(&st);
    k = file_known_find(in, &id);
    if (k)
        look_at(in, k, path, &st);
}

/* One that has left its path is found there by the sweep. */
static bool look_at_row(struct input *in, struct known *k)
{
    struct file_stat st;
    struct file_id id;

    if (!is_left_alone(in, k) || rotation_is_packed(k->path) || !stat_path(in, k->path, &st))
        return false;
    id = file_id_of(&st);
    return file_id_eq(&id, &k->id) && look_at(in, k, k->path, &st);
}

/* How many rows it had. */
static size_t look_through(struct input *in, size_t bucket)
{
    struct known *k = in->knowns[bucket];
    size_t n = 0;

    while (k) {
        n++;
        k = look_at_row(in, k) ? in->knowns[bucket] : k->next;
    }
    return n;
}

void file_late_step(struct input *in)
{
    size_t n = 0;

    if (in->now_ms < in->late_ms || in->is_first_scan || in->world->is_replay)
        return;
    if (in->late_bucket == 0)
        in->late_pass_ms = in->now_ms;
    while (n < BITE_ROWS && in->late_bucket < in->known_buckets)
        n += look_through(in, in->late_bucket++);
    if (in->late_bucket < in->known_buckets) {
        in->late_ms = in->now_ms + BITE_MS;
        return;
    }
    in->late_bucket = 0;
    in->late_ms = in->late_pass_ms + PASS_MS;
}

int64_t file_late_due(const struct input *in)
{
    return in->n_knowns && !in->is_first_scan ? in->late_ms : INT64_MAX;
}
