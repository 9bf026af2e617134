#include <pthread.h>
#include <stdlib.h>

#include "outputs/output.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/stream.h"
#include "tests/bench/rig.h"

/* As configured by default (config/common_options.c). */
enum {
    CHUNK_BYTES = 256 * 1024,
    BATCH_BYTES = 1024 * 1024,
    BATCH_EVENTS = 5000,
    MAX_LINE = 1 << 20
};

struct rig;

/* A stream whose source is memory. */
struct text_stream {
    struct source source; /* first */
    struct slice text;
    struct stream stream;
    struct buffer profile;
    struct rig *rig;
};

struct rig {
    const struct rig_options *options;
    struct rig_result *result;
    struct stream_options reading;
    struct text_stream streams[RIG_STREAMS_MAX];
    size_t n_reading; /* streams that are not at their end */
    struct budget budget;
    struct tracker tracker;
    struct output_ops output; /* elasticsearch's, with or without gzip */
    struct pool *pool;
    struct lanes *lanes;
    pthread_mutex_t lock; /* over is_woken */
    pthread_cond_t wake;
    bool is_woken;
};

/* --- the source --- */

static ssize_t text_read(struct source *s, uint64_t offset, char *buf, size_t cap, struct err *e)
{
    const struct text_stream *t = (const struct text_stream *)s;
    size_t left = t->text.len - (size_t)offset;
    size_t n = left < cap ? left : cap;

    (void)e;
    if (n)
        memcpy(buf, t->text.ptr + offset, n);
    return (ssize_t)n;
}

static bool text_reread(struct source *s, uint64_t offset, char *buf, size_t len)
{
    return text_read(s, offset, buf, len, NULL) == (ssize_t)len;
}

static const struct source_ops text_ops = {.read = text_read, .reread = text_reread};

/* --- what comes back --- */

static void on_wake(void *ctx)
{
    struct rig *r = ctx;

    pthread_mutex_lock(&r->lock);
    r->is_woken = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

static void on_batch(void *ctx, struct batch *b)
{
    struct rig *r = ctx;

    r->result->sent_bytes += b->body.len;
    r->result->plain_bytes += b->plain_bytes;
    for (size_t i = 0; i < b->n_items; i++)
        tracker_settle(&r->tracker, b->items[i].chunk, 1);
    batch_free(b);
}

static void on_read(void *ctx, struct chunk *c);

static void read_on(struct text_stream *t)
{
    struct rig *r = t->rig;
    struct chunk *c = chunk_start(&t->stream, r->lanes, r->pool, CHUNK_FINISH, 0, on_read, t);

    if (!c)
        abort();
    tracker_add(&r->tracker, c);
}

static void on_read(void *ctx, struct chunk *c)
{
    struct text_stream *t = ctx;
    struct rig *r = t->rig;
    bool is_at_end = c->how != CHUNK_MORE;

    r->result->n_events += c->n_events;
    tracker_read(&r->tracker, c); /* may free it */
    if (is_at_end)
        r->n_reading--;
    else
        read_on(t);
}

static void wait_for_workers(struct rig *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->is_woken)
        pthread_cond_wait(&r->wake, &r->lock);
    r->is_woken = false;
    pthread_mutex_unlock(&r->lock);
}

/* --- the run --- */

static void open_stream(struct rig *r, struct text_stream *t, struct slice text)
{
    struct profile_parts parts = {.host = slice_str("bench"),
                                  .path = slice_str("/var/log/functions/shop-checkout.log"),
                                  .function = slice_str("shop-checkout"),
                                  .dataset = slice_str("serverless.lambda"),
                                  .has_id = true};
    struct stream *s = &t->stream;

    t->source.ops = &text_ops;
    t->text = text;
    t->rig = r;
    s->options = &r->reading;
    s->source = &t->source;
    stream_profile_build(&s->profile, &parts, &t->profile);
    correlate_init(&s->correlate);
    stream_set_origin(s, parts.host, parts.path, 0, 0, 0);
}

/* The next of n parts of what is left, up to a line's end. */
static struct slice cut_part(struct slice *rest, size_t n)
{
    size_t len = rest->len / n;
    const char *end = len ? memchr(rest->ptr + len - 1, '\n', rest->len - len + 1) : NULL;
    struct slice part = *rest;

    if (end)
        part.len = (size_t)(end - rest->ptr) + 1;
    *rest = slice_from(*rest, part.len);
    return part;
}

static void open_rig(struct rig *r, const struct rig_options *options)
{
    const struct lane_options lane = {
        &r->output, NULL, {BATCH_BYTES, BATCH_EVENTS, .linger_ms = 1000}, NULL};
    struct slice rest = options->text;

    r->options = options;
    r->reading = (struct stream_options){.parser = options->parser,
                                         .max_line_bytes = MAX_LINE,
                                         .chunk_bytes = CHUNK_BYTES,
                                         .with_invocations = true};
    r->output = output_elasticsearch;
    r->output.wants_gzip = options->wants_gzip;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    budget_init(&r->budget, INT64_C(1) << 40);
    tracker_init(&r->tracker, NULL, NULL);
    r->pool = pool_new(options->n_workers, on_wake, r, NULL);
    r->lanes = lanes_new(&lane, 1, r->pool, &r->budget, &clock_real, on_batch, r, NULL);
    if (!r->pool || !r->lanes)
        abort();
    for (size_t i = 0; i < options->n_streams; i++)
        open_stream(r, &r->streams[i], cut_part(&rest, options->n_streams - i));
    r->n_reading = options->n_streams;
}

static void close_rig(struct rig *r)
{
    pool_free(r->pool);
    lanes_free(r->lanes);
    for (size_t i = 0; i < r->options->n_streams; i++) {
        correlate_fini(&r->streams[i].stream.correlate);
        buffer_free(&r->streams[i].profile);
    }
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
}

void rig_run(const struct rig_options *options, struct rig_result *result)
{
    struct rig *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    *result = (struct rig_result){0};
    r->result = result;
    open_rig(r, options);
    for (size_t i = 0; i < options->n_streams; i++)
        read_on(&r->streams[i]);
    while (r->n_reading || lanes_pending(r->lanes)) {
        if (!r->n_reading)
            lanes_tick(r->lanes, 0, true);
        wait_for_workers(r);
        pool_reap(r->pool);
    }
    close_rig(r);
    free(r);
}
