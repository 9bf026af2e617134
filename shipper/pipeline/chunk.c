#include <limits.h>
#include <stdlib.h>

#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/frame.h"
#include "shipper/pipeline/join.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/line.h"
#include "shipper/pipeline/pack.h"
#include "shipper/pipeline/stream.h"

enum { PEEK_LINES = 64, CHUNK_DEFAULT = 256 * 1024 };

static size_t chunk_size(const struct stream *s)
{
    return s->options->chunk_bytes ? (size_t)s->options->chunk_bytes : CHUNK_DEFAULT;
}

/* Room for what is read, and where what is left of it is kept: a source that cannot seek gives its
 * bytes once. */
static bool make_room(struct stream *s, struct buffer *buf, size_t want)
{
    bool has_room = buffer_reserve(buf, want > buf->len ? want - buf->len : 0);

    buf->failed = false;
    if (s->is_sequential)
        has_room &= buffer_reserve(&s->carry, want > s->carry.len ? want - s->carry.len : 0);
    s->carry.failed = false;
    return has_room;
}

/* Fills `buf` up to `want` bytes, from where it ends. False: the source failed. *at_end: it has no
 * more for now. */
static bool read_up_to(struct chunk *c, struct buffer *buf, size_t want, bool *at_end)
{
    struct source *source = c->stream->source;

    if (!make_room(c->stream, buf, want))
        return err_set(&c->why, ERR_NOMEM, "out of memory for a chunk of %zu bytes", want) == 0;
    while (buf->len < want && !*at_end) {
        ssize_t n = source->ops->read(source, c->start + buf->len, buf->ptr + buf->len,
                                      want - buf->len, &c->why);

        if (n < 0)
            return false;
        *at_end = n == 0;
        buf->len += (size_t)n;
        c->raw_bytes += (uint64_t)n;
    }
    return true;
}

/* Reads a chunk into the worker's buffer, behind what the one before has left; more of it if one
 * line is longer than a chunk, but not what comes behind that line: room in the budget was asked
 * for a chunk. */
static bool read_chunk(struct chunk *c, struct buffer *buf, bool *at_end)
{
    struct stream *s = c->stream;
    size_t longest = (size_t)s->options->max_line_bytes + 2; /* and its CR LF */
    size_t want = chunk_size(s);
    size_t seen = 0;

    if (s->has_open_record) /* else nothing new would be read */
        want += s->carry.len;
    buf->len = 0;
    *at_end = c->purpose == CHUNK_IDLE;
    if (!make_room(s, buf, s->carry.len))
        return err_set(&c->why, ERR_NOMEM, "out of memory for an open line") == 0;
    buffer_add_slice(buf, buffer_slice(&s->carry));
    while (read_up_to(c, buf, want, at_end)) {
        if (*at_end || buf->len >= longest || s->is_in_long_line ||
            (buf->len > seen && memchr(buf->ptr + seen, '\n', buf->len - seen)))
            return true;
        seen = buf->len;
        want = seen + chunk_size(s) < longest ? seen + chunk_size(s) : longest;
    }
    return false;
}

static void take_record(struct line_work *work, const struct frame_line *line, uint32_t n_lines)
{
    struct chunk *c = work->chunk;
    struct stream *s = c->stream;
    unsigned flags = (line->is_cut ? RECORD_TRUNCATED : 0u) | (n_lines > 1 ? RECORD_JOINED : 0u);

    c->n_lines += n_lines;
    if (!s->has_head)
        stream_set_head(s, stream_head_hash(line->text));
    if (line->is_cut)
        c->n_truncated++;
    if (line->text.len && s->options->take)
        s->options->take(work, line->text, c->start + line->offset);
    else if (line->text.len)
        line_process(work, line->text, c->start + line->offset, flags);
}

/* What of a chunk's bytes was worked through. */
struct taken {
    size_t len;
    bool is_open; /* behind it is a record that may go on */
};

/* Works through the whole records of `bytes`. is_last: no more bytes will come. is_quiet: none has
 * come for so long that an open record is taken as whole. */
