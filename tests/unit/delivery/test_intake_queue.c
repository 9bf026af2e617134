/* Intake with a disk queue. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/intake_rig.h"

/* A batch of four events counts somewhat more than 4 KiB. */
enum { ROOM_FOR_TWO = 14000, BATCH = 4 };

static const struct intake_options spill = {.on_full = ON_FULL_SPILL, .memory_bytes = ROOM_FOR_TWO};

static void open_with(struct intake_rig *r, const struct intake_options *options, int64_t max_bytes)
{
    memset(r, 0, sizeof *r);
    memory_disk_init(&r->disk);
    intake_rig_open(r, options, max_bytes);
}

/* Batches of BATCH events, [from, to). */
static void offer_all(struct intake_rig *r, int from, int to)
{
    for (int n = from; n < to; n += BATCH) {
        intake_rig_offer(r, n, BATCH);
        intake_rig_tick(r, 1);
        intake_rig_expect_balance(r);
    }
}

static void fail_disk(struct intake_rig *r, unsigned calls, int error)
{
    r->disk.calls = calls;
    r->disk.error = error;
    r->disk.fail_at = error ? 1 : 0;
    r->disk.fail_for = error ? 1000000 : 0;
}

Test(intake_queue, positions_move_once_it_is_durable)
{
    struct intake_rig r;

    open_with(&r, &spill, 1 << 20);
    intake_rig_offer(&r, 0, BATCH);
    cr_expect_eq(r.world->moved_to, 0);
    cr_expect_not(intake_is_idle(r.intake), "what is being written is not safe yet");
    intake_rig_tick(&r, 1);
    cr_expect_eq(r.world->moved_to, 40, "though nobody answered");
    cr_expect(intake_is_idle(r.intake));
    cr_expect_eq(r.world->fake.n_held, 1, "and it is sent from memory meanwhile");
    cr_expect_eq(intake_stand_ins(r.intake), r.world->tracker.n_chunks);
    cr_expect_eq(intake_queue_stats(r.intake)->events, BATCH);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    intake_rig_tick(&r, 1);
    cr_expect_eq(intake_queue_stats(r.intake)->events, 0);
    cr_expect_eq(r.world->tracker.n_chunks, 0);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

/* Each read would fail and be told of. */
Test(intake_queue, a_healthy_sink_reads_nothing_back)
{
    struct intake_rig r;

    open_with(&r, &spill, 1 << 20);
    fail_disk(&r, DISK_CALL_READ, -EIO);
    for (int n = 0; n < 400; n += BATCH) {
        offer_all(&r, n, n + BATCH);
        intake_rig_answer(&r, VERDICT_DELIVERED);
    }
    cr_expect_eq(r.n_logged, 0, "%s", r.logged);
    intake_rig_expect_once(&r, 0, 400);
    cr_expect(r.is_in_order);
    fail_disk(&r, 0, 0);
    intake_rig_fini(&r);
}

/* FB3, R5: what does not fit in the share waits on disk, reading goes on, and all of it comes out
 * in its order. */
Test(intake_queue, a_dead_sink)
{
    struct intake_rig r;

    open_with(&r, &spill, 1 << 20);
    offer_all(&r, 0, 400);
    cr_expect(intake_is_open(r.intake));
    cr_expect_eq(r.world->moved_to, 4000);
    cr_expect_leq(intake_stats(r.intake)->held_bytes, ROOM_FOR_TWO + 8192, "%lld bytes are held",
                  (long long)intake_stats(r.intake)->held_bytes);
    cr_expect_eq(intake_queue_stats(r.intake)->events, 400);
    cr_expect(intake_stats(r.intake)->is_full);
    for (int n = 400; r.seen[399] == 0; n += BATCH) { /* and more comes while it catches up */
        cr_assert(intake_rig_answer(&r, VERDICT_DELIVERED));
        if (n < 500)
            offer_all(&r, n, n + BATCH);
        intake_rig_tick(&r, 1);
        intake_rig_expect_balance(&r);
        cr_assert_leq(intake_stats(r.intake)->held_bytes, ROOM_FOR_TWO + 8192);
    }
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, 0, 500);
    cr_expect(r.is_in_order, "oldest first");
    cr_expect_eq(intake_queue_stats(r.intake)->events, 0);
    cr_expect_not(intake_stats(r.intake)->is_full);
    intake_rig_fini(&r);
}

