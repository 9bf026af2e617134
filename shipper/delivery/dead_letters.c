#include <stdlib.h>
#include <string.h>

#include "shipper/base/path.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/letter.h"
#include "shipper/delivery/letter_files.h"
#include "shipper/pipeline/chunk.h"

enum { KEPT_TEXT = 256 * 1024 }; /* what the writer keeps of a large text's room */

struct dead_letters {
    char *directory;
    char *path; /* of the file that is appended to */
    int64_t rotate_bytes;
    const struct disk *disk;
    const struct clock *clock;
    struct pool *writer;
    struct putting *waiting; /* for chunks that a worker still has */
    uint64_t count;
};

/* A copy of what the letters need, since the reply is only lent. */
struct putting {
    struct job job;       /* first */
    struct putting *next; /* waiting */
    struct dead_letters *owner;
    struct batch *batch;
    struct letter_reason *reasons;
    size_t n_reasons;
    char *output;
    struct err why;
    dead_letters_done_fn *on_done;
    void *ctx;
};

struct dead_letters *dead_letters_new(const char *directory, struct pool *writer, struct err *e)
{
    struct dead_letters *d = calloc(1, sizeof *d);

    if (d) {
        d->directory = strdup(directory);
        d->path = path_join(directory, LETTER_FILE);
        d->writer = writer;
        d->rotate_bytes = DEAD_LETTERS_ROTATE;
        dead_letters_on(d, &disk_posix, &clock_real);
    }
    if (!d || !d->directory || !d->path) {
        dead_letters_free(d);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    return d;
}

void dead_letters_rotate_at(struct dead_letters *d, int64_t bytes)
{
    d->rotate_bytes = bytes;
}

void dead_letters_on(struct dead_letters *d, const struct disk *disk, const struct clock *clock)
{
    d->disk = disk;
    d->clock = clock;
}

uint64_t dead_letters_count(const struct dead_letters *d)
{
    return d->count;
}

const char *dead_letters_path(const struct dead_letters *d)
{
    return d->path;
}

static void write_letters(struct putting *p, struct buffer *lines)
{
    struct buffer plain = {0};

    if (batch_unpack(p->batch, &plain, &p->why) < 0)
        return;
    for (size_t i = 0; i < p->n_reasons; i++)
        letter_encode(&p->reasons[i], p->batch, buffer_slice(&plain), p->output,
                      clock_wall_ns(p->owner->clock), lines);
    buffer_free(&plain);
    if (lines->failed)
        err_set(&p->why, ERR_NOMEM, "out of memory");
}

static void run_put(struct job *job, struct worker *w)
{
    struct putting *p = (struct putting *)job;
    const struct dead_letters *d = p->owner;

    w->text.len = 0;
    w->text.failed = false;
    write_letters(p, &w->text);
    if (p->why.code == ERR_NONE)
        letter_files_append(d->disk, d->directory, buffer_slice(&w->text), d->rotate_bytes,
                            clock_wall_ns(d->clock), &p->why);
    if (w->text.cap > KEPT_TEXT)
        buffer_free(&w->text);
}

static void putting_free(struct putting *p)
{
    for (size_t i = 0; i < p->n_reasons; i++)
        letter_reason_fini(&p->reasons[i]);
    free(p->reasons);
    free(p->output);
    free(p);
}

static void done_put(struct job *job)
{
    struct putting *p = (struct putting *)job;

    if (p->why.code == ERR_NONE)
        p->owner->count += p->n_reasons;
    p->on_done(p->ctx, p->batch, &p->why);
    putting_free(p);
}

static void drop_put(struct job *job)
{
    struct putting *p = (struct putting *)job;

    batch_free(p->batch);
    free(p->ctx); /* the engine's note, malloc'd for this call */
    putting_free(p);
}

/* What a chunk keeps of its lines is its worker's until it has been read. */
static bool is_read(const struct putting *p)
{
    for (size_t i = 0; i < p->n_reasons; i++)
        if (!p->batch->items[p->reasons[i].index].chunk->is_read)
            return false;
    return true;
}

void dead_letters_tick(struct dead_letters *d)
{
    for (struct putting **link = &d->waiting; *link;) {
        struct putting *p = *link;

        if (!is_read(p)) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        pool_submit(d->writer, &p->job, JOB_NORMAL);
    }
}

void dead_letters_free(struct dead_letters *d)
{
    if (!d)
        return;
    while (d->waiting) {
        struct putting *p = d->waiting;

        d->waiting = p->next;
        drop_put(&p->job);
    }
    free(d->directory);
    free(d->path);
    free(d);
}

/* What was said of an item; *from goes along, since both stand in the order of the batch. */
static const struct rejection *rejection_of(const struct sink_reply *reply, size_t index,
                                            size_t *from)
{
    while (*from < reply->n_rejections && reply->rejections[*from].index < index)
        ++*from;
    return *from < reply->n_rejections && reply->rejections[*from].index == index
               ? &reply->rejections[*from]
               : NULL;
}

void dead_letters_put(struct dead_letters *d, struct batch *batch, const struct sink_reply *reply,
                      const char *output, dead_letters_done_fn *done, void *ctx)
{
    struct putting *p = calloc(1, sizeof *p);
    size_t from = 0;

    if (p) {
        p->reasons = calloc(batch->n_items, sizeof *p->reasons);
        p->output = strdup(output);
    }
    if (!p || !p->reasons || !p->output) {
        struct err why;

        if (p)
            putting_free(p);
        err_set(&why, ERR_NOMEM, "out of memory");
        done(ctx, batch, &why);
        return;
    }
    for (size_t i = 0; i < batch->n_items; i++)
        if (reply->verdicts[i] == VERDICT_REJECTED)
            letter_reason_init(&p->reasons[p->n_reasons++], i, rejection_of(reply, i, &from));
    p->job = (struct job){run_put, done_put, drop_put, NULL};
    p->owner = d;
    p->batch = batch;
    p->on_done = done;
    p->ctx = ctx;
    if (is_read(p)) {
        pool_submit(d->writer, &p->job, JOB_NORMAL);
        return;
    }
    p->next = d->waiting;
    d->waiting = p;
}
