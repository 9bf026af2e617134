/* Generations of one origin wait for each other, and hand on what correlation knows. */
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"

/* By where they are now: `a` was made after `b`. */
static bool is_younger(const struct tail *a, const struct tail *b)
{
    return a->spot && b->spot && rotation_is_sibling(a->spot->path, b->spot->path) &&
           rotation_compare(b->spot->path, a->spot->path) < 0;
}

void file_hold(struct input *in, struct tail *t, struct tail *predecessor)
{
    while (predecessor->successor && !is_younger(predecessor->successor, t))
        predecessor = predecessor->successor;
    if (predecessor == t || t->state != TAIL_WAITING)
        return;
    if (predecessor->successor) {
        t->successor = predecessor->successor;
        t->successor->predecessor = t;
    }
    t->predecessor = predecessor;
    predecessor->successor = t;
    t->state = TAIL_HELD;
    if (predecessor->stream.is_aside)
        file_cut_off(in, t);
    if (predecessor->state == TAIL_DRAINED)
        file_hand_over(in, predecessor);
}

void file_cut_off(struct input *in, struct tail *t)
{
    if (t->stream.position || t->stream.has_inherited)
        return; /* it has a state of its own */
    t->stream.has_inherited = true;
    file_put_row(in, t, false); /* or a restart would have it inherit */
}

void file_put_aside(struct input *in, struct tail *t)
{
    t->stream.is_aside = true;
    file_cut_off(in, t);
}

/* The old file keeps what it knows too: late lines may still come to it. A summary that is held
 * comes out of the stream that read its REPORT, unless nothing more will be read of that one. */
static void inherit(struct tail *from, struct tail *to)
{
    if (!correlate_copy(&to->stream.correlate, &from->stream.correlate))
        return; /* lines without an id stay without one until the next START */
    to->stream.has_inherited = true;
    if (from->state == TAIL_DRAINED)
        from->stream.correlate.has_held = false;
    else
        to->stream.correlate.has_held = false;
    to->stream.holds_elders = to->stream.correlate.has_held;
}

void file_hand_over(struct input *in, struct tail *t)
{
    struct tail *next = t->successor;

    if (!next)
        return;
    t->successor = NULL;
    next->predecessor = NULL;
    if (next->state != TAIL_HELD)
        return;
    /* A generation that goes on from its checkpoint has a state of its own. */
    if (next->stream.position == 0 && !next->stream.has_inherited) {
        inherit(t, next);
        file_put_row(in, next, false); /* or a restart would not know the request it begins in */
    }
    next->state = TAIL_WAITING;
    file_ready(in, next);
}
