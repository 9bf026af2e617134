/* What of a disk queue is damaged: counted, told, and copied aside for a person to look at.
 *
 * Owner:  the caller's storage. Thread: one that may block; what is to be told is kept until the
 *         loop takes it. */
#ifndef SHIP_DELIVERY_QUEUE_DAMAGE_H
#define SHIP_DELIVERY_QUEUE_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/disk.h"
#include "shipper/base/error.h"

/* Of one stretch, and of all *.damaged files of a queue. */
enum {
    DAMAGE_COPY_MAX = 1024 * 1024,
    DAMAGE_ASIDE_MAX = 16 * 1024 * 1024,
    DAMAGE_FILES_MAX = 32,
};
enum { QUEUE_NOTES_MAX = 8 };

/* Lines for a person. */
struct queue_notes {
    struct err items[QUEUE_NOTES_MAX];
    size_t n;
    size_t n_left_out;
};

struct queue_damage {
    const struct disk *disk;
    int dir;
    const char *directory; /* for messages */
    bool is_peek;          /* nothing is copied or told */
    int64_t aside_bytes;   /* in *.damaged */
    unsigned n_aside;

    uint64_t records;
    uint64_t events; /* in those of them that still say how many they had */
    int64_t bytes;
    struct queue_notes notes;
};

/* A stretch of a segment's file. */
struct queue_stretch {
    uint64_t segment;
    uint64_t from, to;  /* equal: records are missing, and there are no bytes for them */
    uint64_t n_records; /* lost with it */
    uint64_t n_events;
    const char *what; /* "damaged" */
};

/* `file` is the segment's, open. */
void queue_damage_take(struct queue_damage *d, int file, const struct queue_stretch *stretch);
/* A line about a file of the queue; `name` NULL: about the directory. */
void queue_damage_note(struct queue_damage *d, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
