#include "shipper/inputs/letters.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/level.h"
#include "parsers/timestamp.h"
#include "shipper/delivery/letter.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/line.h"

enum {
    RETRY_MS = 50,
    LETTER_MAX = 64 * 1024 * 1024, /* a line of max_line's default is at most a quarter of it */
    CHUNK_BYTES = 1024 * 1024,
};

struct letters_source {
    struct source base; /* first: the stream hands back this address */
    const struct files *files;
    int fd;
};

/* What one line is made into; the worker's. */
struct letter_work {
    struct json_object scan;
    struct json_object document;
    struct buffer sent; /* the document, if it is not sent as it was */
    struct buffer mended;
    struct buffer plain; /* texts of the document, without escapes */
    struct record record;
    struct stream_profile without_id;
};

struct input {
    const struct letters_options *options;
    const struct input_common *common;
    const struct input_world *world;
    struct stream_options stream_options;
    struct input_stats stats;
    struct stream stream;
    struct letters_source source;
    struct letter_work work;
    bool is_busy;
    bool is_finished;
    bool is_stopped;
};

/* --- the file -------------------------------------------------------------------------------- */

static ssize_t source_read(struct source *base, uint64_t offset, char *buf, size_t cap,
                           struct err *e)
{
    struct letters_source *s = (struct letters_source *)base;

    return s->files->pread(s->files->ctx, s->fd, buf, cap, offset, e);
}

static void source_close(struct source *base)
{
    struct letters_source *s = (struct letters_source *)base;

    if (s->fd >= 0)
        s->files->close(s->files->ctx, s->fd);
    s->fd = -1;
}

static const struct source_ops source_ops = {.read = source_read, .close = source_close};

/* --- a line ---------------------------------------------------------------------------------- */

/* The document as it is sent, scanned: as it was, or mended. False: out of memory. It points into
 * the letter, or into one of the two buffers. */
static bool mend(struct input *in, struct slice *document)
{
    const struct letters_options *o = in->options;
    struct letter_work *w = &in->work;

    for (size_t i = 0; i < o->n_fixes; i++) {
        struct buffer *out = i % 2 ? &w->mended : &w->sent;

        out->len = 0;
        out->failed = false;
        if (!letter_fix_apply(&o->fixes[i], *document, out))
            return false;
        *document = buffer_slice(out);
    }
    return !o->n_fixes || json_scan(*document, &w->document) == JSON_OK;
}

/* The lane of the output that refused it; -1: there is none. */
static int lane_of(struct input *in, const struct letter *letter)
{
    const struct letters_options *o = in->options;
    struct buffer *name = &in->work.plain;

    if (!o->outputs)
        return 0;
    name->len = 0;
    json_unescape(letter->output, name);
    for (size_t i = 0; i < o->n_outputs; i++)
        if (slice_is(buffer_slice(name), o->outputs[i]))
            return (int)i;
    return -1;
}

/* As it stands in the document, escapes and all; empty if it is no text. */
static struct slice raw_text(const struct json_object *document, const char *key)
{
    const struct json_member *m = json_find(document, key);

    return m && m->type == JSON_TYPE_STRING ? m->value : (struct slice){0};
}

/* There is room in `plain` for all texts of the document, so that none moves. */
static struct slice text(struct letter_work *w, const char *key)
{
    size_t from = w->plain.len;

    json_unescape(raw_text(&w->document, key), &w->plain);
    return slice_of(w->plain.ptr + from, w->plain.len - from);
}

/* What outputs with columns of their own want to know, beside the document. */
static void fill_event(struct letter_work *w, struct event *event)
{
    struct slice level = text(w, "log.level");

    record_reset(&w->record);
    event->record = &w->record;
    timestamp_parse(text(w, "@timestamp"), &event->time_ns);
    event->level = level_parse(level);
    if (event->level == LEVEL_NONE)
        w->record.level_text = level;
    event->request_id = text(w, "faas.execution");
    event->trace_id = text(w, "trace.id");
    event->function = text(w, "faas.name");
    event->init_id = letter_hex(text(w, "labels.init_id"));
}

static bool encode(struct line_work *work, struct input *in, const struct letter *letter,
                   struct slice document, int lane, uint32_t line_offset)
{
    struct letter_work *w = &in->work;
    struct ready_document ready = {.json = document};
    struct event event = {.ready = &ready,
                          .stream = &in->stream.profile,
                          .origin = letter->origin,
                          .offset = (uint64_t)letter->offset,
                          .coldstart = -1};

    fill_event(w, &event);
    ready.action = text(w, "event.action");
    ready.message = raw_text(&w->document, "message");
    if (letter->id.len == sizeof event.id)
        memcpy(event.id, letter->id.ptr, sizeof event.id);
    else
        event.stream = &w->without_id;
    if (w->plain.failed) {
        w->plain.failed = false;
        work->is_out_of_memory = true;
        return false;
    }
    return line_encode_one(work, (size_t)lane, &event, line_offset);
}

