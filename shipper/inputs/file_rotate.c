/* Where files went: the siblings of a file that lost its path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"

/* In one tick, so that the loop goes on. */
enum { HOMES_PER_TICK = 1024 };

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

/* What is cut in its place instead of being renamed leaves copies. A copy was born while its
 * original was there, so after the birth of one that is newer by its name; of those that were
 * renamed, the newer by name was always born later. */
static bool is_born_as_copy(const struct siblings *s, size_t i)
{
    uint64_t born = s->items[i].id.generation;

    for (size_t newer = i + 1; newer < s->n_items; newer++)
        if (!s->items[newer].is_packed && s->items[newer].id.generation < born)
            return true;
    return false;
}

/* The one it would have come after was cut, and seen at its place since. */
static bool is_copy(const struct sibling *s, const struct last *after)
{
    return after->n_rewritten && s->id.generation < after->seen_ns;
}

/* A generation that came and went between two looks: nobody knows it, and it was born after (or
 * with) the one it followed. Without birth times there is no telling it from an old file. */
static bool is_missed(struct input *in, const struct siblings *all, size_t i,
                      const struct last *after)
{
    const struct sibling *s = &all->items[i];

    return !s->is_packed && s->id.generation >= after->id.generation && after->id.generation &&
           !is_copy(s, after) && rotation_is_rotated(s->path) && !file_tail_find(in, &s->id) &&
           !file_known_find(in, &s->id) && !file_matches(in, s->path) && !is_born_as_copy(all, i);
}

struct tail *file_discover_away(struct input *in, const struct sibling *s, struct tail *predecessor)
{
    struct tail *t = file_discover(in, NULL, s->path, &s->st, predecessor);

    if (!t)
        return NULL;
    t->away_ms = in->now_ms;
    list_push(&in->away, &t->away);
    file_keep(in, t);
    return t;
}

struct tail *file_insert_missed(struct input *in, struct tail *t, const struct sibling *s)
{
    struct tail *after = t->successor;
    struct tail *missed;

    if (after) {
        t->successor = NULL;
        after->predecessor = NULL;
    }
    missed = file_discover_away(in, s, t);
    if (missed)
        t = missed;
    if (after) {
        after->predecessor = t;
        t->successor = after;
        if (t->stream.is_aside)
            file_cut_off(in, after);
    }
    if (t->state == TAIL_DRAINED)
        file_hand_over(in, t);
    return t;
}

