/* Many generations of one file: none waits for a grace period of its own, and the order stays. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "shipper/delivery/checkpoints.h"
#include "tests/sim/sim_disk.h"
#include "tests/support/file_rig.h"
#include "tests/support/temp_dir.h"

static struct rig r;

static void set_up(void)
{
    struct timespec now;

    rig_init(&r);
    clock_gettime(CLOCK_REALTIME, &now);
    r.wall_ns = (int64_t)now.tv_sec * 1000000000;
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_generations, .init = set_up, .fini = tear_down);

/* Written at the rig's time. */
static void append(const char *name, const char *text)
{
    int64_t ns = r.wall_ns + r.now_ms * 1000000;
    struct timespec at = {ns / 1000000000, ns % 1000000000};

    rig_append(&r, name, text);
    cr_assert_eq(utimensat(AT_FDCWD, rig_path(&r, name), (struct timespec[]){at, at}, 0), 0);
}

/* a.log.2 becomes a.log.3 and so on; a new a.log has `text`. */
static void rotate(int n_old, const char *text)
{
    for (int age = n_old + 1; age > 0; age--) {
        char from[24];
        char to[24];

        snprintf(from, sizeof from, age > 1 ? "a.log.%d" : "a.log", age - 1);
        snprintf(to, sizeof to, "a.log.%d", age);
        rig_rename(&r, from, to);
    }
    append("a.log", text);
}

static void stop_and_rotate_five_times(void)
{
    append("a.log", "0\n");
    rig_open(&r, "a.log");
    rig_run(&r, 2000);
    rig_close(&r);
    for (int i = 0; i < 5; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d\n", i + 1);
        r.now_ms += 10000;
        rotate(i, text);
    }
    r.now_ms += 10000;
}

Test(tail_generations, after_a_restart_they_are_read_at_once)
{
    stop_and_rotate_five_times();
    rig_open(&r, "a.log");
    rig_run(&r, 1500); /* of one grace period, not of five */
    rig_expect(&r, "0\n1\n2\n3\n4\n5\n", "one after the other");
}

Test(tail_generations, late_words_are_read_in_each_of_them)
{
    stop_and_rotate_five_times();
    rig_open(&r, "a.log");
    rig_run(&r, 1500);
    append("a.log.3", "late\n");
    append("a.log.5", "later\n");
    rig_run(&r, 3000);
    append("a.log.3", "again\n");
    rig_run(&r, 3000);
    rig_expect(&r, "0\n1\n2\n3\n4\n5\nlater\nlate\nagain\n", "somebody had them open still");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}

/* The time of modification is no reason to hurry: a line that is being written comes as one. */
Test(tail_generations, what_was_just_renamed_gets_its_grace_period)
{
    append("a.log", "0\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    append("a.log", "half ");
    rotate(0, "new\n");
    rig_run(&r, 700);
    append("a.log.1", "a line\n");
    rig_run(&r, 3000);
    rig_expect(&r, "0\nhalf a line\nnew\n", "whole, and in order");
}

/* Five times in a grace period, and for long: ship must not fall behind more and more. */
Test(tail_generations, rotated_faster_than_the_grace_period)
{
    uint64_t n_read;

    append("a.log", "0\n");
    rig_open(&r, "a.log");
    rig_run(&r, 2000);
    for (int i = 0; i < 60; i++) {
        rotate(i, "another\n");
        rig_run(&r, 200);
    }
    n_read = input_file.stats(r.input)->lines;
    cr_expect_gt(n_read, 60 - 15, "only %d read", (int)n_read);
    rig_run(&r, 3000);
    cr_expect_eq(input_file.stats(r.input)->lines, 61);
}

#define REQUEST "8f507cfc-0000-4697-b07a-ac58fc914c95"

Test(tail_generations, a_request_goes_through_all_of_them)
{
    static int none;

    r.parser = (struct parser){&parser_auto, &none};
    r.common.with_invocations = true;
    append("a.log", "START RequestId: " REQUEST " Version: $LATEST\n");
    rig_open(&r, "a.log");
    rig_run(&r, 2000);
    rig_close(&r);
    rotate(0, "two\n");
    rotate(1, "three\n");
    r.now_ms += 60000;
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 1500);
    rig_expect(&r, "[" REQUEST "] two\n[" REQUEST "] three\n", "each goes on from the one before");
}

/* --- tens of thousands of them, on a simulated disk ------------------------------------------- */

enum { GENERATIONS = 20000, ROTATE_MS = 200, MOST_KNOWN = 1000 };

static struct sim_disk disk;
static char state[TEMP_DIR_MAX];

