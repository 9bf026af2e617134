/* A disk in memory, as a struct disk: it fails on demand, remembers what was done in which order,
 * and can be made anew as a power cut would have left it.
 *
 * One directory, whatever its path. Thread: one. */
#ifndef SHIP_TESTS_SUPPORT_MEMORY_DISK_H
#define SHIP_TESTS_SUPPORT_MEMORY_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/disk.h"

enum {
    MEMORY_DISK_NAMES = 64,
    MEMORY_DISK_HANDLES = 32,
    MEMORY_DISK_NAME_MAX = 64,
};

/* Kinds of calls, as bits: which of them are to fail. */
enum disk_call {
    DISK_CALL_OPEN = 1,
    DISK_CALL_READ = 2,
    DISK_CALL_WRITE = 4,
    DISK_CALL_SYNC = 8,
    DISK_CALL_TRUNCATE = 16,
    DISK_CALL_RENAME = 32,
    DISK_CALL_REMOVE = 64,
    DISK_CALL_SYNC_DIR = 128,
    DISK_CALL_LIST = 256,
    DISK_CALL_ALL = 511,
};

/* What was changed, in its order. */
struct disk_step {
    enum disk_call call; /* OPEN: made */
    size_t file;         /* WRITE, TRUNCATE, SYNC, OPEN */
    uint64_t offset;     /* TRUNCATE: the length */
    struct slice bytes;
    char name[MEMORY_DISK_NAME_MAX];
    char to[MEMORY_DISK_NAME_MAX];
};

struct memory_disk {
    struct disk disk;

    /* Faults: of the calls in `calls`, the fail_at-th from now on (1: the next; 0: none) and the
     * fail_for - 1 after it answer `error`. A write puts half of its bytes there before. */
    unsigned calls;
    unsigned fail_at;
    unsigned fail_for;
    int error;       /* negative; -EINTR too */
    bool is_short;   /* instead: they do half of what they were asked to */
    bool has_failed; /* one did */
    unsigned n_calls;

    bool is_recording;
    struct disk_step *steps;
    size_t n_steps;
    size_t steps_cap;

    /* Files live on while they have a name or are open; numbers are not used again. */
    struct buffer *files;
    size_t n_files;
    struct {
        char name[MEMORY_DISK_NAME_MAX]; /* "" free */
        size_t file;
    } names[MEMORY_DISK_NAMES];
    struct {
        bool is_open;
        bool is_dir;
        bool has_lock;
        unsigned flags;
        size_t file;
    } handles[MEMORY_DISK_HANDLES];
};

void memory_disk_init(struct memory_disk *d);
void memory_disk_fini(struct memory_disk *d);
/* From now on; calls 0: no faults. Forgets that one has failed. */
void memory_disk_fault(struct memory_disk *d, unsigned calls, int error, unsigned at,
                       unsigned how_many);
/* Whoever had files open is gone. */
void memory_disk_kill(struct memory_disk *d);

/* The file's bytes, to look at or to change; NULL: there is none. */
struct buffer *memory_disk_file(struct memory_disk *d, const char *name);
/* The name of the n-th file whose name ends so; NULL. */
const char *memory_disk_find(const struct memory_disk *d, const char *ending, size_t n);
/* *to becomes a copy of the files and names; it has no faults and records nothing. */
void memory_disk_copy(const struct memory_disk *from, struct memory_disk *to);

/* What becomes of a step that was not synced when the power went. */
enum step_fate {
    STEP_KEPT,
    STEP_DROPPED,
    STEP_TORN,   /* the first half of a write */
    STEP_ZEROED, /* the file is as long, but has zeros there */
};
typedef enum step_fate step_fate_fn(void *ctx, size_t step);
/* *to: what `base` and the first n steps of `d` would have left on the disk. `fate` is asked of
 * each of them that no sync came after. */
void memory_disk_after_power_cut(const struct memory_disk *base, const struct memory_disk *d,
                                 size_t n, step_fate_fn *fate, void *ctx, struct memory_disk *to);

#endif
