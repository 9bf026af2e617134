/* Dead letters: events that the far side will never take, kept as NDJSON files.
 *
 * One JSON object a line (shipper/delivery/letter.h). Plain text, appended to dead.ndjson, fsynced
 * before the events count as settled, readable while written, put aside by size
 * (shipper/delivery/letter_files.h).
 * Owner:  the agent. Thread: dead_letters_put on the loop; writing on a thread of its own. */
#ifndef SHIP_DELIVERY_DEAD_LETTERS_H
#define SHIP_DELIVERY_DEAD_LETTERS_H

#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "shipper/base/clock.h"
#include "shipper/base/disk.h"
#include "shipper/base/error.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/pool.h"

struct dead_letters;

/* Written, or (why->code set) not: then nothing is settled, and the caller tries again later. */
typedef void dead_letters_done_fn(void *ctx, struct batch *batch, const struct err *why);

/* `directory` is made when the first letter is written. `writer` is a pool of one thread. */
struct dead_letters *dead_letters_new(const char *directory, struct pool *writer, struct err *e);
/* A file that would grow larger is put aside, and another begun; DEAD_LETTERS_ROTATE if not set. */
enum { DEAD_LETTERS_ROTATE = 16 * 1024 * 1024 };
void dead_letters_rotate_at(struct dead_letters *d, int64_t bytes);
/* Where it writes and what time it is; disk_posix and clock_real if not set. Borrows both. */
void dead_letters_on(struct dead_letters *d, const struct disk *disk, const struct clock *clock);
/* Sets aside those items of the batch whose verdict is VERDICT_REJECTED. The batch is lent until
 * done; `reply` is copied. A batch can be refused while its last chunk is still being worked on:
 * its letters wait until the originals are the loop's (dead_letters_tick). */
void dead_letters_put(struct dead_letters *d, struct batch *batch, const struct sink_reply *reply,
                      const char *output, dead_letters_done_fn *done, void *ctx);
/* Loop: writes what waited for its chunks to be read. */
void dead_letters_tick(struct dead_letters *d);
uint64_t dead_letters_count(const struct dead_letters *d);
const char *dead_letters_path(const struct dead_letters *d);
void dead_letters_free(struct dead_letters *d);

#endif
