/* What the file input says, and how often. */
#include <criterion/criterion.h>
#include <stdio.h>
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

TestSuite(tail_told, .init = set_up, .fini = tear_down);

static unsigned count_lines(const char *with)
{
    unsigned n = 0;

    buffer_add_char(&r.log, '\0');
    r.log.len--;
    for (const char *at = r.log.ptr; (at = strstr(at, with)); at++)
        n++;
    return n;
}

static void make_directories(const char *name, int from, int to)
{
    char path[64];

    for (int n = from; n < to; n++) {
        snprintf(path, sizeof path, "%s%d", name, n);
        cr_assert_eq(mkdir(rig_path(&r, path), 0700), 0);
    }
}

static void deny(const char *name)
{
    static char below[128];

    snprintf(below, sizeof below, "%s", rig_path(&r, name));
    r.denied_below = below;
}

Test(tail_told, a_directory_that_cannot_be_looked_into_is_told_once)
{
    make_directories("private", 0, 3);
    rig_append(&r, "a.log", "1\n");
    deny("private");
    rig_open(&r, "**/*.log");
    rig_run(&r, 30000);
    rig_expect(&r, "1\n", "its neighbours are read");
    cr_expect_eq(count_lines("cannot look into a directory"), 3, "%s", r.log.ptr);
    make_directories("private", 3, 4);
    rig_run(&r, 30000);
    cr_expect_eq(count_lines("cannot look into a directory"), 4, "another one is news");
    r.denied_below = NULL;
    rig_run(&r, 30000);
    deny("private0");
    rig_run(&r, 30000);
    cr_expect_eq(count_lines("cannot look into a directory"), 5, "and so is one that was mended");
}

Test(tail_told, however_many_directories_there_are)
{
    make_directories("private", 0, FILE_MAX_TROUBLES + 50);
    deny("private");
    rig_open(&r, "**/*.log");
    rig_run(&r, 30000);
    cr_expect_eq(count_lines("cannot look into a directory"), FILE_MAX_TROUBLES);
    cr_expect_eq(count_lines("more than 64 directories"), 1);
}

Test(tail_told, of_many_files_that_are_gone_some_are_named)
{
    enum { MANY = 30 };
    char name[32];

    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "%02d.log", n);
        rig_append(&r, name, "1\n");
    }
    rig_open(&r, "*.log");
    rig_run(&r, 3000);
    rig_close(&r);
    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "%02d.log", n);
        rig_delete(&r, name);
    }
    rig_open(&r, "*.log");
    rig_run(&r, 3000);
    cr_expect_eq(count_lines("the file that was here is gone"), FILE_TELL_MAX);
    cr_expect_eq(count_lines("and so are 25 more files"), 1, "%s", r.log.ptr);
}
