/* Files written anew in their place, and what may be taken for that. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* No memory to read with: of the files of the pattern the first is opened, the others are not. */
static void discover_unread(const char *pattern)
{
    r.has_no_births = true;
    budget_add(&r.budget, 8 << 20);
    rig_open(&r, pattern);
    rig_run(&r, 500);
}

static void read_now(void)
{
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 20000);
}

static const struct tail *tail_at(const char *name)
{
    const struct spot *s = file_spot_find(r.input, rig_path(&r, name));

    cr_assert(s && s->tail, "%s", name);
    return s->tail;
}

/* The same, and nothing of the deleted file was read that could tell it from the other one. */
Test(tail_anew, the_inode_of_a_file_of_another_name_that_was_not_read)
{
    rig_append(&r, "0.log", "0\n");
    rig_append(&r, "a.log", "gone\n");
    discover_unread("*.log");
    rig_rename(&r, "a.log", "b.log");
    rig_write(&r, "b.log", "b\n");
    rig_append(&r, "a.log", "new\n");
    rig_run(&r, 1500);
    read_now();
    rig_expect(&r, "0\nb\nnew\n", "each is read");
    cr_expect_str_eq(tail_at("b.log")->path, rig_path(&r, "b.log"), "its lines are not a.log's");
    cr_expect_str_eq(tail_at("a.log")->path, rig_path(&r, "a.log"));
    cr_expect_eq(r.input->stats.lost_bytes, 5, "those of the deleted file");
    cr_expect_eq(r.input->n_tails, 3, "which is forgotten");
}

/* A rotation's name is the same file's, and one that is where it was is the same under two names.
 */
Test(tail_anew, an_inode_that_was_not_read_under_another_of_its_names)
{
    rig_append(&r, "0.log", "0\n");
    rig_append(&r, "a.log", "a\n");
    rig_append(&r, "b.log", "b\n");
    discover_unread("*.log*");
    rig_rename(&r, "a.log", "a.log.1");
    cr_assert_eq(link(rig_path(&r, "b.log"), rig_path(&r, "c.log")), 0);
    rig_run(&r, 1500);
    read_now();
    rig_expect(&r, "0\na\nb\n", "each is read once");
    cr_expect_str_eq(tail_at("a.log.1")->path, rig_path(&r, "a.log"));
    cr_expect_str_eq(tail_at("b.log")->path, rig_path(&r, "b.log"));
    cr_expect_eq(r.input->stats.lost_bytes, 0);
}

/* Out of sight it was as good as deleted; back at a path it is not. */
Test(tail_anew, a_file_that_comes_back)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "elsewhere");
    rig_run(&r, 600);
    rig_rename(&r, "elsewhere", "a.log");
    rig_run(&r, 1500);
    cr_expect_not(tail_at("a.log")->is_gone);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    rig_expect(&r, "1\n2\n", "read on");
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
