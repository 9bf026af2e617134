/* The files that dead letters are kept in: dead.ndjson, which ships append to, and what was
 * dead.ndjson before (dead-20261124T215937.123456789Z.ndjson), which nobody appends to any more.
 *
 * Appending happens under a lock on the file (flock), and so does putting it aside: whoever gets
 * the lock looks whether the name still means this file. A file that was put aside belongs to
 * whoever holds the directory's lock (letter_files_lock), as `ship dead replay` does: it is made
 * anew beside itself, synced, and takes its place in one step. Errors: ERR_STORE with the path;
 * ERR_BUSY: another process has the lock. Thread: any; blocks. */
#ifndef SHIP_DELIVERY_LETTER_FILES_H
#define SHIP_DELIVERY_LETTER_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/disk.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"

#define LETTER_FILE "dead.ndjson"

/* All paths, the oldest first, dead.ndjson last. */
struct letter_files {
    char **paths;
    size_t n;
};

/* A directory that is not there has none. 0, or -1 and *e; letter_files_free in any case. */
int letter_files_list(const char *directory, struct letter_files *out, struct err *e);
void letter_files_free(struct letter_files *f);

/* --- letter_append.c --- */
/* Appends whole lines and syncs them; before that puts aside a file that they would make larger
 * than rotate_bytes, under a name that says now_ns (wall clock). Makes the directory. Half a line
 * is never left behind. 0, or -1 and *e. */
int letter_files_append(const struct disk *disk, const char *directory, struct slice lines,
                        int64_t rotate_bytes, int64_t now_ns, struct err *e);
/* Puts dead.ndjson aside, whatever its size; ships begin another. */
int letter_files_put_aside(const char *directory, struct err *e);

/* --- letter_files.c --- */

/* A descriptor to close when it is over; -1 and *e (ERR_BUSY: somebody else is at it). */
int letter_files_lock(const char *directory, struct err *e);

/* Each line, without its end, and where it begins. Appends to *out what is to stand in its place,
 * if the file is made anew; else out is NULL. */
typedef void letter_line_fn(void *ctx, uint64_t offset, struct slice line, struct buffer *out);
/* A last line without an end is being written, or torn: it comes too if with_open_line. */
int letter_file_each(const char *path, bool with_open_line, letter_line_fn *fn, void *ctx,
                     struct err *e);

/* --- letter_anew.c --- */

/* Of a file that was put aside, under the directory's lock; `path` has a directory. One without
 * lines is removed. Until its last step the file is as it was, and so it is after an error; but for
 * one in that step itself. */
int letter_file_make_anew(const struct disk *disk, const char *path, letter_line_fn *fn, void *ctx,
                          struct err *e);

#endif
