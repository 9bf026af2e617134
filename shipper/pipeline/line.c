#include "shipper/pipeline/line.h"
#include "parsers/parser.h"
#include "shipper/pipeline/frame.h"
#include "shipper/pipeline/stream.h"

enum { PEEK_AT_START = 8, PEEK_AT_INIT = 64 };

/* No invocation lasts longer (aws.md); a time that is older says nothing about the next line. */
static const int64_t stale_ns = INT64_C(900) * 1000000000;

void line_work_init(struct line_work *work, struct chunk *chunk, struct worker *w)
{
    work->chunk = chunk;
    work->stream = chunk->stream;
    work->worker = w;
    memset(work->open, 0, sizeof work->open);
    work->first_ns = 0;
    work->ahead = (struct slice){0};
    work->is_out_of_memory = false;
    w->parse.times = (struct time_context){
        .rules = work->stream->options->times,
        .near_ns = work->stream->mtime_ns ? work->stream->mtime_ns : chunk->now_wall_ns};
}

/* What a batch has grown by is counted as it is now: so much less of what the chunk has asked for.
 */
static void use_reserve(struct line_work *work, const struct batch *b)
{
    struct chunk *c = work->chunk;
    int64_t grown = batch_bytes(b) - b->counted_bytes;
    int64_t used = grown < c->reserved_bytes ? grown : c->reserved_bytes;

    if (used <= 0)
        return;
    c->reserved_bytes -= used;
    budget_add(lanes_budget(c->lanes), -used);
}

void line_work_fini(struct line_work *work)
{
    for (size_t i = 0; i < lanes_count(work->chunk->lanes); i++) {
        if (!work->open[i])
            continue;
        use_reserve(work, work->open[i]);
        lanes_put(work->chunk->lanes, work->open[i], work->worker);
    }
}

/* What names the line for good by itself: a time of its own, or the request that a platform line is
 * about. Other lines may be written again, alike, into a file made anew. */
static bool is_dated(const struct record *r)
{
    return r->has_time || (r->kind != RECORD_LINE && r->request_id.len);
}

static struct line_ref name_line(const struct stream *s, const struct record *r, struct slice line,
                                 uint64_t offset)
{
    struct hash128 key = is_dated(r) ? s->id_key : s->undated_key;

    key.low += offset * 0x9E3779B97F4A7C15u;
    key.high += (uint64_t)r->guessed_year; /* such a line may be said again next year */
    return (struct line_ref){offset, hash128_keyed(line, &key), s->id_key.low};
}

int64_t line_peek_time(struct line_work *work, struct slice bytes, int n_lines, int n_starts)
{
    const struct stream_options *options = work->stream->options;
    struct record *r = &work->record;
    struct frame f;
    struct frame_line line;

    frame_init(&f, bytes, options->max_line_bytes, false, true);
    for (int i = 0; i < n_lines && frame_next(&f, &line); i++) {
        parser_parse(options->parser, &work->worker->parse, line.text, r);
        if (r->has_time)
            return r->time_ns;
        if (r->kind == RECORD_START && n_starts-- == 0)
            return 0;
    }
    return 0;
}

/* Lines that begin something say no time in Lambda's text format, and the last one before them may
 * be hours old: the next one is nearer. `line` is not parsed yet. */
static int64_t time_ahead(struct line_work *work, struct slice line)
{
    static const struct slice heads[] = {SLICE_LIT("START RequestId: "), SLICE_LIT("INIT_START "),
                                         SLICE_LIT("RESTORE_START ")};

    for (int i = 0; i < 3; i++)
        if (slice_starts(line, heads[i]))
            return i == 0 ? line_peek_time(work, work->ahead, PEEK_AT_START, 0)
                          : line_peek_time(work, work->ahead, PEEK_AT_INIT, 1);
    return 0;
}

static bool begins_something(const struct record *r)
{
    return r->kind == RECORD_START || r->kind == RECORD_INIT_START ||
           r->kind == RECORD_RESTORE_START;
}

/* The time of a line that says none: the last that its stream said; for a live file not older than
 * what the file's own time allows. */
static int64_t stand_in_time(const struct line_work *work, const struct record *r)
{
    const struct stream *s = work->stream;
    int64_t last = s->correlate.last_ns ? s->correlate.last_ns : work->first_ns;
    int64_t written = s->mtime_ns ? s->mtime_ns : work->chunk->now_wall_ns;

    if (!last)
        return written;
    if (s->options->is_live && (begins_something(r) || written - last > stale_ns))
        return written;
    return last;
}

static int64_t time_of(const struct line_work *work, const struct record *r, int64_t ahead_ns)
{
    if (r->has_time)
        return r->time_ns;
    return ahead_ns && begins_something(r) ? ahead_ns : stand_in_time(work, r);
}

static bool encode_into(struct line_work *work, size_t lane, const struct event *event,
                        uint32_t line_offset)
{
    struct lanes *lanes = work->chunk->lanes;
    const struct lane_options *options = lanes_options(lanes, lane);
    struct batch *b = work->open[lane];
    size_t from;

    if (!b)
        b = work->open[lane] = lanes_take(lanes, lane);
    else if (batch_is_full(b, &options->limits)) {
        use_reserve(work, b);
        b = work->open[lane] = lanes_exchange(lanes, b, work->worker);
    }
    if (!b)
        return false;
    from = b->body.len;
    options->ops->encode(options->options, event, &b->body);
    if (!batch_commit(b, from, work->chunk, line_offset, (uint32_t)event->line.len))
        return false;
    work->chunk->n_parts++;
    return true;
}

