#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/lanes.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/memory_source.h"

static bool raw_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                      struct record *out)
{
    (void)self;
    (void)scratch;
    out->message = (struct value){line, VALUE_TEXT};
    return true;
}

static const struct parser_ops raw_ops = {.name = "raw", .parse = raw_parse};
static const struct parser raw = {&raw_ops, NULL};

/* "offset:line" */
static void encode(const void *options, const struct event *event, struct buffer *body)
{
    (void)options;
    buffer_printf(body, "%llu:", (unsigned long long)event->offset);
    buffer_add_slice(body, event->line);
    buffer_add_char(body, '\n');
}

static const struct output_ops output = {.name = "raw", .encode = encode};

struct rig {
    struct budget budget;
    struct tracker tracker;
    struct pool *pool;
    struct lanes *lanes;
    struct stream_options options;
    struct stream stream;
    struct memory_source source;
    struct buffer out; /* what came out of lane 0 */
    size_t n_items;
    struct batch *kept; /* not settled yet */
    struct chunk last;  /* the last chunk's result, by value */
    unsigned n_read;
};

static int64_t mono(void *ctx)
{
    (void)ctx;
    return 1000;
}

static const struct clock held = {mono, NULL, NULL};

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void on_ready(void *ctx, struct batch *b)
{
    struct rig *r = ctx;

    if (b->output == 0)
        buffer_add_slice(&r->out, buffer_slice(&b->body));
    r->n_items += b->n_items;
    b->next = r->kept;
    r->kept = b;
}

static void settle(struct rig *r)
{
    while (r->kept) {
        struct batch *b = r->kept;

        r->kept = b->next;
        for (size_t i = 0; i < b->n_items; i++)
            tracker_settle(&r->tracker, b->items[i].chunk, 1);
        batch_free(b);
    }
}

static void on_read(void *ctx, struct chunk *c)
{
    struct rig *r = ctx;

    r->last = *c;
    r->n_read++;
    tracker_read(&r->tracker, c);
}

static void rig_init(struct rig *r, struct slice text, bool is_sequential)
{
    struct lane_options lanes[2] = {{&output, NULL, {1 << 20, 3, 0}, NULL},
                                    {&output, NULL, {1 << 20, 5, 0}, NULL}};

    memset(r, 0, sizeof *r);
    cr_assert(buffer_reserve(&r->out, 16384)); /* so that no later failure is the test's own */
    budget_init(&r->budget, 1 << 24);
    tracker_init(&r->tracker, NULL, NULL);
    r->pool = pool_new(0, on_wake, NULL, NULL);
    r->lanes = lanes_new(lanes, 2, r->pool, &r->budget, &held, on_ready, r, NULL);
    r->options = (struct stream_options){.parser = &raw, .max_line_bytes = 64, .chunk_bytes = 16};
    memory_source_init(&r->source, text, is_sequential);
    r->stream.options = &r->options;
    r->stream.source = &r->source.base;
    r->stream.is_sequential = is_sequential;
    correlate_init(&r->stream.correlate);
}

static void rig_fini(struct rig *r)
{
    settle(r);
    pool_free(r->pool);
    tracker_drop(&r->tracker, &r->stream);
    lanes_free(r->lanes);
    correlate_fini(&r->stream.correlate);
    buffer_free(&r->stream.carry);
    buffer_free(&r->out);
    cr_expect_eq(budget_held(&r->budget), 0, "%lld bytes are still held",
                 (long long)budget_held(&r->budget));
    cr_expect_eq(r->source.n_wrong, 0, "a source that cannot seek was asked to");
}

static enum chunk_end read_chunk(struct rig *r, enum chunk_purpose purpose)
{
    struct chunk *c = chunk_start(&r->stream, r->lanes, r->pool, purpose, 0, on_read, r);

    if (!c)
        return CHUNK_ERROR;
    tracker_add(&r->tracker, c);
    while (pool_reap(r->pool))
        ;
    return r->last.how;
}

