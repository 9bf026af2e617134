/* The disk queue's files, with anything in them. The first byte chooses: a segment as it is; the
 * meta of a record; what was settled; or headers with whatever numbers and lengths (these three
 * with right checksums, which no fuzzer would find). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/disk.h"
#include "shipper/base/hash.h"
#include "shipper/delivery/queue.h"
#include "shipper/delivery/queue_format.h"
#include "shipper/delivery/queue_record.h"
#include "shipper/pipeline/chunk.h"
#include "tests/fuzz/targets.h"

#define SEGMENT "0000000001.segment"

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_queue_segment: %s\n", what);
    abort();
}

/* --- a disk with one file; what is written goes nowhere --- */

enum { DIRECTORY = 1, THE_SEGMENT = 2, OTHER = 3 };

static int fuzz_open_dir(void *ctx, const char *path, bool make, struct err *e)
{
    (void)ctx, (void)path, (void)make, (void)e;
    return DIRECTORY;
}

static int fuzz_list(void *ctx, int dir, disk_entry_fn *fn, void *arg)
{
    (void)ctx, (void)dir;
    fn(arg, SEGMENT);
    return 0;
}

static int fuzz_nothing(void *ctx, int handle)
{
    (void)ctx, (void)handle;
    return 0;
}

static int fuzz_rename(void *ctx, int dir, const char *from, const char *to)
{
    (void)ctx, (void)dir, (void)from, (void)to;
    return 0;
}

static int fuzz_remove(void *ctx, int dir, const char *name)
{
    (void)ctx, (void)dir, (void)name;
    return 0;
}

static int fuzz_open(void *ctx, int dir, const char *name, unsigned flags)
{
    (void)ctx, (void)dir;
    if (strcmp(name, SEGMENT) == 0)
        return flags & DISK_CREATE ? -EEXIST : THE_SEGMENT;
    return flags & DISK_CREATE ? OTHER : -ENOENT;
}

static int64_t fuzz_size(void *ctx, int file)
{
    return file == THE_SEGMENT ? (int64_t)((const struct slice *)ctx)->len : 0;
}

static ssize_t fuzz_pread(void *ctx, int file, void *buf, size_t len, uint64_t offset)
{
    const struct slice *bytes = ctx;

    if (file != THE_SEGMENT || offset >= bytes->len)
        return 0;
    if (len > bytes->len - offset)
        len = bytes->len - (size_t)offset;
    memcpy(buf, bytes->ptr + offset, len);
    return (ssize_t)len;
}

static ssize_t fuzz_pwrite(void *ctx, int file, const void *buf, size_t len, uint64_t offset)
{
    (void)ctx, (void)file, (void)buf, (void)offset;
    return (ssize_t)len;
}

static int fuzz_truncate(void *ctx, int file, uint64_t len)
{
    (void)ctx, (void)file, (void)len;
    return 0;
}

static void fuzz_close(void *ctx, int handle)
{
    (void)ctx, (void)handle;
}

static struct disk disk_of(struct slice *bytes)
{
    return (struct disk){.open_dir = fuzz_open_dir,
                         .list = fuzz_list,
                         .sync_dir = fuzz_nothing,
                         .rename = fuzz_rename,
                         .remove = fuzz_remove,
                         .open = fuzz_open,
                         .lock = fuzz_nothing,
                         .size = fuzz_size,
                         .pread = fuzz_pread,
                         .pwrite = fuzz_pwrite,
                         .truncate = fuzz_truncate,
                         .sync = fuzz_nothing,
                         .close = fuzz_close,
                         .ctx = bytes};
}

/* --- what holds of a record, whatever it was made of --- */

static void check_record(const struct queue_record *r)
{
    const struct batch *b = r->batch;
    uint64_t n_parts = 0;

    must(b && b->n_items > 0, "a record has items");
    for (size_t i = 0; i < b->n_items; i++)
        must((uint64_t)b->items[i].body_offset + b->items[i].body_len <= b->plain_bytes,
             "an item lies in the body");
    for (size_t i = 0; i < r->n_streams; i++)
        n_parts += r->streams[i].oldest->n_parts;
    must(n_parts == b->n_items, "each item is a part of one chunk");
}

/* --- a segment --- */

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void on_log(void *ctx, const struct err *what)
{
    (void)ctx;
    must(what->where[0] != 0, "a line says where");
}

struct got {
    struct queue *queue;
    bool has_ended;
    uint64_t last;
};

static void on_get(void *ctx, struct queue_record *record, const struct err *why)
{
    struct got *got = ctx;

    got->has_ended = !record;
    if (!record) {
        must(why->code == ERR_NONE, "it can be read");
        return;
    }
    must(record->number > got->last, "records come in their order");
    got->last = record->number;
    check_record(record);
    queue_settle(got->queue, record->number);
    queue_record_free(record);
}

static void drain(struct queue *q, struct pool *writer)
{
    struct got got = {.queue = q};

    while (!got.has_ended) {
        queue_get(q, on_get, &got);
        while (pool_reap(writer))
            ;
    }
    must(queue_stats(q)->records == 0, "nothing is left");
    must(queue_stats(q)->events == 0, "no events are left");
}