/* The store is synced: in memory, if the machine has such a place. */
static void open_on_disk(void)
{
    static const char *path = SIM_LOGS "/a.log";
    struct err e = {0};
    char file[TEMP_DIR_MAX + 8];

    strcpy(state, "/dev/shm/ship-test-XXXXXX");
    if (!mkdtemp(state))
        temp_dir_make(state);
    snprintf(file, sizeof file, "%s/state", state);
    r.files = disk.files;
    r.checkpoints = r.world.checkpoints = checkpoints_open(file, r.writer, &e);
    cr_assert_not_null(r.checkpoints, "%s", e.what);
    r.options.paths = (struct option_list){&path, 1};
    r.input = input_file.open(&r.options, &r.common, &r.parser, &r.world, &e);
    cr_assert_not_null(r.input, "%s", e.what);
}

static void let_pass(int64_t ms)
{
    rig_run(&r, ms);
    disk.now_ns = r.wall_ns + r.now_ms * 1000000;
}

/* Renamed, then copied and truncated, then renamed again: the copy has a place among them by its
 * name, and was born when its original was there. */
static void rotate_in_both_ways(int64_t look_ms)
{
    static struct random random = {1};

    sim_disk_init(&disk, &random);
    disk.has_birth_times = true;
    disk.n_may_open = 100;
    disk.now_ns = r.wall_ns;
    sim_disk_append(&disk, "a.log", "1\n");
    open_on_disk();
    let_pass(2000);
    r.is_stalled = true;
    sim_disk_append(&disk, "a.log", "1 too\n");
    let_pass(look_ms);
    sim_disk_rename(&disk, "a.log", "a.log.1");
    sim_disk_append(&disk, "a.log", "2\n");
    let_pass(look_ms);
    sim_disk_rename(&disk, "a.log.1", "a.log.2");
    sim_disk_copy(&disk, "a.log", "a.log.1");
    sim_disk_truncate(&disk, "a.log");
    let_pass(look_ms);
    sim_disk_append(&disk, "a.log", "3\n");
    let_pass(look_ms);
    sim_disk_rename(&disk, "a.log.2", "a.log.3");
    sim_disk_rename(&disk, "a.log.1", "a.log.2");
    sim_disk_rename(&disk, "a.log", "a.log.1");
    sim_disk_append(&disk, "a.log", "4\n");
    let_pass(look_ms);
    rig_release(&r);
    let_pass(5000);
}

static void end_on_disk(void)
{
    rig_close(&r);
    temp_dir_remove(state);
    sim_disk_fini(&disk);
}

/* The first is let go late: then it is looked where it is, and what has come after it. */
Test(tail_generations, a_copy_of_what_was_read_is_none)
{
    rotate_in_both_ways(2000);
    rig_expect(&r, "1\n1 too\n2\n3\n4\n", "what was copied was read already");
    end_on_disk();
}

/* The copy is no reason to take the one that it was made of for older than it. */
Test(tail_generations, a_copy_hides_none)
{
    rotate_in_both_ways(1);
    rig_expect(&r, "1\n1 too\n3\n4\n", "what was cut off before anyone looked is gone");
    end_on_disk();
}

static void count_row(void *ctx, const struct checkpoint *c)
{
    (void)c;
    ++*(size_t *)ctx;
}

/* Of the store, which nobody has open any more. */
static size_t n_rows(void)
{
    struct err e = {0};
    char file[TEMP_DIR_MAX + 8];
    struct checkpoints *store;
    size_t n = 0;

    snprintf(file, sizeof file, "%s/state", state);
    store = checkpoints_open(file, r.writer, &e);
    cr_assert_not_null(store, "%s", e.what);
    cr_assert_eq(checkpoints_each(store, count_row, &n, &e), 0, "%s", e.what);
    checkpoints_close(store, NULL);
    return n;
}

/* What is known of generations that went is forgotten each minute: however many there were, it is
 * as much as of those of a minute. */
Test(tail_generations, a_million_would_leave_no_million_rows)
{
    struct random random = {1};
    size_t most = 0;

    sim_disk_init(&disk, &random);
    disk.has_birth_times = disk.reuses_numbers = true;
    disk.n_may_open = 100;
    r.options.poll_interval_ms = 50;
    disk.now_ns = r.wall_ns;
    sim_disk_append(&disk, "a.log", "first\n");
    open_on_disk();
    for (int i = 0; i < GENERATIONS; i++) {
        rig_run(&r, ROTATE_MS);
        r.out.len = r.ids.len = 0;
        disk.now_ns = r.wall_ns + r.now_ms * 1000000;
        sim_disk_rename(&disk, "a.log", "a.log.1");
        sim_disk_append(&disk, "a.log", "another\n");
        if (r.input->n_tails + r.input->n_knowns > most)
            most = r.input->n_tails + r.input->n_knowns;
    }
    rig_run(&r, 130000);
    cr_expect_lt(most, MOST_KNOWN, "%zu tails and rows at a time", most);
    cr_expect_leq(r.input->n_tails + r.input->n_knowns, 2);
    cr_expect_eq(input_file.stats(r.input)->lines, GENERATIONS + 1);
    cr_expect_eq(disk.n_open, 0);
    rig_close(&r);
    cr_expect_leq(n_rows(), 4, "%zu rows are left in the store", n_rows());
    temp_dir_remove(state);
    sim_disk_fini(&disk);
}
