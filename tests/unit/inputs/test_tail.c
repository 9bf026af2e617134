#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

TestSuite(tail, .init = set_up, .fini = tear_down);

static void expect_log(const char *part, bool is_wanted)
{
    buffer_add_char(&r.log, '\0');
    cr_expect_eq(strstr(r.log.ptr, part) != NULL, is_wanted, "\"%s\" in the log: %s", part,
                 r.log.ptr);
    r.log.len--;
}

Test(tail, growth) /* F8 */
{
    rig_append(&r, "a.log", "one\ntwo\n");
    rig_open(&r, "*.log");
    rig_run(&r, 200);
    rig_expect(&r, "one\ntwo\n", "what is there at the start");
    rig_append(&r, "a.log", "three\n");
    rig_run(&r, 1500);
    rig_expect(&r, "three\n", "what is appended");
    rig_append(&r, "b.log", "new\n");
    rig_run(&r, 1500);
    rig_expect(&r, "new\n", "a file that is made later");
    cr_expect_eq(input_file.stats(r.input)->lines, 4);
    cr_expect_eq(input_file.stats(r.input)->bytes, 18);
    cr_expect_eq(input_file.stats(r.input)->streams, 2);
    cr_expect_eq(r.log.len, 0, "nothing to say");
}

Test(tail, partial_line_waits)
{
    rig_append(&r, "a.log", "one\ntw");
    rig_open(&r, "*.log");
    rig_run(&r, 3000);
    rig_expect(&r, "one\n", "the open line waits");
    rig_append(&r, "a.log", "o\n");
    rig_run(&r, 1500);
    rig_expect(&r, "two\n", "and comes whole");
}

static void grow_and_notice(struct rig *rig)
{
    rig_append(rig, "a.log", "two\n");
    file_on_changed(rig->input, rig->dir, "a.log", false);
    input_file.tick(rig->input, rig->now_ms);
}

/* The worker was at the end, and not yet back, when the file was seen to be longer. */
Test(tail, growth_that_is_noticed_while_the_last_chunk_is_in_work)
{
    rig_append(&r, "a.log", "one\n");
    rig_open(&r, "*.log");
    r.on_end = grow_and_notice;
    rig_run(&r, 200);
    rig_expect(&r, "one\ntwo\n", "what was noticed too early is not forgotten");
}

Test(tail, idle_files_are_closed_and_opened_again)
{
    rig_append(&r, "a.log", "one\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    cr_expect_eq(r.n_opened, 1);
    rig_run(&r, 6000);
    cr_expect_eq(r.n_opened, 0, "quiet for five seconds");
    rig_append(&r, "a.log", "two\n");
    rig_run(&r, 1500);
    rig_expect(&r, "one\ntwo\n", "opened again");
    cr_expect_eq(r.n_opened, 1);
}

Test(tail, rename_rotation)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "4\n");
    rig_run(&r, 200);
    rig_append(&r, "a.log.1", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n4\n", "the old one first, with its late line, then the new one");
    cr_expect_eq(input_file.stats(r.input)->streams, 1, "the old one is done");
    rig_append(&r, "a.log", "5\n");
    rig_run(&r, 1500);
    rig_expect(&r, "5\n", "and on");
}

Test(tail, rename_rotation_within_the_glob)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log*");
    rig_run(&r, 500);
    for (char c = '2'; c < '6'; c++) {
        char line[3] = {c, '\n', '\0'};

        if (access(rig_path(&r, "a.log.2"), F_OK) == 0)
            rig_rename(&r, "a.log.2", "a.log.3");
        if (access(rig_path(&r, "a.log.1"), F_OK) == 0)
            rig_rename(&r, "a.log.1", "a.log.2");
        rig_rename(&r, "a.log", "a.log.1");
        rig_append(&r, "a.log", line);
        rig_run(&r, 10000);
    }
    rig_expect(&r, "1\n2\n3\n4\n5\n", "each once, whatever its name is now");
}

Test(tail, idle_file_rotated_after_a_last_line)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    cr_expect_eq(r.n_opened, 0, "closed");
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", "a.log-20260101");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "found among its siblings");
}

