#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/disk.h"
#include "tests/support/temp_dir.h"

enum { MALLORY = 65534 };

static const struct disk *const d = &disk_posix;
static char top[TEMP_DIR_MAX];
static char path[128]; /* of the directory that is open */
static int dir;

static void set_up(void)
{
    struct err e = {0};

    temp_dir_make(top);
    snprintf(path, sizeof path, "%s/a/b", top);
    dir = d->open_dir(NULL, path, true, &e);
    cr_assert_geq(dir, 0, "%s: %s", e.where, e.what);
}

static void tear_down(void)
{
    d->close(NULL, dir);
    temp_dir_remove(top);
}

TestSuite(disk, .init = set_up, .fini = tear_down);

static const char *below(const char *name)
{
    static char full[256];

    snprintf(full, sizeof full, "%s/%s", path, name);
    return full;
}

static int make(const char *name, const char *text)
{
    int file = disk_open(d, dir, name, DISK_WRITE | DISK_CREATE);

    if (file >= 0)
        cr_assert_eq(disk_write(d, file, slice_str(text), 0), 0);
    return file;
}

static void expect_text(int file, const char *want)
{
    char got[64];
    ssize_t n = disk_read(d, file, got, sizeof got, 0);

    cr_expect_eq(d->size(NULL, file), (int64_t)strlen(want));
    cr_expect(n == (ssize_t)strlen(want) && memcmp(got, want, (size_t)n) == 0, "%.*s is not %s",
              n < 0 ? 0 : (int)n, got, want);
}

Test(disk, what_is_written_is_read)
{
    int file = make("f", "0123456789");
    char got[8];
    struct stat st;

    expect_text(file, "0123456789");
    cr_expect_eq(disk_truncate(d, file, 4), 0);
    cr_expect_eq(disk_write(d, file, slice_str("xyz"), 3), 0);
    expect_text(file, "012xyz");
    cr_expect_eq(disk_read(d, file, got, sizeof got, 4), 2, "to the end, and no further");
    cr_expect_eq(disk_read(d, file, got, sizeof got, 400), 0);
    cr_expect_eq(disk_sync(d, file), 0);
    cr_expect_eq(disk_sync_dir(d, dir), 0);
    cr_assert_eq(stat(below("f"), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0700);
    cr_expect_eq(make("f", ""), -EEXIST);
    d->close(NULL, file);
    file = disk_open(d, dir, "f", DISK_READ);
    expect_text(file, "012xyz");
    cr_expect_eq(disk_write(d, file, slice_str("x"), 0), -EBADF, "it was opened to be read");
    d->close(NULL, file);
}

static bool count(void *arg, const char *name)
{
    ++*(int *)arg;
    return strcmp(name, "stop") != 0;
}

Test(disk, names)
{
    int n = 0;
    int file = make("a", "old");

    d->close(NULL, file);
    cr_expect_eq(disk_replace(d, dir, "a", slice_str("new")), 0);
    file = make("a.new", "what an earlier try left behind");
    d->close(NULL, file);
    cr_expect_eq(disk_replace(d, dir, "a", slice_str("newer")), 0);
    file = disk_open(d, dir, "a", DISK_READ);
    expect_text(file, "newer");
    d->close(NULL, file);
    cr_expect_eq(d->list(NULL, dir, count, &n), 0);
    cr_expect_eq(n, 1);
    cr_expect_eq(d->rename(NULL, dir, "a", "stop"), 0);
    cr_expect_eq(d->list(NULL, dir, count, &n), 0);
    cr_expect_eq(n, 2, "and a list can be made twice");
    cr_expect_eq(d->remove(NULL, dir, "a"), -ENOENT);
    cr_expect_eq(d->remove(NULL, dir, "stop"), 0);
    cr_expect_eq(disk_open(d, dir, "stop", DISK_WRITE), -ENOENT);
}

Test(disk, a_lock_is_for_one)
{
    int first = make("lock", "");
    int second = disk_open(d, dir, "lock", DISK_WRITE);

    cr_expect_eq(disk_lock(d, first), 0);
    cr_expect_eq(disk_lock(d, second), -EWOULDBLOCK);
    d->close(NULL, first);
    cr_expect_eq(disk_lock(d, second), 0);
    d->close(NULL, second);
}

Test(disk, a_name_leads_to_a_file_or_not)
{
    int file = make("a", "");

    cr_expect_eq(disk_wait_lock(d, file), 0);
    cr_expect_eq(d->is_named(NULL, dir, "a", file), 1);
    cr_expect_eq(d->rename(NULL, dir, "a", "b"), 0);
    cr_expect_eq(d->is_named(NULL, dir, "a", file), 0, "to nothing");
    d->close(NULL, make("a", ""));
    cr_expect_eq(d->is_named(NULL, dir, "a", file), 0, "to another");
    cr_expect_eq(d->is_named(NULL, dir, "b", file), 1);
    d->close(NULL, file);
}

Test(disk, only_files_of_our_own)
{
    int file = make("real", "");

    d->close(NULL, file);
    cr_assert_eq(symlink("real", below("link")), 0);
    cr_assert_eq(mkfifo(below("fifo"), 0600), 0);
    cr_assert_eq(mkdir(below("directory"), 0700), 0);
    cr_expect_eq(disk_open(d, dir, "link", DISK_READ), -ELOOP);
    cr_expect_eq(disk_open(d, dir, "link", DISK_WRITE | DISK_CREATE), -EEXIST);
    cr_expect_eq(disk_open(d, dir, "fifo", DISK_READ), -EINVAL, "and nobody waits");
    cr_expect_eq(disk_open(d, dir, "directory", DISK_READ), -EINVAL);
    if (geteuid() != 0)
        cr_skip("only root can give a file to somebody else");
    cr_assert_eq(chown(below("real"), MALLORY, MALLORY), 0);
    cr_expect_eq(disk_open(d, dir, "real", DISK_READ), -EPERM);
    cr_assert_eq(chown(path, MALLORY, MALLORY), 0);
    file = disk_open(d, dir, "real", DISK_READ);
    cr_expect_geq(file, 0, "the directory's owner may");
    d->close(NULL, file);
}

Test(disk, directories_that_are_not_there_or_not_ours)
{
    struct err e = {0};
    char other[160];

    snprintf(other, sizeof other, "%s/none", top);
    cr_expect_eq(d->open_dir(NULL, other, false, &e), -ENOENT);
    cr_expect_eq(e.code, ERR_STORE);
    cr_expect(strstr(e.where, other), "%s", e.where);
    snprintf(other, sizeof other, "%s/f", path);
    d->close(NULL, make("f", ""));
    cr_expect_lt(d->open_dir(NULL, other, true, &e), 0);
    cr_expect(strstr(e.what, "Not a directory"), "%s", e.what);
    if (geteuid() != 0)
        cr_skip("only root can give a directory to somebody else");
    cr_assert_eq(chmod(top, 0777), 0);
    snprintf(other, sizeof other, "%s/planted", top);
    cr_assert_eq(mkdir(other, 0777), 0);
    cr_assert_eq(chown(other, MALLORY, MALLORY), 0);
    cr_expect_lt(d->open_dir(NULL, other, true, &e), 0);
    cr_expect(strstr(e.what, "made by user 65534"), "%s", e.what);
}
