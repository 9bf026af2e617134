/* The delivery engine: retry, backoff, splitting, holding, dead letters and acks, for every output.
 *
 * States of a batch here: ready -> in flight -> (settled | waiting for its backoff -> ready | taken
 * apart: the part to send again is packed by a worker and comes back as ready | dead letters being
 * written -> settled).
 * The engine reads no clock: the edge calls engine_tick with the time, at least when the returned
 * time has come, and after every callback. A pause therefore always has a resume.
 * Owner:  the agent. Thread: the loop's only. */
#ifndef SHIP_DELIVERY_ENGINE_H
#define SHIP_DELIVERY_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outputs/output.h"
#include "shipper/base/error.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/pool.h"

struct dead_letters;
struct log;

struct engine_output {
    const struct output_ops *ops;
    struct sink *sink;
    const char *name; /* for messages */
    bool doubles; /* what is sent twice is there twice: it knows no ids, or the events have none */
};

struct retry_options {
    int64_t initial_ms; /* 500 */
    int64_t max_ms;     /* 20000: back well within half a minute of the far side */
    int64_t hold_ms;    /* between tries while an output holds: 20000 */
    /* One-shot runs: give up when an output has answered nothing useful for so long; 0: never. */
    int64_t give_up_unreached_ms; /* it never answered at all */
    int64_t give_up_ms;           /* it did before */
    bool give_up_on_hold;         /* credentials refused: no use waiting */
};

struct output_stats {
    uint64_t delivered;
    uint64_t duplicates;
    uint64_t dead;
    uint64_t retried; /* event tries beyond the first */
    uint64_t requests;
    uint64_t failures;         /* requests that brought no verdicts */
    uint64_t in_flight_events; /* offered and not settled */
    unsigned in_flight_requests;
    unsigned most_requests; /* at once: delivery/concurrency.h; one while it fails */
};

/* The last verdict of one event: delivered or duplicate; or, where there are no dead letters,
 * rejected (`why` may be NULL even then). Loop. */
typedef void engine_verdict_fn(void *ctx, const struct batch_item *item, enum verdict verdict,
                               const struct rejection *why);

enum engine_state { ENGINE_RUNNING, ENGINE_GAVE_UP, ENGINE_CLOSED };

struct engine_options {
    const struct engine_output *outputs;
    size_t n_outputs;
    struct retry_options retry;
    struct pool *pool; /* takes batches apart */
    struct tracker *tracker;
    struct dead_letters *dead_letters; /* NULL: what is rejected is told by on_verdict alone */
    engine_verdict_fn *on_verdict;     /* may be NULL if there are dead letters */
    void *verdict_ctx;
    uint64_t (*random)(void *ctx); /* for jitter */
    void *random_ctx;
    struct log *log; /* may be NULL */
};

struct engine;

/* Copies the options; borrows what they point at. */
struct engine *engine_new(const struct engine_options *options, struct err *e);
/* A ready batch; takes it. (What lanes call on_ready with.) */
void engine_offer(struct engine *en, struct batch *batch);
/* Sends what is due; returns when it wants to be called again, INT64_MAX: only after an event. */
int64_t engine_tick(struct engine *en, int64_t now_ms);
/* Nothing ready, in flight, waiting or being set aside. */
bool engine_is_idle(const struct engine *en);
/* GAVE_UP and CLOSED are final; *why of the first output that did. */
enum engine_state engine_state(const struct engine *en, struct err *why);
const struct output_stats *engine_stats(const struct engine *en, size_t output);

/* --- before an end (engine_end.c) --- */

/* How long an end waits for what is here. */
struct engine_patience {
    int64_t until_ms;         /* with an output that answers */
    int64_t failing_until_ms; /* with one that fails or holds */
};

/* Can any of it still come to its verdict within that time, by what is known now? */
bool engine_is_moving(const struct engine *en, const struct engine_patience *p, int64_t now_ms);
/* Would what is under way now be there twice, if it were left alone and sent again? True of letters
 * that are being written, and of outputs that double. */
bool engine_would_double(const struct engine *en);
/* An output that fails or holds does not wait to try again. */
void engine_try_now(struct engine *en);

/* Frees every batch that is not with a sink or a worker; after the sinks and the pool are closed.
 */
void engine_free(struct engine *en);

#endif
