/* Standard output as a file, a pipe, a full device: descriptor 1 is replaced for a while. */
#include <criterion/criterion.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "outputs/output.h"
#include "shipper/pipeline/event.h"
#include "tests/support/temp_dir.h"

struct rig {
    struct ev_loop *loop;
    int saved;
    struct sink *sink;
    struct budget budget;
    struct batch *batch; /* came back */
    struct sink_reply reply;
    unsigned n_done;
};

/* From now on descriptor 1 is fd. */
static void rig_init(struct rig *r, int fd)
{
    struct sink_world world = {0};

    *r = (struct rig){.saved = dup(STDOUT_FILENO)};
    cr_assert_geq(fd, 0);
    cr_assert_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    close(fd);
    r->loop = world.loop = ev_loop_new(EVFLAG_AUTO);
    budget_init(&r->budget, 1 << 24);
    r->sink = output_stdout.open(NULL, &world, NULL);
    cr_assert_not_null(r->sink);
}

static void rig_fini(struct rig *r)
{
    output_stdout.close(r->sink);
    dup2(r->saved, STDOUT_FILENO);
    close(r->saved);
    batch_free(r->batch);
    ev_loop_destroy(r->loop);
    cr_expect_eq(budget_held(&r->budget), 0);
}

static void on_done(void *ctx, struct batch *batch, const struct sink_reply *reply)
{
    struct rig *r = ctx;

    r->batch = batch;
    r->reply = *reply;
    if (reply->outcome == SINK_ITEMS)
        for (size_t i = 0; i < batch->n_items; i++)
            cr_expect_eq(reply->verdicts[i], VERDICT_DELIVERED);
    r->n_done++;
}

static struct batch *batch_of(struct rig *r, const char *text, size_t times)
{
    struct batch *b = batch_new(0, &r->budget);

    for (size_t i = 0; i < times; i++) {
        size_t from = b->body.len;

        buffer_add_slice(&b->body, slice_str(text));
        cr_assert(batch_commit(b, from, NULL, 0, 0));
    }
    batch_recount(b);
    return b;
}

/* Sends, and waits for the verdicts. */
static enum sink_outcome send(struct rig *r, const char *text, size_t times)
{
    r->n_done = 0;
    batch_free(r->batch);
    r->batch = NULL;
    output_stdout.send(r->sink, batch_of(r, text, times), on_done, r);
    cr_expect_eq(r->n_done, 0, "never from inside");
    while (!r->n_done)
        ev_run(r->loop, EVRUN_ONCE);
    return r->reply.outcome;
}

static int open_file(const char *directory, int flags)
{
    char path[TEMP_DIR_MAX + 8];

    snprintf(path, sizeof path, "%s/out", directory);
    return open(path, flags | O_CREAT | O_RDWR, 0600);
}

static void expect_file(const char *directory, const char *text, const char *because)
{
    char bytes[4096] = "";
    int fd = open_file(directory, 0);

    cr_expect_geq(read(fd, bytes, sizeof bytes - 1), 0);
    close(fd);
    cr_expect_str_eq(bytes, text, "%s", because);
}

static void set_file_limit(size_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that fills in the middle of a batch (a limit on the file's size stands for it): the file
 * is as it was, and the batch is written when there is room again. */
static void fill_disk(int flags, const char *because)
{
    char directory[TEMP_DIR_MAX];
    struct rig r;
    int fd;

    temp_dir_make(directory);
    fd = open_file(directory, 0);
    cr_assert_eq(write(fd, "old\n", 4), 4);
    close(fd);
    fd = open_file(directory, flags);
    if (!(flags & O_APPEND))
        lseek(fd, 0, SEEK_END);
    rig_init(&r, fd);
    set_file_limit(10);
    cr_expect_eq(send(&r, "a line\n", 3), SINK_HOLD);
    cr_expect_str_eq(r.reply.why.where, "standard output");
    expect_file(directory, "old\n", because);
    set_file_limit(0);
    cr_expect_eq(send(&r, "a line\n", 2), SINK_ITEMS);
    expect_file(directory, "old\na line\na line\n", because);
    rig_fini(&r);
    temp_dir_remove(directory);
}

Test(stdout, a_disk_that_fills, .timeout = 300)
{
    fill_disk(0, "as with >");
    fill_disk(O_APPEND, "as with >>: what was in the file before must stay");
}

Test(stdout, a_full_device, .timeout = 300)
{
    struct rig r;

    rig_init(&r, open("/dev/full", O_WRONLY));
    cr_expect_eq(send(&r, "a line\n", 1), SINK_HOLD);
    cr_expect_str_eq(r.reply.why.what, strerror(ENOSPC));
    rig_fini(&r);
}

Test(stdout, a_reader_that_goes, .timeout = 300)
{
    struct rig r;
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(ends), 0);
    rig_init(&r, ends[1]);
    cr_expect_eq(send(&r, "a line\n", 1), SINK_ITEMS);
    close(ends[0]);
    cr_expect_eq(send(&r, "a line\n", 1), SINK_CLOSED);
    rig_fini(&r);
}

/* More than a pipe holds, and a reader that takes it bit by bit. */
Test(stdout, a_slow_reader_gets_all_of_it, .timeout = 300)
{
    enum { LINES = 100000 };
    struct rig r;
    int ends[2];
    size_t n = 0;

    cr_assert_eq(pipe(ends), 0);
    rig_init(&r, ends[1]);
    output_stdout.send(r.sink, batch_of(&r, "a line\n", LINES), on_done, &r);
    while (n < LINES * 7) {
        char bytes[1000];
        ssize_t got = read(ends[0], bytes, sizeof bytes);

        cr_assert_gt(got, 0);
        for (ssize_t i = 0; i < got; i++, n++)
            if (bytes[i] != "a line\n"[n % 7])
                cr_assert_fail("byte %zu is another", n);
    }
    while (!r.n_done)
        ev_run(r.loop, EVRUN_ONCE);
    cr_expect_eq(r.reply.outcome, SINK_ITEMS);
    rig_fini(&r);
    close(ends[0]);
}

/* A reader that reads nothing must not keep ship from its end. */
Test(stdout, closing_does_not_wait_for_the_reader, .timeout = 300)
{
    struct rig r;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    rig_init(&r, ends[1]);
    output_stdout.send(r.sink, batch_of(&r, "a line\n", 100000), on_done, &r);
    rig_fini(&r);
    cr_expect_eq(r.n_done, 0, "no callback after close");
    close(ends[0]);
}

Test(stdout, a_document_a_line)
{
    static const struct record record = {.coldstart = -1};
    struct stream_profile profile = {.has_id = true};
    struct event event = {.record = &record, .stream = &profile, .line = SLICE_LIT("a line")};
    struct buffer body = {0};

    memcpy(event.id, "abcdefghijklmnopqrstuv", HASH_TEXT_LEN);
    output_stdout.encode(NULL, &event, &body);
    cr_expect(slice_starts(buffer_slice(&body), slice_str("{\"@timestamp\":")));
    cr_expect(
        slice_find(buffer_slice(&body), slice_str("\"event.id\":\"abcdefghijklmnopqrstuv\"")) > 0);
    cr_expect_eq(memchr(body.ptr, '\n', body.len), body.ptr + body.len - 1);
    buffer_free(&body);
}
