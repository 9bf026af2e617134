#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"

struct rig {
    struct tracker tracker;
    struct stream stream;
    uint64_t position; /* as it was told last */
    unsigned n_moved;
    char state[16];
};

static void on_moved(void *ctx, struct stream *s, uint64_t position, struct slice state)
{
    struct rig *r = ctx;

    cr_expect_eq(s, &r->stream);
    cr_expect_gt(position, r->position, "positions never go back");
    cr_expect_eq(position, s->settled_position);
    r->position = position;
    r->n_moved++;
    memset(r->state, 0, sizeof r->state);
    memcpy(r->state, state.ptr ? state.ptr : "", state.len);
}

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    tracker_init(&r->tracker, on_moved, r);
}

/* A chunk up to `end`, whose state says `name`. */
static struct chunk *add(struct rig *r, uint64_t end, uint64_t n_parts, const char *name)
{
    struct chunk *c = calloc(1, sizeof *c);

    c->stream = &r->stream;
    c->end = end;
    c->n_parts = n_parts;
    buffer_add_slice(&c->state, slice_str(name));
    tracker_add(&r->tracker, c);
    return c;
}

Test(tracker, a_position_moves_when_all_before_it_is_settled)
{
    struct rig r;
    struct chunk *a, *b, *c;

    rig_init(&r);
    a = add(&r, 10, 2, "a");
    b = add(&r, 20, 1, "b");
    c = add(&r, 30, 1, "c");
    tracker_read(&r.tracker, a);
    tracker_read(&r.tracker, b);
    tracker_read(&r.tracker, c);
    tracker_settle(&r.tracker, c, 1);
    tracker_settle(&r.tracker, a, 1);
    cr_expect_eq(r.n_moved, 0);
    tracker_settle(&r.tracker, a, 1);
    cr_expect_eq(r.position, 10);
    cr_expect_str_eq(r.state, "a");
    cr_expect_not(tracker_is_settled(&r.stream));
    tracker_settle(&r.tracker, b, 1);
    cr_expect_eq(r.position, 30, "the third was waiting for it");
    cr_expect_str_eq(r.state, "c");
    cr_expect_eq(r.n_moved, 2, "told once for both");
    cr_expect(tracker_is_settled(&r.stream));
    cr_expect_eq(r.tracker.n_chunks, 0);
}

/* A batch that a chunk filled in its middle may be answered before the chunk is read to its end. */
Test(tracker, verdicts_may_come_before_the_chunk_is_read)
{
    struct rig r;
    struct chunk *c;

    rig_init(&r);
    c = add(&r, 10, 0, "c");
    tracker_settle(&r.tracker, c, 3);
    cr_expect_eq(r.n_moved, 0, "there may be more of it");
    c->n_parts = 4;
    tracker_read(&r.tracker, c);
    cr_expect_eq(r.n_moved, 0);
    tracker_settle(&r.tracker, c, 1);
    cr_expect_eq(r.position, 10);
}

Test(tracker, a_chunk_without_events_moves_too)
{
    struct rig r;

    rig_init(&r);
    tracker_read(&r.tracker, add(&r, 10, 0, "c"));
    cr_expect_eq(r.position, 10, "empty lines");
    cr_expect_eq(r.tracker.n_chunks, 0);
}

Test(tracker, streams_do_not_wait_for_each_other)
{
    struct rig one, other;

    rig_init(&one);
    rig_init(&other);
    add(&one, 10, 1, "")->is_read = true;
    tracker_read(&other.tracker, add(&other, 20, 0, ""));
    cr_expect_eq(other.position, 20);
    cr_expect_eq(one.n_moved, 0);
    tracker_drop(&one.tracker, &one.stream);
}

/* A position without the state that belongs to it would give wrong request ids after a restart. */
Test(tracker, a_position_without_its_state_is_not_told)
{
    struct rig r;
    struct chunk *c;

    rig_init(&r);
    c = add(&r, 10, 0, "c");
    c->state.failed = true;
    tracker_read(&r.tracker, c);
    cr_expect_eq(r.n_moved, 0);
    cr_expect(tracker_is_settled(&r.stream));
    tracker_read(&r.tracker, add(&r, 20, 0, "d"));
    cr_expect_eq(r.position, 20);
    cr_expect_str_eq(r.state, "d");
}

Test(tracker, drop_frees_and_tells_nothing)
{
    struct rig r;

    rig_init(&r);
    add(&r, 10, 1, "a");
    add(&r, 20, 1, "b");
    tracker_drop(&r.tracker, &r.stream);
    cr_expect_eq(r.n_moved, 0);
    cr_expect_eq(r.tracker.n_chunks, 0);
    cr_expect(tracker_is_settled(&r.stream));
    tracker_read(&r.tracker, add(&r, 30, 0, "c"));
    cr_expect_eq(r.position, 30, "and the list is in order");
}

/* The events of a batch come from chunks in any order; the last one of a chunk may free it. */
Test(tracker, the_events_of_a_batch_are_settled_together)
{
    struct rig r;
    struct chunk *first, *second;
    struct batch_item items[5] = {0};

    rig_init(&r);
    first = add(&r, 10, 3, "a");
    second = add(&r, 20, 2, "b");
    tracker_read(&r.tracker, first);
    tracker_read(&r.tracker, second);
    items[0].chunk = items[3].chunk = items[4].chunk = first;
    items[1].chunk = items[2].chunk = second;
    tracker_settle_items(&r.tracker, 0, items, 4);
    cr_expect_eq(r.n_moved, 0, "one event of the first chunk is missing");
    tracker_settle_items(&r.tracker, 0, items + 4, 1);
    cr_expect_eq(r.position, 20);
    cr_expect(tracker_is_settled(&r.stream));
}
