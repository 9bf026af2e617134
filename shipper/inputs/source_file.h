/* A source over a plain file: bytes at any offset, as long as the file is the one that was opened.
 *
 * A file that was rewritten under our hands looks like one that grew. So the bytes before the place
 * where reading goes on are remembered by a hash, and looked at again before each read: when they
 * are others, read gives nothing more and source_file_is_rewritten says so. Owner:  whoever called
 * source_file_new. The descriptor may be closed while nothing reads, and is opened again by
 * source_file_open; the identity is checked then. Thread: read on a worker, reread on any, the rest
 * on the loop while nothing reads. */
#ifndef SHIP_INPUTS_SOURCE_FILE_H
#define SHIP_INPUTS_SOURCE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/files.h"
#include "shipper/pipeline/stream.h"

struct file_id {
    uint64_t device;
    uint64_t inode;
    uint64_t generation; /* 0 where the file system has no birth times */
};

static inline struct file_id file_id_of(const struct file_stat *st)
{
    return (struct file_id){st->device, st->inode, st->generation};
}

static inline bool file_id_eq(const struct file_id *a, const struct file_id *b)
{
    return a->device == b->device && a->inode == b->inode && a->generation == b->generation;
}

/* Opens a path if it is a regular file and (expected not NULL) the file expected; another one is
 * *missing. The descriptor, with *st filled; -1 and *e. */
int source_open_file(const struct files *files, const char *path, const struct file_id *expected,
                     struct file_stat *st, bool *missing, struct err *e);

struct source_file;

/* Borrows files, copies path. NULL when memory is out. Closed by base.ops->close. */
struct source_file *source_file_new(const struct files *files, const char *path,
                                    const struct file_id *id);
struct source *source_file_base(struct source_file *s);
/* -1 and *e; *missing: this file is not at its path. Does nothing if it is open. */
int source_file_open(struct source_file *s, bool *missing, struct err *e);
void source_file_shut(struct source_file *s);
bool source_file_is_open(const struct source_file *s);
int source_file_stat(struct source_file *s, struct file_stat *out, struct err *e);
/* The file was renamed. NULL: it has no path any more. Copies; false when memory is out. */
bool source_file_move(struct source_file *s, const char *path);
/* Reading will go on at offset, and what stands before it now is what was read in an earlier life.
 */
void source_file_trust(struct source_file *s, uint64_t offset);
/* The same, and what stood before it then had this mark: the next read compares. */
void source_file_expect(struct source_file *s, uint64_t offset, uint64_t mark);
/* The bytes before offset have this mark; false also when they cannot be read now. */
bool source_file_has_mark(struct source_file *s, uint64_t offset, uint64_t mark);
/* Whether the bytes before offset are others than those that a source's mark there was made of.
 * False also when they cannot be read now. */
bool source_file_lacks_mark(const struct files *files, int fd, uint64_t offset, uint64_t mark);
/* NULL: it has none. Borrowed until source_file_move. */
const char *source_file_path(const struct source_file *s);
/* The bytes before the position are not the ones that were read. */
bool source_file_is_rewritten(const struct source_file *s);
/* The file now belongs to another generation: gives its descriptor (or -1) to the caller and never
 * reads again. */
int source_file_resign(struct source_file *s);
/* Takes over a descriptor; -1 is none. */
void source_file_adopt(struct source_file *s, int fd);

#endif