Test(tail, rotated_twice_while_nothing_is_read) /* G1 */
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    budget_add(&r.budget, 8 << 20); /* the sink is slow: no memory */
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    rig_delete(&r, "a.log.1");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "4\n");
    rig_run(&r, 3000);
    rig_delete(&r, "a.log.1");
    rig_expect(&r, "1\n", "nothing was read meanwhile");
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 30000);
    rig_expect(&r, "2\n3\n4\n", "all generations, from descriptors that were held");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}

Test(tail, rotated_twice_between_two_looks)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log.1", "a.log.2");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 30000);
    rig_expect(&r, "1\n2\n3\n", "the one in the middle, which was never seen at its path");
}

Test(tail, copytruncate)
{
    rig_append(&r, "a.log", "1\n2\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    rig_expect(&r, "1\n2\n3\n", "from its beginning again");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}

Test(tail, copytruncate_while_stalled) /* FB2 */
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    budget_add(&r.budget, 8 << 20);
    rig_append(&r, "a.log", "never seen\n");
    rig_run(&r, 1500);
    rig_truncate(&r, "a.log", 0);
    rig_run(&r, 1500);
    budget_add(&r.budget, -(8 << 20));
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    rig_expect(&r, "1\n2\n", "no hang");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 11, "provably lost");
    expect_log("last 11 bytes", true);
}

/* Which of its lines are new nobody can tell: a file that is cut is another one. */
Test(tail, cut_to_half)
{
    rig_append(&r, "a.log", "1\n2\n3\n4\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_truncate(&r, "a.log", 4);
    rig_run(&r, 1500);
    rig_append(&r, "a.log", "5\n");
    rig_run(&r, 1500);
    rig_expect(&r, "1\n2\n3\n4\n1\n2\n5\n", "from its beginning, and on");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0, "all was read");
    rig_append(&r, "a.log", "6\n");
    budget_add(&r.budget, 8 << 20);
    rig_run(&r, 1500);
    rig_truncate(&r, "a.log", 2);
    rig_run(&r, 1500);
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 1500);
    rig_expect(&r, "1\n", "while nothing could be read");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 2);
}

/* inotify's queue ran over: nobody knows what happened. */
Test(tail, events_that_were_lost)
{
    r.options.poll_interval_ms = 3600000;
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "2\n");
    rig_append(&r, "b.log", "3\n");
    rig_run(&r, 5000);
    rig_expect(&r, "1\n", "nothing said a word, and the next look is far away");
    file_on_changed(r.input, NULL, NULL, false);
    rig_run(&r, 500);
    rig_expect(&r, "2\n3\n", "all is looked at");
}

Test(tail, truncated_and_regrown)
{
    rig_append(&r, "a.log", "1\n2\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_write(&r, "a.log", "3\n4\n5\n6\n");
    rig_run(&r, 1500);
    rig_expect(&r, "1\n2\n3\n4\n5\n6\n", "size alone shows growth; the bytes do not");
    rig_write(&r, "a.log", "7\n8\n9\na\n");
    rig_run(&r, 1500);
    rig_expect(&r, "7\n8\n9\na\n", "of the same size");
}

Test(tail, rewritten_lines_are_other_events)
{
    rig_append(&r, "a.log", "same words\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_truncate(&r, "a.log", 0);
    rig_run(&r, 1500);
    rig_append(&r, "a.log", "same words\n");
    rig_run(&r, 1500);
    rig_expect(&r, "same words\nsame words\n", "said twice");
    cr_assert_eq(r.ids.len, 2 * (HASH_TEXT_LEN + 1));
    cr_expect_neq(memcmp(r.ids.ptr, r.ids.ptr + HASH_TEXT_LEN + 1, HASH_TEXT_LEN), 0,
                  "a rewritten file may say the same again and mean a new event");
}

Test(tail, deleted)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "2\nopen end");
    rig_delete(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\nopen end\n", "to its end, the open line too");
    cr_expect_eq(input_file.stats(r.input)->streams, 0);
    cr_expect_eq(r.n_opened, 0);
}

Test(tail, deleted_and_made_again) /* V5, F8: ext4 gives the same inode at once */
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    for (int i = 0; i < 5; i++) {
        rig_delete(&r, "a.log");
        rig_append(&r, "a.log", "1\n");
        rig_run(&r, 10000);
    }
    rig_expect(&r, "1\n1\n1\n1\n1\n1\n", "the same words each time, in a new file each time");
}

