/* A tail: one generation of a file, from its discovery until all of it is settled.
 *
 *   HELD     its predecessor at the same path is still being read
 *   WAITING  read to its end, for now
 *   READY    there is something to read, and no chunk in work
 *   BUSY     a chunk is in work
 *   DRAINED  read to its end for good; it stays until its last event is settled
 *
 * A tail is at a spot (a path that the configuration names), or away: renamed to where we do not
 * look, or deleted. Away, it is read until it has been quiet for a grace period, then drained. When
 * a spot's file changes, the new one is held until the old one is drained, and inherits what
 * correlation knows. What is decided here is pure: no clock, no I/O; the lists are file_read.c's.
 * Owner:  struct file_input, from tail_new to tail_free. Thread: the loop's, but for stream's
 *         (worker) parts. */
#ifndef SHIP_INPUTS_TAIL_H
#define SHIP_INPUTS_TAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/files.h"
#include "shipper/inputs/list.h"
#include "shipper/inputs/source_file.h"
#include "shipper/inputs/source_packed.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"

struct spot;

enum tail_state { TAIL_HELD, TAIL_WAITING, TAIL_READY, TAIL_BUSY, TAIL_DRAINED };

enum { TAIL_KEY_MAX = 80 };

struct tail {
    struct stream stream;
    struct file_id id;
    unsigned n_rewritten;     /* generations before it in the same inode */
    struct source_file *file; /* one of the two is the stream's source */
    struct source_packed *packed;
    bool is_packed;
    char *path;      /* where it was discovered: what its events say */
    char *copy_path; /* its own file is gone: the one that has its text, and that nobody writes to.
                      * NULL: it has its own */
    char key[TAIL_KEY_MAX]; /* of its checkpoint */
    struct buffer profile;  /* behind stream.profile */

    enum tail_state state;
    enum chunk_purpose purpose; /* of the chunk in work */
    bool has_news;              /* something changed while it was busy */
    bool wants_finish;          /* nothing more will come: the next chunk is the last */
    bool has_complained;
    bool is_missing;    /* when it was last to be opened, its path led to nothing or another file */
    bool is_given_up;   /* it is there, and could not be read to its end */
    bool is_left;       /* to the next agent's input, which goes on with it */
    bool is_gone;       /* deleted: nothing on disk has its identity any more */
    bool has_shrunk;    /* below the position: what was seen beyond that is provably gone */
    bool wants_end_cut; /* as soon as the record that was open is out: file_cut.c */
    bool is_cut;        /* truncated or written anew: its text is sought in a copy */
    bool has_copy;      /* and there is one */
    bool is_superseded; /* its inode has another generation's content now */
    bool is_counted;    /* in stats.total_bytes */
    bool is_held;       /* away, and its descriptor may be all that is left of it */

    uint64_t had_end;  /* what stream.had is of was read up to here in an earlier life, ... */
    uint64_t had_mark; /* ... with this mark there */

    int64_t bite_bytes; /* read last; more than a chunk if its lines are longer */

    /* What is known of its end. */
    uint64_t size;      /* when it was last looked at */
    uint64_t read_size; /* everything up to here was read, but for an open last line */
    int64_t read_mtime_ns;
    int64_t grown_ms;   /* when it was last seen to have news */
    int64_t away_ms;    /* when it lost its spot, or was found away */
    int64_t failing_ms; /* since when it cannot be read; 0: it can */
    unsigned n_failed;  /* tries since then, and none that worked between them */
    int64_t quiet_ms;   /* when reading last came to its end */
    int64_t found_ns;   /* when it was discovered, by the wall clock */
    int64_t seen_ns;    /* when it was last found at its spot, by the same */

    struct spot *spot; /* NULL: away */
    struct spot *left; /* whose `previous` it is */
    struct tail *predecessor;
    struct tail *successor;

    struct tail *next_by_id;
    struct link all;
    struct link run;   /* ready, or settling */
    struct link idle;  /* open and waiting, longest first; or, packed, cut */
    struct link quiet; /* waiting with a summary held back, longest first */
    struct link away;
    struct link seek;     /* its text is gone, and nobody has looked yet for a copy of it ... */
    int64_t seek_ms;      /* ... since then */
    struct link homeless; /* away, and nobody has looked yet where it went */
};

/* Copies path; everything else is the caller's to fill in. NULL when memory is out. */
struct tail *tail_new(const char *path, const struct file_id *id, unsigned n_rewritten);
/* Closes its source too. NULL is fine. */
void tail_free(struct tail *t);

/* "file:DEVICE:INODE:GENERATION", hexadecimal; ":N" more after the Nth rewriting. */
void tail_write_key(char key[TAIL_KEY_MAX], const struct file_id *id, unsigned n_rewritten);

bool tail_is_open(const struct tail *t);
int tail_stat(struct tail *t, struct file_stat *st, struct err *e);

enum tail_news { TAIL_NOTHING, TAIL_GROWN, TAIL_REWRITTEN };
/* A fresh look at the file. */
enum tail_news tail_look(struct tail *t, const struct file_stat *st, int64_t now_ms);
/* All that was there when `purpose` was started has been read. */
void tail_reached_end(struct tail *t, int64_t now_ms);
/* Bytes that were seen on disk and never read, when what is there now is something else. Here and
 * below, those of a packed file that are not unpacked count as they are. */
uint64_t tail_lost_bytes(const struct tail *t);
/* Bytes that may be lost yet; with a chunk in work at most so many. */
uint64_t tail_unread_bytes(const struct tail *t);
/* The same when ship ends: those that were read and not delivered too, of a file that is gone. */
uint64_t tail_lost_at_end(const struct tail *t);

enum tail_step {
    TAIL_STAY,
    TAIL_FINISH,  /* quiet for the grace period: read what is left as the last */
    TAIL_RELEASE, /* it goes on growing although its successor is there: do not hold that up */
    TAIL_CLOSE,   /* drained, and quiet since */
};
/* When it is looked at. */
struct tail_moment {
    int64_t now_ms;
    int64_t wall_ns;
    int64_t grace_ms;
};

/* For a tail that is away. Its time of modification tells how long it has been quiet before anybody
 * looked: of generations that were rotated away one after the other, none waits for a grace period
 * of its own. */
enum tail_step tail_away_step(const struct tail *t, const struct tail_moment *moment);

#endif
