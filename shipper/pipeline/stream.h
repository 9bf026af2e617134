/* A stream: what has an order and a position. One file generation, or standard input.
 *
 * Owner:  the input that found it; it stays until its last chunk is settled.
 * Thread: a stream has at most one chunk in work. While it has, the worker may touch what is marked
 *         (worker); the loop touches the rest, and all of it between chunks. So nothing is locked.
 */
#ifndef SHIP_PIPELINE_STREAM_H
#define SHIP_PIPELINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "parsers/parser.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/hash.h"
#include "shipper/pipeline/correlate.h"
#include "shipper/pipeline/event.h"
#include "shipper/pipeline/had.h"
#include "shipper/pipeline/join.h"

struct chunk;
struct line_work;
struct source;

/* Where a stream's bytes come from. (worker) */
struct source_ops {
    /* Up to cap bytes of plain text from `offset` on; 0: nothing more for now; -1 and *e (ERR_BUSY:
     * it takes long, ask again). A source that cannot seek is always asked for the byte after the
     * last it gave. */
    ssize_t (*read)(struct source *s, uint64_t offset, char *buf, size_t cap, struct err *e);
    /* The bytes at offset once more, for a dead letter. False: gone, or it cannot seek; the stream
     * then keeps what is unsettled itself (chunk.raw). Any thread, while nothing reads. May be
     * NULL. */
    bool (*reread)(struct source *s, uint64_t offset, char *buf, size_t len);
    /* A hash of the bytes before offset, which was the end of a read or of a line in it; 0: not
     * known. After a restart it tells whether this is still the text that was read. May be NULL. */
    uint64_t (*mark)(const struct source *s, uint64_t offset);
    /* Of an offset inside what was read last: `before` stood in front of it, perhaps less than a
     * mark takes; then the source adds what it knows. mark() knows it from now on. May be NULL. */
    void (*mark_inside)(struct source *s, uint64_t offset, struct slice before);
    void (*close)(struct source *s);
};

struct source {
    const struct source_ops *ops;
};

/* What a line becomes instead of what line_process makes of it; `offset` is in the stream. False:
 * out of memory, as line_process. (worker) */
typedef bool stream_take_fn(struct line_work *work, struct slice line, uint64_t offset);

/* How the input wants its lines read; borrowed from the configuration. */
struct stream_options {
    const struct parser *parser;
    const struct time_rules *times; /* NULL: none */
    int64_t max_line_bytes;
    int64_t chunk_bytes;   /* read at once; 0: 256 KiB */
    bool with_invocations; /* one summary event a request */
    bool is_live;         /* a tail: undated lines carry the file's identity in their id, and may be
                             stamped with the file's time */
    stream_take_fn *take; /* lines that are no log lines; NULL: line_process */
    struct join_options join;
};

struct stream {
    const struct stream_options *options;
    struct stream_profile profile;
    struct source *source; /* (worker) */
    void *owner;           /* the input's own record of it */

    /* What every event id of the stream grows from (DESIGN.md, "The id"): origin and first line;
     * for undated live lines the file's identity too. (worker) */
    struct hash128 origin_key; /* host and path: known when it is opened */
    struct hash128 file_key;   /* device, inode, generation: mixed in for undated live lines */
    struct hash128 id_key;     /* origin_key and the first line: valid once has_head */
    struct hash128 undated_key;
    uint64_t head_hash; /* of the first line, its first HEAD_MAX bytes */
    bool has_head;

    struct correlate correlate; /* (worker) */
    uint64_t position;          /* next byte to read: after the last whole line. (worker) */
    uint64_t mark;              /* the source's, at position; 0 unknown. (worker) */
    bool holds_elders;  /* the summary that correlate holds back is of the file before. (worker) */
    bool has_inherited; /* correlate began as the file before it ended, or without, since that is
                           not known; not to be done twice */
    bool is_aside;      /* where it belongs among the files of its origin is not known: what comes
                           after it inherits nothing */
    bool is_in_long_line; /* the rest of a line that was cut is skipped. (worker) */
    bool is_sequential;   /* the source cannot seek: `carry` keeps the open line. (worker) */
    bool has_open_record; /* `carry` begins with a record that may go on. (worker) */
    struct buffer carry;  /* read, and behind `position` */
    bool keeps_state;     /* no store has its position and no source its bytes: the stream keeps the
                             one, its chunks the other until they are settled */

    int64_t reserved_bytes; /* budget that was taken for its next chunk; chunk_start's */
    struct had_list had;    /* by each output, in an earlier life; (worker) may look */

    /* The tracker's: chunks that are not settled yet, oldest first. */
    struct chunk *oldest;
    struct chunk *newest;
    uint64_t settled_position;   /* everything before it is delivered or set aside */
    struct buffer settled_state; /* stream_state_save there, if keeps_state */
    int64_t mtime_ns;            /* when it was last written, as the input saw it; 0 unknown */
    const char *key;             /* of its checkpoint; NULL: it has none (replay, standard input) */
    bool is_stand_in; /* for one whose events wait in a disk queue: shipper/delivery/queue_record.h
                       */
};

enum { HEAD_MAX = 1024 };

/* Sets the keys that the origin gives. `host` and `path` are borrowed through the profile. The file
 * numbers only matter for live streams. */
void stream_set_origin(struct stream *s, struct slice host, struct slice path, uint64_t device,
                       uint64_t inode, uint64_t generation);
/* The first line is known (from the bytes, or from the checkpoint as its hash). */
void stream_set_head(struct stream *s, uint64_t head_hash);
/* The hash of a first line, or of as much of it as counts. */
uint64_t stream_head_hash(struct slice first_line);

/* Something comes out when the stream has been quiet for a while (CHUNK_IDLE): a summary, or a
 * record that might have gone on. */
bool stream_is_holding(const struct stream *s);

/* Another source is read from the position on: what was read behind it is nothing any more. */
void stream_drop_rest(struct stream *s);

/* "app.log" of "app.log", "app.log.1", "app.log.2.gz", "app.log-20260101.zst": the path with what
 * rotation and compression add taken off. A part of `path`. */
struct slice stream_origin_path(struct slice path);

/* Builds profile.static_json and static_path_json into *store, which must outlive the stream. */
struct profile_parts {
    struct slice host, path, function, dataset;
    const char *const *label_keys, *const *label_values; /* added to every event under labels.* */
    size_t n_labels;
    bool has_id;
    bool with_original;
    struct slice namespace;                           /* empty: "app" */
    const char *const *lift_keys, *const *lift_names; /* borrowed for the stream's life */
    size_t n_lifts;
};
void stream_profile_build(struct stream_profile *p, const struct profile_parts *parts,
                          struct buffer *store);

/* What the checkpoint keeps beside the position: correlation, head, mark, long-line state. */
void stream_state_save(const struct stream *s, struct buffer *out);
int stream_state_load(struct stream *s, struct slice bytes, struct err *e);
/* The mark in a saved state; 0: it has none. */
uint64_t stream_state_mark(struct slice bytes);

#endif
