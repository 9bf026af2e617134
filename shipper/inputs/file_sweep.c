/* When rows may be forgotten: a million rotated files leave no million rows. */
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/siblings.h"

enum { SWEEP_MS = 60000 };

bool file_is_where_it_was(const struct input *in, const struct known *k)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct file_id id;
    bool missing;

    if (files->stat(files->ctx, k->path, &st, &missing, NULL) < 0)
        return !missing;
    id = file_id_of(&st);
    return file_id_eq(&id, &k->id);
}

/* A share that is away for a while keeps its rows: its directory is gone then too. */
static bool is_directory_there(const struct input *in, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *directory = slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup("/");
    struct file_stat st;
    bool missing;
    bool is_there = directory && in->world->files->stat(in->world->files->ctx, directory, &st,
                                                        &missing, NULL) == 0;

    free(directory);
    return is_there;
}

static void move_row(struct input *in, struct known *k, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return;
    free(k->path);
    k->path = copy;
    file_put_known(in, k);
}

/* A finished file that was renamed keeps its row, which else could not tell it from one that came
 * and was rotated away unseen. False: nobody can tell. */
static bool is_among_siblings(struct input *in, struct known *k, struct siblings_round *round,
                              bool *is_there)
{
    struct siblings s;
    bool is_known = siblings_find(round, k->path, &s);

    *is_there = false;
    for (size_t i = 0; is_known && i < s.n_items && !*is_there; i++) {
        *is_there = file_id_eq(&s.items[i].id, &k->id);
        if (*is_there)
            move_row(in, k, s.items[i].path);
    }
    siblings_free(&s);
    return is_known;
}

static bool is_older(const struct input *in, const struct known *k, int64_t age_s)
{
    return clock_wall_ns(in->world->clock) / 1000000000 - k->seen_s > age_s;
}

/* Somebody may write to what is there yet; but rows must not take all of our memory. */
static bool is_one_too_many(const struct input *in, const struct known *k)
{
    return k->is_finished && in->n_knowns > FILE_MAX_ROWS && is_older(in, k, in->keep_s);
}

static bool is_forgettable(struct input *in, struct known *k, struct siblings_round *round)
{
    bool is_old = is_older(in, k, FILE_FORGET_S);
    bool is_there;

    if (!k->is_finished && !is_old)
        return false;
    if (file_is_where_it_was(in, k))
        return is_one_too_many(in, k);
    if (!is_directory_there(in, k->path))
        return k->is_finished && is_old;
    if (!k->is_finished)
        return true;
    return is_among_siblings(in, k, round, &is_there) ? !is_there : is_old;
}

/* With more and more of them the time gets shorter, so that it is the oldest that go. */
static void decide_how_long(struct input *in)
{
    if (in->n_knowns > FILE_MAX_ROWS)
        in->keep_s /= 2;
    else if (in->keep_s < FILE_FORGET_S)
        in->keep_s = in->keep_s * 2 + 1;
}

void file_sweep(struct input *in)
{
    struct siblings_round round;

    if (in->now_ms < in->sweep_ms || in->world->is_replay)
        return;
    in->sweep_ms = in->now_ms + SWEEP_MS;
    decide_how_long(in);
    siblings_begin(&round, in);
    for (size_t i = 0; i < in->known_buckets; i++) {
        for (struct known *k = in->knowns[i], *next; k; k = next) {
            next = k->next;
            if (is_forgettable(in, k, &round))
                file_forget_row(in, k);
        }
    }
    siblings_end(&round);
}
