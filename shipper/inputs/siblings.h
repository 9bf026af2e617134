/* Siblings: the files of one origin (app.log, app.log.1, app.log-20260101, app.log.2.gz), oldest
 * first: those beside each other, and those in a directory below, where logrotate's olddir puts
 * them.
 *
 * A directory is listed once for all the files in it that are asked for one after the other: ten
 * thousand files rotated at once must not mean ten thousand listings. So a round of questions is
 * about files that moved before it began.
 * Owner:  the caller's storage. Thread: the loop's. */
#ifndef SHIP_INPUTS_SIBLINGS_H
#define SHIP_INPUTS_SIBLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/files.h"
#include "shipper/inputs/source_file.h"

struct input;

enum {
    SIBLINGS_MAX = 4096,
    SIBLINGS_OLDDIR_MAX = 16,
    LISTING_MAX = 256 * 1024, /* names; a larger directory is listed for each question */
};

/* The names in one directory, found by the origin that they have. */
struct listing {
    char *directory;     /* NULL: not listed; "" is the root */
    bool is_cut;         /* it has too many: what is here are the siblings of `like` alone */
    const char *like;    /* while it is listed */
    size_t most;         /* 0: LISTING_MAX */
    struct buffer names; /* each with its NUL */
    struct listed *entries;
    size_t n_entries;
    size_t cap;
    uint32_t *buckets; /* by the hash of the origin: the number of an entry, from 1 on */
    size_t n_buckets;  /* a power of two, or 0 */
    char *below[SIBLINGS_OLDDIR_MAX]; /* directories in it */
    size_t n_below;
};

/* Questions that belong together. */
struct siblings_round {
    const struct input *in;
    struct listing here;
    struct listing below[SIBLINGS_OLDDIR_MAX];
};

struct siblings {
    struct sibling {
        char *path;
        struct file_stat st;
        struct file_id id;
        bool is_packed;
    } * items;
    size_t n_items;
    size_t cap;
    bool has_packed; /* a packed one that is read as a file of its own */
};

void siblings_begin(struct siblings_round *round, const struct input *in);
void siblings_end(struct siblings_round *round);
/* Those of the file `like`, it included if it is there. False: the directory could not be looked
 * through, or memory is out, so that absence says nothing. siblings_free either way. */
bool siblings_find(struct siblings_round *round, const char *like, struct siblings *out);
/* Files there that have no rotated name of `like`, and begin as its name does before the last dot:
 * what logrotate's `extension` makes of app.log is app-20260101.log. By the time of their last
 * writing, oldest first. Whether one of them is what is looked for, its identity or its text must
 * tell. */
bool siblings_find_others(struct siblings_round *round, const char *like, struct siblings *out);
void siblings_free(struct siblings *s);

#endif
