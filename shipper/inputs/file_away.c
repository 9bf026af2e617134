/* Files that lost their path: read on until they have been quiet for a while. */
#include <stdio.h>

#include "shipper/inputs/file_input.h"

static int64_t grace_ms(const struct input *in)
{
    return in->options->poll_interval_ms;
}

enum place { PLACE_SAME, PLACE_LEFT, PLACE_UNKNOWN };

/* Whether a tail that is away is still where it was found last; *st is then how it is. */
static enum place look_at_place(const struct input *in, const struct tail *t, struct file_stat *st)
{
    const struct files *files = in->world->files;
    const char *path = t->file ? source_file_path(t->file) : NULL;
    struct file_id id;
    bool missing = false;

    if (!path)
        return PLACE_UNKNOWN;
    if (files->stat(files->ctx, path, st, &missing, NULL) < 0)
        return missing ? PLACE_LEFT : PLACE_UNKNOWN;
    id = file_id_of(st);
    return file_id_eq(&id, &t->id) ? PLACE_SAME : PLACE_LEFT;
}

/* It was deleted where it was rotated to: its descriptor is all that is left. */
static void lose_name(struct input *in, struct tail *t, const struct file_stat *st)
{
    t->is_gone = true;
    if (t->state != TAIL_BUSY && st->size > t->size)
        t->size = st->size; /* should it have to be let go, so much is lost */
    if (t->file)
        source_file_move(t->file, NULL);
    file_keep(in, t);
}

static bool look_through(struct input *in, struct tail *t, struct file_stat *st)
{
    if (tail_stat(t, st, NULL) < 0)
        return false;
    if (st->n_links == 0 && !t->is_gone && !t->spot)
        lose_name(in, t, st);
    return true;
}

/* Through its descriptor or, where that was shut, at its path. */
static enum place look_away(struct input *in, struct tail *t, struct file_stat *st)
{
    if (tail_is_open(t))
        return look_through(in, t, st) ? PLACE_SAME : PLACE_UNKNOWN;
    if (t->spot || t->failing_ms || list_has(&t->homeless))
        return PLACE_UNKNOWN; /* what cannot be read has no news, and its next try comes anyway */
    return look_at_place(in, t, st);
}

void file_step_away(struct input *in, struct tail *t)
{
    struct file_stat st;
    bool is_resting = t->state == TAIL_WAITING || t->state == TAIL_DRAINED;
    enum place place = is_resting ? look_away(in, t, &st) : PLACE_UNKNOWN;
    struct tail_moment moment = {in->now_ms, clock_wall_ns(in->world->clock), grace_ms(in)};

    if (!is_resting && tail_is_open(t))
        look_through(in, t, &st);
    if (place == PLACE_SAME && tail_look(t, &st, in->now_ms) != TAIL_NOTHING) {
        file_ready(in, t);
        return;
    }
    if (place == PLACE_LEFT && t->state == TAIL_WAITING) {
        list_push(&in->homeless, &t->homeless);
        return;
    }
    switch (tail_away_step(t, &moment)) {
    case TAIL_STAY:
        break;
    case TAIL_FINISH:
        if (!t->spot) {
            file_finish(in, t);
            break;
        }
        if (t->failing_ms) { /* quiet, and not at its end */
            file_ready(in, t);
            break;
        }
        file_hand_over(in, t); /* renamed to where we look too: it stays */
        list_remove(&t->away);
        break;
    case TAIL_RELEASE:
        file_hand_over(in, t);
        break;
    case TAIL_CLOSE:
        list_remove(&t->away); /* settle takes it from here */
        break;
    }
}

/* Deleted files that could not be read for a while. */
struct tied {
    const struct tail *largest;
    unsigned n_files;
    uint64_t unread;
    uint64_t size;
};

static void add_tied(struct tied *tied, const struct tail *t)
{
    uint64_t unread = tail_unread_bytes(t);

    if (!tied->largest || unread > tail_unread_bytes(tied->largest))
        tied->largest = t;
    tied->n_files++;
    tied->unread += unread;
    tied->size += t->size;
}

/* The kernel keeps their bytes for us alone: somebody may look for the space. */
static void tell_tied(struct input *in)
{
    struct tied tied = {0};
    char others[80] = "";
    struct err e = {0};

    for (struct link *l = in->away.next; l != &in->away; l = l->next) {
        const struct tail *t = LIST_ENTRY(l, struct tail, away);

        if (t->is_gone && tail_is_open(t) && tail_unread_bytes(t) &&
            in->now_ms - t->away_ms >= FILE_PATIENCE_MS)
            add_tied(&tied, t);
    }
    if (!tied.n_files)
        return;
    in->tied_ms = in->now_ms + FILE_TELL_MS;
    if (tied.n_files > 1)
        snprintf(others, sizeof others, ", and of %u such files %llu,", tied.n_files,
                 (unsigned long long)tied.unread);
    err_set(
        &e, ERR_BUSY,
        "%s: was deleted, and %llu bytes of it%s are not read yet: %llu bytes of disk space stay "
        "taken until they are, and if ship is stopped before, they are lost",
        tied.largest->path, (unsigned long long)tail_unread_bytes(tied.largest), others,
        (unsigned long long)tied.size);
    file_log(in, &e);
}

/* It may have been deleted since anybody looked. */
static void look_last(struct tail *t)
{
    struct file_stat st;

    if (t->is_left || !tail_is_open(t) || tail_stat(t, &st, NULL) < 0 || st.n_links)
        return;
    t->is_gone = true;
    if (st.size > t->size)
        t->size = st.size;
}

void file_tell_unread(struct input *in)
{
    for (struct link *l = in->all.next; l != &in->all; l = l->next) {
        struct tail *t = LIST_ENTRY(l, struct tail, all);
        uint64_t lost;
        struct err e = {0};

        look_last(t);
        lost = tail_lost_at_end(t);
        if (!lost)
            continue;
        in->stats.lost_bytes += lost;
        err_set(
            &e, ERR_INPUT,
            "%s: was deleted or written anew, and its last %llu %sbytes were not delivered before "
            "ship stopped: they are lost",
            t->path, (unsigned long long)lost, t->is_packed ? "packed " : "");
        file_log(in, &e);
    }
}

void file_step_those_away(struct input *in)
{
    struct link *next;

    if (in->now_ms < in->away_ms)
        return;
    in->away_ms = in->now_ms + grace_ms(in);
    for (struct link *l = in->away.next; l != &in->away; l = next) {
        next = l->next;
        file_step_away(in, LIST_ENTRY(l, struct tail, away));
    }
    if (in->now_ms >= in->tied_ms)
        tell_tied(in);
}

/* It was renamed once more since it was found: its row must say where it is. */
bool file_has_left(const struct input *in, const struct tail *t)
{
    struct file_stat st;

    return !t->spot && !t->is_superseded && !in->world->is_replay &&
           look_at_place(in, t, &st) == PLACE_LEFT;
}