/* What was missed of those that came after t; each has its place by its name. */
static void find_missed(struct input *in, struct tail *t, const struct siblings *s, size_t from)
{
    for (size_t i = from; i < s->n_items; i++) {
        const struct sibling *file = &s->items[i];
        struct last before = last_of_tail(t);
        struct tail *known = file_tail_find(in, &file->id);

        if (file->is_packed)
            continue;
        if (known && known->id.generation >= t->id.generation)
            t = known;
        else if (is_missed(in, s, i, &before))
            t = file_insert_missed(in, t, file);
    }
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

/* Under a name that no rotation gives, but for logrotate's `extension`. */
static bool find_elsewhere(struct siblings_round *round, struct tail *t, const char *path)
{
    struct siblings s;
    size_t i = 0;
    bool is_found = siblings_find_others(round, path, &s) && (i = find_id(&s, &t->id)) < s.n_items;

    if (is_found)
        source_file_move(t->file, s.items[i].path);
    siblings_free(&s);
    return is_found;
}

/* A packed one is read where it is now, as a copy is. */
static bool is_found_packed(struct input *in, struct tail *t, const char *path,
                            struct siblings_round *round)
{
    struct siblings s;
    size_t i = 0;
    bool is_found = siblings_find(round, path, &s) && (i = find_id(&s, &t->id)) < s.n_items &&
                    file_take_copy(in, t, &s.items[i]);

    if (is_found)
        file_ready(in, t);
    siblings_free(&s);
    return is_found;
}

/* It is read on through its descriptor, or opened where it went; else what was unread is gone. */
static void find_home(struct input *in, struct tail *t, struct siblings_round *round)
{
    const char *path = t->left ? t->left->path : t->path;
    struct siblings s;
    size_t i;

    if (t->copy_path) {
        file_seek_copy(in, t); /* renamed once more */
        return;
    }
    if (t->is_packed && !tail_is_open(t) && is_found_packed(in, t, path, round))
        return;
    if (t->is_packed) {
        t->is_gone = !tail_is_open(t);
    } else if (siblings_find(round, path, &s)) {
        i = find_id(&s, &t->id);
        t->is_gone = i == s.n_items;
        source_file_move(t->file, t->is_gone ? NULL : s.items[i].path);
        find_missed(in, t, &s, t->is_gone ? 0 : i + 1);
        if (t->is_gone)
            t->is_gone = !find_elsewhere(round, t, path);
        siblings_free(&s);
    } else {
        siblings_free(&s);
    }
    list_push(&in->away, &t->away);
    if (t->is_gone)
        file_know_twins(in, t);
    if (t->is_gone && !tail_is_open(t) && !t->is_packed && t->state != TAIL_DRAINED) {
        file_seek_copy(in, t);
        return;
    }
    if (t->is_gone && !tail_is_open(t))
        file_tell_lost(in, t);
    else
        file_keep(in, t);
    if (t->state != TAIL_DRAINED)
        file_ready(in, t);
}

void file_find_homes(struct input *in)
{
    struct siblings_round round;

    siblings_begin(&round, in);
    for (int n = 0; n < HOMES_PER_TICK && !list_is_empty(&in->homeless); n++) {
        struct tail *t = LIST_ENTRY(in->homeless.next, struct tail, homeless);

        list_remove(&t->homeless);
        find_home(in, t, &round);
    }
    siblings_end(&round);
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

/* Not read to its end, and no longer there. */
static bool is_row_gone(const struct input *in, const struct siblings *s,
                        const struct lost_row *row)
{
    return !row->is_finished && file_known_find(in, &row->last.id) &&
           find_id(s, &row->last.id) == s->n_items;
}

/* What was written to it after the last look, nobody knows; one line says it for all that are gone.
 * A packed file that the patterns name is read, and what was read of it before has its ids. */
static void tell_gone(struct input *in, const struct siblings *s, const struct lost_row *rows,
                      size_t n)
{
    struct err e = {0};
    size_t i = 0;

    while (i < n && !is_row_gone(in, s, &rows[i]))
        i++;
    if (i == n || s->has_packed || in->n_gone++ >= FILE_TELL_MAX)
        return;
    err_set(
        &e, ERR_INPUT,
        "%s: the file that was here is gone since ship was stopped, read up to byte %llu. If it "
        "was packed, `ship --replay` of it, with --as %s, brings the rest (and lines without a "
        "time of their own again)",
        rows[i].path, (unsigned long long)rows[i].position, rows[i].path);
    file_log(in, &e);
}

/* Of thousands (a machine that was emptied while ship was stopped) some stand for all. */
static void tell_how_many_are_gone(struct input *in)
{
    struct err e = {0};

    if (in->n_gone <= FILE_TELL_MAX)
        return;
    err_set(&e, ERR_INPUT, "and so are %u more files, which are not named",
            in->n_gone - FILE_TELL_MAX);
    err_at(&e, "%s", in->patterns[0]);
    file_log(in, &e);
}

/* A copy of what was read to its end, of which there is nothing more to read. */
static bool is_read_copy(struct input *in, const struct lost_row *row, const struct known *k,
                         const struct sibling *packed)
{
    if (!row->is_finished || !file_is_whole_copy(in, k->position, packed))
        return false;
    file_know_copy(in, packed->path, &packed->id, k->position, k->head_hash);
    return true;
}

/* Came, and was rotated away and packed, while ship was away. */
bool file_is_missed_packed(const struct input *in, const struct sibling *s)
{
    return in->looked_ns && (uint64_t)s->st.mtime_ns > in->looked_ns + 1000000000u &&
           rotation_is_rotated(s->path) && !file_tail_find(in, &s->id) &&
           !file_known_find(in, &s->id) && !file_matches(in, s->path);
}

/* It may be that of a deleted file that is read through its descriptor. */
static bool is_copy_of_open(struct input *in, const struct sibling *packed, const struct tail *last)
{
    for (const struct tail *t = last; t; t = t->predecessor)
        if (t->is_gone && t->stream.has_head && file_head(in, packed) == t->stream.head_hash)
            return true;
    return false;
}

/* The packed file has the text of a row whose file is gone. NULL: of none, or nothing is to be read
 * of it. */
static struct tail *find_row_of_packed(struct input *in, const struct sibling *packed,
                                       const struct siblings *s, const struct lost_row *rows,
                                       size_t n_rows, struct tail *last)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct known *k = file_known_find(in, &rows[i].last.id);
        struct lost_text text;

        if (!k || find_id(s, &k->id) < s->n_items)
            continue;
        text = (struct lost_text){
            .path = rows[i].path, .born_ns = k->id.generation, .head_hash = k->head_hash};
        if (!file_may_be_copy(in, &text, packed))
            continue;
        if (is_read_copy(in, &rows[i], k, packed))
            return NULL;
        if (!rows[i].is_finished)
            return file_take_up_copy(in, k, packed, last);
    }
    return NULL;
}