Test(tail, same_head) /* V5 */
{
    char text[6000];

    memset(text, 'x', sizeof text);
    text[4500] = '\n';
    text[sizeof text - 2] = '\n';
    text[sizeof text - 1] = '\0';
    rig_append(&r, "a.log", text);
    rig_append(&r, "b.log", text);
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    cr_expect_eq(input_file.stats(r.input)->lines, 4);
    cr_expect_neq(memcmp(r.ids.ptr, r.ids.ptr + 2 * (HASH_TEXT_LEN + 1), HASH_TEXT_LEN), 0);
}

Test(tail, link_is_repointed)
{
    char first[256];
    char second[256];
    char link[256];

    strcpy(link, rig_path(&r, "a.log"));
    strcpy(first, rig_path(&r, "first"));
    strcpy(second, rig_path(&r, "second"));
    rig_append(&r, "first", "1\n");
    rig_append(&r, "second", "3\n");
    cr_assert_eq(symlink(first, link), 0);
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_append(&r, "first", "2\n");
    rig_run(&r, 1500);
    unlink(link);
    cr_assert_eq(symlink(second, link), 0);
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "first what the link led to, then what it leads to");
}

Test(tail, two_names_of_one_file)
{
    char first[256];

    strcpy(first, rig_path(&r, "a.log"));
    rig_append(&r, "a.log", "1\n");
    cr_assert_eq(link(first, rig_path(&r, "b.log")), 0);
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_append(&r, "b.log", "2\n");
    rig_run(&r, 3000);
    rig_expect(&r, "1\n2\n", "read once");
}

Test(tail, what_is_no_file)
{
    cr_assert_eq(mkfifo(rig_path(&r, "fifo.log"), 0600), 0);
    cr_assert_eq(mkdir(rig_path(&r, "dir.log"), 0700), 0);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 3000);
    rig_expect(&r, "1\n", "a FIFO never blocks, a directory is left alone");
    expect_log("fifo.log: not a regular file", true);
    expect_log("dir.log", false);
}

Test(tail, permission_denied)
{
    char denied[256];

    strcpy(denied, rig_path(&r, "a.log"));
    r.denied = denied;
    rig_append(&r, "a.log", "1\n");
    rig_append(&r, "b.log", "2\n");
    rig_open(&r, "*.log");
    rig_run(&r, 5000);
    rig_expect(&r, "2\n", "its neighbour is unharmed");
    expect_log("Permission denied; it is tried again", true);
    cr_expect_eq(input_file.stats(r.input)->errors, 1, "counted once");
    r.denied = NULL;
    rig_run(&r, 3000);
    rig_expect(&r, "1\n", "read when it is allowed");
}

Test(tail, out_of_descriptors) /* F7 */
{
    r.n_may_open = 8;
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "%02d.log", i);
        rig_append(&r, name, "1\n");
    }
    rig_open(&r, "*.log");
    rig_run(&r, 3000);
    cr_expect_eq(input_file.stats(r.input)->lines, 40);
    cr_expect_leq(r.n_opened, 8);
    r.n_may_open = 0; /* something else took them all */
    rig_run(&r, 8000);
    rig_append(&r, "00.log", "2\n");
    rig_run(&r, 3000);
    cr_expect_eq(input_file.stats(r.input)->lines, 40);
    expect_log("no descriptor left", true);
    r.n_may_open = 8;
    rig_run(&r, 3000);
    cr_expect_eq(input_file.stats(r.input)->lines, 41, "no offset was lost");
}

Test(tail, restart)
{
    rig_append(&r, "a.log", "1\n2\nop");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "en\n3\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_expect(&r, "1\n2\nopen\n3\n", "goes on where it was");
}

