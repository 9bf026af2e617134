/* A directory of log files in memory, as a struct files: names, inodes, generations, descriptors.
 *
 * Who holds a descriptor reads on when the name is gone; the number of an inode that nobody holds
 * may be given out again. Thread: one. */
#ifndef SHIP_TESTS_SIM_DISK_H
#define SHIP_TESTS_SIM_DISK_H

#include "shipper/base/buffer.h"
#include "shipper/base/files.h"
#include "tests/sim/sim_random.h"

enum { SIM_NAMES_MAX = 64, SIM_FDS_MAX = 128, SIM_NAME_MAX = 32 };

#define SIM_LOGS "/logs"

struct sim_inode {
    uint64_t number;
    uint64_t generation;
    int64_t mtime_ns;
    struct buffer bytes;
    unsigned n_names;
    unsigned n_open;
    bool is_copy; /* made by sim_disk_copy */
};

struct sim_disk {
    struct files files;
    struct random *random;
    int64_t now_ns;
    bool has_birth_times;
    bool reuses_numbers;      /* of inodes */
    int n_may_open;           /* descriptors; more is EMFILE */
    unsigned faults_permille; /* of opens and reads that fail for once */

    struct {
        char name[SIM_NAME_MAX]; /* below SIM_LOGS; "" free */
        struct sim_inode *inode;
    } names[SIM_NAMES_MAX];
    struct sim_inode *fds[SIM_FDS_MAX];
    int n_open;
    uint64_t last_number;
    uint64_t n_born;
    uint64_t free_numbers[SIM_NAMES_MAX];
    size_t n_free;
};

void sim_disk_init(struct sim_disk *d, struct random *random);
void sim_disk_fini(struct sim_disk *d);

/* What writers do. The file there, or NULL. */
struct sim_inode *sim_disk_find(const struct sim_disk *d, const char *name);
/* Makes it if it is not there. */
struct sim_inode *sim_disk_append(struct sim_disk *d, const char *name, const char *text);
void sim_disk_append_to(struct sim_disk *d, struct sim_inode *inode, const char *text);
/* Replaces what is at `to`. */
void sim_disk_rename(struct sim_disk *d, const char *from, const char *to);
void sim_disk_copy(struct sim_disk *d, const char *from, const char *to);
void sim_disk_truncate(struct sim_disk *d, const char *name);
void sim_disk_remove(struct sim_disk *d, const char *name);

#endif