/* That, or one that was never seen. */
static struct tail *find_packed(struct input *in, const struct sibling *packed,
                                const struct siblings *s, const struct lost_row *rows,
                                size_t n_rows, struct tail *last)
{
    struct tail *t = find_row_of_packed(in, packed, s, rows, n_rows, last);

    if (t || !file_is_missed_packed(in, packed) || is_copy_of_open(in, packed, last))
        return t;
    return file_discover_away(in, packed, last);
}

/* The same for names that no rotation gives, but for logrotate's `extension`; only what a row's
 * identity or text proves. */
static struct tail *find_others(struct input *in, const struct lost_row *rows, size_t n_rows,
                                struct siblings_round *round)
{
    struct siblings near;
    struct siblings others = {0};
    struct tail *last = NULL;
    bool is_any_gone = false;

    if (siblings_find(round, rows[0].path, &near))
        for (size_t i = 0; i < n_rows; i++)
            is_any_gone |= is_row_gone(in, &near, &rows[i]);
    if (is_any_gone && siblings_find_others(round, rows[0].path, &others)) {
        for (size_t i = 0; i < others.n_items; i++) {
            const struct sibling *file = &others.items[i];
            const struct known *k = file_known_find(in, &file->id);
            struct tail *t = NULL;

            if (file_tail_find(in, &file->id))
                continue;
            if (file->is_packed)
                t = find_row_of_packed(in, file, &near, rows, n_rows, last);
            else if (k && !k->is_finished && !file_matches(in, file->path) &&
                     file_row_fits(in, k, file->path, &file->st))
                t = file_discover_away(in, file, last);
            last = t ? t : last;
        }
    }
    siblings_free(&near);
    siblings_free(&others);
    return last;
}

/* Generations of one origin that were not read to their end, and those born after one that we know;
 * oldest first. The last is what the file now at the path follows. The rows are of this origin,
 * oldest first. */
static void find_orphans_of(struct input *in, const struct lost_row *rows, size_t n_rows,
                            struct siblings_round *round)
{
    const char *path = rows[0].path;
    struct siblings s;
    struct tail *last = NULL;
    struct last after;
    struct spot *spot;