Test(tail, restart_before_the_acks)
{
    r.is_stalled = true;
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_drop_kept(&r);
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_expect(&r, "1\n1\n", "what was not acknowledged is read again");
    cr_expect_eq(memcmp(r.ids.ptr, r.ids.ptr + HASH_TEXT_LEN + 1, HASH_TEXT_LEN), 0,
                 "under the same id");
}

Test(tail, rotated_while_down)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log.1", "3\n");
    rig_append(&r, "a.log", "4\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n4\n", "the rest of the old one, the one between, the new one");
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "and nothing twice");
}

Test(tail, rotated_into_a_directory_below)
{
    cr_assert_eq(mkdir(rig_path(&r, "old"), 0700), 0);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 10000); /* it is closed meanwhile */
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", "old/a.log.1");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "logrotate's olddir");
    rig_close(&r);
    rig_append(&r, "a.log", "4\n");
    rig_rename(&r, "old/a.log.1", "old/a.log.2");
    rig_rename(&r, "a.log", "old/a.log.1");
    rig_append(&r, "a.log", "5\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "4\n5\n", "and while ship was away");
}

/* Births are told by the kernel's clock, looks by the rig's, which lies before them. */
Test(tail, came_and_was_rotated_away_between_two_looks)
{
    rig_append(&r, "old.log.1", "old\n");
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    rig_append(&r, "b.log", "2\n");
    rig_rename(&r, "b.log", "b.log.1");
    rig_append(&r, "b.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "between two scans");
    rig_close(&r);
    rig_append(&r, "c.log", "4\n");
    rig_rename(&r, "c.log", "c.log.2");
    rig_append(&r, "c.log.1", "5\n");
    rig_append(&r, "c.log", "6\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    rig_expect(&r, "4\n5\n6\n", "between two lives");
}

/* Its row says where it was found, and no pattern looks there. */
Test(tail, rotated_away_between_two_looks_and_not_acknowledged)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    rig_delete(&r, "a.log");
    rig_append(&r, "a.log.1", "2\n");
    rig_append(&r, "a.log", "3\n");
    r.is_stalled = true;
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "sent, and no answer came");
    rig_drop_kept(&r);
    rig_close(&r);
    rig_open(&r, "*.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n", "both once more");
}

/* Rows of files that were read and renamed since are not forgotten: without its row, such a file is
 * taken for one that came and went unseen. */
Test(tail, what_was_read_is_not_read_again_whatever_its_number_is)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    rig_rename(&r, "a.log", "a.log.3");
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 10000);
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "each when it was there");
    rig_rename(&r, "a.log.2", "a.log.1");
    rig_run(&r, 130000); /* rows are swept once a minute */
    rig_close(&r);
    rig_open(&r, "*.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "nothing again");
}

static bool is_unlistable;

static int list_or_fail(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                        struct err *e)
{
    *missing = false;
    if (is_unlistable)
        return err_set(e, ERR_BUSY, "Too many open files");
    return files_posix.list(ctx, dir, fn, arg, missing, e);
}

Test(tail, rotated_while_down_and_the_directory_cannot_be_listed_at_the_start)
{
    r.files.list = list_or_fail;
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "3\n");
    is_unlistable = true;
    rig_open(&r, "a.log");
    rig_run(&r, 5000);
    is_unlistable = false;
    rig_expect(&r, "1\n3\n", "nobody knows where it went");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n", "found when it can be looked for");
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "once");
}

Test(tail, rotated_away_while_ship_starts)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    rig_open(&r, "*.log"); /* here it is where its row says */
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "between its row and its path");
}

Test(tail, another_program_s_files_below)
{
    cr_assert_eq(mkdir(rig_path(&r, "other"), 0700), 0);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "other/a.log.1", "not ours\n");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "2\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n", "of the same name, in a directory where none of ours went");
}

Test(tail, replaced_while_down)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_write(&r, "a.log", "other\n2\n"); /* the same inode */
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_expect(&r, "1\nother\n2\n", "its first line is another: from the beginning");
}

