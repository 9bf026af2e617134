/* The names that a rotation gives: dateext, extension, olddir. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

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

TestSuite(tail_names, .init = set_up, .fini = tear_down);

static void write_gzip(const char *name, const char *text)
{
    gzFile f = gzopen(rig_path(&r, name), "wb");

    cr_assert_not_null(f);
    cr_assert_gt(gzwrite(f, text, (unsigned)strlen(text)), 0);
    gzclose(f);
}

/* Births are told by the kernel's clock, looks by the rig's, which lies before them. */
Test(tail_names, the_first_generation_of_a_new_path)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "*.log");
    rig_run(&r, 1000);
    rig_append(&r, "b.log", "2\n");
    rig_rename(&r, "b.log", "b.log-20261124");
    rig_append(&r, "b.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "with a date, between two looks");
    rig_close(&r);
    rig_append(&r, "c.log-20261124-1795478400", "4\n");
    rig_append(&r, "c.log", "5\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    rig_expect(&r, "4\n5\n", "between two lives");
    rig_close(&r);
    write_gzip("d.log-20261123.gz", "6\n");
    rig_append(&r, "d.log-20261124", "7\n");
    rig_append(&r, "d.log", "8\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    rig_expect(&r, "6\n7\n8\n", "and packed");
    rig_close(&r);
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    rig_expect(&r, "", "nothing twice");
}

Test(tail_names, the_first_generation_of_a_new_path_in_olddir)
{
    cr_assert_eq(mkdir(rig_path(&r, "old"), 0700), 0);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_rename(&r, "a.log", "old/a.log-20261123");
    rig_append(&r, "old/a.log-20261124", "2\n");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 10000);
    rig_expect(&r, "1\n2\n3\n", "in a directory where one of ours went");
}

/* A file that is closed, and has one line more, gets a name that is no rotation's. */
static void displace(const char *name)
{
    rig_append(&r, "a.log", "1\n");
    rig_append(&r, "another-20261124.log", "not ours\n");
    rig_append(&r, "ab-20261124.log", "not ours\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    cr_assert_eq(r.n_opened, 0);
    rig_append(&r, "a.log", "2\n");
    rig_rename(&r, "a.log", name);
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "found by its inode");
    rig_close(&r);
    rig_append(&r, "a.log", "4\n");
    rig_rename(&r, "a.log", name);
    rig_append(&r, "a.log", "5\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "4\n5\n", "after a restart too");
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "nothing twice");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}

Test(tail_names, extension)
{
    displace("a-20261124.log");
}

Test(tail_names, extension_with_a_number)
{
    displace("a.1.log");
}

Test(tail_names, packed_under_a_name_that_is_no_rotation_s)
{
    r.wall_ns = clock_wall_ns(&clock_real);
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    rig_delete(&r, "a.log");
    write_gzip("a-20261124.log.gz", "1\n2\n");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "read on from the copy");
    rig_close(&r);
    rig_delete(&r, "a.log");
    write_gzip("a-20261125.log.gz", "3\n4\n");
    rig_append(&r, "a.log", "5\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "4\n5\n", "after a restart too");
    rig_close(&r);
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "nothing twice");
}
