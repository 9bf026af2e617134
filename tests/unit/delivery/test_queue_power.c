/* The power goes: after every prefix of what was done on the disk, with each step that was not
 * synced kept, dropped, torn or zeroed, what was said to be durable is there. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/queue_rig.h"

enum { TAGS = 24, LARGE = 300 * 1024, NEVER = 1 << 30 };

static struct queue_rig r;
static size_t durable_at[TAGS]; /* after so many steps it was said to be */
static size_t settled_at[TAGS];

static void note_durable(void)
{
    for (unsigned tag = 1; tag < TAGS; tag++)
        if (r.number[tag] && durable_at[tag] == NEVER)
            durable_at[tag] = r.disk.n_steps;
}

static void settle_next(bool really)
{
    unsigned tag;

    if (!queue_rig_get(&r))
        return;
    tag = r.got_tag;
    if (!really)
        return;
    queue_settle(r.queue, queue_rig_drop_got(&r));
    settled_at[tag] = r.disk.n_steps;
}

/* Groups, segments that end, settling in and out of order, segments that go. */
static void live(unsigned first, unsigned end)
{
    for (unsigned tag = first; tag < end; tag++) {
        queue_rig_put(&r, tag, tag % 3 ? 200 : LARGE);
        if (tag % 4 == 1)
            queue_rig_reap(&r);
        note_durable();
        if (tag % 2)
            settle_next(tag % 5 != 0);
        note_durable();
        if (tag % 3 == 2)
            queue_rig_run(&r, 300);
        note_durable();
    }
    queue_rig_reap(&r);
    note_durable();
}

/* Two lives and a third that is short; the second begins after a kill, with one fsync that fails.
 */
static void record_lives(void)
{
    queue_rig_init(&r);
    r.options.max_bytes = 16 << 20;
    r.disk.is_recording = true;
    for (unsigned tag = 0; tag < TAGS; tag++) {
        durable_at[tag] = NEVER;
        settled_at[tag] = NEVER;
    }
    cr_assert(queue_rig_open(&r));
    live(1, 10);
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    memory_disk_fault(&r.disk, DISK_CALL_SYNC, -5, 3, 1);
    live(10, 20);
    cr_expect(r.disk.has_failed);
    memory_disk_fault(&r.disk, 0, 0, 0, 0);
    cr_assert(queue_rig_close(&r));
    cr_assert(queue_rig_open(&r));
    live(20, TAGS);
    cr_assert(queue_rig_close(&r));
}

/* What becomes of the steps, for one try. */
struct fates {
    enum { ALL_KEPT, ALL_DROPPED, ALL_TORN, ALL_ZEROED, BY_CHANCE } how;
    uint64_t state;
};

static enum step_fate fate(void *ctx, size_t step)
{
    struct fates *f = ctx;

    (void)step;
    if (f->how != BY_CHANCE)
        return (enum step_fate)f->how; /* they stand in the same order */
    f->state ^= f->state << 13;
    f->state ^= f->state >> 7;
    f->state ^= f->state << 17;
    return (enum step_fate)(f->state % 4);
}

static void recover(size_t n, struct fates fates)
{
    static struct queue_rig after;
    static struct memory_disk empty;

    memory_disk_init(&empty);
    queue_rig_init(&after);
    after.options.max_bytes = r.options.max_bytes;
    memory_disk_after_power_cut(&empty, &r.disk, n, fate, &fates, &after.disk);
    cr_assert(queue_rig_open(&after), "step %zu, fates %d: %s: %s", n, fates.how, after.why.where,
              after.why.what);
    queue_rig_put(&after, TAGS, 200); /* the next life puts, too */
    queue_rig_drain(&after);
    for (unsigned tag = 1; tag < TAGS; tag++)
        cr_expect(durable_at[tag] > n || settled_at[tag] <= n || after.n_got[tag] == 1,
                  "step %zu of %zu, fates %d: batch %u was durable after %zu, and came %u times", n,
                  r.disk.n_steps, fates.how, tag, durable_at[tag], after.n_got[tag]);
    cr_expect_eq(after.n_got[TAGS], 1);
    cr_assert(queue_rig_close(&after));
    queue_rig_fini(&after);
}

Test(queue_power, after_every_step, .timeout = 300)
{
    unsigned n_durable = 0;
    unsigned n_settled = 0;

    record_lives();
    for (unsigned tag = 1; tag < TAGS; tag++) {
        n_durable += durable_at[tag] != NEVER;
        n_settled += settled_at[tag] != NEVER;
    }
    cr_assert_eq(n_durable, TAGS - 1);
    cr_assert_gt(n_settled, 8);
    for (size_t n = 0; n <= r.disk.n_steps; n++) {
        recover(n, (struct fates){.how = ALL_KEPT});
        recover(n, (struct fates){.how = ALL_DROPPED});
        recover(n, (struct fates){.how = ALL_TORN});
        recover(n, (struct fates){.how = ALL_ZEROED});
        for (uint64_t seed = 1; seed <= 3; seed++)
            recover(n, (struct fates){.how = BY_CHANCE, .state = (n * 7 + seed) * 2654435761u});
    }
    queue_rig_fini(&r);
}
