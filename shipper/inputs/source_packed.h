/* A source over a .gz or .zst file: plain text in order, inflated as it is asked for.
 *
 * gzip (RFC 1952) with any number of members, zstd (RFC 8878) with any number of frames. Bytes
 * behind the last one that are neither are left alone. A file that ends in the middle may still be
 * growing: read gives 0, and goes on when there is more. Damaged data: what was inflated before it
 * is given out, then read fails once, and is at its end. Memory: one inflater and PACKED_IN_MAX
 * bytes of input; and for zstd a window, whose ceiling is the caller's. A read that would take
 * long, since much unpacks to nothing or is passed over, fails with ERR_BUSY, and goes on when it
 * is asked again. Thread: read on a worker, the rest on the loop while nothing reads. */
#ifndef SHIP_INPUTS_SOURCE_PACKED_H
#define SHIP_INPUTS_SOURCE_PACKED_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/files.h"
#include "shipper/pipeline/stream.h"

enum { PACKED_IN_MAX = 64 * 1024 };

/* The largest window that a zstd frame may ask for, as a power of two: it is memory beside
 * limits.memory, for a file that anybody may have put there. */
enum packed_window {
    PACKED_WINDOW_SERVICE = 23, /* 8 MiB: what RFC 8878 asks of all, and levels to 19 want */
    PACKED_WINDOW_REPLAY = 27,  /* 128 MiB, as zstd -d itself: somebody named the file */
};

enum packing { PACKING_GZIP, PACKING_ZSTD };

/* By the name's end: .zst is zstd, anything else gzip. */
enum packing packing_of(const char *path);

enum packed_end {
    PACKED_WHOLE,   /* at the end of a member or frame, and nothing follows */
    PACKED_CUT,     /* in the middle: still being written, or cut short */
    PACKED_GARBAGE, /* whole, with something else behind it */
    PACKED_BROKEN,  /* damaged: read said so */
};

/* How much text an open packed file has, as far as its format says it without unpacking: gzip the
 * last 32 bits of the last member's, zstd the first frame's. *mask: the bits that are known; 0:
 * none. */
uint64_t source_packed_size(const struct files *files, int fd, const char *path,
                            uint64_t packed_bytes, uint64_t *mask);

struct source_packed;

/* Takes the descriptor (also when it fails), borrows files, copies path (for messages). NULL when
 * memory is out. Closed by base.ops->close. */
struct source_packed *source_packed_new(const struct files *files, int fd, const char *path,
                                        enum packed_window window);
struct source *source_packed_base(struct source_packed *s);
/* How things stand where reading is now; meaningful after read gave 0 or failed. */
enum packed_end source_packed_end(const struct source_packed *s);
/* Reading will begin at offset, and what stands before it there had this mark (source_mark.h). */
void source_packed_expect(struct source_packed *s, uint64_t offset, uint64_t mark);
/* It is shorter, or another text: nothing of it is given out. Meaningful as source_packed_end. */
bool source_packed_is_other(const struct source_packed *s);
int source_packed_stat(struct source_packed *s, struct file_stat *out, struct err *e);
/* Packed bytes that have been taken in, for progress. */
uint64_t source_packed_taken(const struct source_packed *s);
/* Gives its descriptor (or -1) to the caller; nothing will be read any more. */
int source_packed_resign(struct source_packed *s);
/* Gives up descriptor and inflater: nothing will be read any more. */
void source_packed_shut(struct source_packed *s);

#endif