/* All there is, as a file that is read to its end for good. */
static void read_all(struct rig *r)
{
    for (int i = 0; i < 10000; i++)
        if (read_chunk(r, CHUNK_FINISH) == CHUNK_EMPTY)
            return;
    cr_assert_fail("it does not come to its end");
}

static void expect_out(struct rig *r, const char *want, const char *because)
{
    buffer_add_char(&r->out, '\0');
    cr_expect_str_eq(r->out.ptr, want, "%s", because);
    r->out.len = 0;
}

static const char text[] = "one\n\ntwo\r\nthree and more than a chunk of it\nfour\nfive";
static const char events[] =
    "0:one\n5:two\n10:three and more than a chunk of it\n44:four\n49:five\n";

/* However the bytes come, the events and their places are the same. */
Test(chunk, the_same_events_however_it_is_cut)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++)
        for (int64_t chunk = 1; chunk < (int64_t)sizeof text + 2; chunk++)
            for (size_t bite = 0; bite < 8; bite++) {
                struct rig r;

                rig_init(&r, slice_str(text), is_sequential);
                r.options.chunk_bytes = chunk;
                r.source.bite = bite;
                read_all(&r);
                expect_out(&r, events, "");
                cr_expect_eq(r.n_items, 10, "each once for each lane");
                cr_expect_eq(r.stream.position, strlen(text));
                settle(&r);
                cr_expect_eq(r.stream.settled_position, strlen(text));
                rig_fini(&r);
            }
}

Test(chunk, an_open_line_waits)
{
    struct rig r;

    for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
        rig_init(&r, slice_str("one\ntw"), is_sequential);
        cr_expect_eq(read_chunk(&r, CHUNK_READ), CHUNK_EMPTY);
        expect_out(&r, "0:one\n", "its end may still come");
        cr_expect_eq(r.stream.position, 4);
        cr_expect_eq(read_chunk(&r, CHUNK_IDLE), CHUNK_EMPTY);
        expect_out(&r, "", "idle reads nothing");
        r.source.text = slice_str("one\ntwo\n");
        cr_expect_eq(read_chunk(&r, CHUNK_READ), CHUNK_EMPTY);
        expect_out(&r, "4:two\n", "as one line");
        cr_expect_eq(r.stream.position, 8);
        rig_fini(&r);
    }
}

/* What was asked for before the read and what has come of it do not count both: a long line would
 * be there twice. */
Test(chunk, what_was_asked_for_becomes_what_is_counted)
{
    enum { ASKED = 40000, LINE = 5000, ITSELF = 8192 };
    static char line[LINE + 2];
    struct rig r;

    memset(line, 'x', LINE);
    line[LINE] = '\n';
    rig_init(&r, slice_of(line, LINE + 1), false);
    r.options.max_line_bytes = LINE;
    budget_add(&r.budget, ASKED);
    r.stream.reserved_bytes = ASKED;
    read_chunk(&r, CHUNK_READ);
    cr_expect_eq(r.n_items, 2);
    cr_expect_leq(r.last.reserved_bytes, ASKED - 2 * LINE);
    cr_expect_leq(atomic_load(&r.budget.peak_bytes), ASKED + ITSELF, "%lld",
                  (long long)atomic_load(&r.budget.peak_bytes));
    budget_add(&r.budget, -r.last.reserved_bytes); /* as an input does */
    r.out.len = 0;
    rig_fini(&r);
}

/* The room that was asked for is a chunk's: the rest of the file does not come along. */
Test(chunk, a_line_longer_than_a_chunk_brings_little_behind_it)
{
    static const char lines[] = "a line that is longer than one chunk\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    struct rig r;

    for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
        rig_init(&r, slice_str(lines), is_sequential);
        cr_expect_eq(read_chunk(&r, CHUNK_READ), CHUNK_MORE);
        cr_expect_eq(r.last.n_lines, 6, "in three times 16 bytes; not %u",
                     (unsigned)r.last.n_lines);
        read_all(&r);
        cr_expect_eq(r.stream.position, strlen(lines));
        rig_fini(&r);
    }
}

