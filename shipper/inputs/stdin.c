/* Standard input: one stream, read until its end. */
#include <errno.h>
#include <ev.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/inputs/handover.h"
#include "shipper/inputs/input.h"
#include "shipper/pipeline/chunk.h"

enum { RETRY_MS = 50 };

struct stdin_options {
    const char *as;
};

static const struct option options[] = {
    {.name = "as",
     .type = OPTION_PATH,
     .offset = offsetof(struct stdin_options, as),
     .help = "the path that events say they are from, and that their ids grow from"},
};

struct stdin_source {
    struct source base; /* first: the stream hands back this address */
    struct rest rest;   /* of the agent before: comes first */
    atomic_bool is_at_end;
};

struct input {
    const struct input_common *common;
    const struct input_world *world;
    struct stream_options stream_options;
    struct input_stats stats;
    struct stream stream;
    struct stdin_source source;
    struct buffer profile;
    ev_io readable;
    bool is_watching;
    bool has_news;
    bool is_busy;
    uint64_t n_rest; /* lines that an agent before has left, when the chunk in work was begun */
    bool is_finished;
    bool is_stopped;
    bool is_paused;
    uint64_t process; /* the stream's identity, beside its origin */
    uint64_t began_ns;
    int64_t now_ms;
    int64_t quiet_ms;
};

/* Descriptor 0 is shared with whoever started us, so it is not made non-blocking: poll says whether
 * a read would wait. */
static bool would_wait(void)
{
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};

    return poll(&fd, 1, 0) == 0;
}

static ssize_t stdin_read(struct source *base, uint64_t offset, char *buf, size_t cap,
                          struct err *e)
{
    struct stdin_source *s = (struct stdin_source *)base;
    ssize_t n;

    (void)offset; /* always the next byte */
    if (!rest_is_empty(&s->rest))
        return rest_read(&s->rest, buf, cap, e);
    if (s->is_at_end || would_wait())
        return 0;
    do
        n = read(STDIN_FILENO, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    if (n <= 0)
        s->is_at_end = true;
    return n < 0 ? err_set(e, ERR_INPUT, "standard input: %s", strerror(errno)) : n;
}

static void stdin_source_close(struct source *base)
{
    (void)base; /* descriptor 0 stays open: its number must not be given to something else */
}

static const struct source_ops source_ops = {.read = stdin_read, .close = stdin_source_close};

static void watch(struct input *in, bool is_wanted)
{
    if (!in->world->loop || in->is_watching == is_wanted)
        return;
    in->is_watching = is_wanted;
    if (is_wanted)
        ev_io_start(in->world->loop, &in->readable);
    else
        ev_io_stop(in->world->loop, &in->readable);
}

static void start_chunk(struct input *in, enum chunk_purpose purpose);

/* What was read from a pipe is nowhere else: told to stop, an open line and a held summary come out
 * all the same, and what an agent before has left. */
static void finish(struct input *in)
{
    bool has_rest = !rest_is_empty(&in->source.rest);

    if (in->is_busy || in->is_finished ||
        !(has_rest || in->stream.carry.len || stream_is_holding(&in->stream)))
        return;
    atomic_store(&in->source.is_at_end, true); /* nothing more is read */
    start_chunk(in, has_rest ? CHUNK_READ : CHUNK_FINISH);
}

/* The watcher rests while a chunk is in work: what is readable stays so. */
static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct input *in = io->data;

    (void)loop;
    (void)revents;
    in->has_news = true;
    watch(in, false);
}

static void on_read(void *ctx, struct chunk *chunk)
{
    struct input *in = ctx;
    enum chunk_purpose purpose = chunk->purpose;
    enum chunk_end how = chunk->how;
    struct err why;

    if (how == CHUNK_ERROR)
        why = chunk->why;
    in->is_busy = false;
    in->stats.bytes += chunk->end - chunk->start;
    in->stats.lines += chunk->n_lines;
    in->stats.events += chunk->n_events;
    in->stats.truncated += chunk->n_truncated;
    budget_add(in->world->budget, -chunk->reserved_bytes);
    chunk->reserved_bytes = 0;
    tracker_read(in->world->tracker, chunk); /* may free it */

    if (how == CHUNK_ERROR && why.code != ERR_NOMEM) {
        in->stats.errors++;
        in->world->log(in->world->log_ctx, &why);
    }
    if (how == CHUNK_EMPTY && purpose == CHUNK_FINISH) {
        in->is_finished = true;
        in->stats.streams = 0;
        return;
    }
    if (in->is_stopped)
        finish(in);
    if (in->is_stopped || in->is_paused)
        return;
    in->quiet_ms = in->now_ms;
    in->has_news = how != CHUNK_EMPTY || in->source.is_at_end;
    watch(in, !in->has_news);
}

