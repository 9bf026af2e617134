/* A rig for the delivery engine: a clock that is held, a sink that answers what the test says when
 * the test says it, and chunks made of nothing. */
#ifndef SHIP_TESTS_SUPPORT_ENGINE_RIG_H
#define SHIP_TESTS_SUPPORT_ENGINE_RIG_H

#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/engine.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"
#include "tests/support/temp_dir.h"

enum { FAKE_MOST = 16 };

/* The requests that wait for an answer, oldest first. */
struct fake_sink {
    struct batch *held[FAKE_MOST];
    sink_done_fn *done[FAKE_MOST];
    void *ctx[FAKE_MOST];
    unsigned n_held;
    unsigned most; /* that it takes at once */
};

struct engine_rig {
    struct fake_sink fake;
    struct engine_output output;
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct dead_letters *dead;
    struct engine *engine;
    struct stream stream;
    char directory[TEMP_DIR_MAX];
    uint64_t (*random)(void *ctx); /* NULL: always 0 */
    void *random_ctx;
    uint64_t moved_to;
    int64_t now;
    void (*on_free)(void *ctx); /* something more that uses the engine; may be NULL */
    void *on_free_ctx;
};

/* Delays as short as they may be: what the server asks for, or the floor. Two requests at once. */
struct engine_rig *engine_rig_new(struct retry_options retry, struct log *log);
/* Takes up to `most` (at most FAKE_MOST) requests at once. */
struct engine_rig *engine_rig_new_wide(struct retry_options retry, unsigned most, struct log *log);
/* From now on, delays are drawn. */
void engine_rig_random(struct engine_rig *r, uint64_t (*random)(void *ctx), void *ctx);
/* Checks that the budget is given back. */
void engine_rig_free(struct engine_rig *r);

/* A chunk [start, start + 10 n) with n events, each with `pad` bytes more, in a batch of their own.
 * The batch is the caller's to offer. */
struct chunk *engine_rig_chunk(struct engine_rig *r, uint64_t start, int n, int pad,
                               struct batch **out);
/* The same, read and offered. */
void engine_rig_offer(struct engine_rig *r, uint64_t start, int n, int pad);
/* Lets time pass, and what is due then happen. */
void engine_rig_tick(struct engine_rig *r, int64_t pass_ms);
/* Answers the oldest request. */
void engine_rig_answer(struct engine_rig *r, struct sink_reply reply);
/* The oldest request has this event ("{"n":3}"). */
bool engine_rig_has_event(const struct engine_rig *r, int n);

struct sink_reply reply_items(enum verdict *v);
/* HTTP 429, in 100 ms again. */
struct sink_reply reply_whole(enum sink_outcome outcome);

#endif
