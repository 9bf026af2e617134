/* Generations that were not known: what they are, and where they go on. */
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"

enum { PACKED_RATIO = 8 }; /* a guess at what a packed file holds, until it is read */

static bool is_live(const struct input *in)
{
    return !in->world->is_replay;
}

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
    t->found_ns = clock_wall_ns(in->world->clock);
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

void file_take_spot(struct input *in, struct spot *s, struct tail *t)
{
    s->tail = t;
    s->is_done = false;
    file_let_go(in, t);
    t->spot = s;
    t->is_gone = false;
    t->seen_ns = clock_wall_ns(in->world->clock);
    list_remove(&t->homeless);
    list_remove(&t->seek);
    if (!t->successor)
        list_remove(&t->away);
}

void file_set_previous(struct spot *s, struct tail *t)
{
    if (s->previous)
        s->previous->left = NULL;
    if (t->left)
        t->left->previous = NULL;
    s->previous = t;
    t->left = s;
}

/* The predecessor lost its place to this one: it may still be written to for a moment. */
static void follow(struct input *in, struct tail *t, struct tail *predecessor)
{
    file_hold(in, t, predecessor);
    if (t->state == TAIL_HELD)
        file_rest(in, t); /* if it is open, from before a reload */
    if (t->state != TAIL_HELD || !is_live(in) || in->is_first_scan)
        return;
    predecessor->away_ms = in->now_ms;
    list_push(&in->away, &predecessor->away);
    if (!t->is_packed)
        file_open_ahead(in, t); /* it may be rotated away itself before its turn comes */
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

/* It did not come after its predecessor, which was at its place yet when it was born, or was
 * written to later: a copy of what was there before a cut that nobody saw, since nothing had been
 * read. */
static bool is_out_of_order(struct tail *predecessor, const struct file_stat *st)
{
    struct file_stat before;

    if (st->generation && st->generation < (uint64_t)predecessor->seen_ns)
        return true;
    return tail_is_open(predecessor) && tail_stat(predecessor, &before, NULL) == 0 &&
           before.mtime_ns > st->mtime_ns;
}

struct tail *file_discover(struct input *in, struct spot *s, const char *path,
                           const struct file_stat *st, struct tail *predecessor)
{
    struct file_id id = file_id_of(st);
    struct known *k = file_known_find(in, &id);
    bool fits = k && !is_of_another(k, path) && file_row_fits(in, k, path, st);
    unsigned n = fits ? k->n_rewritten : next_generation(in, &id, k);
    bool is_new = !k;
    struct tail *t;

    if (fits && is_read_already(in, s, st, k))
        return NULL;
    if (k && s && is_live(in))
        predecessor = file_read_cut(in, &id, fits ? k : NULL, s->path, predecessor);
    t = file_make_tail(in, fits && !k->is_finished ? k->path : path, path, st, n);
    if (!t)
        return NULL;
    if (fits)
        file_restore(in, t, k);
    else if (is_new && in->skips_present && in->is_first_scan)
        file_start_at_end(in, t, path, st->size);
    else
        file_put_row(in, t, false); /* or a crash before its first ack would forget that it was */
    file_forget_rows(in, &id);
    file_adopt_left(in, t);
    if (s)
        file_take_spot(in, s, t);
    if (predecessor && !s && is_out_of_order(predecessor, st))
        file_put_aside(in, t);
    if (s && predecessor && predecessor->spot && /* one between them is gone */
        !rotation_is_next(predecessor->spot->path, s->path))
        file_cut_off(in, t);
    if (predecessor && predecessor != t)
        follow(in, t, predecessor);
    if (t->state == TAIL_WAITING)
        file_ready(in, t);
    return t;
}
