/* A disk under SQLite: in memory, with what a real one does when ship or the machine dies.
 *
 * A killed ship leaves what it wrote. A power cut loses or tears, write by write, what was not
 * synced. A full disk takes no more bytes. There is one in a process, since SQLite's list of them
 * is. Thread: one. */
#ifndef SHIP_TESTS_SIM_VFS_H
#define SHIP_TESTS_SIM_VFS_H

#include <stdbool.h>

#include "tests/sim/sim_random.h"

/* Registers it as SQLite's default, empty. */
void sim_vfs_init(struct random *random);
void sim_vfs_fini(void);

void sim_vfs_set_full(bool is_full);
/* The process dies with the nth write from now on (that one is not made): nothing reaches the disk
 * any more until sim_vfs_revive. 0: not by itself. */
void sim_vfs_die_at(unsigned n);
void sim_vfs_die(void);
bool sim_vfs_is_dead(void);
/* For what else is on this disk: a write is about to be made. False: the process is dead, or dies
 * with it. */
bool sim_vfs_may_write(void);
bool sim_vfs_is_full(void);
/* The next process finds what is there: all that was written, or, after a power cut, all that was
 * synced and some of the rest. */
void sim_vfs_revive(bool is_power_cut);

#endif
