/* The file system, as an argument: what tails and reads goes through this table.
 *
 * There are two: files_posix, and the simulated one in tests/sim. Descriptors are the table's own
 * small numbers (for files_posix: the kernel's).
 * Errors: -1 and *e filled (ERR_INPUT, what: strerror's text); *missing tells ENOENT and ENOTDIR
 *         apart from the rest, since "it is gone" is news and not a failure.
 * Thread: any; the real table has no state. */
#ifndef SHIP_BASE_FILES_H
#define SHIP_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shipper/base/error.h"

enum file_type { FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER };

struct file_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t generation; /* birth time in ns where the file system has one, else 0 */
    uint64_t size;
    int64_t mtime_ns;
    uint32_t n_links;
    enum file_type type;
};

/* `name` is borrowed for the call. Return false to stop. */
typedef bool files_entry_fn(void *ctx, const char *name, enum file_type hint);

struct files {
    /* Read-only, close-on-exec, never blocks on a FIFO. -1 and *e; *missing: there is no such file.
     * Follows the links that open_trusted.h does. */
    int (*open)(void *ctx, const char *path, bool *missing, struct err *e);
    void (*close)(void *ctx, int fd);
    /* What was read, 0 at the end; -1 and *e. */
    ssize_t (*pread)(void *ctx, int fd, void *buf, size_t len, uint64_t offset, struct err *e);
    int (*fstat)(void *ctx, int fd, struct file_stat *out, struct err *e);
    /* Follows symbolic links. */
    int (*stat)(void *ctx, const char *path, struct file_stat *out, bool *missing, struct err *e);
    /* Entries but . and .., in no order; hint FILE_OTHER when only stat can tell. Follows links as
     * open does. */
    int (*list)(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                struct err *e);
    void *ctx;
};

extern const struct files files_posix;

#endif
