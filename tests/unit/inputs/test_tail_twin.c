/* Patterns that have the rotated names too: a.log, a.log.1 and a.log.1.gz are one text, whose lines
 * say no time, so that no id tells that they were read before. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/file_rig.h"

static const char *const all = "a.log*";

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    /* Births and times of writing are the file system's, and later than what the rig saw, however
     * fast its time goes by. */
    r.wall_ns = clock_wall_ns(&clock_real) - 40000000000;
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_twin, .init = set_up, .fini = tear_down);

static size_t slurp(const char *name, char *text, size_t cap)
{
    FILE *f = fopen(rig_path(&r, name), "r");
    size_t n;

    cr_assert_not_null(f, "%s", name);
    n = fread(text, 1, cap - 1, f);
    text[n] = '\0';
    fclose(f);
    return n;
}

/* The packed one is there, and the other not yet gone. */
static void pack(const char *from, const char *to)
{
    char text[4096];
    size_t len = slurp(from, text, sizeof text);
    gzFile f = gzopen(rig_path(&r, to), "wb");

    cr_assert_not_null(f);
    cr_assert_eq(gzwrite(f, text, (unsigned)len), (int)len);
    gzclose(f);
}

static void copy(const char *from, const char *to, size_t len)
{
    char text[4096];
    size_t n = slurp(from, text, sizeof text);

    text[len < n ? len : n] = '\0';
    rig_write(&r, to, text);
}

static void begin(void)
{
    rig_append(&r, "a.log", "head\n1\n");
    rig_open(&r, all);
    rig_run(&r, 1000);
    rig_expect(&r, "head\n1\n", "the first lines");
}

static void rotate(void)
{
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "head\n2\n");
    rig_run(&r, 3000);
    rig_expect(&r, "head\n2\n", "the next file");
}

static void expect_nothing_more(void)
{
    rig_run(&r, 20000);
    rig_expect(&r, "", "it was read");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
    rig_close(&r);
    rig_open(&r, all);
    rig_run(&r, 20000);
    rig_expect(&r, "", "and is not read by the next ship");
}

Test(tail_twin, packed_while_ship_looks)
{
    begin();
    rotate();
    pack("a.log.1", "a.log.1.gz");
    rig_run(&r, 3000);
    rig_expect(&r, "", "both are there");
    rig_delete(&r, "a.log.1");
    expect_nothing_more();
}

Test(tail_twin, packed_and_deleted_between_two_looks)
{
    begin();
    rotate();
    pack("a.log.1", "a.log.1.gz");
    rig_delete(&r, "a.log.1");
    expect_nothing_more();
}

/* delaycompress: what was packed has moved on by a name, and another is where it was. */
Test(tail_twin, packed_and_rotated_between_two_looks)
{
    begin();
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "another head\n");
    rig_run(&r, 10000);
    rig_expect(&r, "another head\n", "the next file");
    pack("a.log.1", "a.log.1.gz");
    rig_delete(&r, "a.log.1");
    rig_rename(&r, "a.log.1.gz", "a.log.2.gz");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "a third head\n");
    rig_run(&r, 3000);
    rig_expect(&r, "a third head\n", "the next file alone");
    expect_nothing_more();
}

/* Its file was shut meanwhile. */
Test(tail_twin, packed_long_after)
{
    begin();
    rotate();
    rig_run(&r, 10000);
    pack("a.log.1", "a.log.1.gz");
    rig_delete(&r, "a.log.1");
    expect_nothing_more();
}

Test(tail_twin, seen_while_it_is_being_packed)
{
    begin();
    rotate();
    pack("a.log.1", "whole");
    rig_write(&r, "a.log.1.gz", "");
    rig_run(&r, 3000);
    copy("whole", "a.log.1.gz", 18);
    rig_run(&r, 3000);
    rig_expect(&r, "", "whatever it will be");
    rig_rename(&r, "whole", "a.log.1.gz");
    rig_delete(&r, "a.log.1");
    expect_nothing_more();
}

Test(tail_twin, rotated_and_packed_at_once)
{
    begin();
    pack("a.log", "a.log.1.gz");
    rig_delete(&r, "a.log");
    rig_append(&r, "a.log", "head\n2\n");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n2\n", "the next file alone");
    expect_nothing_more();
}

Test(tail_twin, with_lines_that_were_not_read)
{
    begin();
    rotate();
    rig_run(&r, 10000);
    rig_append(&r, "a.log.1", "late\n");
    pack("a.log.1", "a.log.1.gz");
    rig_delete(&r, "a.log.1");
    rig_run(&r, 20000);
    rig_expect(&r, "late\n", "those alone");
    expect_nothing_more();
}

/* Both stay. */
Test(tail_twin, packed_and_kept)
{
    begin();
    rotate();
    pack("a.log.1", "a.log.1.gz");
    expect_nothing_more();
}

Test(tail_twin, copied_and_cut)
{
    begin();
    copy("a.log", "a.log.1", 1000);
    rig_run(&r, 3000);
    rig_expect(&r, "", "a copy so far");
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "head\n2\n");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n2\n", "the next text alone");
    expect_nothing_more();
}

Test(tail_twin, seen_while_it_is_being_copied)
{
    begin();
    copy("a.log", "a.log.1", 0);
    rig_run(&r, 3000);
    rig_append(&r, "a.log.1", "he");
    rig_run(&r, 3000);
    rig_append(&r, "a.log", "2\n");
    rig_append(&r, "a.log.1", "ad\n1\n2\n");
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n3\n", "its last line out of the copy");
    expect_nothing_more();
}

Test(tail_twin, copied_and_cut_between_two_looks)
{
    begin();
    copy("a.log", "a.log.1", 1000);
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "head\n2\n");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n2\n", "the next text alone");
    expect_nothing_more();
}

Test(tail_twin, copied_and_cut_while_ship_is_away)
{
    begin();
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    copy("a.log", "a.log.1", 1000);
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "head\n3\n");
    rig_open(&r, all);
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n", "its last line out of the copy");
    expect_nothing_more();
}

Test(tail_twin, copied_alone)
{
    begin();
    copy("a.log", "a.log.1", 1000);
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n", "it is all in the file that is read");
    expect_nothing_more();
}

/* What has the same first line is not yet the same text. */
Test(tail_twin, another_text)
{
    begin();
    rig_rename(&r, "a.log", "a.log.2");
    rig_write(&r, "a.log.1", "head\n2\n");
    rig_append(&r, "a.log", "head\n3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n2\nhead\n3\n", "it came and was rotated between two looks");
    rig_write(&r, "b", "head\n4\n5\n");
    pack("b", "a.log.9.gz");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n4\n5\n", "nobody had it");
    expect_nothing_more();
}
