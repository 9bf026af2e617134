#include <criterion/criterion.h>
#include <string.h>

#include "shipper/observe/snapshot.h"

/* One output's side of an agent, as it is at some moment of its life. */
struct moment {
    uint64_t in, delivered, duplicates, dead, dropped, in_flight;
};

static struct snapshot snapshot_of(const char *name, struct moment m)
{
    struct snapshot s;

    cr_assert(snapshot_init(&s, 0, 1));
    s.outputs[0].name = strdup(name);
    s.outputs[0].in = m.in;
    s.outputs[0].in_flight = m.in_flight;
    s.outputs[0].dropped = m.dropped;
    s.outputs[0].stats =
        (struct output_stats){.delivered = m.delivered, .duplicates = m.duplicates, .dead = m.dead};
    return s;
}

static uint64_t sum(const struct snapshot_output *o)
{
    return o->stats.delivered + o->stats.duplicates + o->stats.dead + o->dropped + o->in_flight;
}

/* V4: the sum holds over reloads, at each moment of the agents' lives, and no counter goes down. */
Test(snapshot, the_sum_holds_over_reloads)
{
    static const struct {
        bool is_reload; /* another agent, which has counted from 0 again */
        struct moment agent;
        struct moment want;
        const char *because;
    } rows[] = {
        {false, {100, 50, 1, 2, 3, 44}, {100, 50, 1, 2, 3, 44}, "the first life as it is"},
        {true, {0, 0, 0, 0, 0, 0}, {100, 50, 1, 2, 3, 44}, "44 are with their source again"},
        {false, {40, 0, 0, 0, 0, 40}, {100, 50, 1, 2, 3, 44}, "40 of them came back"},
        {false, {40, 30, 10, 0, 0, 0}, {100, 80, 11, 2, 3, 4}, "and were settled"},
        {false, {60, 30, 10, 0, 0, 20}, {116, 80, 11, 2, 3, 20}, "the last 4, and 16 new ones"},
        {true, {5, 0, 0, 0, 5, 0}, {116, 80, 11, 2, 8, 15}, "a third agent: 20 are to come"},
        {false, {30, 10, 0, 10, 5, 5}, {126, 90, 11, 12, 8, 5}, "they came, and 10 more"},
    };
    struct snapshot before = {0};
    struct snapshot last = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct snapshot now = snapshot_of("es", rows[i].agent);
        const struct snapshot_output *o = &now.outputs[0];
        const struct moment *want = &rows[i].want;

        if (rows[i].is_reload) {
            snapshot_free(&before);
            before = last;
            last = (struct snapshot){0};
        }
        snapshot_carry(&now, &before);
        cr_expect_eq(o->in, sum(o), "%s: %lu is not %lu", rows[i].because, o->in, sum(o));
        cr_expect_eq(o->in, want->in, "%s: in %lu", rows[i].because, o->in);
        cr_expect_eq(o->stats.delivered, want->delivered, "%s", rows[i].because);
        cr_expect_eq(o->stats.duplicates, want->duplicates, "%s", rows[i].because);
        cr_expect_eq(o->stats.dead, want->dead, "%s", rows[i].because);
        cr_expect_eq(o->dropped, want->dropped, "%s", rows[i].because);
        cr_expect_eq(o->in_flight, want->in_flight, "%s: %lu", rows[i].because, o->in_flight);
        snapshot_free(&last);
        last = now;
    }
    snapshot_free(&before);
    snapshot_free(&last);
}

Test(snapshot, what_has_another_name_begins_at_zero)
{
    struct snapshot before = snapshot_of("old", (struct moment){9, 9, 0, 0, 0, 0});
    struct snapshot now = snapshot_of("new", (struct moment){1, 0, 0, 0, 0, 1});

    snapshot_carry(&now, &before);
    cr_expect_eq(now.outputs[0].in, 1);
    cr_expect_eq(now.outputs[0].stats.delivered, 0);
    snapshot_free(&before);
    snapshot_free(&now);
}

Test(snapshot, inputs_go_on_counting)
{
    struct snapshot before, now;

    cr_assert(snapshot_init(&before, 1, 0) && snapshot_init(&now, 1, 0));
    before.inputs[0].name = strdup("file");
    now.inputs[0].name = strdup("file");
    before.inputs[0].stats = (struct input_stats){10, 9, 8, 7, 6, 5, 4, 3};
    now.inputs[0].stats = (struct input_stats){100, 90, 80, 70, 60, 50, 40, 30};
    snapshot_carry(&now, &before);
    cr_expect_eq(now.inputs[0].stats.bytes, 110);
    cr_expect_eq(now.inputs[0].stats.lines, 99);
    cr_expect_eq(now.inputs[0].stats.events, 88);
    cr_expect_eq(now.inputs[0].stats.truncated, 77);
    cr_expect_eq(now.inputs[0].stats.lost_bytes, 66);
    cr_expect_eq(now.inputs[0].stats.errors, 55);
    cr_expect_eq(now.inputs[0].stats.streams, 40, "what is open now is no counter");
    snapshot_free(&before);
    snapshot_free(&now);
}

/* S5: who reloads each half minute must not hide a stalled output. */
Test(snapshot, a_reload_does_not_end_a_stall)
{
    struct snapshot before = snapshot_of("es", (struct moment){.in = 5, .in_flight = 5});
    struct snapshot now = snapshot_of("es", (struct moment){.in = 5, .in_flight = 5});

    before.outputs[0].view.stalled_ms = 50000;
    now.outputs[0].view.stalled_ms = 20000;
    snapshot_carry(&now, &before);
    cr_expect_eq(now.outputs[0].view.stalled_ms, 70000);
    snapshot_free(&now);

    now = snapshot_of("es", (struct moment){.in = 5, .delivered = 1, .in_flight = 4});
    now.outputs[0].view.stalled_ms = 20000;
    snapshot_carry(&now, &before);
    cr_expect_eq(now.outputs[0].view.stalled_ms, 20000, "one got through since");
    snapshot_free(&now);

    now = snapshot_of("es", (struct moment){.in = 0});
    snapshot_carry(&now, &before);
    cr_expect_eq(now.outputs[0].view.stalled_ms, 0, "nothing waits here now");
    snapshot_free(&now);
    snapshot_free(&before);
}
