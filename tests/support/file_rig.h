/* A rig for the file input: a directory, a clock that is held, the real pipeline with no threads,
 * and an output that writes lines down and settles them. */
#ifndef SHIP_TESTS_SUPPORT_FILE_RIG_H
#define SHIP_TESTS_SUPPORT_FILE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/inputs/file_input.h"

struct rig {
    char dir[64];
    int64_t now_ms;
    int64_t wall_ns; /* at now_ms 0 */
    struct clock clock;
    struct files files;       /* files_posix, less what the test takes away */
    const char *denied;       /* a path whose opening fails */
    const char *denied_below; /* paths that begin so and whose listing fails; NULL: none */
    uint64_t unreadable_from; /* reading from there on fails; 0: nothing does */
    bool has_no_births;       /* as on file systems without birth times */
    int n_may_open;           /* descriptors left; negative: any number */
    int n_opened;
    int n_listed;                  /* directories */
    void (*on_end)(struct rig *r); /* once, when a worker has met the end of a file */
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct pool *writer;
    struct lanes *lanes;
    struct checkpoints *checkpoints;
    struct file_options options;
    struct input_common common;
    struct parser parser;
    struct input_world world;
    struct input *input;
    struct buffer out; /* the lines that came out, each with its newline; those that have a request
                          (which takes another parser than the rig's) behind "[its id] " */
    struct buffer ids; /* their ids, a line each */
    struct buffer log;
    bool is_stalled; /* batches are kept, not settled */
    struct batch *kept;
    const char *paths[4];
    const char *exclude[4];
};

void rig_init(struct rig *r);
void rig_fini(struct rig *r);
/* Opens the input on a pattern below the directory; true if it opened. */
bool rig_open(struct rig *r, const char *pattern);
bool rig_replay(struct rig *r, const char *pattern, struct err *e);
/* Closes the input and the store: the next rig_open is a restart. */
void rig_close(struct rig *r);
/* The next input opens, has what the one before it leaves to it, and knows what the output has had.
 */
void rig_reload(struct rig *r, const char *pattern);
/* Lets so much time pass, in steps, doing all there is to do. */
void rig_run(struct rig *r, int64_t ms);
/* Settles what was kept back; or the output never answers any more. */
void rig_release(struct rig *r);
void rig_drop_kept(struct rig *r);

/* Paths are below the directory. */
const char *rig_path(struct rig *r, const char *name);
void rig_write(struct rig *r, const char *name, const char *text);  /* new or written over */
void rig_append(struct rig *r, const char *name, const char *text); /* made if missing */
void rig_rename(struct rig *r, const char *from, const char *to);
void rig_truncate(struct rig *r, const char *name, long len);
void rig_delete(struct rig *r, const char *name);

/* What came out since the last call, as one text. */
void rig_expect(struct rig *r, const char *lines, const char *because);

#endif