static bool take_letter(struct line_work *work, struct slice line, uint64_t offset)
{
    struct input *in = work->stream->owner;
    struct letter_work *w = &in->work;
    struct letter letter;
    struct slice document;
    int lane;

    if (!letter_read(line, &w->scan, &letter))
        return true;
    lane = lane_of(in, &letter);
    if (lane < 0 || json_scan(letter.document, &w->document) != JSON_OK)
        return true;
    document = letter.document;
    w->plain.len = 0;
    if (!mend(in, &document) || !buffer_reserve(&w->plain, document.len)) {
        w->plain.failed = false;
        work->is_out_of_memory = true;
        return false;
    }
    return encode(work, in, &letter, document, lane, (uint32_t)(offset - work->chunk->start));
}

/* --- the input ------------------------------------------------------------------------------- */

static void on_read(void *ctx, struct chunk *chunk)
{
    struct input *in = ctx;
    enum chunk_end how = chunk->how;
    struct err why = chunk->why;

    in->is_busy = false;
    in->stats.bytes += chunk->end - chunk->start;
    in->stats.lines += chunk->n_lines;
    in->stats.events += chunk->n_events;
    budget_add(in->world->budget, -chunk->reserved_bytes);
    chunk->reserved_bytes = 0;
    tracker_read(in->world->tracker, chunk); /* may free it */
    if (how == CHUNK_EMPTY)
        in->is_finished = true;
    if (how == CHUNK_ERROR && why.code != ERR_NOMEM) {
        in->stats.errors++;
        in->is_finished = true;
        in->world->log(in->world->log_ctx, &why);
    }
}

static int64_t letters_tick(struct input *in, int64_t now_ms)
{
    const struct input_world *w = in->world;
    int64_t reserve = input_reserve_bytes(CHUNK_BYTES, w);
    struct chunk *chunk;

    if (in->is_busy || in->is_finished || in->is_stopped)
        return INT64_MAX;
    if (!budget_try(w->budget, reserve))
        return now_ms + RETRY_MS;
    in->stream.reserved_bytes = reserve;
    chunk = chunk_start(&in->stream, w->lanes, w->pool, CHUNK_FINISH, clock_wall_ns(w->clock),
                        on_read, in);
    if (!chunk) {
        budget_add(w->budget, -reserve);
        return now_ms + RETRY_MS;
    }
    tracker_add(w->tracker, chunk);
    in->is_busy = true;
    return INT64_MAX;
}

static int open_source(struct input *in, struct err *e)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;

    in->source.fd = files->open(files->ctx, in->options->path, &missing, e);
    if (in->source.fd < 0 || files->fstat(files->ctx, in->source.fd, &st, e) < 0)
        return err_at(e, "%s", in->options->path);
    in->stats.total_bytes = st.size;
    return 0;
}

static void letters_close(struct input *in)
{
    if (!in)
        return;
    source_close(&in->source.base);
    tracker_drop(in->world->tracker, &in->stream);
    correlate_fini(&in->stream.correlate);
    json_object_free(&in->work.scan);
    json_object_free(&in->work.document);
    buffer_free(&in->work.sent);
    buffer_free(&in->work.mended);
    buffer_free(&in->work.plain);
    buffer_free(&in->stream.carry);
    free(in);
}

static struct input *letters_open(const void *options, const struct input_common *common,
                                  const struct parser *parser, const struct input_world *world,
                                  struct err *e)
{
    struct input *in = calloc(1, sizeof *in);

    (void)parser;
    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    in->options = options;
    in->common = common;
    in->world = world;
    in->source.base.ops = &source_ops;
    in->source.files = world->files;
    in->stream_options = (struct stream_options){
        .max_line_bytes = LETTER_MAX, .chunk_bytes = CHUNK_BYTES, .take = take_letter};
    in->stream.options = &in->stream_options;
    in->stream.source = &in->source.base;
    in->stream.owner = in;
    in->stream.profile.has_id = true;
    correlate_init(&in->stream.correlate);
    in->stats.streams = 1;
    if (open_source(in, e) == 0)
        return in;
    letters_close(in);
    return NULL;
}

static bool letters_is_finished(const struct input *in)
{
    return in->is_finished;
}

static const struct input_stats *letters_stats(const struct input *in)
{
    return &in->stats;
}

static void letters_stop(struct input *in)
{
    in->is_stopped = true;
}

const struct input_ops input_letters = {
    .name = "letters",
    .help = "dead letters, sent again",
    .open = letters_open,
    .tick = letters_tick,
    .is_finished = letters_is_finished,
    .stats = letters_stats,
    .stop = letters_stop,
    .close = letters_close,
};
