/* Files written anew in their place, and what may be taken for that. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/failing_malloc.h"
#include "tests/support/file_rig.h"

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_anew, .init = set_up, .fini = tear_down);

/* A chunk that fails may have read some already, which is no longer what it will find. */
Test(tail_anew, between_a_failure_to_read_and_the_next_try)
{
    rig_append(&r, "a.log", "head\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "gone\n");
    r.unreadable_from = 10;
    rig_run(&r, 1500);
    rig_write(&r, "a.log", "HEAD\nANEW\n");
    r.unreadable_from = 0;
    rig_run(&r, 3000);
    rig_expect(&r, "head\nHEAD\nANEW\n", "of the same size");
}

/* The number of a deleted file is given to another one: its lines are that one's, and keep their
 * ids after a crash. */
Test(tail_anew, the_inode_of_a_file_of_another_name)
{
    char first[HASH_TEXT_LEN];

    r.has_no_births = true;
    rig_append(&r, "a.log", "a\n");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "b.log");
    rig_write(&r, "b.log", "b\n");
    r.ids.len = 0;
    r.is_stalled = true;
    rig_run(&r, 1500);
    cr_assert_eq(r.ids.len, HASH_TEXT_LEN + 1);
    memcpy(first, r.ids.ptr, HASH_TEXT_LEN);
    rig_drop_kept(&r);
    rig_close(&r);
    r.ids.len = 0;
    rig_open(&r, "*.log");
    rig_run(&r, 1500);
    cr_assert_eq(r.ids.len, HASH_TEXT_LEN + 1);
    cr_expect_eq(memcmp(r.ids.ptr, first, HASH_TEXT_LEN), 0, "sent once more as the same event");
}

/* Copies were read when they were written; that the file itself is deleted does not make them
 * generations that were missed. */
Test(tail_anew, copies_are_not_read_when_the_file_is_deleted)
{
    r.wall_ns = clock_wall_ns(&clock_real); /* births are the file system's */
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log.1", "1\n");
    rig_write(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    rig_delete(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n", "once");
}

/* The same when ship was away meanwhile. */
Test(tail_anew, copies_are_not_read_at_a_restart_either)
{
    r.wall_ns = clock_wall_ns(&clock_real);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log.1", "1\n");
    rig_write(&r, "a.log", "2\n");
    rig_run(&r, 5000);
    rig_close(&r);
    rig_delete(&r, "a.log");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n", "once");
}

/* Each allocation that there is from the look at the new content on fails once. */
Test(tail_anew, out_of_memory_while_a_rewritten_file_is_taken_up)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        rig_fini(&r);
        rig_init(&r);
        rig_append(&r, "a.log", "one\n");
        rig_open(&r, "a.log");
        rig_run(&r, 500);
        rig_write(&r, "a.log", "two\n");
        buffer_reserve(&r.out, 4096); /* the test's own */
        buffer_reserve(&r.ids, 4096);
        buffer_reserve(&r.log, 4096);
        failing_malloc_at(n);
        rig_run(&r, 1500);
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        rig_run(&r, 5000);
        rig_expect(&r, "one\ntwo\n", "read all the same");
        cr_assert_lt(n, 1000, "it ends");
    }
}
