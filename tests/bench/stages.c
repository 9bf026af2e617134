/* stages FILE [ROUNDS [REGEX]]: what each stage of the hot path costs, in one thread, without I/O.
 *
 * The stages add up: each row does what the row above does, and one thing more. Best of the rounds,
 * in CPU time of the thread; MB are of input. To see where inside a stage: perf record, or
 * callgrind with one round. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "outputs/output.h"
#include "parsers/parser.h"
#include "parsers/regex.h"
#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/frame.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/line.h"
#include "shipper/pipeline/stream.h"

enum { CHUNK_BYTES = 256 * 1024, BATCH_BYTES = 4 * 1024 * 1024, MAX_LINE = 1024 * 1024 };

/* A source that is memory. */
struct text {
    struct source base; /* first */
    struct slice bytes;
};

static ssize_t text_read(struct source *s, uint64_t offset, char *buf, size_t cap, struct err *e)
{
    const struct text *t = (const struct text *)s;
    size_t left = t->bytes.len - (size_t)offset;
    size_t n = left < cap ? left : cap;

    (void)e;
    if (n)
        memcpy(buf, t->bytes.ptr + offset, n);
    return (ssize_t)n;
}

static bool text_reread(struct source *s, uint64_t offset, char *buf, size_t len)
{
    return text_read(s, offset, buf, len, NULL) == (ssize_t)len;
}

static const struct source_ops text_ops = {.read = text_read, .reread = text_reread};

/* --- the pipeline, from a chunk to a packed batch --- */

struct rig {
    struct text text;
    struct parser parser;
    struct stream_options options;
    struct stream stream;
    struct buffer profile;
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct lanes *lanes;
    struct output_ops output; /* elasticsearch's, with or without gzip */
    uint64_t packed_bytes;
    uint64_t plain_bytes;
    uint64_t n_events;
    bool is_at_end;
};

static void on_wake(void *ctx)
{
    (void)ctx; /* the pool has no threads: pool_reap does it all */
}

/* The sink takes everything at once. */
static void on_batch(void *ctx, struct batch *b)
{
    struct rig *r = ctx;

    r->packed_bytes += b->body.len;
    r->plain_bytes += b->plain_bytes;
    for (size_t i = 0; i < b->n_items; i++)
        tracker_settle(&r->tracker, b->items[i].chunk, 1);
    batch_free(b);
}

static void on_read(void *ctx, struct chunk *c)
{
    struct rig *r = ctx;

    r->is_at_end = c->how != CHUNK_MORE;
    r->n_events += c->n_events;
    tracker_read(&r->tracker, c);
}

static void rig_start(struct rig *r)
{
    struct profile_parts parts = {.host = slice_str("bench"),
                                  .path = slice_str("/var/log/functions/shop-checkout.log"),
                                  .function = slice_str("shop-checkout"),
                                  .dataset = slice_str("serverless.lambda"),
                                  .has_id = true};
    struct stream *s = &r->stream;

    memset(s, 0, sizeof *s);
    s->options = &r->options;
    s->source = &r->text.base;
    stream_profile_build(&s->profile, &parts, &r->profile);
    correlate_init(&s->correlate);
    stream_set_origin(s, parts.host, parts.path, 0, 0, 0);
    r->n_events = r->packed_bytes = r->plain_bytes = 0;
    r->is_at_end = false;
}

static void run_pipeline(struct rig *r, bool wants_gzip)
{
    const struct lane_options lane = {
        &r->output, NULL, {.max_bytes = BATCH_BYTES, .max_events = 10000, .linger_ms = 1000}};

    r->output = output_elasticsearch;
    r->output.wants_gzip = wants_gzip;
    rig_start(r);
    r->lanes = lanes_new(&lane, 1, r->pool, &r->budget, &clock_real, on_batch, r, NULL);
    while (!r->is_at_end) {
        struct chunk *c = chunk_start(&r->stream, r->lanes, r->pool, CHUNK_FINISH, 0, on_read, r);

        tracker_add(&r->tracker, c);
        pool_reap(r->pool);
    }
    lanes_tick(r->lanes, 0, true);
    pool_reap(r->pool);
    lanes_free(r->lanes);
    correlate_fini(&r->stream.correlate);
}

static void run_plain(struct rig *r)
{
    run_pipeline(r, false);
}

static void run_packed(struct rig *r)
{
    run_pipeline(r, true);
}

/* --- the stages below it --- */

static void run_frame(struct rig *r)
{
    struct frame f;
    struct frame_line line;

    frame_init(&f, r->text.bytes, MAX_LINE, false, true);
    for (r->n_events = 0; frame_next(&f, &line);)
        r->n_events++;
}

static void run_parse(struct rig *r)
{
    static struct parse_scratch scratch;
    struct record record;
    struct frame f;
    struct frame_line line;

    frame_init(&f, r->text.bytes, MAX_LINE, false, true);
    for (r->n_events = 0; frame_next(&f, &line);) {
        parser_parse(&r->parser, &scratch, line.text, &record);
        r->n_events++;
    }
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void measure(const char *name, void (*run)(struct rig *), struct rig *r, int rounds)
{
    double best = 1e9;

    for (int i = 0; i < rounds; i++) {
        double from = cpu_seconds();

        run(r);
        from = cpu_seconds() - from;
        best = from < best ? from : best;
    }
    printf("%-22s %8.1f MB/s %8.1f ns/line\n", name, (double)r->text.bytes.len / 1e6 / best,
           best * 1e9 / (double)r->n_events);
}

static bool load(const char *path, struct buffer *out)
{
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return false;
    while (buffer_reserve(out, 1 << 20) && (n = fread(out->ptr + out->len, 1, 1 << 20, f)) > 0)
        out->len += n;
    fclose(f);
    return out->len > 0;
}

int main(int argc, char **argv)
{
    static struct rig r;
    struct buffer file = {0};
    struct regex_options regex = {.match_limit = 100000};
    int rounds = argc > 2 ? atoi(argv[2]) : 5;
    struct err e = {0};

    if (argc < 2 || !load(argv[1], &file)) {
        fputs("usage: stages FILE [ROUNDS [REGEX]]\n", stderr);
        return 2;
    }
    r.text = (struct text){{&text_ops}, buffer_slice(&file)};
    r.parser.ops = &parser_auto;
    if (argc > 3) {
        regex.pattern = argv[3];
        r.parser.ops = &parser_regex;
        r.parser.self = parser_regex.make(&regex, &e);
        if (!r.parser.self) {
            fprintf(stderr, "stages: %s\n", e.what);
            return 2;
        }
    }
    r.options = (struct stream_options){.parser = &r.parser,
                                        .max_line_bytes = MAX_LINE,
                                        .chunk_bytes = CHUNK_BYTES,
                                        .with_invocations = true};
    budget_init(&r.budget, INT64_C(1) << 40);
    tracker_init(&r.tracker, NULL, NULL);
    r.pool = pool_new(0, on_wake, NULL, &e);
    measure("frame", run_frame, &r, rounds);
    measure("+ parse", run_parse, &r, rounds);
    measure("+ correlate, encode", run_plain, &r, rounds);
    measure("+ gzip", run_packed, &r, rounds);
    printf("documents %.2f of the input's size, packed %.3f\n",
           (double)r.plain_bytes / (double)file.len, (double)r.packed_bytes / (double)file.len);
    pool_free(r.pool);
    return 0;
}