static void try_segment(struct slice bytes)
{
    struct disk disk = disk_of(&bytes);
    struct pool *writer = pool_new(0, on_wake, NULL, NULL);
    struct err e = {0};
    struct budget budget;
    struct queue_options options = {.directory = "q",
                                    .output_type = "stdout",
                                    .max_bytes = 1 << 20,
                                    .disk = &disk,
                                    .writer = writer,
                                    .budget = &budget};
    struct queue *q;

    budget_init(&budget, 1 << 30);
    q = queue_open(&options, on_log, NULL, &e);
    if (q)
        drain(q, writer);
    else
        must(e.code == ERR_STORE && e.where[0], "it says why it does not open");
    pool_free(writer);
    must(queue_close(q, &e) == 0, "it closes");
    must(budget_held(&budget) == 0, "the memory is given back");
}

/* --- the meta of a record --- */

static void check_same(const struct batch *a, const struct batch *b)
{
    must(a->n_items == b->n_items && a->plain_bytes == b->plain_bytes, "as many");
    for (size_t i = 0; i < a->n_items; i++) {
        must(a->items[i].body_offset == b->items[i].body_offset, "the same place");
        must(a->items[i].body_len == b->items[i].body_len, "the same length");
        must(a->items[i].line_offset == b->items[i].line_offset, "the same line");
        must(a->items[i].line_len == b->items[i].line_len, "as long a line");
        must(a->items[i].chunk->start == b->items[i].chunk->start, "the same position");
        must(slice_eq(a->items[i].chunk->stream->profile.path,
                      b->items[i].chunk->stream->profile.path),
             "the same path");
    }
}

/* What was read is written as it was, and read again. */
static void try_meta(struct slice meta)
{
    struct budget budget;
    struct buffer none = {0};
    struct buffer again = {0};
    struct err e = {0};
    struct queue_record *first;
    struct queue_record *second;

    budget_init(&budget, 1 << 30);
    first = queue_record_decode(meta, &none, true, 7, 0, &budget, &e);
    must(first || e.code != ERR_NONE, "it says why not");
    if (first) {
        check_record(first);
        queue_record_encode(first->batch, &again);
        second = queue_record_decode(buffer_slice(&again), &none, true, 7, 0, &budget, &e);
        must(second, "what was written can be read");
        check_same(first->batch, second->batch);
        queue_record_free(second);
    }
    queue_record_free(first);
    buffer_free(&again);
    must(budget_held(&budget) == 0, "the memory is given back");
}

/* --- what was settled --- */

static void try_settled(struct slice parts)
{
    struct buffer text = {0};
    struct queue_settled settled;
    struct number_set set = {0};

    queue_settled_begin(&text, 1, 1);
    buffer_add_slice(&text, parts);
    queue_settled_end(&text);
    must(queue_settled_read(buffer_slice(&text), &settled), "its checksum is right");
    must(queue_settled_find(&settled, 1, 0, &set), "there is memory");
    for (size_t i = 0; i < set.n; i++)
        must(set.ranges[i].from < set.ranges[i].to &&
                 (i == 0 || set.ranges[i - 1].to < set.ranges[i].from),
             "ranges ascend, with numbers between them");
    number_set_free(&set);
    buffer_free(&text);
}

/* --- a segment of headers that are right, and of what they say, which need not be --- */

enum { STEP = 6 };

/* A header out of six bytes: number, lengths, items, and how many bytes of junk come before it. */
static void add_entry(struct buffer *segment, const uint8_t *step)
{
    static const char junk[64] = {0};
    struct slice content = slice_of((const char *)step, STEP);
    struct queue_entry entry = {.number = step[0],
                                .segment = 1,
                                .meta_len = step[1] % 16,
                                .body_len = step[2],
                                .n_items = step[3]};
    char header[QUEUE_ENTRY_LEN];

    buffer_add(segment, junk, step[4] % sizeof junk);
    entry.offset = segment->len;
    entry.content_sum = queue_content_sum(content, content);
    queue_entry_write(&entry, header);
    buffer_add(segment, header, sizeof header);
    buffer_add(segment, junk, step[5] % sizeof junk);
}

static void try_headers(const uint8_t *data, size_t size)
{
    struct queue_head head = {.segment = 1, .first = data[0], .type = "stdout"};
    struct buffer segment = {0};
    char bytes[QUEUE_HEAD_LEN];

    queue_head_write(&head, bytes);
    buffer_add(&segment, bytes, sizeof bytes);
    for (size_t i = 1; i + STEP <= size && i < 600; i += STEP)
        add_entry(&segment, data + i);
    try_segment(buffer_slice(&segment));
    buffer_free(&segment);
}

int fuzz_queue_segment(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);

    if (!size)
        return 0;
    switch (data[0]) {
    case 'm':
        try_meta(slice_from(bytes, 1));
        break;
    case 'p':
        try_settled(slice_from(bytes, 1));
        break;
    case 'h':
        if (size > 1)
            try_headers(data + 1, size - 1);
        break;
    default: /* a segment begins with its magic */
        try_segment(bytes);
        break;
    }
    return 0;
}
