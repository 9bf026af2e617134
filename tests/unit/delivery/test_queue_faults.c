/* Every call to the disk fails once, for each reason: what is said to be durable is, what is not is
 * the caller's as it was, and the queue goes on by itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "shipper/delivery/queue_format.h"
#include "tests/support/queue_rig.h"

static struct queue_rig r;

static void set_up(void)
{
    queue_rig_init(&r);
    r.options.max_bytes = 16 << 20; /* segments of 1 MiB */
}

static void tear_down(void)
{
    queue_rig_fini(&r);
}

TestSuite(queue_faults, .init = set_up, .fini = tear_down);

static void faults_off(void)
{
    memory_disk_fault(&r.disk, 0, 0, 0, 0);
}

/* Puts in groups, across segments, settling some on the way. */
static void work(unsigned first_tag)
{
    for (unsigned i = 0; i < 12; i++) {
        queue_rig_put(&r, first_tag + i, i % 3 ? 400 : 400 * 1024);
        if (i % 4 == 3)
            queue_rig_reap(&r);
    }
    for (unsigned i = 0; i < 9; i++)
        if (queue_rig_get(&r) && i < 8)
            queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
}

/* Whatever was not durable is put again, now that all is well. */
static void put_what_failed(unsigned first_tag)
{
    for (unsigned i = 0; i < 12; i++)
        if (!r.number[first_tag + i]) {
            queue_rig_put(&r, first_tag + i, i % 3 ? 400 : 400 * 1024);
            queue_rig_reap(&r);
        }
}

static void expect_each_once_or_again(unsigned first_tag, const char *what, unsigned n)
{
    for (unsigned i = 0; i < 12; i++) {
        cr_expect(r.number[first_tag + i], "%s %u: batch %u is not durable", what, n, i);
        cr_expect_geq(r.n_got[first_tag + i], 1, "%s %u: batch %u is lost", what, n, i);
    }
}

/* The n-th of these calls, for n = 1.. until there is none. *how many there were. */
static unsigned fail_each(unsigned calls, int error, bool is_short, unsigned fail_for,
                          const char *what)
{
    unsigned n = 1;

    for (bool has_failed = true; has_failed; n++) {
        queue_rig_init(&r);
        r.options.max_bytes = 16 << 20;
        cr_assert(queue_rig_open(&r));
        memory_disk_fault(&r.disk, calls, error, n, fail_for);
        r.disk.is_short = is_short;
        work(1);
        has_failed = r.disk.has_failed;
        faults_off();
        put_what_failed(1);
        queue_rig_kill(&r);
        cr_assert(queue_rig_open(&r), "%s %u: %s", what, n, r.why.what);
        cr_expect_eq(queue_stats(r.queue)->damaged_records, 0, "%s %u: %.*s", what, n,
                     (int)r.log.len, r.log.ptr);
        queue_rig_drain(&r);
        expect_each_once_or_again(1, what, n);
        cr_expect(queue_rig_close(&r), "%s %u", what, n);
        cr_expect_null(memory_disk_find(&r.disk, ".segment", 0), "%s %u: %s is left", what, n,
                       memory_disk_find(&r.disk, ".segment", 0));
        queue_rig_fini(&r);
        cr_assert_lt(n, 500);
    }
    memset(&r, 0, sizeof r); /* for tear_down */
    return n - 2;
}

