/* The stdout output: the documents as they would be indexed, and event.id, one a line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outputs/blocking.h"
#include "shipper/pipeline/event.h"

enum { PIPE_BITE = 4096 }; /* what a pipe takes without blocking once poll says it is writable */

struct writer {
    atomic_bool is_stopping;
    bool is_file;   /* never blocks for long, and can be cut back */
    bool is_append; /* as the shell's >> opens it */
};

static void encode(const void *options, const struct event *event, struct buffer *body)
{
    (void)options;
    document_encode(event, true, body);
    buffer_add_char(body, '\n');
}

static void own_file(const void *options, struct buffer *path)
{
    struct stat st;
    char name[4096];
    ssize_t n = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)
                    ? readlink("/proc/self/fd/1", name, sizeof name)
                    : -1;

    (void)options;
    if (n > 0)
        buffer_add_slice(path, slice_of(name, (size_t)n));
}

/* False: it is time to stop. A reader that does not read must not keep ship from its end. */
static bool wait_writable(struct writer *w)
{
    struct pollfd p = {STDOUT_FILENO, POLLOUT, 0};

    while (poll(&p, 1, 200) == 0)
        if (atomic_load(&w->is_stopping))
            return false;
    return true;
}

/* How much to write at once: to a pipe whole lines, where they are short enough, so that what is
 * told to stop does not leave half a one. */
static size_t bite_of(const struct writer *w, struct slice bytes)
{
    size_t n = PIPE_BITE;

    if (w->is_file || bytes.len <= PIPE_BITE)
        return bytes.len;
    while (n && bytes.ptr[n - 1] != '\n')
        n--;
    return n ? n : PIPE_BITE;
}

/* 0, or errno; *n_written: how much got there. */
static int write_all(struct writer *w, struct slice bytes, size_t *n_written)
{
    *n_written = 0;
    while (bytes.len) {
        size_t bite = bite_of(w, bytes);
        ssize_t n;

        if (!w->is_file && !wait_writable(w))
            return EINTR;
        n = write(STDOUT_FILENO, bytes.ptr, bite);
        if (n >= 0) {
            bytes = slice_from(bytes, (size_t)n);
            *n_written += (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN) {
            return errno;
        }
    }
    return 0;
}

/* Where the next byte goes. Before its first write, a file that is appended to says 0. */
static off_t end_of_file(const struct writer *w)
{
    return w->is_file ? lseek(STDOUT_FILENO, 0, w->is_append ? SEEK_END : SEEK_CUR) : -1;
}

/* Half a line would spoil the file for whoever reads it. What others put behind it stays. */
static void cut_back(off_t before, size_t n_written)
{
    off_t end = before >= 0 && n_written ? lseek(STDOUT_FILENO, 0, SEEK_END) : -1;

    if (end >= 0 && end == before + (off_t)n_written && ftruncate(STDOUT_FILENO, before) == 0)
        lseek(STDOUT_FILENO, before, SEEK_SET);
}

static bool is_written(const struct batch_item *item, size_t n_written)
{
    return (size_t)item->body_offset + item->body_len <= n_written;
}

/* Told to stop, with a reader that does not read: what the pipe has is delivered. False: it has
 * nothing of it. */
static bool tell_part(const struct batch *batch, size_t n_written, struct sink_reply *reply)
{
    if (!is_written(&batch->items[0], n_written))
        return false;
    reply->outcome = SINK_ITEMS;
    for (size_t i = 0; i < batch->n_items; i++)
        reply->verdicts[i] =
            is_written(&batch->items[i], n_written) ? VERDICT_DELIVERED : VERDICT_RETRY;
    return true;
}

static void write_batch(void *self, struct batch *batch, struct sink_reply *reply)
{
    struct writer *w = self;
    off_t before = end_of_file(w);
    size_t n_written;
    int failure = write_all(w, buffer_slice(&batch->body), &n_written);

    if (failure == EINTR && !w->is_file && tell_part(batch, n_written, reply))
        return;
    if (failure) {
        cut_back(before, n_written);
        reply->outcome = failure == EPIPE ? SINK_CLOSED : SINK_HOLD;
        err_set(&reply->why, ERR_STORE, "%s", strerror(failure));
        err_at(&reply->why, "standard output");
        return;
    }
    reply->outcome = SINK_ITEMS;
    for (size_t i = 0; i < batch->n_items; i++)
        reply->verdicts[i] = VERDICT_DELIVERED;
}

static void stop_writer(void *self)
{
    atomic_store(&((struct writer *)self)->is_stopping, true);
}

static void close_writer(void *self)
{
    free(self);
}

static const struct blocking_ops ops = {write_batch, NULL, stop_writer, close_writer};

static struct sink *open_stdout(const void *options, const struct sink_world *world, struct err *e)
{
    struct writer *w = calloc(1, sizeof *w);
    struct stat st;

    (void)options;
    if (!w) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    w->is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    w->is_append = fcntl(STDOUT_FILENO, F_GETFL) & O_APPEND;
    return blocking_new(&ops, w, "standard output", world, e);
}

/* An option table describes a struct: one of no use here. */
struct no_options {
    char nothing;
};

const struct output_ops output_stdout = {
    .name = "stdout",
    .help = "NDJSON on standard output: the documents as they would be indexed, and event.id",
    .options = {NULL, 0, sizeof(struct no_options)},
    .keeps_order = true,
    .doubles = true,
    .own_file = own_file,
    .encode = encode,
    .open = open_stdout,
    .max_in_flight = blocking_max_in_flight,
    .send = blocking_send,
    .probe = blocking_probe,
    .where = blocking_where,
    .finish = blocking_finish,
    .close = blocking_close,
};
