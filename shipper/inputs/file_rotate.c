/* Where files went: the siblings of a file that lost its path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"

enum { SIBLINGS_MAX = 4096, OLDDIR_MAX = 16 };

/* The plain files of one origin, oldest first: those beside it, and those in a directory below,
 * where logrotate's olddir puts them. */
struct siblings {
    struct sibling {
        char *path;
        struct file_stat st;
        struct file_id id;
    } * items;
    size_t n_items;
    size_t cap;
    bool has_packed; /* a packed one that is read as a file of its own */
    const struct input *in;
    const struct files *files;
    const char *like;
    char directory[GLOB_PATH_MAX]; /* that is looked through */
    char *below[OLDDIR_MAX];       /* directories in it */
    size_t n_below;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void add_sibling(struct siblings *s, const char *path)
{
    struct file_stat st;
    bool missing;

    if (s->files->stat(s->files->ctx, path, &st, &missing, NULL) < 0 || st.type != FILE_REGULAR)
        return;
    if (s->n_items == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct sibling *items = realloc(s->items, cap * sizeof *items);

        if (!items)
            return;
        s->items = items;
        s->cap = cap;
    }
    s->items[s->n_items] = (struct sibling){strdup(path), st, file_id_of(&st)};
    s->n_items += s->items[s->n_items].path != NULL;
}

static bool on_sibling(void *ctx, const char *name, enum file_type hint)
{
    struct siblings *s = ctx;
    char path[GLOB_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", s->directory, name);

    if (n <= 0 || (size_t)n >= sizeof path)
        return true;
    if (hint == FILE_DIRECTORY && s->n_below < OLDDIR_MAX)
        s->n_below += (s->below[s->n_below] = strdup(path)) != NULL;
    else if (hint == FILE_DIRECTORY || !rotation_is_sibling(name, base_of(s->like)))
        return true;
    else if (rotation_is_packed(name))
        s->has_packed |= file_matches(s->in, path);
    else
        add_sibling(s, path);
    return s->n_items < SIBLINGS_MAX;
}

static bool on_sibling_below(void *ctx, const char *name, enum file_type hint)
{
    return hint == FILE_DIRECTORY || on_sibling(ctx, name, hint);
}

static int compare_siblings(const void *a, const void *b)
{
    const char *path_a = ((const struct sibling *)a)->path;
    const char *path_b = ((const struct sibling *)b)->path;
    int order = rotation_compare(base_of(path_a), base_of(path_b));

    return order ? order : strcmp(path_a, path_b);
}

/* Whether one that we read is among those from `from` on: else they are another program's logs. */
static bool has_one_of_ours(const struct siblings *s, size_t from, const struct input *in)
{
    for (size_t i = from; i < s->n_items; i++)
        if (file_tail_find(in, &s->items[i].id) || file_known_find(in, &s->items[i].id))
            return true;
    return false;
}

static void load_below(struct siblings *s, const struct input *in)
{
    bool missing;

    for (size_t i = 0; i < s->n_below; i++) {
        size_t from = s->n_items;

        snprintf(s->directory, sizeof s->directory, "%s", s->below[i]);
        s->files->list(s->files->ctx, s->directory, on_sibling_below, s, &missing, NULL);
        if (has_one_of_ours(s, from, in))
            continue;
        while (s->n_items > from)
            free(s->items[--s->n_items].path);
    }
}

/* False: the directory could not be looked through, so that absence says nothing. */
static bool siblings_load(struct siblings *s, const struct input *in, const char *like)
{
    const char *slash = strrchr(like, '/');
    size_t len = slash ? (size_t)(slash - like) : 0;
    struct err e;
    bool missing;

    *s = (struct siblings){.in = in, .files = in->world->files, .like = like};
    snprintf(s->directory, sizeof s->directory, "%.*s", (int)len, like);
    if (s->files->list(s->files->ctx, len ? s->directory : "/", on_sibling, s, &missing, &e) < 0)
        return missing;
    load_below(s, in);
    if (s->n_items)
        qsort(s->items, s->n_items, sizeof *s->items, compare_siblings);
    return true;
}

static void siblings_free(struct siblings *s)
{
    for (size_t i = 0; s->items && i < s->n_items; i++)
        free(s->items[i].path);
    free(s->items);
    for (size_t i = 0; i < s->n_below; i++)
        free(s->below[i]);
}

static size_t find_id(const struct siblings *s, const struct file_id *id)
{
    size_t i = 0;

    while (i < s->n_items && !file_id_eq(&s->items[i].id, id))
        i++;
    return i;
}

/* The generation that others may have followed. */
struct last {
    struct file_id id;
    unsigned n_rewritten;
    uint64_t seen_ns; /* at its place */
};

static struct last last_of_tail(const struct tail *t)
{
    return (struct last){t->id, t->n_rewritten, (uint64_t)t->seen_ns};
}

static struct last last_of_row(const struct known *k)
{
    return (struct last){k->id, k->n_rewritten, (uint64_t)k->seen_s * 1000000000u};
}

/* What is cut in its place instead of being renamed leaves copies, which were read already. */
static bool is_copy(const struct sibling *s, const struct last *after)
{
    return after->n_rewritten && s->id.generation < after->seen_ns;
}

/* A generation that came and went between two looks: nobody knows it, and it was born after (or
 * with) the one it followed. Without birth times there is no telling it from an old file. */
static bool is_missed(struct input *in, const struct sibling *s, const struct last *after)
{
    return s->id.generation >= after->id.generation && after->id.generation && !is_copy(s, after) &&
           rotation_is_rotated(s->path) && !file_tail_find(in, &s->id) &&
           !file_known_find(in, &s->id) && !file_matches(in, s->path);
}

static struct tail *discover_away(struct input *in, const struct sibling *s,
                                  struct tail *predecessor)
{
    struct tail *t = file_discover(in, NULL, s->path, &s->st, predecessor);

    if (!t)
        return NULL;
    t->away_ms = in->now_ms;
    list_push(&in->away, &t->away);
    file_open(in, t);
    return t;
}

/* Puts what was missed between t and its successor. */
static void find_missed(struct input *in, struct tail *t, const struct siblings *s, size_t from)
{
    struct tail *after = t->successor;
    struct tail *last = t;

    if (after) {
        t->successor = NULL;
        after->predecessor = NULL;
    }
    for (size_t i = from; i < s->n_items; i++) {
        struct last before = last_of_tail(last);
        struct tail *missed;

        if (!is_missed(in, &s->items[i], &before))
            continue;
        missed = discover_away(in, &s->items[i], last);
        last = missed ? missed : last;
    }
    if (!after)
        return;
    after->predecessor = last;
    last->successor = after;
    if (last->state == TAIL_DRAINED)
        file_hand_over(in, last);
}

void file_displace(struct input *in, struct tail *t)
{
    struct spot *s = t->spot;

    if (s->previous)
        s->previous->left = NULL;
    if (t->left)
        t->left->previous = NULL;
    s->tail = NULL;
    s->previous = t;
    t->left = s;
    t->spot = NULL;
    t->away_ms = in->now_ms;
    list_remove(&t->idle);
    list_push(&in->homeless, &t->homeless);
}

static void tell_lost(struct input *in, struct tail *t)
{
    uint64_t lost = tail_lost_bytes(t);
    struct err e = {0};

    if (!lost)
        return;
    in->stats.lost_bytes += lost;
    err_set(&e, ERR_INPUT, "%s: was deleted before its last %llu bytes were read: they are lost",
            t->path, (unsigned long long)lost);
    file_log(in, &e);
}

/* It is read on through its descriptor, or opened where it went; else what was unread is gone. */
static void find_home(struct input *in, struct tail *t)
{
    const char *path = t->left ? t->left->path : t->path;
    struct siblings s;
    size_t i;

    if (t->is_packed) {
        t->is_gone = !tail_is_open(t);
    } else if (siblings_load(&s, in, path)) {
        i = find_id(&s, &t->id);
        t->is_gone = i == s.n_items;
        source_file_move(t->file, t->is_gone ? NULL : s.items[i].path);
        find_missed(in, t, &s, t->is_gone ? 0 : i + 1);
        siblings_free(&s);
    } else {
        siblings_free(&s);
    }
    list_push(&in->away, &t->away);
    if (t->is_gone && !tail_is_open(t))
        tell_lost(in, t);
    else if (!t->is_packed)
        file_open(in, t);
    if (t->state != TAIL_DRAINED)
        file_ready(in, t);
}

void file_find_homes(struct input *in)
{
    while (!list_is_empty(&in->homeless)) {
        struct tail *t = LIST_ENTRY(in->homeless.next, struct tail, homeless);

        list_remove(&t->homeless);
        find_home(in, t);
    }
}

/* --- after a restart ------------------------------------------------------------------------- */

/* A row's file, and the path that its origin had. */
struct lost_row {
    char *path;
    struct last last;
    uint64_t position;
    bool is_finished;
};

/* The newest of the rows whose file is no longer there: what was born after it was missed. */
static struct last newest_gone(const struct siblings *s, const struct lost_row *rows, size_t n)
{
    while (n-- > 0)
        if (find_id(s, &rows[n].last.id) == s->n_items)
            return rows[n].last;
    return (struct last){0}; /* nothing was born after it */
}

/* What was written to it after the last look, nobody knows; one line says it for all that are gone.
 * A packed file that the patterns name is read, and what was read of it before has its ids. */
static void tell_gone(struct input *in, const struct siblings *s, const struct lost_row *rows,
                      size_t n)
{
    struct err e = {0};
    size_t i = 0;

    while (i < n && (rows[i].is_finished || file_tail_find(in, &rows[i].last.id) ||
                     find_id(s, &rows[i].last.id) < s->n_items))
        i++;
    if (i == n || s->has_packed)
        return;
    err_set(
        &e, ERR_INPUT,
        "%s: the file that was here is gone since ship was stopped, read up to byte %llu. If it "
        "was packed, `ship --replay` of it, with --as %s, brings the rest (and lines without a "
        "time of their own again)",
        rows[i].path, (unsigned long long)rows[i].position, rows[i].path);
    file_log(in, &e);
}

/* Generations of one origin that were not read to their end, and those born after one that we know;
 * oldest first. The last is what the file now at the path follows. The rows are of this origin,
 * oldest first. */
static void find_orphans_of(struct input *in, const struct lost_row *rows, size_t n_rows)
{
    const char *path = rows[0].path;
    struct siblings s;
    struct tail *last = NULL;
    struct last after;
    struct spot *spot;

    if (!siblings_load(&s, in, path))
        goto out;
    tell_gone(in, &s, rows, n_rows);
    after = newest_gone(&s, rows, n_rows);
    for (size_t i = 0; s.items && i < s.n_items; i++) {
        const struct sibling *file = &s.items[i];
        const struct known *k = file_known_find(in, &file->id);
        bool is_read = k && k->is_finished;
        bool is_wanted = k ? !is_read : is_missed(in, file, &after);
        struct tail *t;

        if (is_read)
            after = last_of_row(k);
        if (!is_wanted || strcmp(file->path, path) == 0 || file_tail_find(in, &file->id) ||
            file_matches(in, file->path))
            continue; /* or its own spot finds it */
        after = k ? last_of_row(k) : (struct last){.id = file->id};
        t = discover_away(in, file, last); /* which forgets the row */
        last = t ? t : last;
    }
    spot = last ? file_spot_get(in, path) : NULL;
    if (spot && !spot->previous) {
        spot->previous = last;
        last->left = spot;
    }
out:
    siblings_free(&s);
}

static int compare_rows(const void *a, const void *b)
{
    const struct lost_row *ra = a;
    const struct lost_row *rb = b;
    int order = strcmp(ra->path, rb->path);

    return order ? order
                 : (ra->last.id.generation > rb->last.id.generation) -
                       (ra->last.id.generation < rb->last.id.generation);
}

/* Rows that say a file was rotated, or whose file is no longer where it was, or where no pattern
 * looks: it was found there after it had been rotated. */
static size_t list_lost_rows(const struct input *in, struct lost_row *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < in->known_buckets; i++) {
        for (const struct known *k = in->knowns[i]; k; k = k->next) {
            struct slice origin = stream_origin_path(slice_str(k->path));
            bool is_current = !k->is_finished && file_matches(in, k->path);

            if (is_current && file_is_where_it_was(in, k))
                continue;
            rows[n].last = last_of_row(k);
            rows[n].position = k->position;
            rows[n].is_finished = k->is_finished;
            rows[n].path = is_current ? strdup(k->path) : strndup(origin.ptr, origin.len);
            n += rows[n].path != NULL;
        }
    }
    return n;
}

void file_find_orphans(struct input *in)
{
    struct lost_row *rows = calloc(in->n_knowns + 1, sizeof *rows);
    size_t n = rows ? list_lost_rows(in, rows) : 0;

    if (n)
        qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t from = 0, i = 1; i <= n; i++) {
        if (i < n && strcmp(rows[i].path, rows[from].path) == 0)
            continue;
        find_orphans_of(in, rows + from, i - from);
        from = i;
    }
    for (size_t i = 0; i < n; i++)
        free(rows[i].path);
    free(rows);
}

