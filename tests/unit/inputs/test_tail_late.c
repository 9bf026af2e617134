/* Somebody goes on writing to a file that was rotated, long after it was read to its end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

TestSuite(tail_late, .init = set_up, .fini = tear_down);

/* Read to its end where it went, and let go. */
static void rotate_and_forget(const char *to)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", to);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n", "each in its place");
    cr_assert_eq(input_file.stats(r.input)->streams, 1, "the old one is done");
}

static void write_late(const char *name)
{
    for (int i = 0; i < 3; i++) {
        rig_append(&r, name, "late\n");
        rig_run(&r, 30000);
    }
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    rig_expect(&r, "late\nlate\nlate\n3\n", "each once, and the current file goes on");
    cr_expect_eq(input_file.stats(r.input)->streams, 1, "and it is done again");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
    cr_expect_eq(r.n_opened, 1, "nothing stays open for it");
}

Test(tail_late, minutes_after_it_was_rotated)
{
    rotate_and_forget("a.log.1");
    write_late("a.log.1");
}

Test(tail_late, under_a_name_that_is_no_rotation_s)
{
    rotate_and_forget("a-20261124.log");
    write_late("a-20261124.log");
}

Test(tail_late, in_a_directory_below)
{
    cr_assert_eq(mkdir(rig_path(&r, "old"), 0700), 0);
    rotate_and_forget("old/a.log.1");
    write_late("old/a.log.1");
}

Test(tail_late, rotated_once_more_since)
{
    rotate_and_forget("a.log.1");
    rig_rename(&r, "a.log.1", "a.log.2");
    rig_append(&r, "a.log.1", "another's\n");
    rig_run(&r, 70000); /* nobody says a word: where it is now shows within a minute */
    write_late("a.log.2");
}

Test(tail_late, days_after_it_was_rotated)
{
    rotate_and_forget("a.log.1");
    r.now_ms += (int64_t)3 * FILE_FORGET_S * 1000;
    rig_run(&r, 130000);
    write_late("a.log.1");
}

Test(tail_late, at_once_if_the_kernel_says_so)
{
    rotate_and_forget("a.log.1");
    rig_append(&r, "a.log.1", "late\n");
    file_on_changed(r.input, r.dir, "a.log.1", false);
    rig_run(&r, 50);
    rig_expect(&r, "late\n", "without waiting for anybody's turn");
}

/* A line that is written in two pieces is one. */
Test(tail_late, the_end_of_a_line_is_waited_for)
{
    rotate_and_forget("a.log.1");
    rig_append(&r, "a.log.1", "la");
    file_on_changed(r.input, r.dir, "a.log.1", false);
    rig_run(&r, 500);
    rig_append(&r, "a.log.1", "te\n");
    rig_run(&r, 20000);
    rig_expect(&r, "late\n", "whole");
}

Test(tail_late, while_ship_is_away)
{
    rotate_and_forget("a.log.1");
    rig_close(&r);
    rig_append(&r, "a.log.1", "late\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "late\n", "its row says where it was read to");
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "and nothing twice");
}

Test(tail_late, read_and_not_acknowledged)
{
    size_t ids;

    rotate_and_forget("a.log.1");
    rig_append(&r, "a.log.1", "late\n");
    r.is_stalled = true;
    ids = r.ids.len;
    rig_run(&r, 20000);
    rig_expect(&r, "late\n", "sent, and no answer came");
    rig_drop_kept(&r);
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "late\n", "once more");
    cr_assert_eq(r.ids.len, ids + 2 * (HASH_TEXT_LEN + 1));
    cr_expect_eq(memcmp(r.ids.ptr + ids, r.ids.ptr + ids + HASH_TEXT_LEN + 1, HASH_TEXT_LEN), 0,
                 "under its id");
}

/* Somebody put his own text where the file was. */
Test(tail_late, another_text_in_its_place_is_not_ours)
{
    rotate_and_forget("a.log.1");
    rig_write(&r, "a.log.1", "edited by hand\n");
    rig_run(&r, 30000);
    rig_expect(&r, "", "an old file that was written anew");
}

static int (*true_stat)(void *ctx, const char *path, struct file_stat *out, bool *missing,
                        struct err *e);

/* "row.N" is there, and has the number N. */
static int stat_row(void *ctx, const char *path, struct file_stat *out, bool *missing,
                    struct err *e)
{
    const char *number = strstr(path, "/row.");

    if (!number)
        return true_stat(ctx, path, out, missing, e);
    *out = (struct file_stat){.type = FILE_REGULAR, .inode = strtoul(number + 5, NULL, 10)};
    return 0;
}

static void add_row(unsigned i, int64_t seen_s)
{
    struct known *k = calloc(1, sizeof *k);
    char name[24];

    cr_assert_not_null(k);
    snprintf(name, sizeof name, "row.%u", i);
    k->id.inode = i;
    k->is_finished = true;
    k->seen_s = seen_s;
    k->path = strdup(rig_path(&r, name));
    file_known_insert(r.input, k);
}

/* Their rows stay, so that they are known again; the oldest go when there are too many. */
Test(tail_late, rows_of_files_that_are_there_stay_bounded)
{
    enum { N = FILE_MAX_ROWS + 5000, OLD = 4000 };

    int64_t now_s = clock_wall_ns(&r.clock) / 1000000000;
    struct file_id newest = {.inode = N};

    true_stat = r.files.stat;
    r.files.stat = stat_row;
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    for (unsigned i = 1; i <= N; i++)
        add_row(i, i <= OLD ? now_s - 4 * 3600 : now_s - 3600);
    rig_run(&r, 60000);
    cr_expect_eq(r.input->n_knowns, N, "for a while there may be more");
    rig_run(&r, 420000);
    cr_expect_eq(r.input->n_knowns, FILE_MAX_ROWS);
    for (unsigned i = 1; i <= OLD; i++)
        cr_assert_null(file_known_find(r.input, &(struct file_id){.inode = i}), "%u is old", i);
    cr_expect_not_null(file_known_find(r.input, &newest));
}