Test(tail, read_from_end)
{
    r.options.read_from = FILE_FROM_END;
    rig_append(&r, "a.log", "old\nhalf");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", " and half\n");
    rig_run(&r, 1500);
    rig_expect(&r, "half and half\n", "only what is written from now on, as whole lines");
    rig_append(&r, "b.log", "new file\n");
    rig_run(&r, 1500);
    rig_expect(&r, "new file\n", "all of a file that is made later");
    rig_close(&r);
    rig_append(&r, "c.log", "made while down\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1500);
    rig_expect(&r, "made while down\n", "end concerns the very first start");
}

Test(tail, replay_in_rotation_order)
{
    struct err e = {0};

    rig_append(&r, "a.log", "4\nend");
    rig_append(&r, "a.log.1", "3\n");
    rig_append(&r, "a.log.10", "1\n");
    rig_append(&r, "a.log.9", "2\n");
    rig_append(&r, ".hidden", "no\n");
    cr_assert(rig_replay(&r, "", &e), "%s", e.what);
    rig_run(&r, 500);
    rig_expect(&r, "1\n2\n3\n4\nend\n", "oldest first; the open last line is a line");
    cr_expect(input_file.is_finished(r.input));
    cr_expect_eq(r.n_opened, 0);
}

Test(tail, replay_of_many_files)
{
    struct err e = {0};

    mkdir(rig_path(&r, "d"), 0700);
    for (int i = 0; i < 1000; i++) {
        char name[32];

        snprintf(name, sizeof name, "d/%d.log", i);
        rig_append(&r, name, "1\n");
    }
    cr_assert(rig_replay(&r, "d", &e));
    rig_run(&r, 1000);
    cr_expect(input_file.is_finished(r.input));
    cr_expect_eq(input_file.stats(r.input)->lines, 1000);
    cr_expect_eq(input_file.stats(r.input)->total_bytes, 2000);
}

Test(tail, replay_of_what_is_not_there)
{
    struct err e = {0};

    cr_expect_not(rig_replay(&r, "none.log", &e));
    cr_expect_str_eq(e.what, "no such file; nothing to replay");
    cr_expect_not(rig_replay(&r, "*.log", &e));
    cr_expect_str_eq(e.what, "no file matches; nothing to replay");
}

Test(tail, replay_with_one_file_denied)
{
    struct err e = {0};
    char denied[256];

    strcpy(denied, rig_path(&r, "a.log"));
    r.denied = denied;
    rig_append(&r, "a.log", "1\n");
    rig_append(&r, "b.log", "2\n");
    cr_assert(rig_replay(&r, "*.log", &e));
    rig_run(&r, 500);
    rig_expect(&r, "2\n", "the others are read on");
    cr_expect(input_file.is_finished(r.input));
    cr_expect_eq(input_file.stats(r.input)->errors, 1);
}

Test(tail, many_generations_leave_nothing_behind)
{
    rig_append(&r, "a.log", "0\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    for (int i = 0; i < 50; i++) {
        rig_rename(&r, "a.log", "a.log.1");
        rig_append(&r, "a.log", "x\n");
        rig_run(&r, 3000);
    }
    rig_run(&r, 130000);
    cr_expect_eq(input_file.stats(r.input)->lines, 51);
    cr_expect_leq(r.input->n_tails + r.input->n_knowns, 2, "%zu tails, %zu rows", r.input->n_tails,
                  r.input->n_knowns);
}

/* Each generation begins with the same line, as Lambda's INIT_START or a table's head: only what
 * stands before the position tells them apart. */
Test(tail, written_anew_and_longer_while_ship_was_away)
{
    rig_append(&r, "a.log", "head\none\ntwo\n");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_expect(&r, "head\none\ntwo\n", "the first generation");
    rig_close(&r);
    rig_write(&r, "a.log", "head\n111\n222\nthree\nfour\n");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_expect(&r, "head\n111\n222\nthree\nfour\n", "all of the second");
    rig_close(&r);
    rig_append(&r, "a.log", "five\n");
    rig_open(&r, "*.log");
    rig_run(&r, 500);
    rig_expect(&r, "five\n", "the same file is gone on with");
}