static struct taken take_records(struct line_work *work, struct slice bytes, bool is_last,
                                 bool is_quiet)
{
    struct chunk *c = work->chunk;
    struct stream *s = c->stream;
    struct taken taken = {0};
    struct frame f;
    struct frame_line line;
    uint32_t n_lines = 1;

    frame_init(&f, bytes, s->options->max_line_bytes, s->is_in_long_line, is_last);
    while (frame_next(&f, &line)) {
        if (join_take(&s->options->join, &f, &line, &n_lines, is_quiet) == JOIN_OPEN) {
            taken.is_open = true;
            return taken;
        }
        work->ahead = slice_from(f.bytes, f.at);
        take_record(work, &line, n_lines);
        if (work->is_out_of_memory)
            return taken; /* this record is read again, when there is memory */
        taken.len = f.at;
        c->skipped_bytes = f.skipped_bytes;
        s->is_in_long_line = f.is_in_long_line;
    }
    taken.len = f.at;
    c->skipped_bytes = f.skipped_bytes;
    s->is_in_long_line = f.is_in_long_line;
    return taken;
}

/* What the next chunk begins with: what a source that cannot seek has given, and an open record,
 * which must come out when its stream is quiet, or cut off by a truncation. False: no memory. */
static bool keep_rest(struct stream *s, struct slice rest, bool is_open)
{
    s->has_open_record = is_open;
    s->carry.len = 0;
    if (!s->is_sequential && !is_open) {
        buffer_free(&s->carry);
        return true;
    }
    if (!buffer_reserve(&s->carry, rest.len)) {
        s->carry.failed = false;
        s->has_open_record = false; /* it is read again */
        return false;
    }
    buffer_add_slice(&s->carry, rest);
    return true;
}

/* The records of the chunk; more is read as long as all of it is one that may go on. False: reading
 * failed. */
static bool take_all(struct chunk *c, struct line_work *work, struct buffer *buf, bool *at_end,
                     struct taken *taken)
{
    struct stream *s = c->stream;
    bool is_quiet = c->purpose == CHUNK_IDLE;

    for (;;) {
        struct slice bytes = buffer_slice(buf);

        /* A stream that begins with undated lines: the first time that it says stands in for them.
         */
        if (!s->correlate.last_ns && c->start == 0 && !s->options->take)
            work->first_ns = line_peek_time(work, bytes, PEEK_LINES, INT_MAX);
        *taken = take_records(work, bytes, *at_end && c->purpose == CHUNK_FINISH, is_quiet);
        if (!taken->is_open || taken->len || *at_end)
            return true;
        if (!read_up_to(c, buf, buf->len + chunk_size(s), at_end))
            return false;
    }
}

static void work_on(struct chunk *c, struct worker *w)
{
    struct stream *s = c->stream;
    struct buffer *buf = &w->chunk;
    struct line_work work;
    struct taken taken = {0};
    struct slice bytes;
    bool at_end;
    bool is_read;

    c->start = c->end = s->position;
    line_work_init(&work, c, w);
    is_read = read_chunk(c, buf, &at_end) && take_all(c, &work, buf, &at_end, &taken);
    bytes = buffer_slice(buf);
    if (is_read && at_end && c->purpose != CHUNK_READ && !work.is_out_of_memory)
        line_flush(&work);
    line_work_fini(&work);
    if (!is_read) {
        /* A sequential source has moved on: what it gave is not lost. */
        if (buf->len > s->carry.len)
            keep_rest(s, bytes, s->has_open_record);
        c->how = CHUNK_ERROR;
        return;
    }

    s->position = c->end = c->start + taken.len;
    c->how = at_end ? CHUNK_EMPTY : CHUNK_MORE;
    if (!keep_rest(s, slice_from(bytes, taken.len), taken.is_open) || work.is_out_of_memory) {
        c->how = CHUNK_ERROR;
        err_set(&c->why, ERR_NOMEM, "out of memory");
    }
    if (taken.len && s->is_sequential && (c->n_parts || s->keeps_state) &&
        pack_bytes(w, slice_of(bytes.ptr, taken.len), &c->raw))
        c->raw_len = taken.len;
}

