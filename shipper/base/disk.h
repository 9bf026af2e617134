/* The disk, as an argument: what ship itself must find again after a power cut goes through this
 * table.
 *
 * There are two: disk_posix, and the simulated one in tests, which fails, tears and loses what was
 * not synced. The table is as thin as the system's calls: it may do less than it was asked to, and
 * be interrupted. Who wants all of it uses the functions below, which go on.
 * Handles are the table's own small numbers (for disk_posix: descriptors). Files are named in a
 * directory that was opened before, so that nobody can exchange it afterwards; no link is followed.
 * Errors: a negative errno (-ENOSPC). Thread: any, one at a time for a handle; all calls block. */
#ifndef SHIP_BASE_DISK_H
#define SHIP_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"

enum disk_flags {
    DISK_READ = 0,
    DISK_WRITE = 1,  /* and read */
    DISK_CREATE = 2, /* 0600, and empty; -EEXIST if the name is taken. With DISK_WRITE */
};

/* `name` is borrowed for the call. Return false to stop. */
typedef bool disk_entry_fn(void *arg, const char *name);

struct disk {
    /* Opens a directory; `make`: mkdir -p before, 0700, and its names are on the disk. -errno and
     * *e (ERR_STORE, with the path), also if somebody else made it where everybody may. */
    int (*open_dir)(void *ctx, const char *path, bool make, struct err *e);
    /* The names in it but . and .., in no order. */
    int (*list)(void *ctx, int dir, disk_entry_fn *fn, void *arg);
    /* Names that were made, renamed or removed are on the disk. */
    int (*sync_dir)(void *ctx, int dir);
    /* Replaces `to`. */
    int (*rename)(void *ctx, int dir, const char *from, const char *to);
    int (*remove)(void *ctx, int dir, const char *name);

    /* A regular file of root's, ours or the directory's owner (else -EPERM). */
    int (*open)(void *ctx, int dir, const char *name, unsigned flags);
    /* Until it is closed nobody else has it; -EWOULDBLOCK: another has. */
    int (*lock)(void *ctx, int file);
    /* The same, but waits until nobody has it. */
    int (*wait_lock)(void *ctx, int file);
    /* 1: the name leads to this file, 0: to another one or to nothing. */
    int (*is_named)(void *ctx, int dir, const char *name, int file);
    int64_t (*size)(void *ctx, int file);
    ssize_t (*pread)(void *ctx, int file, void *buf, size_t len, uint64_t offset);
    ssize_t (*pwrite)(void *ctx, int file, const void *buf, size_t len, uint64_t offset);
    int (*truncate)(void *ctx, int file, uint64_t len);
    /* Bytes and length are on the disk. After an error what was written is in doubt for ever. */
    int (*sync)(void *ctx, int file);

    /* Of files and directories. */
    void (*close)(void *ctx, int handle);
    void *ctx;
};

extern const struct disk disk_posix;

/* The same, gone on with after EINTR. */
int disk_open(const struct disk *d, int dir, const char *name, unsigned flags);
int disk_lock(const struct disk *d, int file);
int disk_wait_lock(const struct disk *d, int file);
int disk_truncate(const struct disk *d, int file, uint64_t len);
int disk_sync(const struct disk *d, int file);
int disk_sync_dir(const struct disk *d, int dir);
/* Up to len bytes, fewer only at the file's end. */
ssize_t disk_read(const struct disk *d, int file, void *buf, size_t len, uint64_t offset);
/* All of it; 0. On an error some of it may be there. */
int disk_write(const struct disk *d, int file, struct slice bytes, uint64_t offset);
/* The file has these bytes and is on the disk, or is as it was; by way of NAME.new. Its name may
 * still lead to the old one after a power cut: disk_sync_dir. */
int disk_replace(const struct disk *d, int dir, const char *name, struct slice bytes);

#endif