Test(chunk, a_source_that_fails_loses_nothing)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++)
        for (size_t at = 1; at < strlen(text); at++) {
            struct rig r;
            enum chunk_end how;

            rig_init(&r, slice_str(text), is_sequential);
            r.source.bite = 3;
            r.source.fails_at = at;
            while ((how = read_chunk(&r, CHUNK_READ)) == CHUNK_MORE)
                ;
            cr_expect_eq(how, CHUNK_ERROR);
            cr_expect_str_eq(r.last.why.what, "Input/output error");
            read_all(&r);
            expect_out(&r, events, "all the same");
            rig_fini(&r);
        }
}

Test(chunk, a_line_that_is_too_long)
{
    struct rig r;
    char long_text[1000];
    char want[200];

    memset(long_text, 'x', sizeof long_text);
    memcpy(long_text, "a\n", 2);
    memcpy(long_text + 500, "\nb\n", 3);
    snprintf(want, sizeof want, "0:a\n2:%.64s\n501:b\n503:%.64s\n", long_text + 2, long_text + 503);
    for (int64_t chunk = 1; chunk < 600; chunk += 37) {
        for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
            rig_init(&r, slice_of(long_text, sizeof long_text), is_sequential);
            r.options.chunk_bytes = chunk;
            read_all(&r);
            expect_out(&r, want, "cut, and its neighbours are whole");
            cr_expect_eq(r.stream.position, sizeof long_text);
            rig_fini(&r);
        }
    }
}

/* What a dead letter quotes: read again, or kept while anything of the chunk is not settled. */
Test(chunk, originals)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
        struct rig r;
        struct buffer line = {0};

        rig_init(&r, slice_str("one\ntwo\nthree\n"), is_sequential);
        r.options.chunk_bytes = 256;
        read_all(&r);
        cr_assert_not_null(r.stream.oldest);
        cr_expect(chunk_original(r.stream.oldest, 4, 3, &line));
        cr_expect(chunk_original(r.stream.oldest, 8, 5, &line));
        cr_expect(slice_is(buffer_slice(&line), "twothree"));
        cr_expect_not(chunk_original(r.stream.oldest, 12, 5, &line), "that is beyond it");
        cr_expect_not(chunk_original(r.stream.oldest, 0, 0, &line), "no line said it");
        cr_expect_eq(r.stream.oldest->raw.cap > 0, is_sequential);
        buffer_free(&line);
        rig_fini(&r);
    }
}

/* --- records of several lines --- */

static const struct join_options joined = {JOIN_AUTO, 500, 1 << 18, 2000};

static const char traces[] = "error: first\n\tat a much longer frame than a chunk\n\tat b\nplain\n"
                             "Error: unsure\nplain\nError: last\n\tat c";
static const char trace_events[] =
    "0:error: first\n\tat a much longer frame than a chunk\n\tat b\n56:plain\n"
    "62:Error: unsure\n76:plain\n82:Error: last\n\tat c\n";

Test(chunk, the_same_records_however_they_are_cut)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++)
        for (int64_t chunk = 1; chunk < (int64_t)sizeof traces + 2; chunk++)
            for (size_t bite = 0; bite < 8; bite++) {
                struct rig r;

                rig_init(&r, slice_str(traces), is_sequential);
                r.options.join = joined;
                r.options.chunk_bytes = chunk;
                r.source.bite = bite;
                read_all(&r);
                expect_out(&r, trace_events, "");
                settle(&r);
                cr_expect_eq(r.stream.settled_position, strlen(traces));
                cr_expect_not(r.stream.has_open_record);
                rig_fini(&r);
            }
}

