/* The stdout output: the documents as they would be indexed, and event.id, one a line. */
#include <errno.h>
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
    bool is_file; /* never blocks for long, and can be cut back */
};

static void encode(const void *options, const struct event *event, struct buffer *body)
{
    (void)options;
    document_encode(event, true, body);
    buffer_add_char(body, '\n');
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

/* 0, or errno. */
static int write_all(struct writer *w, struct slice bytes)
{
    while (bytes.len) {
        size_t bite = w->is_file || bytes.len < PIPE_BITE ? bytes.len : PIPE_BITE;
        ssize_t n;

        if (!w->is_file && !wait_writable(w))
            return EINTR;
        n = write(STDOUT_FILENO, bytes.ptr, bite);
        if (n >= 0)
            bytes = slice_from(bytes, (size_t)n);
        else if (errno != EINTR && errno != EAGAIN)
            return errno;
    }
    return 0;
}

static void write_batch(void *self, struct batch *batch, struct sink_reply *reply)
{
    struct writer *w = self;
    off_t before = w->is_file ? lseek(STDOUT_FILENO, 0, SEEK_CUR) : -1;
    int failure = write_all(w, buffer_slice(&batch->body));

    if (failure) {
        /* Half a line would spoil the file for whoever reads it. */
        if (before >= 0 && ftruncate(STDOUT_FILENO, before) == 0)
            lseek(STDOUT_FILENO, before, SEEK_SET);
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
    .encode = encode,
    .open = open_stdout,
    .max_in_flight = blocking_max_in_flight,
    .send = blocking_send,
    .probe = blocking_probe,
    .where = blocking_where,
    .close = blocking_close,
};
