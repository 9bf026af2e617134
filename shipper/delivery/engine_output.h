/* The inside of the delivery engine, shared by the files that make it: engine.c (the queue, the
 * tick, its life), engine_reply.c (what becomes of a batch when its reply has come) and
 * engine_health.c (the output as a whole).
 *
 * Thread: the loop's. */
#ifndef SHIP_DELIVERY_ENGINE_OUTPUT_H
#define SHIP_DELIVERY_ENGINE_OUTPUT_H

#include "shipper/delivery/concurrency.h"
#include "shipper/delivery/engine.h"
#include "shipper/observe/log.h"

enum {
    ENGINE_REQUESTS_MAX = 64, /* of one output at once, whatever it says */
    /* A line at most so often of what comes again and again ... */
    ENGINE_TELL_EVERY_MS = 10000,
    /* ... and so often of what only stays as it is. */
    ENGINE_REMIND_MS = 600000,
};

/* What one reply, or several of them, did with events. */
struct tally {
    size_t good;  /* delivered, or duplicates */
    size_t retry; /* those in doubt too */
    size_t doubt;
    size_t hold;
    size_t rejected;
};

/* One output's side of the engine.
 *
 * Invariants: every batch that was offered is in `ready`, with the sink (n_in_flight), or counted
 * in n_elsewhere (being taken apart or written to the dead letters). After a failure of the output
 * as a whole (failures > 0) only one request at a time goes out, until one is answered. An item is
 * settled at most once: a batch in which some are (batch.pick says which) is never sent as it is.
 */
struct output {
    struct engine_output conf;
    struct engine *engine;
    struct output_stats stats;

    struct batch *ready; /* in order of arrival; those with due_ms in the future wait in it */
    struct batch **ready_end;
    size_t n_ready;
    struct batch
        *known; /* all that is ready, with the sink or with the dead letters; doubly linked */
    bool has_new_delay; /* a batch in `ready` has a delay that the next tick turns into due_ms */
    unsigned n_in_flight;
    unsigned n_elsewhere;
    struct concurrency concurrency;
    /* Replies come without the time: what they say of it waits for the next tick. */
    struct concurrency_answer answers[ENGINE_REQUESTS_MAX];
    unsigned n_answers;

    int64_t now_ms;        /* of the last tick */
    int64_t progress_ms;   /* when an event was last settled, or none waited; 0: the next tick */
    unsigned failures;     /* in a row, of the output as a whole */
    int64_t pending_delay; /* to be turned into not_before_ms at the next tick; -1: none */
    int64_t not_before_ms;
    bool has_pending_fail;    /* failing_since_ms is to be set at the next tick */
    int64_t failing_since_ms; /* 0: not failing */
    bool was_reached;
    bool is_holding;
    struct err trouble; /* what the last failure said */
    enum engine_state state;

    char told_trouble[sizeof((struct err *)0)->what]; /* why it does not take anything, as last told
                                                       */
    int64_t told_trouble_ms;
    bool is_trouble_told; /* since it last took something */

    char told_events[sizeof((struct err *)0)->what]; /* what was last told of single events */
    int64_t told_ms;                                 /* when; 0: never */
    struct tally untold;                             /* since then */
};

struct engine {
    struct engine_options options;
    struct output *outputs;
};

/* engine.c: the batch is ready (to be sent when its delay is over, or to be taken apart). */
void engine_push(struct output *o, struct batch *b);
/* The same for one that was sent: it waits for delay_ms, and counts as retried. */
void engine_send_again(struct output *o, struct batch *b, int64_t delay_ms);

/* engine_health.c: how long to wait, and what is said. */
void engine_log_trouble(const struct output *o, enum log_level level, const struct err *why);
const char *engine_where(const struct output *o);
int64_t engine_jittered(const struct output *o, unsigned failures, int64_t retry_after_ms);
/* A one-shot run does not wait for somebody to mend what holds: it ends, and says why itself. */
bool engine_gives_up_on_hold(struct output *o, const struct err *why);
/* It did not take a batch: wait before the next request. */
void engine_back_off(struct output *o, const struct batch *b, const struct sink_reply *reply,
                     bool is_hold);
/* It answered for events, or for the request, as one that is well does. */
void engine_note_good(struct output *o);

/* engine_view.c: the batch joins those that can be looked at; again: nothing happens. */
void engine_know(struct output *o, struct batch *b);
/* Before it is freed, or a worker's. */
void engine_forget(struct batch *b);

/* engine_reply.c: what sinks call when they are done; ctx is the engine. */
sink_done_fn engine_on_reply;
/* Makes batches of the items that b->pick wants sent again; they come back by engine_send_again. */
void engine_take_apart(struct output *o, struct batch *b);

#endif
