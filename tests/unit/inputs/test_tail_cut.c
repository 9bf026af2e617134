/* logrotate's copytruncate: what was not read of a text that was cut away is read in its copy. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/file_rig.h"

static const int64_t HOUR_NS = 3600000000000;

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    /* Births and times of writing are the file system's, and so later than what the rig saw,
     * however much time it lets pass. */
    r.wall_ns = clock_wall_ns(&clock_real) - HOUR_NS;
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_cut, .init = set_up, .fini = tear_down);

static void copy(const char *from, const char *to)
{
    char text[4096];
    FILE *f = fopen(rig_path(&r, from), "r");
    size_t n;

    cr_assert_not_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    rig_write(&r, to, text);
}

static void copytruncate(void)
{
    copy("a.log", "a.log.1");
    rig_truncate(&r, "a.log", 0);
}

/* As logrotate compresses it right away. */
static void pack(const char *name, const char *to)
{
    char text[4096];
    FILE *f = fopen(rig_path(&r, name), "r");
    gzFile z = gzopen(rig_path(&r, to), "wb");
    size_t n;

    cr_assert_not_null(f);
    cr_assert_not_null(z);
    n = fread(text, 1, sizeof text, f);
    cr_assert_eq(gzwrite(z, text, (unsigned)n), (int)n);
    gzclose(z);
    fclose(f);
    rig_delete(&r, name);
}

static void stop_reading(bool is_stopped)
{
    budget_add(&r.budget, is_stopped ? 8 << 20 : -(8 << 20));
}

static bool is_told(const char *what)
{
    return slice_find(buffer_slice(&r.log), slice_str(what)) >= 0;
}

static void begin(const char *pattern)
{
    rig_append(&r, "a.log", "head\n1\n");
    rig_open(&r, pattern);
    rig_run(&r, 1000);
    rig_expect(&r, "head\n1\n", "the first lines");
}

static void expect_nothing_more(const char *pattern)
{
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
    rig_close(&r);
    rig_open(&r, pattern);
    rig_run(&r, 20000);
    rig_expect(&r, "", "and nothing twice");
    cr_expect_not(is_told("lost"));
}

Test(tail_cut, while_nothing_is_read) /* FB2 */
{
    begin("a.log");
    stop_reading(true);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    copytruncate();
    rig_append(&r, "a.log", "head\n3\n");
    rig_run(&r, 1500);
    stop_reading(false);
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n", "the rest in the copy, then the new text");
    cr_expect(is_told("what was not read of the old content is in"));
    expect_nothing_more("a.log");
}

/* The packed file is there before the copy that it is made of goes. */
Test(tail_cut, while_the_copy_is_being_packed)
{
    begin("a.log");
    copy("a.log", "a.log.1");
    copy("a.log", "packing");
    pack("packing", "a.log.1.gz");
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "head\n3\n");
    rig_run(&r, 1500);
    rig_delete(&r, "a.log.1");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n3\n", "the packed file is no generation that was missed");
    expect_nothing_more("a.log");
}

Test(tail_cut, between_two_looks)
{
    begin("a.log");
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    rig_append(&r, "a.log", "head\n3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n", "nobody knew that there was more");
    expect_nothing_more("a.log");
}

Test(tail_cut, and_packed_at_once)
{
    begin("a.log");
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    pack("a.log.1", "a.log.1.gz");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n", "the rest in the packed copy");
    expect_nothing_more("a.log");
}

Test(tail_cut, twice_while_nothing_is_read)
{
    begin("a.log");
    stop_reading(true);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    copytruncate();
    rig_append(&r, "a.log", "head\n3\n");
    rig_run(&r, 1500);
    rig_rename(&r, "a.log.1", "a.log.2");
    copytruncate();
    rig_run(&r, 1500);
    rig_append(&r, "a.log", "4\n");
    stop_reading(false);
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n4\n", "of the second nothing had been read");
    expect_nothing_more("a.log");
}

