/* An output: encodes events on workers, delivers batches on the loop, answers with verdicts.
 *
 * Outputs know the protocol. Retry, backoff, splitting, dead letters and acknowledgement are the
 * delivery engine's (shipper/delivery/engine.h), the same for every output.
 * A new output is a file pair with a `const struct output_ops`, a row in config/registry.c, a test
 * and a line in the README. */
#ifndef SHIP_OUTPUTS_OUTPUT_H
#define SHIP_OUTPUTS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/clock.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"
#include "shipper/pipeline/batch.h"

struct event;
struct transport;

/* What becomes of one event. */
enum verdict {
    VERDICT_DELIVERED,
    VERDICT_DUPLICATE, /* it was there already: an earlier try landed. Success */
    VERDICT_RETRY,     /* not now: try this one again */
    VERDICT_DOUBT,     /* the far side broke on it: the same, but not for ever */
    VERDICT_HOLD,      /* nothing wrong with the event, but someone must mend the far side */
    VERDICT_REJECTED,  /* these bytes will never be taken: dead letter */
};

/* What the far side said about a batch as a whole. */
enum sink_outcome {
    SINK_ITEMS, /* verdicts[i] for each item */
    SINK_RETRY, /* nothing known to be stored; try the whole batch again (ambiguous failures too) */
    SINK_HOLD,  /* credentials, read-only: keep everything, tell, try again slowly */
    SINK_SPLIT, /* too large (413): halve it; a single event is then rejected */
    SINK_BISECT, /* refused as a whole for what one event may have done: halve it likewise */
    SINK_CLOSED, /* the reader has gone for good (EPIPE on standard output): stop quietly */
};

/* Why item `index` was rejected; texts are the reply's to keep. */
struct rejection {
    size_t index;
    int status;
    const char *type;   /* "document_parsing_exception" */
    const char *reason; /* may quote the event: for the dead letter, never for logs */
};

struct sink_reply {
    enum sink_outcome outcome;
    enum verdict *verdicts;       /* SINK_ITEMS: n_items of them */
    struct rejection *rejections; /* of those rejected, or in doubt; by index, ascending */
    size_t n_rejections;
    int status;             /* HTTP status or 0 */
    bool was_reached;       /* the far side answered, in the output's protocol */
    bool is_overload;       /* it had no room or no time for it: it wants less at once */
    int64_t retry_after_ms; /* -1: it did not say */
    struct err why;         /* unless all went well: for the log, without event text or secrets */
};

/* The reply is borrowed for the call. The batch is the engine's again. Comes on the loop; from
 * inside `send` only when memory is out. */
typedef void sink_done_fn(void *ctx, struct batch *batch, const struct sink_reply *reply);
typedef void sink_probe_fn(void *ctx, const struct err *why); /* why->code ERR_NONE: all is well */

/* What an output needs of the world, lent for the sink's life. */
struct sink_world {
    const struct clock *clock;
    const struct transport *transport; /* HTTP; outputs/transport.h */
    struct ev_loop *loop;              /* for outputs with descriptors of their own; NULL in the
                                          simulator */
    uint64_t (*random)(void *ctx);
    void *random_ctx;
};

struct sink; /* one opened output */

struct output_ops {
    const char *name;
    const char *help; /* one line */
    struct option_table options;
    bool wants_gzip;  /* batches are packed before send */
    bool keeps_order; /* the lines of a stream come to send in their order; costs batches that end
                         with each chunk. Not with wants_gzip */
    bool doubles;     /* knows no ids: what is sent twice is there twice */
    /* What is wrong with the options beyond their types; 0 or -1 and *e. May be NULL. */
    int (*validate)(const void *options, struct err *e);
    /* What is legal but dangerous, a line each into *out ("" if nothing). May be NULL. */
    void (*warn)(const void *options, struct buffer *out);

    /* The path of a file that it writes, which no input must read, into *path (empty: none). May be
     * NULL. */
    void (*own_file)(const void *options, struct buffer *path);

    /* For `ship check`, instead of open and probe, where opening makes what is not there. Changes
     * nothing; says in *where what it would send to. 0, or -1 and *e. May be NULL. */
    int (*check)(const void *options, struct buffer *where, struct err *e);

    /* Worker: appends the event in the output's own encoding, one whole item. */
    void (*encode)(const void *options, const struct event *event, struct buffer *body);

    /* Loop. `options` is borrowed for the sink's life. NULL and *e (ERR_CONFIG, ERR_STORE). */
    struct sink *(*open)(const void *options, const struct sink_world *world, struct err *e);
    /* How many batches may be under way at once. */
    unsigned (*max_in_flight)(const struct sink *sink);
    /* Takes the batch until `done`. */
    void (*send)(struct sink *sink, struct batch *batch, sink_done_fn *done, void *ctx);
    /* One harmless question to the far side, for `ship check`. */
    void (*probe)(struct sink *sink, sink_probe_fn *done, void *ctx);
    /* Where it sends to, for messages, without secrets: "http://es:9200/logs-x". */
    const char *(*where)(const struct sink *sink);
    /* Before an end: what is under way and cannot be cancelled, only be told to make haste, comes
     * back by `done` from inside this. What is sent from then on does not come back. Blocks. May be
     * NULL. */
    void (*finish)(struct sink *sink);
    /* Cancels what is under way: no `done` comes any more, the batches are freed. NULL is fine. */
    void (*close)(struct sink *sink);
};

extern const struct output_ops output_elasticsearch;
extern const struct output_ops output_stdout;
extern const struct output_ops output_local;

#endif
