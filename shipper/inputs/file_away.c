/* Files that lost their path: read on until they have been quiet for a while. */
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

/* Through its descriptor or, where that was shut, at its path. */
static enum place look_away(struct input *in, struct tail *t, struct file_stat *st)
{
    if (tail_is_open(t))
        return tail_stat(t, st, NULL) == 0 ? PLACE_SAME : PLACE_UNKNOWN;
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
}

/* It was renamed once more since it was found: its row must say where it is. */
bool file_has_left(const struct input *in, const struct tail *t)
{
    struct file_stat st;

    return !t->spot && !t->is_superseded && !in->world->is_replay &&
           look_at_place(in, t, &st) == PLACE_LEFT;
}
