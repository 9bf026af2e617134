#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"

enum { FIRST_BUCKETS = 64 };

static uint64_t hash_id(const struct file_id *id)
{
    return hash64(slice_of((const char *)id, sizeof *id));
}

static uint64_t hash_path(const char *path)
{
    return hash64(slice_str(path));
}

static uint64_t hash_origin(const char *path)
{
    return hash64(stream_origin_path(slice_str(path)));
}

/* --- spots ----------------------------------------------------------------------------------- */

/* Into the buckets of two tables of `n`. */
static void place_spot(struct spot **spots, struct spot **kin, size_t n, struct spot *s)
{
    struct spot **by_path = &spots[hash_path(s->path) & (n - 1)];
    struct spot **by_origin = &kin[hash_origin(s->path) & (n - 1)];

    s->next = *by_path;
    *by_path = s;
    s->next_kin = *by_origin;
    *by_origin = s;
}

static bool grow_spots(struct input *in)
{
    size_t n = in->spot_buckets ? in->spot_buckets * 2 : FIRST_BUCKETS;
    struct spot **spots = calloc(n, sizeof(struct spot *));
    struct spot **kin = calloc(n, sizeof(struct spot *));

    if (!spots || !kin) {
        free(spots);
        free(kin);
        return false;
    }
    for (size_t i = 0; i < in->spot_buckets; i++) {
        for (struct spot *s = in->spots[i], *next; s; s = next) {
            next = s->next;
            place_spot(spots, kin, n, s);
        }
    }
    free(in->spots);
    free(in->kin);
    in->spots = spots;
    in->kin = kin;
    in->spot_buckets = n;
    return true;
}

struct spot *file_spot_find(const struct input *in, const char *path)
{
    struct spot *s = in->spot_buckets ? in->spots[hash_path(path) & (in->spot_buckets - 1)] : NULL;

    while (s && strcmp(s->path, path) != 0)
        s = s->next;
    return s;
}

/* Whoever may make files under a glob must not have all of our memory by it. A replay keeps few
 * files in mind at a time, and was asked for these. */
static bool has_room(struct input *in)
{
    struct err e = {0};

    if (in->world->is_replay || in->n_spots < FILE_MAX_SPOTS)
        return true;
    if (in->is_full)
        return false;
    in->is_full = true;
    in->stats.errors++;
    err_set(&e, ERR_INPUT,
            "more than %d files match: the others are not read until some of these are gone; have "
            "several inputs share them",
            FILE_MAX_SPOTS);
    err_at(&e, "%s", in->patterns[0]);
    file_log(in, &e);
    return false;
}

struct spot *file_spot_get(struct input *in, const char *path)
{
    struct spot *s = file_spot_find(in, path);
    size_t len = strlen(path) + 1;

    if (s)
        return s;
    if (!has_room(in))
        return NULL;
    if (in->n_spots >= in->spot_buckets && !grow_spots(in))
        return NULL;
    s = calloc(1, sizeof *s + len);
    if (!s)
        return NULL;
    memcpy(s->path, path, len);
    list_init(&s->queued);
    place_spot(in->spots, in->kin, in->spot_buckets, s);
    in->n_spots++;
    in->has_order = false;
    return s;
}

struct spot *file_spot_kin(const struct input *in, const char *path, const struct spot *after)
{
    struct spot *s = after              ? after->next_kin
                     : in->spot_buckets ? in->kin[hash_origin(path) & (in->spot_buckets - 1)]
                                        : NULL;

    while (s && !rotation_is_sibling(s->path, path))
        s = s->next_kin;
    return s;
}

static bool is_there(const struct spot *s)
{
    return s->tail || list_has(&s->queued);
}

