#include "shipper/inputs/siblings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"

struct listed {
    uint32_t name; /* in names */
    uint32_t next; /* in its bucket, as buckets has them */
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* --- a directory's names --------------------------------------------------------------------- */

static void listing_clear(struct listing *l)
{
    free(l->directory);
    l->directory = NULL;
    l->names.len = l->n_entries = 0;
    l->names.failed = false;
    if (l->n_buckets)
        memset(l->buckets, 0, l->n_buckets * sizeof *l->buckets);
    while (l->n_below)
        free(l->below[--l->n_below]);
}

static void listing_fini(struct listing *l)
{
    listing_clear(l);
    buffer_free(&l->names);
    free(l->entries);
    free(l->buckets);
}

static uint32_t *bucket_of(const struct listing *l, const char *name)
{
    return &l->buckets[hash64(stream_origin_path(slice_str(name))) & (l->n_buckets - 1)];
}

static void link_entry(struct listing *l, size_t i)
{
    uint32_t *bucket = bucket_of(l, l->names.ptr + l->entries[i].name);

    l->entries[i].next = *bucket;
    *bucket = (uint32_t)i + 1;
}

static bool grow(struct listing *l)
{
    size_t cap = l->cap ? l->cap * 2 : 64;
    struct listed *entries = realloc(l->entries, cap * sizeof *entries);
    uint32_t *buckets;

    if (!entries)
        return false;
    l->entries = entries;
    buckets = calloc(cap, sizeof *buckets);
    if (!buckets)
        return false;
    free(l->buckets);
    l->buckets = buckets;
    l->n_buckets = l->cap = cap;
    for (size_t i = 0; i < l->n_entries; i++)
        link_entry(l, i);
    return true;
}

static bool add_name(struct listing *l, const char *name)
{
    size_t at = l->names.len;

    buffer_add(&l->names, name, strlen(name) + 1);
    if (l->names.failed || (l->n_entries == l->cap && !grow(l))) {
        l->names.failed = true;
        return false;
    }
    l->entries[l->n_entries].name = (uint32_t)at;
    link_entry(l, l->n_entries++);
    return true;
}

static bool on_name(void *ctx, const char *name, enum file_type hint)
{
    struct listing *l = ctx;
    size_t most = l->most ? l->most : LISTING_MAX;
    char path[GLOB_PATH_MAX];

    if (hint == FILE_DIRECTORY) {
        if (l->n_below < SIBLINGS_OLDDIR_MAX &&
            snprintf(path, sizeof path, "%s/%s", l->directory, name) < (int)sizeof path)
            l->n_below += (l->below[l->n_below] = strdup(path)) != NULL;
        return true;
    }
    if (l->is_cut && !rotation_is_sibling(name, l->like))
        return true;
    if (l->n_entries < most)
        return add_name(l, name);
    l->is_cut = true;
    return false;
}

/* What is not there has no names. */
static bool list_names(struct listing *l, const struct files *files, const char *directory,
                       size_t len)
{
    struct err e;
    bool missing = false;

    listing_clear(l);
    l->directory = strndup(directory, len);
    return l->directory &&
           (files->list(files->ctx, len ? l->directory : "/", on_name, l, &missing, &e) == 0 ||
            missing) &&
           !l->names.failed;
}

/* For questions about files of this name in the directory. */
static bool load(struct listing *l, const struct files *files, const char *directory, size_t len,
                 const char *like)
{
    bool is_here =
        l->directory && strlen(l->directory) == len && memcmp(l->directory, directory, len) == 0;
    bool was_cut = l->is_cut && is_here;
    bool is_good = true;

    if (is_here && !l->is_cut)
        return true;
    l->is_cut = was_cut;
    l->like = like;
    is_good = list_names(l, files, directory, len);
    if (is_good && l->is_cut && !was_cut) /* too many: then those that are asked for */
        is_good = list_names(l, files, directory, len);
    l->like = NULL;
    if (!is_good)
        listing_clear(l);
    return is_good;
}

/* --- siblings -------------------------------------------------------------------------------- */

static bool add_sibling(struct siblings *s, const struct files *files, const char *path)
{
    struct file_stat st;
    bool missing;
    struct sibling *items;
    size_t cap = s->cap ? s->cap * 2 : 8;
    char *copy;

    if (files->stat(files->ctx, path, &st, &missing, NULL) < 0 || st.type != FILE_REGULAR)
        return true;
    if (s->n_items == s->cap) {
        items = realloc(s->items, cap * sizeof *items);
        if (!items)
            return false;
        s->items = items;
        s->cap = cap;
    }
    copy = strdup(path);
    if (!copy)
        return false;
    s->items[s->n_items++] = (struct sibling){copy, st, file_id_of(&st), rotation_is_packed(path)};
    return true;
}

static bool add_siblings(struct siblings *s, const struct input *in, const struct listing *l,
                         const char *like)
{
    uint32_t i = l->n_entries ? *bucket_of(l, like) : 0;
    char path[GLOB_PATH_MAX];

    for (; i && s->n_items < SIBLINGS_MAX; i = l->entries[i - 1].next) {
        const char *name = l->names.ptr + l->entries[i - 1].name;
        int n = snprintf(path, sizeof path, "%s/%s", l->directory, name);

        if (n <= 0 || (size_t)n >= sizeof path || !rotation_is_sibling(name, like))
            continue;
        s->has_packed |= rotation_is_packed(name) && file_matches(in, path);
        if (!add_sibling(s, in->world->files, path))
            return false;
    }
    return true;
}

/* Whether one that we read is among those from `from` on: else they are another program's logs. */
static bool has_one_of_ours(const struct siblings *s, size_t from, const struct input *in)
{
    for (size_t i = from; i < s->n_items; i++)
        if (file_tail_find(in, &s->items[i].id) || file_known_find(in, &s->items[i].id))
            return true;
    return false;
}

static void add_those_below(struct siblings *s, struct siblings_round *round, const char *like)
{
    const struct input *in = round->in;

    for (size_t i = 0; i < round->here.n_below; i++) {
        const char *directory = round->here.below[i];
        size_t from = s->n_items;

        if (load(&round->below[i], in->world->files, directory, strlen(directory), like))
            add_siblings(s, in, &round->below[i], like);
        if (has_one_of_ours(s, from, in))
            continue;
        while (s->n_items > from)
            free(s->items[--s->n_items].path);
    }
}

static int compare_siblings(const void *a, const void *b)
{
    const char *path_a = ((const struct sibling *)a)->path;
    const char *path_b = ((const struct sibling *)b)->path;
    int order = rotation_compare(base_of(path_a), base_of(path_b));

    return order ? order : strcmp(path_a, path_b);
}

bool siblings_find(struct siblings_round *round, const char *like, struct siblings *out)
{
    const char *name = base_of(like);
    size_t len = name > like ? (size_t)(name - like) - 1 : 0;

    *out = (struct siblings){0};
    if (!load(&round->here, round->in->world->files, like, len, name) ||
        !add_siblings(out, round->in, &round->here, name))
        return false;
    add_those_below(out, round, name);
    if (out->n_items)
        qsort(out->items, out->n_items, sizeof *out->items, compare_siblings);
    return true;
}

static bool add_others(struct siblings *s, const struct input *in, const struct listing *l,
                       const char *like)
{
    const char *dot = strrchr(like, '.');
    size_t len = dot > like ? (size_t)(dot - like) : strlen(like);
    char path[GLOB_PATH_MAX];

    for (size_t i = 0; i < l->n_entries && s->n_items < SIBLINGS_MAX; i++) {
        const char *name = l->names.ptr + l->entries[i].name;
        int n;

        if (strncmp(name, like, len) != 0 || rotation_is_sibling(name, like))
            continue;
        n = snprintf(path, sizeof path, "%s/%s", l->directory, name);
        if (n > 0 && (size_t)n < sizeof path && !add_sibling(s, in->world->files, path))
            return false;
    }
    return true;
}

static int compare_times(const void *a, const void *b)
{
    const struct sibling *sa = a;
    const struct sibling *sb = b;
    int order = (sa->st.mtime_ns > sb->st.mtime_ns) - (sa->st.mtime_ns < sb->st.mtime_ns);

    return order ? order : strcmp(sa->path, sb->path);
}

bool siblings_find_others(struct siblings_round *round, const char *like, struct siblings *out)
{
    const struct input *in = round->in;
    const char *name = base_of(like);
    size_t len = name > like ? (size_t)(name - like) - 1 : 0;

    *out = (struct siblings){0};
    if (!load(&round->here, in->world->files, like, len, name) ||
        !add_others(out, in, &round->here, name))
        return false;
    for (size_t i = 0; i < round->here.n_below; i++) {
        const char *below = round->here.below[i];

        if (load(&round->below[i], in->world->files, below, strlen(below), name))
            add_others(out, in, &round->below[i], name);
    }
    if (out->n_items)
        qsort(out->items, out->n_items, sizeof *out->items, compare_times);
    return true;
}

void siblings_free(struct siblings *s)
{
    for (size_t i = 0; s->items && i < s->n_items; i++)
        free(s->items[i].path);
    free(s->items);
}

/* --- a round --------------------------------------------------------------------------------- */

void siblings_begin(struct siblings_round *round, const struct input *in)
{
    memset(round, 0, sizeof *round);
    round->in = in;
}

void siblings_end(struct siblings_round *round)
{
    listing_fini(&round->here);
    for (size_t i = 0; i < SIBLINGS_OLDDIR_MAX; i++)
        listing_fini(&round->below[i]);
}
