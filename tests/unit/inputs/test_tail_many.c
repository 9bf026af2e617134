/* Files by the hundred: more than there are descriptors for, rotated at once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/support/file_rig.h"

enum { MANY = 150 };

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_many, .init = set_up, .fini = tear_down);

static void write_many(const char *text)
{
    for (int i = 0; i < MANY; i++) {
        char name[16];

        snprintf(name, sizeof name, "%03d.log", i);
        rig_append(&r, name, text);
    }
}

static void rotate_many(int age)
{
    for (int i = 0; i < MANY; i++) {
        char from[16];
        char to[20];

        snprintf(from, sizeof from, age > 1 ? "%03d.log.%d" : "%03d.log", i, age - 1);
        snprintf(to, sizeof to, "%03d.log.%d", i, age);
        rig_rename(&r, from, to);
    }
}

/* More than there are descriptors for; and the directory is not gone through for each of them. */
Test(tail_many, rotated_at_once)
{
    r.n_may_open = 40;
    write_many("one\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    cr_expect_eq(input_file.stats(r.input)->lines, MANY);
    rotate_many(1);
    write_many("two\n");
    r.n_listed = 0;
    rig_run(&r, 2000);
    cr_expect_lt(r.n_listed, 12, "listed %d times", r.n_listed);
    rig_run(&r, 8000);
    cr_expect_eq(input_file.stats(r.input)->lines, 2 * MANY);
    rotate_many(2);
    rotate_many(1);
    write_many("three\n");
    rig_run(&r, 30000);
    cr_expect_eq(input_file.stats(r.input)->lines, 3 * MANY);
    cr_expect_eq(input_file.stats(r.input)->streams, MANY, "the old ones are forgotten");
    cr_expect_leq(r.n_opened, 40);
    rig_close(&r);
    write_many("four\n");
    r.n_listed = 0;
    rig_open(&r, "*.log");
    cr_expect_lt(r.n_listed, 4, "listed %d times at the start", r.n_listed);
    rig_run(&r, 10000);
    cr_expect_eq(input_file.stats(r.input)->lines, MANY);
}

/* A descriptor that was given away is no reason to miss what is written late. */
Test(tail_many, what_is_written_to_a_renamed_file_is_read)
{
    r.n_may_open = 8;
    write_many("one\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    rotate_many(1);
    write_many("two\n");
    rig_run(&r, 800);
    for (int i = 0; i < MANY; i++) {
        char name[20];

        snprintf(name, sizeof name, "%03d.log.1", i);
        rig_append(&r, name, "late\n");
    }
    rig_run(&r, 30000);
    cr_expect_eq(input_file.stats(r.input)->lines, 3 * MANY);
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}

/* Directories that come and go, and lost events, ask for a scan each; one answers many. */
Test(tail_many, a_storm_of_events_is_a_few_scans)
{
    r.options.poll_interval_ms = 3600 * 1000;
    write_many("one\n");
    rig_open(&r, "*.log");
    rig_run(&r, 2000);
    cr_expect_eq(input_file.stats(r.input)->lines, MANY);
    r.n_listed = 0;
    for (int i = 0; i < 100; i++) {
        file_on_changed(r.input, r.dir, "directory", true);
        rig_run(&r, 10);
    }
    cr_expect_gt(r.n_listed, 1);
    cr_expect_lt(r.n_listed, 25, "%d scans for 100 events in 5 s", r.n_listed);
    rig_append(&r, "new.log", "of which nothing was said\n");
    file_on_changed(r.input, NULL, NULL, false);
    rig_run(&r, 500);
    cr_expect_eq(input_file.stats(r.input)->lines, MANY + 1, "events were lost: one more scan");
}