static void start_chunk(struct input *in, enum chunk_purpose purpose)
{
    const struct input_world *w = in->world;
    int64_t reserve = input_reserve_bytes(in->common->chunk_bytes, w);
    struct chunk *chunk;

    /* Stopping reads nothing: what comes out is held already. */
    if (in->is_stopped)
        reserve = 0;
    /* What an agent before has left is held already, perhaps more than may be now: one chunk of it
     * always moves. */
    if (!rest_is_empty(&in->source.rest) && !in->stream.oldest)
        budget_add(w->budget, reserve);
    else if (reserve && !budget_try(w->budget, reserve))
        return;
    in->n_rest = rest_count_lines(&in->source.rest);
    in->stream.reserved_bytes = reserve;
    chunk =
        chunk_start(&in->stream, w->lanes, w->pool, purpose, clock_wall_ns(w->clock), on_read, in);
    if (!chunk) {
        budget_add(w->budget, -reserve);
        return;
    }
    tracker_add(w->tracker, chunk);
    in->is_busy = true;
    watch(in, false);
}

static int64_t stdin_tick(struct input *in, int64_t now_ms)
{
    int64_t held_ms = in->quiet_ms + in->common->join.timeout_ms;
    bool has_held = !in->is_busy && stream_is_holding(&in->stream);

    in->now_ms = now_ms;
    if (in->is_busy || in->is_finished || in->is_stopped || in->is_paused)
        return INT64_MAX;
    if (in->has_news || !in->world->loop)
        start_chunk(in, in->source.is_at_end ? CHUNK_FINISH : CHUNK_READ);
    else if (has_held && now_ms >= held_ms)
        start_chunk(in, CHUNK_IDLE);
    if (in->is_busy)
        return INT64_MAX;
    if (in->has_news)
        return now_ms + RETRY_MS; /* no memory for it now */
    return has_held ? (held_ms > now_ms ? held_ms : now_ms + RETRY_MS) : INT64_MAX;
}

static void set_up_stream(struct input *in, const struct stdin_options *o)
{
    const struct input_world *w = in->world;
    struct profile_parts parts;

    input_profile_parts(in->common, &parts);
    parts.host = slice_str(w->host);
    parts.path = slice_str(o->as ? o->as : "");
    parts.function = slice_str(in->common->function);
    in->source.base.ops = &source_ops;
    in->stream.options = &in->stream_options;
    in->stream.source = &in->source.base;
    in->stream.is_sequential = true;
    in->stream.keeps_state = true;
    in->stream.owner = in;
    correlate_init(&in->stream.correlate);
    stream_profile_build(&in->stream.profile, &parts, &in->profile);
    /* What a pipe says twice it means twice: each run has an identity of its own, unless it is
     * replayed. */
    if (!in->process) {
        in->process = (uint64_t)getpid();
        in->began_ns = (uint64_t)clock_wall_ns(w->clock);
    }
    stream_set_origin(&in->stream, parts.host, parts.path, 0, in->process, in->began_ns);
}

static void tell(const struct input *in, struct err *e)
{
    err_at(e, "standard input");
    in->world->log(in->world->log_ctx, e);
}

/* Takes up where the agent before left off: the same stream goes on. */
static void take_identity(struct input *in)
{
    struct rest *rest = in->world->handover ? &in->world->handover->rest : NULL;

    if (!rest || !rest->is_there)
        return;
    in->source.rest = *rest;
    *rest = (struct rest){0};
    rest_count_in(&in->source.rest, in->world->budget);
    in->process = in->source.rest.process;
    in->began_ns = in->source.rest.began_ns;
}

