/* Texts that were cut away: a file was truncated or written anew, while ship looked or while it was
 * away. logrotate's copytruncate leaves a copy: what was not read is read on there. */
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"

/* --- while ship looks ------------------------------------------------------------------------ */

/* The origin of what is written anew in t's inode: where it lies now, unless that is only where t
 * was rotated to. Another file may have been given the number of a deleted one. */
static const char *rewritten_path(const struct tail *t)
{
    return t->spot && !rotation_is_sibling(t->path, t->spot->path) ? t->spot->path : t->path;
}

/* Without memory for the next generation: the next read of this one finds the same out again. */
static void rewritten_later(struct input *in, struct tail *t)
{
    if (t->state == TAIL_BUSY)
        t->state = TAIL_WAITING;
    file_ready(in, t);
    in->retry_ms = in->now_ms + FILE_RETRY_MS;
}

static struct tail *make_next(struct input *in, const struct tail *t)
{
    const char *path = source_file_path(t->file);
    struct file_stat st = {.device = t->id.device,
                           .inode = t->id.inode,
                           .generation = t->id.generation,
                           .type = FILE_REGULAR};

    return file_make_tail(in, rewritten_path(t), path ? path : t->path, &st, t->n_rewritten + 1);
}

/* The file is n's now, and the place of t. */
static void take_place(struct input *in, struct tail *n, struct tail *t)
{
    list_remove(&t->idle);
    source_file_adopt(n->file, source_file_resign(t->file));
    source_file_move(t->file, NULL);
    n->is_held = t->is_held;
    t->is_held = false;
    n->successor = t->successor;
    if (n->successor)
        n->successor->predecessor = n;
    t->successor = NULL;
    if (t->spot) {
        file_take_spot(in, t->spot, n);
        file_set_previous(t->spot, t);
        file_queue_check(in, t->spot); /* how long it is now says what is lost if it is cut again */
    }
    if (list_has(&t->away)) {
        n->away_ms = t->away_ms;
        list_push(&in->away, &n->away);
        list_remove(&t->away);
    }
    t->spot = NULL;
}

/* Away from its place, or at another's: what is in n need not have come after what was in it
 * before, nor what was found meanwhile after both. */
static void put_those_aside(struct input *in, struct tail *n)
{
    file_put_aside(in, n);
    for (struct tail *t = n->successor; t; t = t->successor) {
        file_cut_off(in, t);
        if (t->spot)
            return;
        t->stream.is_aside = true;
    }
}

void file_rewritten(struct input *in, struct tail *t)
{
    bool is_moved = !t->spot || !rotation_is_sibling(t->path, t->spot->path);
    struct tail *n;

    if (t->copy_path) {
        file_other_copy(in, t);
        return;
    }
    n = make_next(in, t);
    if (!n) {
        rewritten_later(in, t);
        return;
    }
    take_place(in, n, t);
    if (is_moved)
        put_those_aside(in, n);
    file_hold(in, n, t); /* inherits what correlation knows as soon as t is drained */
    file_put_row(in, n, false);
    t->is_cut = t->is_gone = true;
    if (t->state == TAIL_BUSY)
        t->state = TAIL_WAITING;
    if (in->world->is_replay || t->state == TAIL_DRAINED)
        file_end_cut(in, t);
    else
        file_seek_copy(in, t);
}

/* It was read, and no copy has more of it: it comes out first. */
static bool flush_record(struct input *in, struct tail *t)
{
    t->wants_end_cut = t->stream.has_open_record;
    if (t->wants_end_cut && !file_flush_record(in, t))
        file_ready(in, t); /* as soon as there is memory */
    return t->wants_end_cut;
}

void file_end_cut(struct input *in, struct tail *t)
{
    uint64_t lost;
    struct err e = {0};

    if (flush_record(in, t))
        return;
    lost = tail_lost_bytes(t);
    err_set(&e, ERR_NONE,
            "%s: was truncated or written anew; reading it from its beginning, nothing of the old "
            "content was left to read",
            t->path);
    if (lost)
        err_set(&e, ERR_INPUT,
                "%s: was truncated or written anew before its last %llu bytes were read: they are "
                "lost; reading it from its beginning",
                t->path, (unsigned long long)lost);
    in->stats.lost_bytes += lost;
    file_log(in, &e);
    if (lost && t->successor) /* they may have begun another request */
        file_cut_off(in, t->successor);
    t->is_superseded = true;
    t->is_cut = t->is_gone = t->has_copy = false;
    file_drained(in, t);
}

