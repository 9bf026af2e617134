/* The disk for what ship itself writes, as a struct disk in memory: dead letters, the disk queue.
 *
 * It does what a real one may: fewer bytes than it was asked for, EINTR, EIO, no room; a failed
 * sync is final; a power cut loses names and bytes that were not synced, and tears writes
 * (sim_bytes.h). Names come back in the order in which they were made: what the disk has of a
 * directory is how it was after some of the changes since its last sync. Full, killed and dying are
 * those of the database's disk (sim_vfs.h): there is one. Directories are there for good once made.
 * Thread: one. */
#ifndef SHIP_TESTS_SIM_OWN_H
#define SHIP_TESTS_SIM_OWN_H

#include "shipper/base/disk.h"
#include "tests/sim/sim_bytes.h"

enum {
    SIM_OWN_DIRS = 4,
    SIM_OWN_NAMES = 256, /* in a directory */
    SIM_OWN_HANDLES = 64,
    SIM_OWN_NAME_MAX = 64,
    SIM_OWN_CHANGES = SIM_OWN_NAMES /* of names, that were not synced */
};

struct sim_own_file {
    struct sim_bytes bytes;
    unsigned n_uses; /* names, changes of names, handles */
    bool is_locked;
};

struct sim_own_name {
    char name[SIM_OWN_NAME_MAX];
    struct sim_own_file *file;
};

struct sim_own_names {
    struct sim_own_name names[SIM_OWN_NAMES];
    size_t n;
};

/* `to` is now `file` (NULL: nothing), and so is nothing `from`. */
struct sim_own_change {
    char from[SIM_OWN_NAME_MAX]; /* "" none */
    char to[SIM_OWN_NAME_MAX];
    struct sim_own_file *file;
};

struct sim_own_dir {
    char path[128]; /* "" free */
    struct sim_own_names now;
    struct sim_own_names durable;
    struct sim_own_change changes[SIM_OWN_CHANGES];
    size_t n_changes;
};

struct sim_own_handle {
    struct sim_own_dir *dir;   /* NULL: free */
    struct sim_own_file *file; /* NULL: it is the directory itself */
    bool is_writable;
    bool has_lock;
};

struct sim_own {
    struct disk disk;
    struct random *random;
    unsigned faults_permille; /* of calls that fail with EIO */
    bool is_blocked;          /* no directory can be opened */
    const char *unsynced;     /* a planted bug: directories whose paths end so are not synced, nor
                                 is what is in them; NULL none */
    struct sim_own_dir dirs[SIM_OWN_DIRS];
    struct sim_own_handle handles[SIM_OWN_HANDLES];
    unsigned n_open;
};

void sim_own_init(struct sim_own *o, struct random *random);
void sim_own_fini(struct sim_own *o);
/* After the death of who used it: all handles are closed. */
void sim_own_revive(struct sim_own *o, bool is_power_cut);
/* Calls fn for each file of a directory: what a process would read. */
typedef void sim_own_file_fn(void *ctx, const char *name, struct slice bytes);
void sim_own_each(const struct sim_own *o, const char *dir, sim_own_file_fn *fn, void *ctx);

#endif
