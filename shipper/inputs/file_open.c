/* Descriptors: who has one, who has to give his back.
 *
 * Those of files that their path leads to again are few, and wander. Those of files that are away
 * and not read to their end are kept beside them, up to a limit: behind a name that is deleted the
 * descriptor is all that is left. */
#include <string.h>

#include "shipper/inputs/file_input.h"

enum { LOOKS_MAX = 128 };

static void note_open(struct input *in, struct tail *t)
{
    in->n_open++;
    in->n_packed_open += t->is_packed;
}

void file_let_go(struct input *in, struct tail *t)
{
    in->n_held -= t->is_held;
    t->is_held = false;
    if (in->n_held * 2 <= in->most_held)
        in->n_at_risk = 0;
}

void file_shut(struct input *in, struct tail *t)
{
    list_remove(&t->idle);
    file_let_go(in, t);
    if (!tail_is_open(t))
        return;
    in->n_open--;
    in->n_packed_open -= t->is_packed;
    if (!t->is_packed) {
        source_file_shut(t->file);
        return;
    }
    source_packed_shut(t->packed);
    t->packed = NULL; /* the source stays the stream's */
}

/* It may be shut as long as nothing reads it, since its path leads to it again. Away, only one that
 * is read to its last byte: it may be deleted meanwhile. */
static bool is_found_again(const struct tail *t)
{
    return t->spot || (!t->is_packed && !list_has(&t->homeless) && !t->is_gone &&
                       t->state != TAIL_BUSY && t->stream.position == t->size);
}

/* One that is open for what may come, and can be found again by its path: its turn must not keep
 * the one before it from being read. */
static struct tail *find_waiting_one(const struct input *in)
{
    for (struct link *l = in->all.next; l != &in->all; l = l->next) {
        struct tail *t = LIST_ENTRY(l, struct tail, all);

        if ((t->state == TAIL_HELD || t->state == TAIL_WAITING) && !t->is_packed &&
            tail_is_open(t) && !t->is_gone && source_file_path(t->file))
            return t;
    }
    return NULL;
}

/* One that waits for its turn is not idle: by then it may be rotated away and deleted. */
struct tail *file_idle_longest(const struct input *in, uint64_t looks)
{
    for (struct link *l = in->idle.next; l != &in->idle && looks > 0; l = l->next, looks--) {
        struct tail *t = LIST_ENTRY(l, struct tail, idle);

        if (t->state != TAIL_HELD)
            return t;
    }
    return NULL;
}

/* The one that has been idle longest, else one that waits for its turn, else one whose turn to be
 * read comes late, if it is among so many: thousands may be ready and shut. */
static bool shut_one(struct input *in, uint64_t looks)
{
    struct tail *idle = file_idle_longest(in, looks);

    if (!idle && !list_is_empty(&in->idle))
        idle = LIST_ENTRY(in->idle.next, struct tail, idle);
    if (idle) {
        file_shut(in, idle);
        return true;
    }
    for (struct link *l = in->ready.prev; l != &in->ready && looks > 0; l = l->prev, looks--) {
        struct tail *t = LIST_ENTRY(l, struct tail, run);

        if (t->is_packed || !tail_is_open(t) || !is_found_again(t))
            continue;
        file_shut(in, t);
        return true;
    }
    return false;
}

static void tell_at_risk(struct input *in, const struct tail *t)
{
    uint64_t unread = tail_unread_bytes(t);
    struct err e = {0};

    if (!unread || ++in->n_at_risk > FILE_TELL_MAX)
        return;
    err_set(
        &e, ERR_BUSY,
        "%s: was rotated away with %llu bytes unread, and %u descriptors, as many as may be, are "
        "held for such files: if it is deleted before it is read, they are lost%s",
        t->path, (unsigned long long)unread, in->n_held,
        in->n_at_risk == FILE_TELL_MAX ? "; so it is with others" : "");
    file_log(in, &e);
}

/* The kernel has no descriptor left. */
static bool shut_any(struct input *in)
{
    struct tail *t;

    if (shut_one(in, in->n_tails))
        return true;
    t = find_waiting_one(in);
    if (!t)
        return false;
    if (t->is_held)
        tell_at_risk(in, t);
    file_shut(in, t);
    return true;
}

void file_rest(struct input *in, struct tail *t)
{
    if (!tail_is_open(t) || !is_found_again(t))
        return;
    file_let_go(in, t);
    list_push(t->is_packed ? &in->cut : &in->idle, &t->idle);
}

enum packed_window file_window(const struct input *in)
{
    return in->world->is_replay ? PACKED_WINDOW_REPLAY : PACKED_WINDOW_SERVICE;
}

const char *file_packed_path(const struct tail *t)
{
    return t->spot ? t->spot->path : t->copy_path ? t->copy_path : t->path;
}

/* Takes the descriptor, also when memory is out: false then. */
static bool adopt_packed(struct input *in, struct tail *t, int fd)
{
    t->packed = source_packed_new(in->world->files, fd, file_packed_path(t), file_window(in));
    if (!t->packed)
        return false;
    if (t->stream.source)
        t->stream.source->ops->close(t->stream.source);
    t->stream.source = source_packed_base(t->packed);
    if (t->copy_path && t->stream.mark)
        source_packed_expect(t->packed, t->stream.position, t->stream.mark);
    return true;
}

