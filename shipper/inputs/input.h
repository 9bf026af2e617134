/* An input: finds streams and asks for their bytes, when the budget lets it.
 *
 * A new input is a file pair with a `const struct input_ops`, a row in config/registry.c, a test
 * and a line in the README.
 * Thread: the loop's only; reading itself happens on workers (shipper/pipeline/chunk.h). */
#ifndef SHIP_INPUTS_INPUT_H
#define SHIP_INPUTS_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/parser.h"
#include "shipper/base/buffer.h"
#include "shipper/base/clock.h"
#include "shipper/base/error.h"
#include "shipper/base/files.h"
#include "shipper/base/option.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/budget.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/pool.h"
#include "shipper/pipeline/stream.h"

struct checkpoints;
struct ev_loop;
struct handover;

/* What every input can be told; the keys beside the input's own (config/config.h has their table).
 */
struct input_common {
    const char *name;     /* for messages and metrics */
    const char *function; /* faas.name for lines that do not say theirs; NULL: from the path */
    const char *dataset;  /* event.dataset */
    int64_t max_line_bytes;
    int64_t chunk_bytes; /* how much is read at once */
    bool with_invocations;
    struct join_options join;       /* how lines become records */
    int id_mode;                    /* enum id_mode */
    const char *namespace;          /* the key that the application's own keys stand under */
    bool with_original;             /* event.original: the line as it was read */
    struct option_map lift;         /* the application's keys that stand at the root, and as what */
    struct option_map labels;       /* added to every event */
    const struct time_rules *times; /* of the parser, once finished; NULL: none */
};

enum id_mode { ID_AUTO, ID_NONE };

struct input_stats {
    uint64_t bytes; /* read, plain */
    uint64_t lines;
    uint64_t events;      /* made of them, invocations included; not times outputs */
    uint64_t truncated;   /* lines cut at max_line */
    uint64_t lost_bytes;  /* provably gone before they were read (truncation, deletion) */
    uint64_t errors;      /* files that could not be read, or not to their end */
    uint64_t streams;     /* open now */
    uint64_t total_bytes; /* of all that is known to be readable, for progress; 0 unknown */
};

/* Lent to an input for its life. */
struct input_world {
    const struct clock *clock;
    const struct files *files;
    struct pool *pool;
    struct lanes *lanes;
    struct budget *budget;
    struct tracker *tracker;
    struct checkpoints *checkpoints; /* NULL: one-shot, nothing is remembered */
    struct ev_loop *loop;            /* for watchers; NULL in the simulator */
    const char *host;                /* host.name and the origin's host */
    bool is_replay;                  /* read to the end, then be done */
    unsigned n_descriptors;          /* for the files that an input has open; 0: no limit of ours */
    /* Files and directories that ship writes itself: no glob and no directory finds them. */
    struct option_list own_files;
    struct handover *handover; /* from the agent before; NULL or empty: there is none */
    /* One line for a person, on the log: the input says what it decided (a file that cannot be
     * read, bytes that were lost). ERR_NONE: nothing is wrong, as when logrotate truncates. */
    void (*log)(void *ctx, const struct err *what);
    void *log_ctx;
};

/* Validates what is beyond the types. 0, or -1 and *e. */
int input_common_validate(const struct input_common *common, struct err *e);
/* How its streams' lines are read; borrows the parser. */
struct stream_options input_stream_options(const struct input_common *common,
                                           const struct parser *parser,
                                           const struct input_world *world);
/* What a chunk is given of the budget before it is read: for its lines, and for what is made of
 * them for each output. */
int64_t input_reserve_bytes(int64_t chunk_bytes, const struct input_world *world);
/* What every event of a stream carries, from the input's options; path, host and function are the
 * caller's to set. */
void input_profile_parts(const struct input_common *common, struct profile_parts *out);

struct input; /* one opened input */

struct input_ops {
    const char *name;
    const char *help;
    struct option_table options;
    int (*validate)(const void *options, struct err *e); /* may be NULL */
    /* For `ship check`: what it would find now, a line each ("  x.log: 1 file, 1.2 MB"), into
     * *out. False: something is there and cannot be read. Changes nothing. May be NULL. */
    bool (*check)(const void *options, const struct files *files, struct buffer *out);
    /* Whether two inputs of this kind would read the same, with the first thing that both have in
     * *what. May be NULL: they cannot. */
    bool (*overlaps)(const void *options, const void *others, const struct files *files,
                     struct buffer *what);
    /* `options`, `common` and `parser` are borrowed for the input's life. NULL and *e. */
    struct input *(*open)(const void *options, const struct input_common *common,
                          const struct parser *parser, const struct input_world *world,
                          struct err *e);
    /* Starts what may be read now; returns when it wants to be called again (mono_ms). */
    int64_t (*tick)(struct input *in, int64_t now_ms);
    /* Replay: all has been read (settled or not). Never true for a live input that follows. */
    bool (*is_finished)(const struct input *in);
    const struct input_stats *(*stats)(const struct input *in);
    /* Bytes that are known to be there and are not settled. NULL: it cannot know. */
    uint64_t (*lag_bytes)(const struct input *in);
    /* Reads no more from now on; chunks in work still come back. May come again, and after pause.
     */
    void (*stop)(struct input *in);
    /* After the pool's end, while the checkpoints are open: what outputs have had of its streams
     * behind their positions goes there, for the next start (pipeline/had.h). May be NULL. */
    void (*note_had)(struct input *in);
    /* What only this input has, for the next one of its kind, after the pool's end and before
     * close. May be NULL. */
    void (*hand_over)(struct input *in, struct handover *out);
    /* For a source that cannot be asked again; else these are NULL.
     * pause: as stop, but another input of this kind goes on: nothing is ended.
     * unsettled: events that were read and are nowhere else, an open line counted as one. */
    void (*pause)(struct input *in);
    uint64_t (*unsettled)(const struct input *in);
    /* After the pool is idle or gone. */
    void (*close)(struct input *in);
};

extern const struct input_ops input_file;
extern const struct input_ops input_stdin;

#endif