Test(queue_faults, errors)
{
    static const struct {
        unsigned calls;
        int error;
        const char *what;
    } rows[] = {
        {DISK_CALL_WRITE, -ENOSPC, "write: no space"},
        {DISK_CALL_WRITE, -EIO, "write: input/output error"},
        {DISK_CALL_SYNC, -EIO, "fsync"},
        {DISK_CALL_SYNC, -ENOSPC, "fsync: no space"},
        {DISK_CALL_SYNC_DIR, -EIO, "fsync of the directory"},
        {DISK_CALL_OPEN, -EMFILE, "open"},
        {DISK_CALL_OPEN, -ENOSPC, "open: no space"},
        {DISK_CALL_RENAME, -EIO, "rename"},
        {DISK_CALL_REMOVE, -EIO, "remove"},
        {DISK_CALL_READ, -EIO, "read"},
        {DISK_CALL_WRITE | DISK_CALL_TRUNCATE, -EIO, "write, then truncate"},
        {DISK_CALL_ALL, -EIO, "any"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned fail_for = 1; fail_for <= 3; fail_for++)
            cr_expect_gt(fail_each(rows[i].calls, rows[i].error, false, fail_for, rows[i].what), 0,
                         "there is a call: %s", rows[i].what);
}

Test(queue_faults, interrupted_or_short_calls_are_gone_on_with)
{
    static const struct {
        unsigned calls;
        int error;
        bool is_short;
        const char *what;
    } rows[] = {
        {DISK_CALL_ALL & ~(DISK_CALL_RENAME | DISK_CALL_REMOVE | DISK_CALL_LIST), -EINTR, false,
         "interrupted"},
        {DISK_CALL_WRITE | DISK_CALL_READ, 0, true, "short"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned fail_for = 1; fail_for < 4; fail_for++)
            cr_expect_gt(
                fail_each(rows[i].calls, rows[i].error, rows[i].is_short, fail_for, rows[i].what),
                10);
}

/* Nobody notices: no batch comes back. */
Test(queue_faults, interrupted_calls_fail_nothing)
{
    cr_assert(queue_rig_open(&r));
    memory_disk_fault(&r.disk,
                      DISK_CALL_WRITE | DISK_CALL_SYNC | DISK_CALL_SYNC_DIR | DISK_CALL_TRUNCATE,
                      -EINTR, 1, 20);
    work(1);
    cr_expect(r.disk.has_failed);
    for (unsigned tag = 1; tag <= 12; tag++)
        cr_expect(r.number[tag], "%u", tag);
    faults_off();
    cr_expect(queue_rig_close(&r));
}

/* The disk is full for long: no batch is durable, none is lost, nothing grows; then all is. */
Test(queue_faults, a_full_disk)
{
    size_t n_files;

    cr_assert(queue_rig_open(&r));
    queue_rig_put(&r, 1, 400);
    queue_rig_reap(&r);
    n_files = r.disk.n_files;
    memory_disk_fault(&r.disk, DISK_CALL_WRITE, -ENOSPC, 1, 1u << 30);
    for (unsigned i = 0; i < 200; i++) {
        queue_rig_put(&r, 2, 400);
        queue_rig_reap(&r);
        cr_assert_eq(r.number[2], 0);
        cr_assert(strstr(r.why.what, "No space left"), "%s", r.why.what);
        cr_assert(strstr(r.why.where, "/queue/es"), "%s", r.why.where);
    }
    cr_expect_eq(r.disk.n_files, n_files, "what is half written is cut off again");
    cr_expect_eq(queue_stats(r.queue)->records, 1);
    faults_off();
    queue_rig_put(&r, 2, 400);
    queue_rig_reap(&r);
    cr_expect_eq(r.number[2], 2, "the number was not used");
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(r.log.len, 0, "%.*s", (int)r.log.len, r.log.ptr);
    cr_expect_eq(queue_rig_drain(&r), 2);
    cr_expect(queue_rig_close(&r));
}

/* fsyncgate: after a failed fsync the next one on the same file would say that all is well. */
static void fsync_fails_once(unsigned calls)
{
    cr_assert(queue_rig_open(&r));
    queue_rig_put(&r, 1, 400);
    queue_rig_reap(&r);
    memory_disk_fault(&r.disk, calls, -EIO, 1, calls == DISK_CALL_SYNC ? 1 : 2);
    queue_rig_put(&r, 2, 400);
    queue_rig_put(&r, 3, 400);
    queue_rig_reap(&r);
    faults_off();
    cr_expect(r.number[2] && r.number[3], "written again, elsewhere");
    cr_expect_str_eq(memory_disk_find(&r.disk, ".segment", 1), "0000000002.segment");
    cr_expect_not(queue_stats(r.queue)->is_in_doubt);
}

Test(queue_faults, a_segment_is_not_trusted_after_a_failed_fsync)
{
    size_t durable;

    fsync_fails_once(DISK_CALL_SYNC);
    durable = memory_disk_file(&r.disk, "0000000001.segment")->len;
    cr_expect_lt(durable, 2 * (400 + QUEUE_HEAD_LEN + QUEUE_ENTRY_LEN), "cut off");
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_stats(r.queue)->damaged_records, 0);
    cr_expect_eq(queue_rig_drain(&r), 3);
    cr_expect(queue_rig_close(&r));
}

/* What could not be cut off does not count, whole or torn. */
Test(queue_faults, a_segment_that_cannot_be_cut_is_not_trusted_either)
{
    fsync_fails_once(DISK_CALL_SYNC | DISK_CALL_TRUNCATE);
    for (int i = 0; i < 2; i++) {
        queue_rig_kill(&r);
        memory_disk_file(&r.disk, "0000000001.segment")->len -= i ? 5 : 0;
        cr_assert(queue_rig_open(&r));
        cr_expect_eq(queue_stats(r.queue)->records, 3, "each once");
        cr_expect_eq(queue_stats(r.queue)->damaged_records, 0);
    }
    cr_expect_eq(queue_rig_drain(&r), 3);
    cr_expect(queue_rig_close(&r));
}

/* It has gone another way since: found by the next life, it would be there twice. */
Test(queue_faults, what_never_was_durable_does_not_come_back)
{
    static const unsigned calls[] = {DISK_CALL_SYNC, DISK_CALL_SYNC | DISK_CALL_REMOVE,
                                     DISK_CALL_SYNC_DIR, DISK_CALL_SYNC_DIR | DISK_CALL_REMOVE};

    for (size_t i = 0; i < 2 * sizeof calls / sizeof calls[0]; i++) {
        unsigned n_before = i % 2; /* the segment is new, or has a record that is durable */

        queue_rig_init(&r);
        cr_assert(queue_rig_open(&r));
        for (unsigned tag = 1; tag <= n_before; tag++) {
            queue_rig_put(&r, tag, 400);
            queue_rig_reap(&r);
        }
        memory_disk_fault(&r.disk, calls[i / 2], -EIO, 1, 1u << 30);
        queue_rig_put(&r, 2, 400);
        queue_rig_reap(&r);
        if (n_before && !(calls[i / 2] & DISK_CALL_SYNC))
            cr_expect(r.number[2], "its name is known to be durable");
        else
            cr_expect_not(r.number[2]);
        cr_expect_not(queue_stats(r.queue)->is_in_doubt);
        faults_off();
        queue_rig_kill(&r);
        cr_assert(queue_rig_open(&r));
        cr_expect_eq(queue_stats(r.queue)->damaged_records, 0);
        cr_expect_eq(queue_rig_drain(&r), n_before + (r.number[2] != 0), "%zu", i);
        cr_expect(queue_rig_close(&r));
        queue_rig_fini(&r);
    }
    memset(&r, 0, sizeof r);
}

Test(queue_faults, what_cannot_be_cut_off_is_in_doubt_until_it_can)
{
    cr_assert(queue_rig_open(&r));
    queue_rig_put(&r, 1, 400);
    queue_rig_reap(&r);
    memory_disk_fault(&r.disk, DISK_CALL_SYNC | DISK_CALL_TRUNCATE, -EIO, 1, 1u << 30);
    queue_rig_put(&r, 2, 400);
    queue_rig_reap(&r);
    cr_expect_not(r.number[2]);
    cr_expect(queue_stats(r.queue)->is_in_doubt);
    memory_disk_fault(&r.disk, DISK_CALL_SYNC, -EIO, 1, 1u << 30);
    queue_rig_put(&r, 2, 400);
    queue_rig_reap(&r);
    cr_expect_not(r.number[2]);
    cr_expect_not(queue_stats(r.queue)->is_in_doubt, "cut");
    faults_off();
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 1);
    cr_expect(queue_rig_close(&r));
}

/* It cannot be opened while the disk fails, and is as it was when it does not. */
Test(queue_faults, opening)
{
    cr_assert(queue_rig_open(&r));
    work(1);
    queue_rig_kill(&r);
    memset(r.n_got, 0, sizeof r.n_got);
    for (unsigned n = 1;; n++) {
        bool is_open;
        bool has_failed;

        memory_disk_fault(&r.disk, DISK_CALL_ALL, -EIO, n, 1);
        is_open = queue_rig_open(&r);
        has_failed = r.disk.has_failed;
        faults_off();
        if (is_open)
            queue_rig_kill(&r);
        else
            cr_expect(strstr(r.why.where, "/queue/es"), "%u: %s: %s", n, r.why.where, r.why.what);
        for (int i = 0; i < MEMORY_DISK_HANDLES; i++)
            cr_expect_not(r.disk.handles[i].is_open, "%u: handle %d stays open", n, i);
        if (!has_failed)
            break;
        cr_assert_lt(n, 500);
    }
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_stats(r.queue)->damaged_records, 0);
    cr_expect_eq(queue_rig_drain(&r), 12 - 8);
    cr_expect(queue_rig_close(&r));
}
