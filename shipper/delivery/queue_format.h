/* What the disk queue's files are made of, byte by byte.
 *
 *   NUMBER.segment: a head of 64 bytes, then records: a header of 64 bytes, meta, body.
 *   settled:        which records of which segments need not be sent again.
 *
 * All integers are little-endian; all checksums XXH3, 64 bits. A header names its own place
 * (segment and offset): nothing that was written elsewhere, or into a log line by somebody who
 * knows this format, is taken for a record. Thread: any; pure functions. */
#ifndef SHIP_DELIVERY_QUEUE_FORMAT_H
#define SHIP_DELIVERY_QUEUE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/number_set.h"
#include "shipper/base/slice.h"

enum {
    QUEUE_VERSION = 1,
    QUEUE_HEAD_LEN = 64,
    QUEUE_ENTRY_LEN = 64,
    QUEUE_MAGIC_LEN = 8,
    QUEUE_TYPE_MAX = 24, /* of an output type's name, and its NUL */
};

/* No UTF-8 text has its first byte, so no plain body holds it. */
extern const char queue_entry_magic[QUEUE_MAGIC_LEN];

/* The head of a segment. Every version keeps its place, length and checksum. */
struct queue_head {
    uint64_t segment; /* its number */
    uint64_t first;   /* the number of its first record. Records with this number or a higher one
                         in segments before it were given up, and are not there */
    char type[QUEUE_TYPE_MAX];
};

enum queue_head_state { QUEUE_HEAD_OK, QUEUE_HEAD_NEWER, QUEUE_HEAD_DAMAGED };

void queue_head_write(const struct queue_head *head, char out[QUEUE_HEAD_LEN]);
enum queue_head_state queue_head_read(const char bytes[QUEUE_HEAD_LEN], struct queue_head *out);

/* The header of a record. */
struct queue_entry {
    uint64_t number;
    uint64_t segment;
    uint64_t offset; /* of this header in its file */
    uint32_t meta_len;
    uint32_t body_len;
    uint32_t n_items;
    bool is_packed; /* the body is gzip'd */
    uint64_t content_sum;
    uint64_t sum; /* of this header; it stands for the record, as all else is in it */
};

uint64_t queue_content_sum(struct slice meta, struct slice body);
/* Fills in entry->sum. */
void queue_entry_write(struct queue_entry *entry, char out[QUEUE_ENTRY_LEN]);
/* False: these bytes are no header of a record of this segment at this offset. */
bool queue_entry_read(const char bytes[QUEUE_ENTRY_LEN], uint64_t segment, uint64_t offset,
                      struct queue_entry *out);

static inline uint64_t queue_entry_end(const struct queue_entry *e)
{
    return e->offset + QUEUE_ENTRY_LEN + e->meta_len + e->body_len;
}

/* --- settled --- */

/* Of one segment. What it says holds for the segment with just this first record: a file that was
 * put there by hand has another. */
struct queue_settled_part {
    uint64_t segment;
    uint64_t first_sum; /* queue_entry.sum of its first record */
    const struct number_range *ranges;
    size_t n_ranges;
};

/* Begins; then add each part; then end. */
void queue_settled_begin(struct buffer *out, uint64_t next_number, uint64_t next_segment);
void queue_settled_add(struct buffer *out, const struct queue_settled_part *part);
void queue_settled_end(struct buffer *out);

/* Read back: checked as a whole first; then part for part. */
struct queue_settled {
    uint64_t next_number;
    uint64_t next_segment;
    struct slice parts;
};
bool queue_settled_read(struct slice bytes, struct queue_settled *out);
/* Appends what it says of the segment to *out. False: out of memory. */
bool queue_settled_find(const struct queue_settled *s, uint64_t segment, uint64_t first_sum,
                        struct number_set *out);

/* --- names --- */

enum { QUEUE_NAME_MAX = 48 };
void queue_segment_name(uint64_t segment, char out[QUEUE_NAME_MAX]);
/* False: it is no segment's name. */
bool queue_segment_of(const char *name, uint64_t *segment);
/* Of what is damaged, set aside. */
void queue_damaged_name(uint64_t segment, uint64_t offset, char out[QUEUE_NAME_MAX]);
bool queue_is_damaged_name(const char *name);

#endif