Test(intake_queue, a_batch_larger_than_its_share_goes_through)
{
    struct intake_rig r;

    open_with(&r, &(struct intake_options){.on_full = ON_FULL_SPILL, .memory_bytes = 1}, 1 << 20);
    fail_disk(&r, DISK_CALL_READ, -EIO);
    offer_all(&r, 0, BATCH);
    cr_expect_eq(r.world->fake.n_held, 1, "without being read back");
    fail_disk(&r, 0, 0);
    offer_all(&r, BATCH, 40);
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, 0, 40);
    intake_rig_fini(&r);
}

Test(intake_queue, a_full_queue_stops_reading_until_there_is_room)
{
    struct intake_rig r;
    int n = 0;

    open_with(&r, &spill, 64 * 1024);
    while (intake_is_open(r.intake) && n < 400) {
        offer_all(&r, n, n + BATCH);
        n += BATCH;
    }
    cr_assert_lt(n, 400, "64 KiB hold no more than that");
    cr_expect_gt(n, 20);
    cr_expect_lt(r.world->moved_to, (uint64_t)n * 10, "the last one is not durable");
    cr_expect_eq(r.n_logged, 1);
    cr_expect(strstr(r.logged, "output es: its queue is full ("), "%s", r.logged);
    cr_expect(strstr(r.logged, "reading waits"), "%s", r.logged);
    intake_rig_tick(&r, 1000);
    cr_expect_not(intake_is_open(r.intake));
    intake_rig_drain(&r);
    cr_expect(intake_is_open(r.intake), "a pause has a resume");
    intake_rig_expect_once(&r, 0, n);
    cr_expect(r.is_in_order);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    intake_rig_fini(&r);
}

Test(intake_queue, dropping_begins_when_the_queue_is_full)
{
    struct intake_rig r;

    open_with(&r, &(struct intake_options){.on_full = ON_FULL_DROP, .memory_bytes = ROOM_FOR_TWO},
              64 * 1024);
    for (int n = 0; n < 400; n += BATCH) {
        offer_all(&r, n, n + BATCH);
        cr_assert(intake_is_open(r.intake), "it never stops reading");
    }
    cr_expect_eq(r.world->moved_to, 4000, "positions move over what is dropped");
    cr_expect_gt(intake_stats(r.intake)->dropped, 200);
    cr_expect_geq(intake_queue_stats(r.intake)->events, 20);
    cr_expect_eq(intake_queue_stats(r.intake)->events + intake_stats(r.intake)->dropped, 400);
    intake_rig_drain(&r);
    intake_rig_expect_balance(&r);
    cr_expect_eq(engine_stats(r.world->engine, 0)->delivered + intake_stats(r.intake)->dropped,
                 400);
    intake_rig_fini(&r);
}

/* A disk that fails is no reason to lose anything, nor to stop while the sink takes it: events go
 * by, and their positions wait for the verdicts as if there were no queue. */
Test(intake_queue, a_failing_disk_under_a_healthy_sink)
{
    struct intake_rig r;
    uint64_t moved;

    open_with(&r, &spill, 1 << 20);
    offer_all(&r, 0, BATCH);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    fail_disk(&r, DISK_CALL_WRITE | DISK_CALL_SYNC | DISK_CALL_OPEN, -ENOSPC);
    offer_all(&r, BATCH, 2 * BATCH);
    intake_rig_tick(&r, 1);
    moved = r.world->moved_to;
    cr_expect_eq(moved, 40, "not durable, not delivered");
    cr_expect_eq(r.world->fake.n_held, 1, "but on its way");
    cr_expect(intake_is_open(r.intake));
    cr_expect(strstr(r.logged, "output es: "), "%s", r.logged);
    cr_expect(strstr(r.logged, "sent from there; trying again"), "%s", r.logged);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    cr_expect_eq(r.world->moved_to, 80);
    fail_disk(&r, 0, 0);
    intake_rig_tick(&r, 2000);
    offer_all(&r, 2 * BATCH, 3 * BATCH);
    intake_rig_tick(&r, 2000);
    cr_expect_eq(r.world->moved_to, 120, "durable again");
    cr_expect(strstr(r.logged, "output es: its queue can be written again"), "%s", r.logged);
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, 0, 3 * BATCH);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

