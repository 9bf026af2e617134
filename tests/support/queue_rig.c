#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/failing_malloc.h"
#include "tests/support/queue_rig.h"

static const char *const paths[2] = {"/var/log/functions/a.log", ""};

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void on_log(void *ctx, const struct err *what)
{
    struct queue_rig *r = ctx;
    char text[1100];

    buffer_printf(&r->log, "%s\n", err_text(what, text, sizeof text));
}

void queue_rig_init(struct queue_rig *r)
{
    memset(r, 0, sizeof *r);
    memory_disk_init(&r->disk);
    budget_init(&r->budget, 1 << 30);
    tracker_init(&r->tracker, NULL, NULL);
    r->now_ms = 1000;
    r->options = (struct queue_options){.directory = "/queue/es",
                                        .output_type = "elasticsearch",
                                        .max_bytes = 64 << 20,
                                        .disk = &r->disk.disk,
                                        .budget = &r->budget,
                                        .output = 3};
    for (int i = 0; i < 2; i++) {
        r->streams[i].profile.path = slice_str(paths[i]);
        r->streams[i].id_key.low = 0x1122334455667788u + (uint64_t)i;
        for (int k = 0; k < QUEUE_RIG_CHUNKS; k++)
            r->chunks[k][i] = (struct chunk){.stream = &r->streams[i], .is_read = true};
    }
}

void queue_rig_fini(struct queue_rig *r)
{
    cr_expect_eq(budget_held(&r->budget), 0, "%lld bytes are still held",
                 (long long)budget_held(&r->budget));
    memory_disk_fini(&r->disk);
    buffer_free(&r->log);
}

static bool open_with(struct queue_rig *r, unsigned n_threads)
{
    r->has_answer = true;
    r->writer = pool_new(n_threads, on_wake, NULL, NULL);
    r->options.writer = r->writer;
    r->why.code = ERR_NONE;
    r->queue = queue_open(&r->options, on_log, r, &r->why);
    if (!r->queue)
        pool_free(r->writer);
    return r->queue;
}

bool queue_rig_open(struct queue_rig *r)
{
    return open_with(r, 0);
}

bool queue_rig_open_threads(struct queue_rig *r)
{
    return open_with(r, 1);
}

bool queue_rig_close(struct queue_rig *r)
{
    int rc;

    queue_rig_drop_got(r);
    pool_free(r->writer);
    rc = queue_close(r->queue, &r->why);
    r->queue = NULL;
    r->n_kept = 0;
    return rc == 0;
}

void queue_rig_kill(struct queue_rig *r)
{
    bool is_recording = r->disk.is_recording;

    memory_disk_fault(&r->disk, DISK_CALL_ALL, -EIO, 1, 1u << 30);
    r->disk.is_recording = false;
    queue_rig_close(r);
    memory_disk_fault(&r->disk, 0, 0, 0, 0);
    r->disk.is_recording = is_recording;
    memory_disk_kill(&r->disk);
}

struct batch *queue_rig_batch(struct queue_rig *r, unsigned tag, size_t bytes)
{
    unsigned failing = failing_malloc_suspend();
    struct batch *b = batch_new(r->options.output, &r->budget);
    size_t pad = bytes / QUEUE_RIG_ITEMS;

    for (unsigned i = 0; i < QUEUE_RIG_ITEMS; i++) {
        size_t from = b->body.len;
        struct chunk *c = &r->chunks[tag % QUEUE_RIG_CHUNKS][i / 2];

        c->start = tag * 1000u + i / 2;
        buffer_printf(&b->body, "{\"tag\":%08u,\"i\":%u,\"pad\":\"", tag, i);
        cr_assert(buffer_reserve(&b->body, pad));
        memset(b->body.ptr + b->body.len, 'a' + (int)(tag + i) % 26, pad);
        b->body.len += pad;
        buffer_add_lit(&b->body, "\"}\n");
        cr_assert(batch_commit(b, from, c, 100 * i + tag % 7, 50 + tag % 50));
    }
    batch_recount(b);
    failing_malloc_resume(failing);
    return b;
}

/* Of the batch's first item. */
static unsigned tag_of(const struct batch *b)
{
    unsigned tag = 0;

    for (const char *digit = b->body.ptr + 7; *digit != ','; digit++)
        tag = tag * 10 + (unsigned)(*digit - '0');
    return tag;
}

