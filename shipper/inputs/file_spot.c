/* A look at one path: the file there has grown, was written anew, is gone or is another one. */
#include <stdio.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"
#include "shipper/inputs/watch.h"

static bool is_live(const struct input *in)
{
    return !in->world->is_replay;
}

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

static bool is_still_at(const struct input *in, const char *path, const struct file_id *id)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct file_id there;
    bool missing;

    if (files->stat(files->ctx, path, &st, &missing, NULL) < 0)
        return !missing; /* in doubt nothing changes */
    there = file_id_of(&st);
    return file_id_eq(&there, id);
}

/* A file that we know is here now: a rename, or a second name. */
static void check_known(struct input *in, struct spot *s, struct tail *t)
{
    struct spot *old = t->spot;

    if (old && is_still_at(in, old->path, &t->id))
        return; /* a second name of the same file: it is read once */
    if (s->tail)
        file_displace(in, s->tail);
    if (old) {
        old->tail = NULL;
        file_set_previous(old, t);
        file_queue_check(in, old);
    }
    file_take_spot(in, s, t);
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

/* The file whose origin this is the rotated path of, if it has left its place. */
static struct tail *rotated_predecessor(const struct input *in, const struct spot *s)
{
    struct slice origin = stream_origin_path(slice_str(s->path));
    char path[GLOB_PATH_MAX];
    const struct spot *current;

    if (!is_live(in) || !rotation_is_rotated(s->path))
        return NULL;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(origin));
    current = file_spot_find(in, path);
    if (!current || !current->tail)
        return current ? current->previous : NULL;
    return is_still_at(in, current->path, &current->tail->id) ? NULL : current->tail;
}

/* In the middle of a rotation, what is known of the older names may be what was there before. */
static bool must_be_checked(const struct input *in, const struct spot *s)
{
    return list_has(&s->queued) ||
           (s->tail != in->checked && !is_still_at(in, s->path, &s->tail->id));
}

static void check_first(struct input *in, struct spot *older, struct spot *s)
{
    list_push(in->checks.next, &s->queued); /* in front of all */
    list_push(in->checks.next, &older->queued);
}

/* Which file this one goes on from: the one next in age, where such names are looked at too; else
 * the one that was here before. */
static void check_new(struct input *in, struct spot *s, const struct file_stat *st)
{
    struct spot *older = file_spot_older(in, s);
    struct tail *rotated = older ? NULL : rotated_predecessor(in, s);
    struct tail *predecessor = older ? older->tail : rotated;

    if (file_is_twin(in, s, st)) {
        if (s->tail)
            file_displace(in, s->tail);
        return; /* the next look may tell more */
    }
    if (older && must_be_checked(in, older)) {
        if (!in->is_scan_due) /* else that looks at all of them, in their order */
            check_first(in, older, s);
        return;
    }
    if (rotated && !in->is_scanned) {
        in->is_scan_due = true; /* what came in between may have a name that is not known yet */
        return;
    }
    if (s->tail)
        file_displace(in, s->tail);
    if (!predecessor)
        predecessor = s->previous;
    if (!older && is_live(in) && (!predecessor || in->is_first_scan) &&
        !rotation_is_rotated(s->path))
        predecessor = file_find_unseen(in, s->path, st, predecessor);
    file_discover(in, s, s->path, st, predecessor);
}

/* Where it was last, it still is. */
static bool is_at_its_place(const struct input *in, const struct tail *t)
{
    const char *place = t->spot ? t->spot->path : t->file ? source_file_path(t->file) : t->path;

    return place && is_still_at(in, place, &t->id);
}

/* The bytes before the position are others than those that were read. False too if that cannot be
 * seen now. */
static bool has_other_content(const struct input *in, const char *path, const struct tail *t)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;
    bool is_other;
    int fd;

    if (t->is_packed || !t->stream.mark)
        return false;
    fd = source_open_file(files, path, &t->id, &st, &missing, NULL);
    if (fd < 0)
        return false;
    is_other = st.size < t->stream.position ||
               source_file_lacks_mark(files, fd, t->stream.position, t->stream.mark);
    files->close(files->ctx, fd);
    return is_other;
}

/* A rotation may have given it this name. */
static bool is_rotated_to(const struct tail *t, const char *path)
{
    const char *place = t->spot ? t->spot->path : t->path;

    return rotation_is_sibling(place, path) && rotation_compare(path, place) < 0;
}

/* Without birth times a number that was given out again looks like a rename (with them the new file
 * is told apart by its own). An open file keeps its number. One that was read in part has its
 * content to tell; of one that was not read only the name can: one that no rotation gives is
 * another file's. If it was a rename all the same, it is read from its beginning under the name
 * that it has now, and nothing is lost or there twice. */
static bool is_reused(const struct input *in, const struct spot *s, const struct tail *t)
{
    if (t->id.generation || tail_is_open(t))
        return false;
    if (t->is_gone)
        return true;
    if (is_at_its_place(in, t))
        return false; /* a second name of the same file */
    return t->stream.position ? has_other_content(in, s->path, t) : !is_rotated_to(t, s->path);
}

/* What had this number before was deleted. */
static void lose_number(struct input *in, struct tail *t)
{
    if (t->is_gone)
        return;
    if (t->spot)
        file_displace(in, t);
    list_remove(&t->homeless);
    list_push(&in->away, &t->away);
    t->is_gone = true;
    if (t->file)
        source_file_move(t->file, NULL);
    if (t->is_packed && t->state != TAIL_DRAINED)
        file_ready(in, t); /* which drains it, when it finds no file */
    else if (t->state != TAIL_DRAINED)
        file_seek_copy(in, t);
}

static void check_regular(struct input *in, struct spot *s, const struct file_stat *st)
{
    struct file_id id = file_id_of(st);
    struct tail *t;

    if (s->is_done && file_id_eq(&s->done, &id) && s->done_size == st->size)
        return;
    if (s->tail && file_id_eq(&s->tail->id, &id)) {
        s->tail->seen_ns = clock_wall_ns(in->world->clock);
        check_same(in, s->tail, st);
        return;
    }
    t = file_tail_find(in, &id);
    if (t && !is_reused(in, s, t)) {
        check_known(in, s, t);
        return;
    }
    if (t)
        lose_number(in, t);
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
        struct file_id id = file_id_of(&st);

        check_regular(in, s, &st);
        /* One that was put off has the file that was here before. */
        in->checked = s->tail && file_id_eq(&s->tail->id, &id) ? s->tail : NULL;
        return;
    }
    if (s->is_literal || (is_live(in) && st.type == FILE_OTHER)) {
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
    struct siblings_round round;

    siblings_begin(&round, in);
    in->round = &round; /* one listing for all that are new */
    for (int n = 0; n < FILE_CHECKS_PER_TICK && !list_is_empty(&in->checks) && may_check(in); n++) {
        struct spot *s = LIST_ENTRY(in->checks.next, struct spot, queued);

        list_remove(&s->queued);
        check_spot(in, s); /* may free it */
    }
    in->round = NULL;
    siblings_end(&round);
    if (!list_is_empty(&in->checks))
        return;
    if (in->is_first_scan)
        file_claim_rest(in);
    in->is_first_scan = false;
    in->is_scanned = false;
    in->looked_ns = in->scanned_ns;
    in->checked = NULL;
    file_find_homes(in);
}
