#define _GNU_SOURCE /* statx: the birth time tells a reused inode from its predecessor */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shipper/base/files.h"

static int fail(struct err *e, const char *path)
{
    int saved = errno;

    err_set(e, saved == EMFILE || saved == ENFILE ? ERR_BUSY : ERR_INPUT, "%s", strerror(saved));
    return path ? err_at(e, "%s", path) : -1;
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
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0)
        return fd;
    *missing = is_missing();
    return fail(e, path);
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
    DIR *d = opendir(dir);
    const struct dirent *entry;
    int rc = 0;

    (void)ctx;
    *missing = false;
    if (!d) {
        *missing = is_missing();
        return fail(e, dir);
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
