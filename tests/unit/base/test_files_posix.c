#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/files.h"
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

TestSuite(files_posix, .init = set_up, .fini = tear_down);

static int open_file(const char *name, bool *missing, struct err *e)
{
    return files_posix.open(NULL, rig_path(&r, name), missing, e);
}

Test(files_posix, reads_at_offsets)
{
    struct err e = {0};
    bool missing;
    char buf[16];
    int fd;

    rig_write(&r, "a", "0123456789");
    fd = open_file("a", &missing, &e);
    cr_assert_geq(fd, 0);
    cr_expect_eq(files_posix.pread(NULL, fd, buf, 4, 3, &e), 4);
    cr_expect_eq(memcmp(buf, "3456", 4), 0);
    cr_expect_eq(files_posix.pread(NULL, fd, buf, sizeof buf, 8, &e), 2, "what is left");
    cr_expect_eq(files_posix.pread(NULL, fd, buf, sizeof buf, 10, &e), 0, "the end");
    cr_expect_eq(files_posix.pread(NULL, fd, buf, sizeof buf, UINT64_MAX, &e), -1);
    files_posix.close(NULL, fd);
}

Test(files_posix, missing_is_told_apart)
{
    struct err e = {0};
    struct file_stat st;
    bool missing = false;

    cr_expect_eq(open_file("none", &missing, &e), -1);
    cr_expect(missing);
    rig_write(&r, "a", "");
    cr_expect_eq(files_posix.stat(NULL, rig_path(&r, "a/b"), &st, &missing, &e), -1);
    cr_expect(missing, "ENOTDIR");
    cr_assert_eq(symlink("loop", rig_path(&r, "loop")), 0);
    cr_expect_eq(files_posix.stat(NULL, rig_path(&r, "loop"), &st, &missing, &e), -1);
    cr_expect_not(missing, "ELOOP is a failure, not an absence");
    cr_expect_str_eq(e.what, "Too many levels of symbolic links");
}

Test(files_posix, fifo_does_not_block, .timeout = 300)
{
    struct err e = {0};
    struct file_stat st;
    bool missing;
    int fd;

    cr_assert_eq(mkfifo(rig_path(&r, "fifo"), 0600), 0);
    fd = open_file("fifo", &missing, &e);
    cr_assert_geq(fd, 0);
    cr_expect_eq(files_posix.fstat(NULL, fd, &st, &e), 0);
    cr_expect_eq(st.type, FILE_OTHER);
    files_posix.close(NULL, fd);
}

Test(files_posix, generation_outlives_the_inode)
{
    struct file_stat first;
    struct file_stat second;
    bool missing;

    rig_write(&r, "a", "x");
    cr_assert_eq(files_posix.stat(NULL, rig_path(&r, "a"), &first, &missing, NULL), 0);
    rig_append(&r, "a", "y");
    cr_assert_eq(files_posix.stat(NULL, rig_path(&r, "a"), &second, &missing, NULL), 0);
    cr_expect_eq(first.generation, second.generation, "growth changes nothing");
    cr_expect_eq(second.size, 2);
    /* Birth times have the grain of the kernel's clock tick: a few milliseconds. */
    for (int i = 0; i < 100000 && second.generation == first.generation; i++) {
        rig_delete(&r, "a");
        rig_write(&r, "a", "x");
        cr_assert_eq(files_posix.stat(NULL, rig_path(&r, "a"), &second, &missing, NULL), 0);
        if (!first.generation)
            return; /* a file system without birth times */
    }
    cr_expect_neq(first.generation, second.generation, "inode %llu then %llu",
                  (unsigned long long)first.inode, (unsigned long long)second.inode);
}

static bool on_entry(void *ctx, const char *name, enum file_type hint)
{
    unsigned *seen = ctx;

    *seen |= strcmp(name, "file") == 0 && hint == FILE_REGULAR ? 1 : 0;
    *seen |= strcmp(name, "dir") == 0 && hint == FILE_DIRECTORY ? 2 : 0;
    *seen |= strcmp(name, "link") == 0 && hint == FILE_OTHER ? 4 : 0;
    *seen |= name[0] == '.' ? 8 : 0;
    return true;
}

Test(files_posix, list)
{
    struct err e = {0};
    unsigned seen = 0;
    bool missing;

    rig_write(&r, "file", "");
    mkdir(rig_path(&r, "dir"), 0700);
    cr_assert_eq(symlink("file", rig_path(&r, "link")), 0);
    cr_expect_eq(files_posix.list(NULL, r.dir, on_entry, &seen, &missing, &e), 0);
    cr_expect_eq(seen, 7);
    cr_expect_eq(files_posix.list(NULL, rig_path(&r, "none"), on_entry, &seen, &missing, &e), -1);
    cr_expect(missing);
}