bool line_encode_one(struct line_work *work, size_t lane, const struct event *event,
                     uint32_t line_offset)
{
    if (!encode_into(work, lane, event, line_offset)) {
        work->is_out_of_memory = true;
        return false;
    }
    work->chunk->n_events++;
    return true;
}

/* A summary's REPORT may be in an earlier chunk, or in the file before. */
static uint32_t offset_of(const struct line_work *work, const struct event *event)
{
    int64_t ahead = (int64_t)(event->offset - work->chunk->start);

    if (!event->invocation)
        return ahead >= 0 && ahead <= UINT32_MAX ? (uint32_t)ahead : 0;
    if (work->stream->holds_elders)
        return BATCH_REPORT_BEFORE;
    return ahead > INT32_MIN + 1 && ahead <= INT32_MAX ? (uint32_t)ahead : BATCH_REPORT_UNKNOWN;
}

/* In an earlier life. */
static bool has_had(const struct line_work *work, size_t lane, const struct event *event)
{
    const struct stream *s = work->stream;
    bool is_summary = event->invocation;
    uint64_t place = is_summary && s->holds_elders ? HAD_PLACE_BEFORE : event->offset;

    return s->had.n_outputs && had_has(&s->had, (unsigned)lane, is_summary, place);
}

static bool encode(struct line_work *work, const struct event *event)
{
    uint32_t line_offset = offset_of(work, event);

    for (size_t i = 0; i < lanes_count(work->chunk->lanes); i++)
        if (!has_had(work, i, event) && !encode_into(work, i, event, line_offset)) {
            work->is_out_of_memory = true;
            return false;
        }
    work->chunk->n_events++;
    return true;
}

static struct slice function_of(const struct stream *s, const struct record *r)
{
    if (r && (r->faas_name.kind == VALUE_TEXT || r->faas_name.kind == VALUE_JSON_STRING))
        return r->faas_name.bytes;
    if (s->correlate.function[0])
        return slice_str(s->correlate.function);
    return s->profile.function;
}

/* The cloud that the line names, else the one that its stream's platform lines named. */
static void place(const struct stream *s, const struct record *r, struct event *event)
{
    const struct correlate *c = &s->correlate;
    bool is_said = r && r->cloud_region.len && r->cloud_account.len;

    event->cloud_region = is_said ? r->cloud_region : slice_str(c->region);
    event->cloud_account = is_said ? r->cloud_account : slice_str(c->account);
}

static enum level level_of(enum outcome outcome)
{
    if (outcome == OUTCOME_UNKNOWN)
        return LEVEL_WARN;
    return outcome == OUTCOME_SUCCESS ? LEVEL_INFO : LEVEL_ERROR;
}

static bool emit_invocation(struct line_work *work, const struct invocation *inv)
{
    static const struct record nothing = {.coldstart = -1};
    struct stream *s = work->stream;
    struct hash128 id = hash128_keyed(slice_str("invocation"), &inv->at.hash);
    struct event event = {
        .record = &nothing,
        .stream = &s->profile,
        .origin = inv->at.origin,
        .offset = inv->at.offset,
        .time_ns = inv->end_ns ? inv->end_ns : stand_in_time(work, &nothing),
        .level = level_of((enum outcome)inv->outcome),
        .request_id = slice_of(inv->id, inv->id_len),
        .request_id_source = REQUEST_ID_LINE,
        .trace_id = slice_of(inv->trace_id, inv->has_trace_id ? sizeof inv->trace_id : 0),
        .function = function_of(s, NULL),
        .function_version = slice_str(s->correlate.version),
        .coldstart = inv->coldstart,
        .init_id = inv->init_id,
        .invocation = inv,
    };

    if (!s->options->with_invocations) {
        s->holds_elders = false;
        return true;
    }
    place(s, NULL, &event);
    hash128_text(&id, event.id);
    if (!encode(work, &event))
        return false;
    s->holds_elders = false;
    return true;
}

bool line_process(struct line_work *work, struct slice line, uint64_t offset, unsigned flags)
{
    struct stream *s = work->stream;
    struct record *r = &work->record;
    struct invocation done[CORRELATE_MAX_DONE];
    struct correlation found;
    struct line_ref at;
    struct event event;
    size_t n_done;
    int64_t ahead_ns = time_ahead(work, line);

    if (flags & RECORD_JOINED)
        parser_parse_lines(s->options->parser, &work->worker->parse, line, r);
    else
        parser_parse(s->options->parser, &work->worker->parse, line, r);
    r->flags |= flags;
    at = name_line(s, r, line, offset);
    n_done = correlate_line(&s->correlate, r, &at, &found, done);
    event = (struct event){
        .record = r,
        .stream = &s->profile,
        .line = line,
        .origin = s->id_key.low,
        .offset = offset,
        .time_ns = time_of(work, r, ahead_ns),
        .level = r->level,
        .request_id = found.request_id,
        .request_id_source = found.source,
        .trace_id = r->has_trace_id ? slice_of(r->trace_id, sizeof r->trace_id) : found.trace_id,
        .span_id = slice_of(r->span_id, r->has_span_id ? sizeof r->span_id : 0),
        .function = function_of(s, r),
        .function_version = slice_str(s->correlate.version),
        .coldstart = r->coldstart >= 0 ? r->coldstart : found.coldstart,
        .is_init = found.is_init,
        .init_id = found.init_id,
    };
    place(s, r, &event);
    hash128_text(&at.hash, event.id);
    if (!encode(work, &event))
        return false;
    for (size_t i = 0; i < n_done; i++)
        if (!emit_invocation(work, &done[i]))
            return false;
    return true;
}

bool line_flush(struct line_work *work)
{
    struct invocation done;

    return !correlate_flush(&work->stream->correlate, &done) || emit_invocation(work, &done);
}