static void on_put(void *ctx, struct batch *batch, uint64_t number, const struct err *why)
{
    struct queue_rig *r = ctx;
    unsigned tag = tag_of(batch);

    cr_expect_eq(number == 0, why->code != ERR_NONE, "a number, or a reason");
    if (number)
        r->number[tag] = number;
    else
        r->why = *why;
    if (number && r->keeps) {
        queue_keep(r->queue, number);
        r->kept[r->n_kept++] = number;
    }
    batch_free(batch);
}

void queue_rig_put(struct queue_rig *r, unsigned tag, size_t bytes)
{
    struct batch *b = queue_rig_batch(r, tag, bytes);

    if (queue_put(r->queue, b, on_put, r))
        return;
    batch_free(b);
    err_set(&r->why, ERR_NOMEM, "out of memory");
}

void queue_rig_reap(struct queue_rig *r)
{
    while (pool_reap(r->writer))
        ;
}

static void check_item(const struct batch *got, const struct batch *want, size_t i)
{
    const struct batch_item *a = &got->items[i];
    const struct batch_item *b = &want->items[i];

    cr_expect_eq(a->body_offset, b->body_offset);
    cr_expect_eq(a->body_len, b->body_len);
    cr_expect_eq(a->line_offset, b->line_offset);
    cr_expect_eq(a->line_len, b->line_len);
    cr_expect_eq(a->chunk->start, b->chunk->start);
    cr_expect_eq(a->chunk->stream->id_key.low, b->chunk->stream->id_key.low);
    cr_expect(slice_eq(a->chunk->stream->profile.path, b->chunk->stream->profile.path));
    cr_expect_not(a->chunk->stream->source, "a stand-in reads nothing");
}

static void check_record(struct queue_rig *r, const struct queue_record *got)
{
    const struct batch *b = got->batch;
    unsigned tag = tag_of(b);
    size_t pad = b->items[0].body_len - strlen("{\"tag\":00000000,\"i\":0,\"pad\":\"\"}\n");
    struct batch *want = queue_rig_batch(r, tag, pad * QUEUE_RIG_ITEMS);

    cr_expect(slice_eq(buffer_slice(&b->body), buffer_slice(&want->body)), "tag %u", tag);
    cr_assert_eq(b->n_items, want->n_items);
    cr_expect_eq(b->plain_bytes, want->plain_bytes);
    cr_expect_eq(b->output, want->output);
    cr_expect_eq(b->is_packed, want->is_packed);
    for (size_t i = 0; i < b->n_items; i++)
        check_item(b, want, i);
    cr_expect_eq(got->n_streams, 2);
    cr_expect_eq(b->items[0].chunk->n_parts, 2);
    cr_expect_eq(b->items[2].chunk->n_parts, 1);
    batch_free(want);
    r->got_tag = tag;
    r->n_got[tag]++;
}

static void on_get(void *ctx, struct queue_record *record, const struct err *why)
{
    struct queue_rig *r = ctx;

    r->has_answer = true;
    r->got = record;
    r->why = *why;
    if (record)
        check_record(r, record);
}

void queue_rig_start_get(struct queue_rig *r)
{
    queue_rig_drop_got(r);
    r->has_answer = false;
    queue_get(r->queue, on_get, r);
}

bool queue_rig_get(struct queue_rig *r)
{
    queue_rig_start_get(r);
    queue_rig_reap(r);
    cr_assert(r->has_answer);
    return r->got;
}

uint64_t queue_rig_drop_got(struct queue_rig *r)
{
    uint64_t number = r->got ? r->got->number : 0;

    queue_record_free(r->got);
    r->got = NULL;
    return number;
}

unsigned queue_rig_drain(struct queue_rig *r)
{
    unsigned n = 0;

    for (; queue_rig_get(r); n++)
        queue_settle(r->queue, queue_rig_drop_got(r));
    return n;
}

void queue_rig_settle_kept(struct queue_rig *r)
{
    for (unsigned i = 0; i < r->n_kept; i++)
        queue_settle(r->queue, r->kept[i]);
    r->n_kept = 0;
}

void queue_rig_run(struct queue_rig *r, int64_t ms)
{
    for (int64_t until = r->now_ms + ms; r->now_ms < until; r->now_ms += 10) {
        queue_tick(r->queue, r->now_ms);
        queue_rig_reap(r);
    }
}

bool queue_rig_said(const struct queue_rig *r, const char *text)
{
    return slice_find(buffer_slice(&r->log), slice_str(text)) >= 0;
}