Test(tail_cut, the_rest_waits_until_what_was_read_is_settled)
{
    begin("a.log");
    r.is_stalled = true;
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    stop_reading(true);
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    copytruncate();
    rig_append(&r, "a.log", "4\n");
    rig_run(&r, 1500);
    stop_reading(false);
    rig_run(&r, 5000);
    rig_expect(&r, "2\n", "no answer yet");
    rig_rename(&r, "a.log.1", "a.log.2");
    rig_release(&r);
    rig_run(&r, 20000);
    rig_expect(&r, "3\n4\n", "wherever it is now");
    expect_nothing_more("a.log");
}

Test(tail_cut, killed_before_it_was_settled)
{
    size_t ids;

    begin("a.log");
    r.is_stalled = true;
    ids = r.ids.len;
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    copytruncate();
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    rig_expect(&r, "2\n", "sent, and no answer came");
    rig_drop_kept(&r);
    rig_close(&r);
    r.is_stalled = false;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n", "it is in the copy");
    cr_assert_eq(r.ids.len, ids + 3 * (HASH_TEXT_LEN + 1));
    cr_expect_eq(memcmp(r.ids.ptr + ids, r.ids.ptr + ids + HASH_TEXT_LEN + 1, HASH_TEXT_LEN), 0,
                 "under the same id");
    expect_nothing_more("a.log");
}

Test(tail_cut, while_ship_is_away)
{
    begin("a.log");
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    rig_append(&r, "a.log", "head\n3\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n", "from the position on, then the new text");
    expect_nothing_more("a.log");
}

Test(tail_cut, and_grown_longer_than_it_was_while_ship_is_away)
{
    begin("a.log");
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    rig_append(&r, "a.log", "head\n3\n4\n5\n6\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n4\n5\n6\n", "its bytes tell");
    expect_nothing_more("a.log");
}

Test(tail_cut, and_packed_while_ship_is_away)
{
    begin("a.log");
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    pack("a.log.1", "a.log.1.gz");
    rig_append(&r, "a.log", "3\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n", "the rest in the packed copy");
    expect_nothing_more("a.log");
}

/* Several days. */
Test(tail_cut, several_times_while_ship_is_away)
{
    begin("a.log");
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    copytruncate();
    pack("a.log.1", "a.log.3.gz");
    rig_append(&r, "a.log", "head\n3\n");
    copytruncate();
    rig_rename(&r, "a.log.1", "a.log.2");
    rig_append(&r, "a.log", "head\n4\n");
    copytruncate();
    rig_append(&r, "a.log", "head\n5\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\nhead\n4\nhead\n5\n", "each from where it was, in order");
    expect_nothing_more("a.log");
}

Test(tail_cut, killed_while_the_copy_is_read)
{
    begin("a.log");
    rig_close(&r);
    rig_append(&r, "a.log", "2\n3\n");
    copytruncate();
    rig_append(&r, "a.log", "4\n");
    r.is_stalled = true;
    rig_open(&r, "a.log");
    rig_run(&r, 2000);
    rig_drop_kept(&r);
    rig_close(&r);
    r.is_stalled = false;
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n4\n", "both have a row");
    expect_nothing_more("a.log");
}

/* Each text of a function may begin with INIT_START. */
Test(tail_cut, another_text_with_the_same_first_line_is_no_copy)
{
    begin("a.log");
    stop_reading(true);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    rig_write(&r, "a.log.1", "head\n9\n8\n7\n");
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 1500);
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 2, "told at once");
    stop_reading(false);
    rig_run(&r, 20000);
    rig_expect(&r, "3\n", "nobody has it");
    cr_expect(is_told("its last 2 bytes were read: they are lost"));
}

/* The oldest copies are of texts that were cut away before. */
Test(tail_cut, a_copy_that_was_made_before_is_none)
{
    rig_append(&r, "a.log", "head\nsame\n");
    rig_append(&r, "a.log.1", "head\nsame\nsame\n");
    r.wall_ns += 2 * HOUR_NS;
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_truncate(&r, "a.log", 0);
    rig_run(&r, 1500);
    rig_append(&r, "a.log", "head\nsame\n");
    rig_run(&r, 20000);
    rig_expect(&r, "head\nsame\nhead\nsame\n", "whatever it has");
}
