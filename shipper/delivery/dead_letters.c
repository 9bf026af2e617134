#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "shipper/base/path.h"
#include "shipper/delivery/dead_letters.h"
#include "shipper/delivery/letter.h"
#include "shipper/pipeline/chunk.h"

enum { KEPT_TEXT = 256 * 1024 }; /* what the writer keeps of a large text's room */

struct dead_letters {
    char *directory;
    char *path; /* of the file that is appended to */
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
        d->path = path_join(directory, "dead.ndjson");
        d->writer = writer;
    }
    if (!d || !d->directory || !d->path) {
        dead_letters_free(d);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    return d;
}

uint64_t dead_letters_count(const struct dead_letters *d)
{
    return d->count;
}

const char *dead_letters_path(const struct dead_letters *d)
{
    return d->path;
}

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n >= 0)
            bytes = slice_from(bytes, (size_t)n);
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

/* A last line that a power cut tore is ended here, so that the next letter stands on its own. */
static int end_torn_line(int fd, off_t end)
{
    char last;

    if (end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n')
        return write_all(fd, slice_str("\n"));
    return 0;
}

static void sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* A file that nobody finds after a power cut is lost, and so is one in such a directory. */
static void sync_names(const char *directory)
{
    char *parent = path_join(directory, "..");

    sync_directory(directory);
    if (parent)
        sync_directory(parent);
    free(parent);
}

/* Two ships may share the file: who appends has it for himself, so that half a letter can be cut
 * off again. */
static int append(const struct dead_letters *d, struct slice lines, struct err *e)
{
    int fd = open(d->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    off_t before = 0;
    int failure = 0;

    if (fd < 0)
        goto fail;
    while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    before = lseek(fd, 0, SEEK_END);
    if (end_torn_line(fd, before) < 0 || write_all(fd, lines) < 0 || fsync(fd) < 0)
        goto fail;
    close(fd);
    if (before == 0)
        sync_names(d->directory);
    return 0;

fail:
    failure = errno;
    if (fd >= 0 && ftruncate(fd, before) == 0)
        fsync(fd);
    if (fd >= 0)
        close(fd);
    err_set(e, ERR_STORE, "%s", strerror(failure));
    return err_at(e, "%s", d->path);
}

static void write_letters(struct putting *p, struct buffer *lines)
{
    struct buffer plain = {0};

    if (batch_unpack(p->batch, &plain, &p->why) < 0)
        return;
    for (size_t i = 0; i < p->n_reasons; i++)
        letter_encode(&p->reasons[i], p->batch, buffer_slice(&plain), p->output,
                      clock_wall_ns(&clock_real), lines);
    buffer_free(&plain);
    if (lines->failed)
        err_set(&p->why, ERR_NOMEM, "out of memory");
}

static void run_put(struct job *job, struct worker *w)
{
    struct putting *p = (struct putting *)job;

    w->text.len = 0;
    w->text.failed = false;
    write_letters(p, &w->text);
    if (p->why.code == ERR_NONE && path_make_directories(p->owner->directory, &p->why) == 0)
        append(p->owner, buffer_slice(&w->text), &p->why);
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

static const struct rejection *rejection_of(const struct sink_reply *reply, size_t index)
{
    for (size_t i = 0; i < reply->n_rejections; i++)
        if (reply->rejections[i].index == index)
            return &reply->rejections[i];
    return NULL;
}

void dead_letters_put(struct dead_letters *d, struct batch *batch, const struct sink_reply *reply,
                      const char *output, dead_letters_done_fn *done, void *ctx)
{
    struct putting *p = calloc(1, sizeof *p);

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
            letter_reason_init(&p->reasons[p->n_reasons++], i, rejection_of(reply, i));
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