/* The worker's buffer has what was read, from the chunk's start on. */
static uint64_t mark_position(const struct chunk *c, const struct worker *w)
{
    const struct stream *s = c->stream;
    const struct source_ops *ops = s->source ? s->source->ops : NULL;

    if (!ops || !ops->mark)
        return 0;
    if (s->has_open_record && ops->mark_inside)
        ops->mark_inside(s->source, s->position,
                         slice_of(w->chunk.ptr, (size_t)(s->position - c->start)));
    return ops->mark(s->source, s->position);
}

static void run_chunk(struct job *job, struct worker *w)
{
    struct chunk *c = (struct chunk *)job;
    struct stream *s = c->stream;

    work_on(c, w);
    if (s->position != c->start || c->how != CHUNK_ERROR) /* else it is as it was */
        s->mark = mark_position(c, w);
    stream_state_save(s, &c->state);
}

static void on_chunk_done(struct job *job)
{
    struct chunk *c = (struct chunk *)job;

    c->kept_bytes = (int64_t)(sizeof *c + c->raw.cap + c->state.cap);
    budget_add(lanes_budget(c->lanes), c->kept_bytes);
    c->on_read(c->ctx, c);
}

struct chunk *chunk_start(struct stream *stream, struct lanes *lanes, struct pool *pool,
                          enum chunk_purpose purpose, int64_t now_wall_ns, chunk_done_fn *on_read,
                          void *ctx)
{
    struct chunk *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->job.run = run_chunk;
    c->job.done = on_chunk_done;
    c->stream = stream;
    c->lanes = lanes;
    c->on_read = on_read;
    c->ctx = ctx;
    c->purpose = purpose;
    c->now_wall_ns = now_wall_ns;
    c->reserved_bytes = stream->reserved_bytes;
    stream->reserved_bytes = 0;
    pool_submit(pool, &c->job, JOB_NORMAL);
    return c;
}

void chunk_free(struct chunk *c)
{
    if (!c)
        return;
    if (c->kept_bytes)
        budget_add(lanes_budget(c->lanes), -c->kept_bytes);
    buffer_free(&c->raw);
    buffer_free(&c->state);
    had_free(&c->had);
    free(c);
}

uint64_t chunk_item_place(const struct batch_item *item)
{
    if (!batch_item_is_summary(item))
        return item->chunk->start + item->line_offset;
    if (item->line_offset == BATCH_REPORT_BEFORE)
        return HAD_PLACE_BEFORE;
    if (item->line_offset == BATCH_REPORT_UNKNOWN)
        return HAD_PLACE_UNKNOWN;
    return item->chunk->start + (uint64_t)(int64_t)(int32_t)item->line_offset;
}

static bool original_from_kept(const struct chunk *c, uint32_t at, uint32_t len, struct buffer *out)
{
    struct buffer plain = {0};
    bool is_there = c->raw.ptr && (size_t)at + len <= c->raw_len &&
                    unpack_bytes(buffer_slice(&c->raw), c->raw_len, &plain);

    if (is_there)
        buffer_add(out, plain.ptr + at, len);
    buffer_free(&plain);
    return is_there && !out->failed;
}

bool chunk_original(const struct chunk *c, uint32_t line_offset, uint32_t line_len,
                    struct buffer *out)
{
    struct source *source;

    if (line_len == 0)
        return false;
    if (c->stream->is_sequential) /* its source may be closed and opened anew meanwhile */
        return original_from_kept(c, line_offset, line_len, out);
    source = c->stream->source;
    if (!source || !source->ops->reread || !buffer_reserve(out, line_len) ||
        !source->ops->reread(source, c->start + line_offset, out->ptr + out->len, line_len))
        return false;
    out->len += line_len;
    return true;
}