    last = find_others(in, rows, n_rows, round);
    for (size_t i = 0; i < n_rows; i++) {
        struct tail *t = file_claim_deleted(in, &rows[i].last.id, rows[i].last.n_rewritten, last);

        last = t ? t : last;
    }
    if (!siblings_find(round, path, &s)) {
        in->has_orphans = true;
        goto out;
    }
    after = newest_gone(&s, rows, n_rows);
    for (size_t i = 0; s.items && i < s.n_items; i++) {
        const struct sibling *file = &s.items[i];
        const struct known *k = file_known_find(in, &file->id);
        bool is_read = k && k->is_finished;
        bool is_wanted = k ? !is_read : is_missed(in, &s, i, &after);
        struct tail *t;

        if (file->is_packed) {
            t = find_packed(in, file, &s, rows, n_rows, last);
            last = t ? t : last;
            continue;
        }
        if (is_read)
            after = last_of_row(k);
        if (!is_wanted || strcmp(file->path, path) == 0 || file_tail_find(in, &file->id) ||
            file_matches(in, file->path))
            continue; /* or its own spot finds it */
        after = k ? last_of_row(k) : (struct last){.id = file->id};
        t = file_discover_away(in, file, last); /* which forgets the row */
        last = t ? t : last;
    }
    tell_gone(in, &s, rows, n_rows);
out:
    spot = last ? file_spot_get(in, path) : NULL;
    if (spot && !spot->previous) {
        spot->previous = last;
        last->left = spot;
    }
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
            bool is_current = !k->is_finished && file_matches(in, k->path);

            if (is_current && file_is_where_it_was(in, k))
                continue;
            rows[n].last = last_of_row(k);
            rows[n].position = k->position;
            rows[n].is_finished = k->is_finished;
            rows[n].path = is_current ? strdup(k->path) : file_origin(in, k->path);
            n += rows[n].path != NULL;
        }
    }
    return n;
}

void file_find_orphans(struct input *in)
{
    struct lost_row *rows = calloc(in->n_knowns + 1, sizeof *rows);
    size_t n = rows ? list_lost_rows(in, rows) : 0;
    struct siblings_round round;

    in->has_orphans = false;
    in->n_gone = 0;
    siblings_begin(&round, in);
    if (n)
        qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t from = 0, i = 1; i <= n; i++) {
        if (i < n && strcmp(rows[i].path, rows[from].path) == 0)
            continue;
        find_orphans_of(in, rows + from, i - from, &round);
        from = i;
    }
    siblings_end(&round);
    tell_how_many_are_gone(in);
    for (size_t i = 0; i < n; i++)
        free(rows[i].path);
    free(rows);
}

/* --- a path that is new ----------------------------------------------------------------------- */

/* What was born since we last looked, or what a row says is not read to its end: it was at the path
 * when rows were compared with files, and was rotated away before the path was looked at. */
static bool is_unseen(struct input *in, const struct siblings *all, size_t i,
                      const struct file_stat *now)
{
    const struct sibling *s = &all->items[i];
    const struct known *k = file_known_find(in, &s->id);

    if (s->st.type != FILE_REGULAR || file_tail_find(in, &s->id))
        return false;
    return k ? !k->is_finished
             : in->looked_ns && s->id.generation > in->looked_ns &&
                   s->id.generation < now->generation && !is_born_as_copy(all, i);
}

static bool is_unseen_sibling(struct input *in, const struct siblings *all, size_t i,
                              const struct file_stat *now)
{
    const struct sibling *s = &all->items[i];

    if (!rotation_is_rotated(s->path) || file_matches(in, s->path))
        return false;
    /* A packed one was born when it was packed. While ship runs, it is packed of what was read. */
    return s->is_packed ? in->is_first_scan && file_is_missed_packed(in, s)
                        : is_unseen(in, all, i, now);
}

struct tail *file_find_unseen(struct input *in, const char *path, const struct file_stat *now,
                              struct tail *last)
{
    struct file_id id = file_id_of(now);
    struct siblings s;

    if (!in->looked_ns || now->generation <= in->looked_ns || file_known_find(in, &id))
        return last;
    if (siblings_find(in->round, path, &s)) {
        for (size_t i = 0; i < s.n_items; i++) {
            struct tail *t = is_unseen_sibling(in, &s, i, now)
                                 ? file_discover_away(in, &s.items[i], last)
                                 : NULL;

            last = t ? t : last;
        }
    }
    siblings_free(&s);
    return last;
}