/* What its queue may have all the same must not go by to an output that knows no ids. */
Test(intake_queue, what_is_in_doubt_is_held_where_it_would_double)
{
    static const struct intake_options doubling = {
        .on_full = ON_FULL_SPILL, .memory_bytes = 1 << 20, .doubles = true};
    struct intake_rig r;

    open_with(&r, &doubling, 1 << 20);
    offer_all(&r, 0, BATCH); /* unsettled, so its file stays */
    fail_disk(&r, DISK_CALL_SYNC | DISK_CALL_TRUNCATE, -EIO);
    offer_all(&r, BATCH, 2 * BATCH);
    for (int i = 0; i < 5; i++)
        intake_rig_tick(&r, 1001);
    cr_expect_eq(engine_stats(r.world->engine, 0)->in_flight_events, BATCH);
    cr_expect(strstr(r.logged, "held, not to be there twice"), "%s", r.logged);
    fail_disk(&r, DISK_CALL_SYNC, -EIO);
    for (int i = 0; i < 3; i++)
        intake_rig_tick(&r, 1001);
    cr_expect_eq(engine_stats(r.world->engine, 0)->in_flight_events, 2 * BATCH,
                 "it was cut off: it may go");
    for (int i = 0; i < 2; i++) {
        intake_rig_answer(&r, VERDICT_DELIVERED);
        intake_rig_tick(&r, 1);
    }
    fail_disk(&r, DISK_CALL_ALL, -EIO); /* killed before it is noted what was settled */
    intake_rig_close(&r);
    fail_disk(&r, 0, 0);
    intake_rig_open(&r, &doubling, 1 << 20);
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, BATCH, 2 * BATCH);
    intake_rig_fini(&r);
}

Test(intake_queue, a_failing_disk_and_a_dead_sink_stop_reading)
{
    struct intake_rig r;
    unsigned told;

    open_with(&r, &spill, 1 << 20);
    fail_disk(&r, DISK_CALL_WRITE | DISK_CALL_SYNC | DISK_CALL_OPEN, -EIO);
    offer_all(&r, 0, 40);
    cr_expect_not(intake_is_open(r.intake));
    cr_expect_eq(r.world->moved_to, 0);
    told = r.n_logged;
    for (int i = 0; i < 60; i++)
        intake_rig_tick(&r, 1000);
    cr_expect_leq(r.n_logged, told + 1, "told once, not with each try");
    fail_disk(&r, 0, 0);
    intake_rig_tick(&r, 1001);
    intake_rig_tick(&r, 1001);
    cr_expect(intake_is_open(r.intake));
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, 0, 40);
    intake_rig_fini(&r);
}

/* FB8, O1: what was durable comes out of the next life; S4: wherever it goes then. */
Test(intake_queue, the_next_life_sends_what_was_durable)
{
    struct intake_rig r;

    open_with(&r, &spill, 1 << 20);
    offer_all(&r, 0, 80);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    intake_rig_tick(&r, 1);
    intake_rig_close(&r);

    intake_rig_open(&r, &spill, 1 << 20);
    cr_expect_eq(intake_stats(r.intake)->events_in, 80 - BATCH, "what is found counts as come in");
    cr_expect_eq(intake_stats(r.intake)->queued_events, 80 - BATCH);
    intake_rig_expect_balance(&r);
    offer_all(&r, 80, 100);
    intake_rig_drain(&r);
    intake_rig_expect_once(&r, 0, 100);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

/* About to stop: what the disk has is safe there, and nothing more is taken into memory. */
Test(intake_queue, stopping_takes_nothing_up)
{
    struct intake_rig r;

    open_with(&r, &spill, 1 << 20);
    offer_all(&r, 0, 80);
    intake_stop(r.intake);
    intake_rig_drain(&r);
    cr_expect_lt(intake_queue_stats(r.intake)->events, 80);
    cr_expect_gt(intake_queue_stats(r.intake)->events, 60);
    cr_expect(engine_is_idle(r.world->engine));
    offer_all(&r, 80, 80 + BATCH);
    cr_expect_eq(r.world->fake.n_held, 0);
    cr_expect_eq(r.world->moved_to, 840);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

/* A byte of a record changed under us: the others come, and the sums are true. */
Test(intake_queue, what_is_damaged_is_counted)
{
    struct intake_rig r;
    const char *name;
    struct buffer *file;

    open_with(&r, &spill, 1 << 20);
    offer_all(&r, 0, 80);
    name = memory_disk_find(&r.disk, "", 0);
    for (size_t i = 0; name && memory_disk_file(&r.disk, name)->len < 20000; i++)
        name = memory_disk_find(&r.disk, "", i);
    cr_assert_not_null(name);
    file = memory_disk_file(&r.disk, name);
    file->ptr[file->len / 2] ^= 1;
    intake_rig_drain(&r);
    intake_rig_expect_balance(&r);
    cr_expect_eq(intake_stats(r.intake)->dropped, BATCH);
    cr_expect_eq(engine_stats(r.world->engine, 0)->delivered, 80 - BATCH);
    cr_expect_eq(intake_stats(r.intake)->queued_events, 0);
    offer_all(&r, 80, 84);
    cr_expect_eq(r.world->fake.n_held, 1, "and nothing waits for it");
    intake_rig_drain(&r);
    intake_rig_fini(&r);
}
