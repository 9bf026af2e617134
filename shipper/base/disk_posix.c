#define _DEFAULT_SOURCE /* flock */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/disk.h"
#include "shipper/base/open_trusted.h"
#include "shipper/base/path.h"

static int or_errno(int rc)
{
    return rc < 0 ? -errno : rc;
}

static int sync_directory(int dir)
{
    /* Some file systems cannot (EINVAL), and keep names without. */
    return fsync(dir) < 0 && errno != EINVAL && errno != EROFS ? -errno : 0;
}

/* A directory that nobody finds after a power cut is lost with all that is in it, and so is one in
 * such a directory: each that may have been made just now is named by the one above it. */
static int sync_parents(int dir)
{
    struct stat here;
    struct stat above;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    while (fd >= 0 && rc == 0 && fstat(fd, &here) == 0) {
        int parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        close(fd);
        fd = parent; /* -1: one that we may not read, so none that we made */
        if (fd < 0 || fstat(fd, &above) < 0 || above.st_dev != here.st_dev ||
            above.st_ino == here.st_ino)
            break;
        rc = sync_directory(fd);
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static int fail_at(const char *path, int rc, struct err *e)
{
    err_set(e, ERR_STORE, "%s", strerror(-rc));
    err_at(e, "%s", path);
    return rc;
}

static int posix_open_dir(void *ctx, const char *path, bool make, struct err *e)
{
    struct link_refusal refusal = {0, 0};
    int dir;
    int rc;

    (void)ctx;
    if ((make ? path_make_directories : path_check_place)(path, e) < 0)
        return -EPERM;
    dir = open_trusted(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, &refusal);
    if (dir < 0)
        return fail_at(path, -errno, e);
    rc = make ? sync_parents(dir) : 0;
    if (rc == 0)
        return dir;
    close(dir);
    return fail_at(path, rc, e);
}

static int posix_list(void *ctx, int dir, disk_entry_fn *fn, void *arg)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int rc = 0;

    (void)ctx;
    if (!d) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (errno = 0, (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!fn(arg, entry->d_name))
            goto done;
    }
    rc = -errno;
done:
    closedir(d);
    return rc;
}

static int posix_rename(void *ctx, int dir, const char *from, const char *to)
{
    (void)ctx;
    return or_errno(renameat(dir, from, dir, to));
}

static int posix_remove(void *ctx, int dir, const char *name)
{
    (void)ctx;
    return or_errno(unlinkat(dir, name, 0));
}

/* Where others may write, they could put a file of theirs for ours. */
static int check_file(int dir, int file)
{
    struct stat st;
    struct stat above;

    if (fstat(file, &st) < 0 || fstat(dir, &above) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    return st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == above.st_uid ? 0 : -EPERM;
}

static int posix_open(void *ctx, int dir, const char *name, unsigned flags)
{
    int how = O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK; /* neither waits at a FIFO */
    int file;
    int rc;

    (void)ctx;
    how |= flags & DISK_WRITE ? O_RDWR : O_RDONLY;
    if (flags & DISK_CREATE)
        how |= O_CREAT | O_EXCL;
    file = openat(dir, name, how, 0600);
    if (file < 0)
        return -errno;
    rc = check_file(dir, file);
    if (rc == 0)
        return file;
    close(file);
    return rc;
}

static int posix_lock(void *ctx, int file)
{
    (void)ctx;
    return or_errno(flock(file, LOCK_EX | LOCK_NB));
}

static int posix_wait_lock(void *ctx, int file)
{
    (void)ctx;
    return or_errno(flock(file, LOCK_EX));
}

static int posix_is_named(void *ctx, int dir, const char *name, int file)
{
    struct stat opened;
    struct stat named;

    (void)ctx;
    if (fstat(file, &opened) < 0)
        return -errno;
    if (fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static int64_t posix_size(void *ctx, int file)
{
    struct stat st;

    (void)ctx;
    return fstat(file, &st) < 0 ? -errno : (int64_t)st.st_size;
}

static ssize_t posix_pread(void *ctx, int file, void *buf, size_t len, uint64_t offset)
{
    ssize_t n = pread(file, buf, len, (off_t)offset);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static ssize_t posix_pwrite(void *ctx, int file, const void *buf, size_t len, uint64_t offset)
{
    ssize_t n = pwrite(file, buf, len, (off_t)offset);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static int posix_truncate(void *ctx, int file, uint64_t len)
{
    (void)ctx;
    return or_errno(ftruncate(file, (off_t)len));
}

static int posix_sync(void *ctx, int file)
{
    (void)ctx;
    return or_errno(fdatasync(file));
}

static int posix_sync_dir(void *ctx, int dir)
{
    (void)ctx;
    return sync_directory(dir);
}

static void posix_close(void *ctx, int handle)
{
    (void)ctx;
    if (handle >= 0)
        close(handle);
}

const struct disk disk_posix = {
    .open_dir = posix_open_dir,
    .list = posix_list,
    .sync_dir = posix_sync_dir,
    .rename = posix_rename,
    .remove = posix_remove,
    .open = posix_open,
    .lock = posix_lock,
    .wait_lock = posix_wait_lock,
    .is_named = posix_is_named,
    .size = posix_size,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .truncate = posix_truncate,
    .sync = posix_sync,
    .close = posix_close,
};