/* As a writer writes it, and ship reads it at once: line by line, byte by byte. */
Test(chunk, the_same_records_however_they_come)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++)
        for (size_t step = 1; step < 40; step++) {
            struct rig r;

            rig_init(&r, slice_of(traces, 0), is_sequential);
            r.options.join = joined;
            for (size_t len = 0; len < strlen(traces); len += step) {
                r.source.text = slice_of(traces, len);
                while (read_chunk(&r, CHUNK_READ) == CHUNK_MORE)
                    ;
            }
            r.source.text = slice_str(traces);
            read_all(&r);
            expect_out(&r, trace_events, "");
            cr_expect_eq(r.n_items, 10, "each once for each lane");
            rig_fini(&r);
        }
}

Test(chunk, an_open_record_comes_out_when_it_is_quiet)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
        struct rig r;

        rig_init(&r, slice_str("Error: x\n\tat a\n\tat"), is_sequential);
        r.options.join = joined;
        cr_expect_eq(read_chunk(&r, CHUNK_READ), CHUNK_EMPTY);
        expect_out(&r, "", "more may belong to it");
        cr_expect_eq(r.stream.position, 0, "after a crash it is read again");
        cr_expect(stream_is_holding(&r.stream));
        cr_expect_eq(read_chunk(&r, CHUNK_IDLE), CHUNK_EMPTY);
        expect_out(&r, "0:Error: x\n\tat a\n", "the line without an end is none yet");
        cr_expect_eq(r.stream.position, 15);
        cr_expect_not(stream_is_holding(&r.stream));
        r.source.text = slice_str("Error: x\n\tat a\n\tat b\nok\n");
        cr_expect_eq(read_chunk(&r, CHUNK_READ), CHUNK_EMPTY);
        expect_out(&r, "15:\tat b\n21:ok\n", "what comes too late is an event of its own");
        rig_fini(&r);
    }
}

Test(chunk, an_open_record_survives_a_source_that_fails)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++)
        for (size_t at = 1; at < strlen(traces); at++) {
            struct rig r;

            rig_init(&r, slice_str(traces), is_sequential);
            r.options.join = joined;
            r.source.bite = 5;
            r.source.fails_at = at;
            while (read_chunk(&r, CHUNK_READ) == CHUNK_MORE)
                ;
            read_all(&r);
            expect_out(&r, trace_events, "all the same");
            rig_fini(&r);
        }
}

/* Whatever allocation fails: no line is lost, and none comes under another place. A line may come
 * twice (a lane may have had it when the other had no memory), which ids make harmless. */
static bool read_with_failing_malloc(unsigned nth, bool is_sequential, const char *bytes,
                                     const char *events_of)
{
    struct rig r;
    bool has_failed;
    const char *rest;
    size_t len;

    rig_init(&r, slice_str(bytes), is_sequential);
    r.options.join = joined;
    failing_malloc_at(nth);
    for (int i = 0; i < 1000 && !(read_chunk(&r, CHUNK_FINISH) == CHUNK_EMPTY); i++)
        ;
    has_failed = failing_malloc_has_failed();
    failing_malloc_at(0);
    lanes_tick(r.lanes, 1000, true);
    while (pool_reap(r.pool))
        ;
    buffer_add_char(&r.out, '\0');
    for (rest = events_of; *rest; rest += len) {
        char line[64];

        len = (size_t)(strchr(rest, '\n') - rest) + 1;
        snprintf(line, sizeof line, "%.*s", (int)len, rest);
        cr_expect_not_null(strstr(r.out.ptr, line), "allocation %u: lost %s", nth, line);
    }
    cr_expect_eq(r.stream.position, strlen(bytes), "allocation %u", nth);
    settle(&r);
    cr_expect_eq(r.stream.settled_position, strlen(bytes), "allocation %u", nth);
    rig_fini(&r);
    return has_failed;
}

Test(chunk, memory_that_runs_out)
{
    for (int is_sequential = 0; is_sequential < 2; is_sequential++) {
        unsigned n = 1;

        while (read_with_failing_malloc(n, is_sequential, text, events))
            n++;
        cr_expect_gt(n, 10);
        n = 1;
        while (read_with_failing_malloc(n, is_sequential, traces, trace_events))
            n++;
    }
}
