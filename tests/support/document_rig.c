#include "tests/support/document_rig.h"

#include <stdlib.h>

#include "outputs/output.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/stream.h"

struct memory_source {
    struct source source; /* first */
    struct slice bytes;
};

static ssize_t read_memory(struct source *source, uint64_t offset, char *buf, size_t cap,
                           struct err *e)
{
    const struct memory_source *m = (const struct memory_source *)source;
    size_t left = m->bytes.len - (size_t)offset;
    size_t n = left < cap ? left : cap;

    (void)e;
    if (n)
        memcpy(buf, m->bytes.ptr + offset, n);
    return (ssize_t)n;
}

static bool reread_memory(struct source *source, uint64_t offset, char *buf, size_t len)
{
    return read_memory(source, offset, buf, len, NULL) == (ssize_t)len;
}

static void close_memory(struct source *source)
{
    (void)source;
}

static const struct source_ops memory_ops = {
    .read = read_memory, .reread = reread_memory, .close = close_memory};

static void encode(const void *options, const struct event *event, struct buffer *body)
{
    (void)options;
    document_encode(event, true, body);
    buffer_add_char(body, '\n');
}

static const struct output_ops documents = {.name = "documents", .encode = encode};

/* --- one run --------------------------------------------------------------------------------- */

struct run {
    struct buffer *out;
    struct stream stream;
    enum chunk_end how;
};

static void on_ready(void *ctx, struct batch *b)
{
    struct run *run = ctx;

    buffer_add_slice(run->out, buffer_slice(&b->body));
    batch_free(b);
}

static void on_read(void *ctx, struct chunk *chunk)
{
    struct run *run = ctx;

    run->how = chunk->how;
    chunk_free(chunk);
}

static void on_wake(void *ctx)
{
    (void)ctx; /* the pool is reaped all the time */
}

static int64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void restart(struct stream *s)
{
    struct buffer state = {0};
    struct err e;

    stream_state_save(s, &state);
    s->has_head = false;
    correlate_fini(&s->correlate);
    if (stream_state_load(s, buffer_slice(&state), &e) < 0)
        abort();
    buffer_free(&state);
}

static const char *pick(const char *given, const char *fallback)
{
    return given ? given : fallback;
}

static void open_stream(struct stream *s, const struct document_rig *rig, struct buffer *store)
{
    struct profile_parts parts = {
        .host = slice_str(pick(rig->host, "h")),
        .path = slice_str(pick(rig->path, "/var/log/f.log")),
        .function = slice_str(pick(rig->function, "f")),
        .dataset = slice_str("serverless.lambda"),
        .has_id = true,
        .with_original = rig->with_original,
        .lift_keys = rig->lift_keys,
        .lift_names = rig->lift_names,
        .n_lifts = rig->n_lifts,
    };

    stream_profile_build(&s->profile, &parts, store);
    stream_set_origin(s, s->profile.host, s->profile.path, 1, rig->inode, 1);
    correlate_init(&s->correlate);
    s->mtime_ns = rig->mtime_ns;
}

static void run_stream(struct run *run, const struct document_rig *rig, struct lanes *lanes,
                       struct pool *pool)
{
    enum chunk_purpose purpose = CHUNK_READ;

    for (;;) {
        chunk_start(&run->stream, lanes, pool, purpose, rig->now_ns, on_read, run);
        pool_reap(pool);
        if (purpose == CHUNK_FINISH && run->how != CHUNK_MORE)
            return;
        if (run->how == CHUNK_EMPTY)
            purpose = CHUNK_FINISH;
        if (rig->is_restarted)
            restart(&run->stream);
    }
}

void documents_of(const struct document_rig *rig, struct slice bytes, struct buffer *out)
{
    static const struct parser auto_parser = {&parser_auto, NULL};
    static const struct clock clock = {no_time, no_time, NULL};
    struct lane_options lane = {&documents, NULL, {1 << 20, 10000, 0}, NULL};
    struct stream_options options = {
        .parser = rig->parser ? rig->parser : &auto_parser,
        .max_line_bytes = rig->max_line_bytes ? rig->max_line_bytes : 1 << 20,
        .chunk_bytes = rig->chunk_bytes,
        .with_invocations = !rig->without_invocations,
        .is_live = rig->is_live,
        .join = {JOIN_AUTO, 50, 4096, 2000},
    };
    struct memory_source source = {{&memory_ops}, bytes};
    struct run run = {.out = out, .stream = {.options = &options, .source = &source.source}};
    struct buffer store = {0};
    struct budget budget;
    struct pool *pool = pool_new(0, on_wake, &run, NULL);
    struct lanes *lanes;

    budget_init(&budget, 64 << 20);
    lanes = lanes_new(&lane, 1, pool, &budget, &clock, on_ready, &run, NULL);
    open_stream(&run.stream, rig, &store);
    run_stream(&run, rig, lanes, pool);
    while (lanes_pending(lanes)) {
        lanes_tick(lanes, 0, true);
        pool_reap(pool);
    }
    correlate_fini(&run.stream.correlate);
    buffer_free(&run.stream.carry);
    lanes_free(lanes);
    pool_free(pool);
    buffer_free(&store);
}