static void take_up(struct input *in)
{
    struct rest *rest = &in->source.rest;
    struct stream *s = &in->stream;
    struct err e = {0};

    if (!rest->is_there)
        return;
    s->position = s->settled_position = rest->position;
    if (rest->state.len && stream_state_load(s, buffer_slice(&rest->state), &e) < 0) {
        err_at(&e, "what was known of its open requests is lost");
        tell(in, &e);
    }
    s->settled_state = rest->state;
    rest->state = (struct buffer){0};
    had_load(s, in->world->lanes, buffer_slice(&rest->had));
    buffer_free(&rest->had);
    if (rest->lost_bytes) {
        err_set(&e, ERR_NOMEM, "%llu bytes were lost in the reload: out of memory",
                (unsigned long long)rest->lost_bytes);
        tell(in, &e);
    }
    in->has_news = !rest_is_empty(rest);
}

static struct input *stdin_open(const void *opts, const struct input_common *common,
                                const struct parser *parser, const struct input_world *world,
                                struct err *e)
{
    struct input *in = calloc(1, sizeof *in);

    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    in->common = common;
    in->world = world;
    in->stream_options = input_stream_options(common, parser, world);
    take_identity(in);
    set_up_stream(in, opts);
    take_up(in);
    in->stats.streams = 1;
    ev_io_init(&in->readable, on_readable, STDIN_FILENO, EV_READ);
    in->readable.data = in;
    watch(in, !in->has_news);
    return in;
}

/* At its end there is nothing more to follow: also when it was not a replay. */
static bool stdin_is_finished(const struct input *in)
{
    return in->is_finished;
}

static const struct input_stats *stdin_stats(const struct input *in)
{
    return &in->stats;
}

static void stdin_stop(struct input *in)
{
    in->is_stopped = true;
    watch(in, false);
    finish(in);
}

static void stdin_pause(struct input *in)
{
    in->is_paused = true;
    watch(in, false);
}

/* The chunks that are not settled, from the oldest on, then what they left of the last read, then
 * what this input has not come to of the rest that it was given itself. */
static void stdin_hand_over(struct input *in, struct handover *handover)
{
    struct rest *out = &handover->rest;
    struct stream *s = &in->stream;

    if (out->is_there)
        return; /* a second input, which has read nothing that the first has */
    out->is_there = true;
    out->process = in->process;
    out->began_ns = in->began_ns;
    out->position = s->oldest ? s->settled_position : s->position;
    if (s->oldest) {
        out->state = s->settled_state;
        s->settled_state = (struct buffer){0};
    } else {
        stream_state_save(s, &out->state);
    }
    had_save(s, in->world->lanes, &out->had);
    for (struct chunk *c = s->oldest; c; c = c->next) {
        if (c->raw_len)
            rest_add(out, &c->raw, c->raw_len);
        else
            out->lost_bytes += c->end - c->start;
    }
    if (s->carry.len)
        rest_add(out, &s->carry, 0);
    rest_append(out, &in->source.rest);
}

static uint64_t stdin_unsettled(const struct input *in)
{
    /* With a chunk in work the rest and the open line are the worker's. */
    uint64_t n = in->is_busy ? in->n_rest + 1
                             : rest_count_lines(&in->source.rest) + (in->stream.carry.len > 0);

    for (const struct chunk *c = in->stream.oldest; c; c = c->next)
        if (c->n_parts)
            n += ((c->n_parts - c->settled) * c->n_events + c->n_parts - 1) / c->n_parts;
    return n;
}

static void stdin_close(struct input *in)
{
    if (!in)
        return;
    watch(in, false);
    tracker_drop(in->world->tracker, &in->stream);
    rest_fini(&in->source.rest);
    correlate_fini(&in->stream.correlate);
    buffer_free(&in->stream.settled_state);
    buffer_free(&in->stream.carry);
    had_free(&in->stream.had);
    buffer_free(&in->profile);
    free(in);
}

const struct input_ops input_stdin = {
    .name = "stdin",
    .help = "standard input, until its end",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct stdin_options)},
    .open = stdin_open,
    .tick = stdin_tick,
    .is_finished = stdin_is_finished,
    .stats = stdin_stats,
    .stop = stdin_stop,
    .pause = stdin_pause,
    .hand_over = stdin_hand_over,
    .unsettled = stdin_unsettled,
    .close = stdin_close,
};
