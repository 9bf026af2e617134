/* The disk half of a queue: its directory and files. All calls block.
 *
 * What is found when it is opened is never written again: each life begins segments of its own, so
 * nothing that is durable is ever at stake.
 * Owner:  struct queue (queue.c). Thread: one at a time: the loop's in open and close, the writer's
 *         while it runs a job of the queue's. */
#ifndef SHIP_DELIVERY_QUEUE_STORE_H
#define SHIP_DELIVERY_QUEUE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_damage.h"
#include "shipper/delivery/queue_format.h"
#include "shipper/delivery/queue_scan.h"
#include "shipper/delivery/queue_walk.h"

/* A batch on its way to the disk. */
struct queue_put {
    struct queue_put *next;
    struct batch *batch;
    queue_put_fn *done;
    void *ctx;
    int64_t bytes;   /* about what it will take */
    uint64_t number; /* once it is durable; 0: it is not, and why */
    struct err why;
};

struct queue_store {
    char *directory;
    char type[QUEUE_TYPE_MAX];
    const struct disk *disk;
    unsigned output;
    struct budget *budget;
    uint64_t segment_bytes; /* a segment that has so many is ended */
    int dir;
    int lock;

    struct queue_segment *segments; /* by id; while `file` is open the last is being written */
    size_t n_segments;
    size_t cap;
    uint64_t next_number;
    uint64_t next_segment;

    /* Writing. */
    int file;            /* -1: the next batch begins a segment */
    uint64_t file_end;   /* behind the last whole record */
    bool is_name_synced; /* the segment is found after a power cut */
    bool is_spoilt;      /* half a record is at its end, and could not be cut off */
    struct buffer text;

    /* Reading. */
    int read_file; /* -1: none */
    bool has_entry;
    struct queue_walk walk;
    struct buffer meta;

    /* Remembering. */
    uint64_t settled_sum; /* of what was written last */
    int64_t settled_bytes;

    struct queue_damage damage;
};

/* *scan says what waits; its segments are taken. -1 and *e. Whatever comes, queue_store_close. */
int queue_store_open(struct queue_store *s, const struct queue_options *options,
                     struct queue_scan *scan, struct err *e);
void queue_store_close(struct queue_store *s);

/* Appends all of the list, and fills in `number` or `why` of each. What it could not make durable
 * is cut off again, so that it does not come back. */
void queue_store_append(struct queue_store *s, struct queue_put *first);
/* Tries once more to cut off what could not be. */
void queue_store_cut(struct queue_store *s);
/* Something could not be cut off: the next life may find records of batches that were given back.
 * Over as soon as it can be cut, or another batch is durable. */
bool queue_store_is_in_doubt(const struct queue_store *s);

enum queue_read { QUEUE_READ_OK, QUEUE_READ_LOST, QUEUE_READ_FAILED };
/* LOST: it is damaged, and that was counted and noted; FAILED: *e, later perhaps. */
enum queue_read queue_store_read(struct queue_store *s, uint64_t number, struct queue_record **out,
                                 struct err *e);
/* The record cannot be read, and is given up. Its events, as far as its header could be read. */
uint64_t queue_store_give_up(struct queue_store *s, uint64_t number, const struct err *why);

/* Remembers which are settled, and removes the segments that are through; with `is_last` also the
 * one being written. 0, or -1 and *e: what could not be remembered is sent once more. */
int queue_store_remember(struct queue_store *s, const struct number_set *settled, bool is_last,
                         struct err *e);

/* The directory is gone: another in its place. 0, and that was noted; or -1: it cannot be made. */
int queue_store_make_anew(struct queue_store *s);
/* At the end: what of it no next life will find, since somebody deleted its file, is noted. */
void queue_store_note_deleted(struct queue_store *s, const struct number_set *settled);

int64_t queue_store_bytes(const struct queue_store *s);

#endif