static int open_packed(struct input *in, struct tail *t, bool *missing, struct err *e)
{
    struct file_stat st;
    int fd = source_open_file(in->world->files, file_packed_path(t), &t->id, &st, missing, e);

    if (fd < 0)
        return -1;
    return adopt_packed(in, t, fd) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int open_once(struct input *in, struct tail *t, bool *missing, struct err *e)
{
    return t->is_packed ? open_packed(in, t, missing, e) : source_file_open(t->file, missing, e);
}

/* Out of descriptors or memory: what is not open waits a little; said once until it works again. */
static void pause_opening(struct input *in, struct err *e)
{
    in->open_ms = in->now_ms + FILE_RETRY_MS;
    if (in->has_complained_descriptors)
        return;
    in->has_complained_descriptors = true;
    err_at(e, "no descriptor left to read files with (%u in use); trying again every second",
           in->n_open);
    file_log(in, e);
}

void file_complain(struct input *in, struct tail *t, struct err *e)
{
    if (!t->failing_ms)
        t->failing_ms = in->now_ms;
    t->n_failed++;
    if (t->has_complained)
        return;
    t->has_complained = true;
    in->stats.errors++;
    file_log(in, e);
}

static void complain_unopened(struct input *in, struct tail *t, struct err *e)
{
    if (!in->world->is_replay)
        strncat(e->what, "; it is tried again", sizeof e->what - strlen(e->what) - 1);
    file_complain(in, t, e);
}

static bool is_full(const struct input *in)
{
    return in->n_open - in->n_held >= in->most_open;
}

bool file_open(struct input *in, struct tail *t)
{
    struct err e = {0};
    bool missing = false;
    int rc;

    if (tail_is_open(t)) {
        list_remove(&t->idle);
        return true;
    }
    if (is_full(in))
        shut_one(in, LOOKS_MAX);
    while ((rc = open_once(in, t, &missing, &e)) < 0 && e.code == ERR_BUSY && shut_any(in))
        ;
    t->is_missing = rc < 0 && missing;
    if (rc == 0) {
        in->has_complained_descriptors = false;
        note_open(in, t);
        return true;
    }
    if (e.code == ERR_BUSY || e.code == ERR_NOMEM)
        pause_opening(in, &e);
    else if (!missing || in->world->is_replay)
        complain_unopened(in, t, &e);
    return false;
}

bool file_adopt(struct input *in, struct tail *t, int fd)
{
    if (!t->is_packed && !t->file)
        return false;
    if (!t->is_packed)
        source_file_adopt(t->file, fd);
    else if (!adopt_packed(in, t, fd))
        return true; /* fd is closed */
    note_open(in, t);
    return true;
}

void file_open_ahead(struct input *in, struct tail *t)
{
    if (in->open_ms > in->now_ms || (is_full(in) && !shut_one(in, LOOKS_MAX)))
        return;
    if (file_open(in, t) && t->state == TAIL_HELD)
        file_rest(in, t);
}

/* --- those that are away ---------------------------------------------------------------------- */

void file_tell_lost(struct input *in, struct tail *t)
{
    uint64_t lost = tail_lost_bytes(t);
    struct err e = {0};

    if (!lost)
        return;
    in->stats.lost_bytes += lost;
    t->stream.is_aside = true; /* they may have begun another request */
    if (t->successor)
        file_cut_off(in, t->successor);
    err_set(&e, ERR_INPUT, "%s: was deleted before its last %llu %sbytes were read: they are lost",
            t->path, (unsigned long long)lost, t->is_packed ? "packed " : "");
    file_log(in, &e);
}

/* One that was read to its end, and is only held for what may be written late. */
static bool let_one_go(struct input *in)
{
    if (in->full_ms == in->now_ms)
        return false;
    for (struct link *l = in->away.next; l != &in->away; l = l->next) {
        struct tail *t = LIST_ENTRY(l, struct tail, away);

        if (!t->is_held || t->state != TAIL_DRAINED)
            continue;
        file_shut(in, t);
        return true;
    }
    in->full_ms = in->now_ms;
    return false;
}

/* What is deleted cannot be opened again, and what is read on a worker is not shut. */
static void cannot_keep(struct input *in, struct tail *t)
{
    if (!t->is_gone)
        tell_at_risk(in, t);
    if (t->state == TAIL_BUSY || !tail_is_open(t))
        return;
    file_shut(in, t);
    if (t->is_gone && t->state != TAIL_DRAINED)
        file_seek_copy(in, t);
    else if (t->is_gone)
        file_tell_lost(in, t);
}

void file_keep(struct input *in, struct tail *t)
{
    if (t->is_held || t->is_packed || (t->is_gone && !tail_is_open(t)))
        return;
    if (is_found_again(t)) {
        file_open_ahead(in, t);
        return;
    }
    if (in->n_held >= in->most_held && !let_one_go(in)) {
        cannot_keep(in, t);
        return;
    }
    if (!tail_is_open(t) && (in->open_ms > in->now_ms || !file_open(in, t)))
        return;
    list_remove(&t->idle);
    t->is_held = true;
    in->n_held++;
}