/* Where s is in in->order. */
static size_t place_in_order(const struct input *in, const struct spot *s)
{
    size_t low = 0;
    size_t high = in->n_order;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rotation_compare(in->order[middle]->path, s->path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* After a scan, when there may be thousands to ask for. */
static struct spot *older_in_order(const struct input *in, const struct spot *s)
{
    size_t i = place_in_order(in, s);

    while (i > 0 && !is_there(in->order[i - 1]))
        i--;
    return i > 0 && rotation_is_sibling(in->order[i - 1]->path, s->path) ? in->order[i - 1] : NULL;
}

struct spot *file_spot_older(const struct input *in, const struct spot *s)
{
    struct spot *best = NULL;

    if (in->has_order)
        return older_in_order(in, s);
    for (struct spot *k = in->kin[hash_origin(s->path) & (in->spot_buckets - 1)]; k;
         k = k->next_kin) {
        if (!is_there(k) || !rotation_is_sibling(k->path, s->path) ||
            rotation_compare(k->path, s->path) >= 0)
            continue;
        if (!best || rotation_compare(best->path, k->path) < 0)
            best = k;
    }
    return best;
}

void file_spot_remove(struct input *in, struct spot *s)
{
    struct spot **at = &in->spots[hash_path(s->path) & (in->spot_buckets - 1)];

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    at = &in->kin[hash_origin(s->path) & (in->spot_buckets - 1)];
    while (*at != s)
        at = &(*at)->next_kin;
    *at = s->next_kin;
    in->n_spots--;
    in->is_full =
        in->is_full && in->n_spots > FILE_MAX_SPOTS / 2; /* not at every coming and going */
    in->has_order = false;
    list_remove(&s->queued);
    if (s->previous)
        s->previous->left = NULL;
    free(s);
}

/* --- tails ----------------------------------------------------------------------------------- */

static bool grow_tails(struct input *in)
{
    size_t n = in->tail_buckets ? in->tail_buckets * 2 : FIRST_BUCKETS;
    struct tail **table = calloc(n, sizeof(struct tail *));

    if (!table)
        return false;
    for (size_t i = 0; i < in->tail_buckets; i++) {
        for (struct tail *t = in->tails[i], *next; t; t = next) {
            struct tail **bucket = &table[hash_id(&t->id) & (n - 1)];

            next = t->next_by_id;
            t->next_by_id = *bucket;
            *bucket = t;
        }
    }
    free(in->tails);
    in->tails = table;
    in->tail_buckets = n;
    return true;
}

/* Of several generations in one inode the newest. */
struct tail *file_tail_find(const struct input *in, const struct file_id *id)
{
    struct tail *best = NULL;
    struct tail *t = in->tail_buckets ? in->tails[hash_id(id) & (in->tail_buckets - 1)] : NULL;

    for (; t; t = t->next_by_id)
        if (file_id_eq(&t->id, id) && (!best || t->n_rewritten > best->n_rewritten))
            best = t;
    return best;
}

bool file_tail_insert(struct input *in, struct tail *t)
{
    struct tail **bucket;

    if (in->n_tails >= in->tail_buckets && !grow_tails(in))
        return false;
    bucket = &in->tails[hash_id(&t->id) & (in->tail_buckets - 1)];
    t->next_by_id = *bucket;
    *bucket = t;
    in->n_tails++;
    list_push(&in->all, &t->all);
    return true;
}

static struct tail **tail_bucket(const struct input *in, const struct file_id *id)
{
    return &in->tails[hash_id(id) & (in->tail_buckets - 1)];
}

static void unlink_tail(struct input *in, struct tail *t)
{
    struct tail **at = tail_bucket(in, &t->id);

    while (*at != t)
        at = &(*at)->next_by_id;
    *at = t->next_by_id;
}

void file_tail_rename(struct input *in, struct tail *t, const struct file_id *id)
{
    struct tail **bucket = tail_bucket(in, id);

    unlink_tail(in, t);
    t->id = *id;
    t->next_by_id = *bucket;
    *bucket = t;
}

void file_tail_remove(struct input *in, struct tail *t)
{
    unlink_tail(in, t);
    in->n_tails--;
    list_remove(&t->all);
}

/* --- rows ------------------------------------------------------------------------------------ */

static bool grow_knowns(struct input *in)
{
    size_t n = in->known_buckets ? in->known_buckets * 2 : FIRST_BUCKETS;
    struct known **table = calloc(n, sizeof(struct known *));

    if (!table)
        return false;
    for (size_t i = 0; i < in->known_buckets; i++) {
        for (struct known *k = in->knowns[i], *next; k; k = next) {
            struct known **bucket = &table[hash_id(&k->id) & (n - 1)];

            next = k->next;
            k->next = *bucket;
            *bucket = k;
        }
    }
    free(in->knowns);
    in->knowns = table;
    in->known_buckets = n;
    return true;
}

struct known *file_known_next(const struct input *in, const struct file_id *id,
                              const struct known *after)
{
    struct known *k = after               ? after->next
                      : in->known_buckets ? in->knowns[hash_id(id) & (in->known_buckets - 1)]
                                          : NULL;

    while (k && !file_id_eq(&k->id, id))
        k = k->next;
    return k;
}

struct known *file_known_at(const struct input *in, const struct file_id *id, unsigned n_rewritten)
{
    struct known *k = file_known_next(in, id, NULL);

    while (k && k->n_rewritten != n_rewritten)
        k = file_known_next(in, id, k);
    return k;
}

struct known *file_known_find(const struct input *in, const struct file_id *id)
{
    struct known *best = NULL;

    for (struct known *k = file_known_next(in, id, NULL); k; k = file_known_next(in, id, k))
        if (!best || k->n_rewritten > best->n_rewritten)
            best = k;
    return best;
}

void file_known_insert(struct input *in, struct known *k)
{
    struct known **bucket;

    if (in->n_knowns >= in->known_buckets && !grow_knowns(in)) {
        file_known_free(k);
        return;
    }
    bucket = &in->knowns[hash_id(&k->id) & (in->known_buckets - 1)];
    k->next = *bucket;
    *bucket = k;
    in->n_knowns++;
}

void file_known_remove(struct input *in, struct known *k)
{
    struct known **at = &in->knowns[hash_id(&k->id) & (in->known_buckets - 1)];

    while (*at != k)
        at = &(*at)->next;
    *at = k->next;
    in->n_knowns--;
    file_known_free(k);
}

void file_known_free(struct known *k)
{
    if (!k)
        return;
    free(k->path);
    buffer_free(&k->state);
    free(k);
}

/* --- the end --------------------------------------------------------------------------------- */

void file_tables_free(struct input *in)
{
    for (size_t i = 0; i < in->spot_buckets; i++) {
        while (in->spots[i]) {
            struct spot *s = in->spots[i];

            in->spots[i] = s->next;
            free(s);
        }
    }
    for (size_t i = 0; i < in->known_buckets; i++) {
        struct known *next;

        for (struct known *k = in->knowns[i]; k; k = next) {
            next = k->next;
            file_known_free(k);
        }
    }
    free(in->spots);
    free(in->kin);
    free(in->order);
    free(in->tails);
    free(in->knowns);
}