/* --- a path that is new ----------------------------------------------------------------------- */

/* What was born since we last looked, or what a row says is not read to its end: it was at the path
 * when rows were compared with files, and was rotated away before the path was looked at. */
static bool is_unseen(struct input *in, const struct file_stat *st, const struct file_stat *now)
{
    struct file_id id = file_id_of(st);
    const struct known *k = file_known_find(in, &id);

    if (st->type != FILE_REGULAR || file_tail_find(in, &id))
        return false;
    return k ? !k->is_finished
             : in->looked_ns && st->generation > in->looked_ns && st->generation < now->generation;
}

/* One look, instead of one through the whole directory for each new file. */
static bool has_unseen(struct input *in, const char *path, const struct file_stat *now)
{
    const struct files *files = in->world->files;
    char rotated[GLOB_PATH_MAX + 2];
    struct file_stat st;
    bool missing;

    snprintf(rotated, sizeof rotated, "%s.1", path);
    return files->stat(files->ctx, rotated, &st, &missing, NULL) == 0 && is_unseen(in, &st, now);
}

struct tail *file_find_unseen(struct input *in, const char *path, const struct file_stat *now,
                              struct tail *last)
{
    struct file_id id = file_id_of(now);
    struct siblings s;

    if (file_known_find(in, &id) || !has_unseen(in, path, now))
        return last;
    if (siblings_load(&s, in, path)) {
        for (size_t i = 0; i < s.n_items; i++) {
            const struct sibling *file = &s.items[i];
            struct tail *t = rotation_is_rotated(file->path) && !file_matches(in, file->path) &&
                                     is_unseen(in, &file->st, now)
                                 ? discover_away(in, file, last)
                                 : NULL;

            last = t ? t : last;
        }
    }
    siblings_free(&s);
    return last;
}
