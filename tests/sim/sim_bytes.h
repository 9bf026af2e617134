/* The bytes of one file as a process sees them, and as the disk has them.
 *
 * A write reaches the disk when it is synced, or, at a power cut, by chance: whole, not, or in some
 * of its sectors. A sync that failed leaves what was to be synced to chance at once, and no later
 * one makes up for it, as with real kernels. Thread: one. */
#ifndef SHIP_TESTS_SIM_BYTES_H
#define SHIP_TESTS_SIM_BYTES_H

#include "shipper/base/buffer.h"
#include "tests/sim/sim_random.h"

struct sim_pending;

struct sim_bytes {
    struct buffer now;
    struct buffer durable;
    struct sim_pending *pending; /* what is not synced, oldest first */
    struct sim_pending *last;
};

void sim_bytes_write(struct sim_bytes *b, size_t offset, struct slice bytes);
/* Shorter, or longer with zeros. */
void sim_bytes_truncate(struct sim_bytes *b, size_t len);
void sim_bytes_sync(struct sim_bytes *b);
void sim_bytes_sync_fails(struct sim_bytes *b, struct random *random);
/* `now` becomes what the disk has. */
void sim_bytes_cut_power(struct sim_bytes *b, struct random *random);
void sim_bytes_free(struct sim_bytes *b);

#endif
