#define _GNU_SOURCE /* statx: the birth time tells a reused inode from its predecessor */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shipper/base/files.h"
#include "shipper/base/open_trusted.h"

static int fail(struct err *e, const char *path)
{
    int saved = errno;

    err_set(e, saved == EMFILE || saved == ENFILE ? ERR_BUSY : ERR_INPUT, "%s", strerror(saved));
    return path ? err_at(e, "%s", path) : -1;
}

static int open_for_reading(const char *path, int flags, struct err *e)
{
    struct link_refusal refusal = {0, 0};
    int fd;

    do
        fd = open_trusted(path, O_RDONLY | O_CLOEXEC | flags, &refusal);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0)
        return fd;
    fail(e, path);
    if (errno == EPERM && refusal.link_owner) {
        err_set(e, ERR_INPUT,
                "a symbolic link of user %u leads to what is user %u's: not followed; name the "
                "place itself, or have the link belong to root",
                (unsigned)refusal.link_owner, (unsigned)refusal.file_owner);
        err_at(e, "%s", path);
    }
    return -1;
}

/* ENOENT and ENOTDIR are news; a symbolic link loop (ELOOP) or EACCES are not: the file may be
 * there. */
static bool is_missing(void)
{
    return errno == ENOENT || errno == ENOTDIR;
}

static int posix_open(void *ctx, const char *path, bool *missing, struct err *e)
{
    int fd;

    (void)ctx;
    *missing = false;
    fd = open_for_reading(path, O_NONBLOCK | O_NOCTTY, e);
    if (fd < 0)
        *missing = is_missing();
    return fd;
}

static void posix_close(void *ctx, int fd)
{
    (void)ctx;
    if (fd >= 0)
        close(fd);
}

static ssize_t posix_pread(void *ctx, int fd, void *buf, size_t len, uint64_t offset, struct err *e)
{
    ssize_t n;

    (void)ctx;
    if (offset > INT64_MAX - len)
        return err_set(e, ERR_INPUT, "offset %llu is beyond what a file can hold",
                       (unsigned long long)offset);
    do
        n = pread(fd, buf, len, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? fail(e, NULL) : n;
}

static enum file_type type_of_mode(unsigned mode)
{
    if (S_ISREG(mode))
        return FILE_REGULAR;
    return S_ISDIR(mode) ? FILE_DIRECTORY : FILE_OTHER;
}

static int look(int fd, const char *path, int flags, struct file_stat *out)
{
    struct statx st;

    memset(out, 0, sizeof *out);
    if (statx(fd, path, flags | AT_STATX_SYNC_AS_STAT, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return -1;
    out->device = makedev(st.stx_dev_major, st.stx_dev_minor);
    out->inode = st.stx_ino;
    if (st.stx_mask & STATX_BTIME)
        out->generation = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
    out->size = st.stx_size;
    out->mtime_ns = st.stx_mtime.tv_sec * 1000000000ll + st.stx_mtime.tv_nsec;
    out->n_links = st.stx_nlink;
    out->type = type_of_mode(st.stx_mode);
    return 0;
}

static int posix_fstat(void *ctx, int fd, struct file_stat *out, struct err *e)
{
    (void)ctx;
    return look(fd, "", AT_EMPTY_PATH, out) < 0 ? fail(e, NULL) : 0;
}

static int posix_stat(void *ctx, const char *path, struct file_stat *out, bool *missing,
                      struct err *e)
{
    (void)ctx;
    *missing = false;
    if (look(AT_FDCWD, path, 0, out) == 0)
        return 0;
    *missing = is_missing();
    return fail(e, path);
}

static enum file_type type_of_entry(const struct dirent *d)
{
    if (d->d_type == DT_REG)
        return FILE_REGULAR;
    return d->d_type == DT_DIR ? FILE_DIRECTORY : FILE_OTHER;
}

static int posix_list(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                      struct err *e)
{
    int fd = open_for_reading(dir, O_DIRECTORY, e);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    int rc = 0;

    (void)ctx;
    *missing = false;
    if (fd < 0) {
        *missing = is_missing();
        return -1;
    }
    if (!d) {
        close(fd);
        return err_set(e, ERR_NOMEM, "%s: out of memory", dir);
    }
    while (errno = 0, (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!fn(arg, entry->d_name, type_of_entry(entry)))
            goto done;
    }
    if (errno)
        rc = fail(e, dir);
done:
    closedir(d);
    return rc;
}

const struct files files_posix = {
    .open = posix_open,
    .close = posix_close,
    .pread = posix_pread,
    .fstat = posix_fstat,
    .stat = posix_stat,
    .list = posix_list,
};
