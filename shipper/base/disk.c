#include <errno.h>
#include <stdio.h>

#include "shipper/base/disk.h"

int disk_open(const struct disk *d, int dir, const char *name, unsigned flags)
{
    int file;

    do
        file = d->open(d->ctx, dir, name, flags);
    while (file == -EINTR);
    return file;
}

int disk_lock(const struct disk *d, int file)
{
    int rc;

    do
        rc = d->lock(d->ctx, file);
    while (rc == -EINTR);
    return rc;
}

int disk_wait_lock(const struct disk *d, int file)
{
    int rc;

    do
        rc = d->wait_lock(d->ctx, file);
    while (rc == -EINTR);
    return rc;
}

int disk_truncate(const struct disk *d, int file, uint64_t len)
{
    int rc;

    do
        rc = d->truncate(d->ctx, file, len);
    while (rc == -EINTR);
    return rc;
}

int disk_sync(const struct disk *d, int file)
{
    int rc;

    do
        rc = d->sync(d->ctx, file);
    while (rc == -EINTR);
    return rc;
}

int disk_sync_dir(const struct disk *d, int dir)
{
    int rc;

    do
        rc = d->sync_dir(d->ctx, dir);
    while (rc == -EINTR);
    return rc;
}

ssize_t disk_read(const struct disk *d, int file, void *buf, size_t len, uint64_t offset)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = d->pread(d->ctx, file, (char *)buf + got, len - got, offset + got);

        if (n == -EINTR)
            continue;
        if (n < 0)
            return n;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

int disk_write(const struct disk *d, int file, struct slice bytes, uint64_t offset)
{
    while (bytes.len) {
        ssize_t n = d->pwrite(d->ctx, file, bytes.ptr, bytes.len, offset);

        if (n == -EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? (int)n : -EIO; /* a disk that takes nothing, and does not say why */
        bytes = slice_from(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return 0;
}

static int write_new(const struct disk *d, int dir, const char *name, struct slice bytes)
{
    int file = disk_open(d, dir, name, DISK_WRITE | DISK_CREATE);
    int rc = file;

    if (file == -EEXIST) { /* of an earlier try */
        d->remove(d->ctx, dir, name);
        file = disk_open(d, dir, name, DISK_WRITE | DISK_CREATE);
        rc = file;
    }
    if (file < 0)
        return rc;
    rc = disk_write(d, file, bytes, 0);
    if (rc == 0)
        rc = disk_sync(d, file);
    d->close(d->ctx, file);
    return rc;
}

int disk_replace(const struct disk *d, int dir, const char *name, struct slice bytes)
{
    char beside[256];
    int rc;

    if (snprintf(beside, sizeof beside, "%s.new", name) >= (int)sizeof beside)
        return -ENAMETOOLONG;
    rc = write_new(d, dir, beside, bytes);
    if (rc == 0)
        rc = d->rename(d->ctx, dir, beside, name);
    if (rc < 0)
        d->remove(d->ctx, dir, beside);
    return rc;
}