static bool is_stranger(const struct input *in, const struct sibling *s)
{
    return rotation_is_rotated(s->path) && !file_tail_find(in, &s->id) &&
           !file_known_find(in, &s->id) && !file_matches(in, s->path);
}

/* Packing makes another file, which keeps the time of the last writing. */
static uint64_t copied_ns(const struct sibling *s)
{
    return s->is_packed ? (uint64_t)s->st.mtime_ns : s->id.generation;
}

/* a.log.1.gz of a.log.1: as long as it is being made, both are there. */
static bool is_made_of(const struct sibling *packed, const struct sibling *plain)
{
    struct slice path = slice_str(packed->path);
    struct slice of = slice_str(plain->path);

    return packed->is_packed && !plain->is_packed && slice_starts(path, of) &&
           path.ptr[of.len] == '.';
}

void file_read_between(struct input *in, struct tail *t, const struct sibling *copy,
                       const struct siblings *s)
{
    for (size_t i = 0; copy->id.generation && i < s->n_items; i++)
        if (copied_ns(&s->items[i]) > copied_ns(copy) && is_stranger(in, &s->items[i]) &&
            !is_made_of(&s->items[i], copy))
            t = file_insert_missed(in, t, &s->items[i]);
}

/* --- while it was away ------------------------------------------------------------------------ */

enum { ACKED_LATE_S = 60 }; /* a row may be younger than what it says was read */

/* Of several the one that lived first; *k is the last that was taken. */
static struct known *next_row(const struct input *in, const struct file_id *id,
                              const struct known *fits, unsigned from)
{
    struct known *best = NULL;

    for (struct known *k = file_known_next(in, id, NULL); k; k = file_known_next(in, id, k))
        if (k != fits && !k->is_finished && k->position && k->n_rewritten >= from &&
            (!best || k->n_rewritten < best->n_rewritten))
            best = k;
    return best;
}

/* The number of the copy in s; n_items: there is none. */
static size_t find_copy(struct input *in, const struct known *k, const struct siblings *s)
{
    struct lost_text text = {.path = k->path,
                             .born_ns = k->id.generation,
                             .since_ns = (uint64_t)(k->seen_s - ACKED_LATE_S) * 1000000000u,
                             .head_hash = k->head_hash,
                             .position = k->position,
                             .mark = stream_state_mark(buffer_slice(&k->state))};
    size_t i = 0;

    while (i < s->n_items && !file_may_be_copy(in, &text, &s->items[i]))
        i++;
    return i;
}

/* NULL: there is nothing to be read of it. */
static struct tail *read_copy(struct input *in, struct known *k, const struct sibling *copy,
                              struct tail *last)
{
    if (!file_is_whole_copy(in, k->position, copy))
        return file_take_up_copy(in, k, copy, last);
    file_know_copy(in, copy->path, &copy->id, k->position, k->head_hash);
    return NULL;
}

/* Nobody saw its text: it was written, copied and cut away since we last looked. */
static bool is_missed(const struct input *in, const struct sibling *s)
{
    if (s->is_packed)
        return file_is_missed_packed(in, s);
    return in->looked_ns && s->id.generation > in->looked_ns + 1000000000u && is_stranger(in, s);
}

static struct tail *read_missed(struct input *in, const struct siblings *s, struct tail *last)
{
    for (size_t i = 0; i < s->n_items; i++) {
        struct tail *t =
            is_missed(in, &s->items[i]) ? file_discover_away(in, &s->items[i], last) : NULL;

        last = t ? t : last;
    }
    return last;
}

struct tail *file_read_cut(struct input *in, const struct file_id *id, const struct known *fits,
                           const char *path, struct tail *last)
{
    struct known *k = next_row(in, id, fits, 0);
    struct siblings_round round;
    struct siblings s;

    if (!k)
        return last;
    siblings_begin(&round, in);
    if (siblings_find(&round, path, &s)) {
        for (unsigned from; k; k = next_row(in, id, fits, from)) {
            size_t i = find_copy(in, k, &s);
            struct tail *t;

            from = k->n_rewritten + 1;
            t = i < s.n_items ? read_copy(in, k, &s.items[i], last) : NULL;
            last = t ? t : last;
        }
        if (!fits && in->is_first_scan)
            last = read_missed(in, &s, last);
    }
    siblings_free(&s);
    siblings_end(&round);
    return last;
}
