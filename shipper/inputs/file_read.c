/* Whose turn it is: budget, chunks, and what comes of them. */
#include <stdio.h>

#include "shipper/inputs/file_input.h"

static bool is_replay(const struct input *in)
{
    return in->world->is_replay;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- states ---------------------------------------------------------------------------------- */

static void wait_for_news(struct input *in, struct tail *t)
{
    t->state = TAIL_WAITING;
    list_remove(&t->run);
    file_rest(in, t);
    if (stream_is_holding(&t->stream))
        list_push(&in->quiet, &t->quiet);
}

void file_ready(struct input *in, struct tail *t)
{
    switch (t->state) {
    case TAIL_BUSY:
        t->has_news = true;
        return;
    case TAIL_HELD:
    case TAIL_READY:
        return;
    case TAIL_DRAINED:
        in->n_unread++; /* somebody writes to what seemed finished */
        break;
    case TAIL_WAITING:
        if (list_has(&t->seek))
            return; /* there is nothing to read it from yet */
        break;
    }
    t->state = TAIL_READY;
    list_remove(&t->idle);
    list_remove(&t->quiet);
    list_push(&in->ready, &t->run);
}

void file_finish(struct input *in, struct tail *t)
{
    t->wants_finish = true;
    file_ready(in, t);
}

void file_drained(struct input *in, struct tail *t)
{
    if (t->state != TAIL_DRAINED)
        in->n_unread--;
    t->state = TAIL_DRAINED;
    t->wants_finish = false;
    list_remove(&t->quiet);
    list_push(&in->settling, &t->run);
    file_hand_over(in, t);
}

/* --- chunks ---------------------------------------------------------------------------------- */

static bool start_chunk(struct input *in, struct tail *t, enum chunk_purpose purpose);

static void note_packed_end(struct input *in, struct tail *t)
{
    struct err e = {0};

    if (!t->packed)
        return;
    switch (source_packed_end(t->packed)) {
    case PACKED_WHOLE:
    case PACKED_BROKEN:
        return;
    case PACKED_CUT:
        in->stats.errors++;
        err_set(&e, ERR_INPUT, "%s: ends in the middle of its packed data; what is there was read",
                t->path);
        break;
    case PACKED_GARBAGE:
        err_set(&e, ERR_INPUT, "%s: something else follows the packed data; left out", t->path);
        break;
    }
    file_log(in, &e);
}

/* Nobody writes to it any more. */
static bool is_whole(const struct tail *t)
{
    return t->packed ? source_packed_end(t->packed) != PACKED_CUT : t->copy_path && !t->is_packed;
}

/* The progress that total_bytes promised is corrected by what a file really held. */
static void correct_total(struct input *in, struct tail *t)
{
    if (!t->is_counted || !t->is_packed)
        return;
    in->stats.total_bytes += t->stream.position - t->size * 8;
    t->is_counted = false;
}

/* What was not read may have begun another request. */
static void set_gap(struct input *in, struct tail *t)
{
    if (t->successor)
        file_cut_off(in, t->successor);
}

static void on_finished(struct input *in, struct tail *t)
{
    note_packed_end(in, t);
    correct_total(in, t);
    if (t->packed && source_packed_end(t->packed) != PACKED_WHOLE &&
        source_packed_end(t->packed) != PACKED_GARBAGE)
        set_gap(in, t);
    file_drained(in, t);
    if (t->is_packed || is_replay(in))
        file_shut(in, t); /* a dead letter opens a plain file again */
    else
        file_rest(in, t);
}

/* An older file of the same origin, where it always was: whatever else it will bring, or why it
 * cannot be read, the one after it does not wait for that. */
static void release_successor(struct input *in, struct tail *t)
{
    if (!t->successor || list_has(&t->away) || list_has(&t->homeless))
        return;
    /* A summary that is held back comes out as this file's, at once: then we are here again. */
    if (!stream_is_holding(&t->stream) || !start_chunk(in, t, CHUNK_IDLE))
        file_hand_over(in, t);
}

/* Two failures long apart, with no turn for it in between, say nothing of the time between them. */
static bool is_hopeless(const struct input *in, const struct tail *t)
{
    return in->now_ms - t->failing_ms >= FILE_PATIENCE_MS && t->n_failed >= FILE_PATIENCE_TRIES;
}

/* A file that cannot be read is tried again; the one after it waits for a while, and then begins as
 * if there had been nothing before it. */
static void release_from_unread(struct input *in, struct tail *t)
{
    if (!t->successor)
        return;
    if (!is_hopeless(in, t)) {
        in->scan_ms = sooner(in->scan_ms, in->now_ms + FILE_PATIENCE_MS / FILE_PATIENCE_TRIES);
        return;
    }
    set_gap(in, t);
    if (t->spot) /* renamed to where we look too: it stays */
        list_remove(&t->away);
    release_successor(in, t);
}

static void on_end(struct input *in, struct tail *t, enum chunk_purpose purpose)
{
    struct file_stat st;

    if (t->packed && source_packed_is_other(t->packed)) {
        file_other_copy(in, t);
        return;
    }
    if (t->wants_end_cut) {
        file_end_cut(in, t);
        return;
    }
    if (t->file && source_file_is_rewritten(t->file) && !t->is_cut) {
        file_rewritten(in, t);
        return;
    }
    if (purpose != CHUNK_IDLE)
        tail_reached_end(t, in->now_ms);
    t->state = TAIL_WAITING;
    if (purpose == CHUNK_FINISH) {
        on_finished(in, t);
        return;
    }
    if (t->wants_finish || is_whole(t)) {
        file_finish(in, t);
        return;
    }
    if (t->has_news && tail_is_open(t) && tail_stat(t, &st, NULL) == 0 &&
        tail_look(t, &st, in->now_ms) == TAIL_GROWN) {
        file_ready(in, t);
        return;
    }
    if (t->has_news && t->spot)
        file_queue_check(in, t->spot);
    wait_for_news(in, t);
    if (t->failing_ms) /* only a summary came out */
        release_from_unread(in, t);
    else if (list_has(&t->away))
        file_step_away(in, t); /* it may have been quiet for long, and others wait for it */
    else
        release_successor(in, t);
}

/* One that is away has no next look; it is given up when its successor has waited long enough. */
static bool is_worth_waiting_for(const struct input *in, const struct tail *t)
{
    return !is_replay(in) && !t->is_packed && !t->is_gone && list_has(&t->away) &&
           !is_hopeless(in, t);
}

static void give_up(struct input *in, struct tail *t)
{
    struct err e = {0};

    if (!is_replay(in) && !t->is_packed && !t->is_gone) {
        t->is_given_up = true;
        err_set(&e, ERR_INPUT,
                "%s: cannot be read to its end where it was rotated to; going on without it, it is "
                "tried again at the next start",
                t->path);
        file_log(in, &e);
    }
    set_gap(in, t);
    on_finished(in, t);
}

/* A failure that is not the end of the world: tried again with the next look at the file. */
static void on_error(struct input *in, struct tail *t, struct err *why)
{
    if (t->file && t->stream.mark) /* the source may have read on behind the position */
        source_file_expect(t->file, t->stream.position, t->stream.mark);
    if (why->code == ERR_NOMEM)
        in->retry_ms = in->now_ms + FILE_RETRY_MS;
    if (why->code == ERR_NOMEM || why->code == ERR_BUSY) {
        t->state = TAIL_WAITING;
        file_ready(in, t);
        return;
    }
    if (!why->where[0])
        err_at(why, "%s", t->path);
    file_complain(in, t, why);
    t->state = TAIL_WAITING;
    if (t->packed && source_packed_end(t->packed) == PACKED_BROKEN && !t->wants_finish) {
        file_finish(in, t); /* lines that were read before the damage come out */
        return;
    }
    if ((t->is_packed || is_replay(in) || t->wants_finish) && !is_worth_waiting_for(in, t)) {
        give_up(in, t);
        return;
    }
    file_shut(in, t);
    t->read_size = UINT64_MAX; /* whatever the size: the next look is news */
    wait_for_news(in, t);
    release_from_unread(in, t);
}

static void on_read(void *ctx, struct chunk *chunk)
{
    struct input *in = ctx;
    struct tail *t = chunk->stream->owner;
    enum chunk_purpose purpose = chunk->purpose;
    enum chunk_end how = chunk->how;
    struct err why = {0};

    if (how == CHUNK_ERROR)
        why = chunk->why;
    else if (purpose != CHUNK_IDLE)
        t->failing_ms = t->n_failed = 0;
    in->n_busy--;
    if (chunk->end > chunk->start)
        t->bite_bytes = (int64_t)(chunk->end - chunk->start);
    in->stats.bytes += chunk->end - chunk->start;
    in->stats.lines += chunk->n_lines;
    in->stats.events += chunk->n_events;
    in->stats.truncated += chunk->n_truncated;
    budget_add(in->world->budget, -chunk->reserved_bytes);
    chunk->reserved_bytes = 0;
    tracker_read(in->world->tracker, chunk); /* may free it */

    if (how == CHUNK_MORE) {
        t->state = TAIL_WAITING;
        file_ready(in, t);
    } else if (how == CHUNK_EMPTY) {
        on_end(in, t, purpose);
    } else {
        on_error(in, t, &why);
    }
}

/* What the next bite will take. After a line longer than a chunk there may be another one. */
static int64_t room_for_next(const struct input *in, const struct tail *t)
{
    int64_t bite = in->common->chunk_bytes;

    return input_reserve_bytes(t->bite_bytes > bite ? t->bite_bytes : bite, in->world);
}

static bool start_chunk(struct input *in, struct tail *t, enum chunk_purpose purpose)
{
    const struct input_world *w = in->world;
    int64_t reserve = room_for_next(in, t);
    struct chunk *chunk;

    in->is_starved = !budget_try(w->budget, reserve);
    if (in->is_starved)
        return false;
    t->stream.reserved_bytes = reserve;
    chunk =
        chunk_start(&t->stream, w->lanes, w->pool, purpose, clock_wall_ns(w->clock), on_read, in);
    if (!chunk) {
        budget_add(w->budget, -reserve);
        in->retry_ms = in->now_ms + FILE_RETRY_MS;
        return false;
    }
    tracker_add(w->tracker, chunk);
    list_remove(&t->run);
    list_remove(&t->idle);
    list_remove(&t->quiet);
    t->state = TAIL_BUSY;
    t->has_news = false;
    t->purpose = purpose;
    in->n_busy++;
    return true;
}

bool file_flush_record(struct input *in, struct tail *t)
{
    if (!start_chunk(in, t, CHUNK_IDLE))
        return false;
    t->has_news = true;
    return true;
}

static unsigned max_busy(const struct input *in)
{
    return pool_size(in->world->pool) + 2;
}

static void cannot_open(struct input *in, struct tail *t)
{
    if (in->open_ms > in->now_ms)
        return; /* it stays in the line */
    wait_for_news(in, t);
    if (is_replay(in)) {
        file_drained(in, t);
    } else if (t->copy_path && t->is_missing && !t->is_gone) {
        list_push(&in->homeless, &t->homeless);
    } else if (t->spot) {
        t->read_size = UINT64_MAX;
        if (t->is_missing)
            file_queue_check(in, t->spot); /* it was renamed or replaced under our hands */
        else
            release_from_unread(in, t);
    } else if (t->is_packed && t->stream.carry.len && start_chunk(in, t, CHUNK_FINISH)) {
        t->wants_finish = true; /* gone, and was shut: its last line has no rest any more */
    } else if (stream_is_holding(&t->stream) && start_chunk(in, t, CHUNK_IDLE)) {
        t->wants_finish = true; /* comes back here with nothing held */
    } else if (t->is_gone) {
        file_drained(in, t);
    } else if (t->is_missing) {
        list_push(&in->homeless, &t->homeless); /* renamed once more */
    } else if (!is_worth_waiting_for(in, t)) {
        give_up(in, t);
    }
}

/* A tail's own look at the size before reading, so that "read to here" is not behind the truth.
 * True: there is nothing to read in it now. */
static bool is_found_rewritten(struct input *in, struct tail *t)
{
    struct file_stat st;

    if (tail_stat(t, &st, NULL) < 0 || tail_look(t, &st, in->now_ms) != TAIL_REWRITTEN)
        return false;
    if (t->stream.position)
        return false; /* the source finds the same out */
    file_rewritten(in, t);
    return true;
}

/* No descriptor for it: those behind it go on, and give theirs back. Or enough packed files are
 * being unpacked: each holds a window; one that waits for its own rest gives way (should that come,
 * it is unpacked from its beginning). */
static bool must_wait_for_others(struct input *in, const struct tail *t)
{
    if (tail_is_open(t))
        return false;
    if (in->open_ms > in->now_ms)
        return true;
    if (!t->is_packed || in->n_packed_open < max_busy(in))
        return false;
    if (list_is_empty(&in->cut))
        return true;
    file_shut(in, LIST_ENTRY(in->cut.next, struct tail, idle));
    return false;
}

static void read_ready(struct input *in)
{
    size_t n_turns = 2 * in->n_tails;

    while (n_turns-- && in->n_busy < max_busy(in) && in->retry_ms <= in->now_ms &&
           !list_is_empty(&in->ready)) {
        struct tail *t = LIST_ENTRY(in->ready.next, struct tail, run);
        bool is_last = t->wants_finish || is_replay(in);

        if (must_wait_for_others(in, t)) {
            list_push(&in->ready, &t->run);
            continue;
        }
        if (!file_open(in, t)) {
            cannot_open(in, t);
            continue;
        }
        if (is_found_rewritten(in, t))
            continue;
        file_check_had(t);
        if (!start_chunk(in, t, is_last ? CHUNK_FINISH : CHUNK_READ))
            return;
    }
}

/* --- what time brings ------------------------------------------------------------------------ */

/* Summaries that wait for a line that does not come. */
static void flush_quiet(struct input *in)
{
    while (!list_is_empty(&in->quiet) && in->n_busy < max_busy(in)) {
        struct tail *t = LIST_ENTRY(in->quiet.next, struct tail, quiet);

        if (t->quiet_ms + in->common->join.timeout_ms > in->now_ms || in->retry_ms > in->now_ms ||
            !start_chunk(in, t, CHUNK_IDLE))
            return;
    }
}

static void shut_idle(struct input *in)
{
    struct tail *t;

    while ((t = file_idle_longest(in, UINT64_MAX)) &&
           t->quiet_ms + FILE_IDLE_CLOSE_MS <= in->now_ms)
        file_shut(in, t);
}

/* Those whose last event has its last verdict. */
static void settle(struct input *in)
{
    struct link *next;

    if (in->now_ms < in->settle_ms)
        return;
    /* In a replay there are few, and others wait for their place. */
    in->settle_ms = in->now_ms + (is_replay(in) ? 0 : FILE_SETTLE_MS);
    file_find_copies(in);

    for (struct link *l = in->settling.next; l != &in->settling; l = next) {
        struct tail *t = LIST_ENTRY(l, struct tail, run);

        next = l->next;
        if (!tracker_is_settled(&t->stream) || list_has(&t->away) || list_has(&t->homeless))
            continue;
        if (file_has_left(in, t))
            list_push(&in->homeless, &t->homeless);
        else
            file_settled(in, t);
    }
}

void file_read_some(struct input *in)
{
    settle(in);
    if (in->is_stopped)
        return;
    file_step_those_away(in);
    read_ready(in);
    flush_quiet(in);
    shut_idle(in);
}

/* When a chunk that is wanted at a time can be started: not in the moment after one could not. */
static int64_t start_due(const struct input *in, int64_t wanted_ms)
{
    int64_t earliest = in->now_ms + 1;

    if (in->retry_ms > in->now_ms)
        earliest = in->retry_ms;
    else if (in->is_starved || in->open_ms > in->now_ms)
        earliest = in->now_ms + FILE_BUDGET_RETRY_MS;
    return wanted_ms > earliest ? wanted_ms : earliest;
}

int64_t file_read_due(const struct input *in)
{
    const struct tail *idle = file_idle_longest(in, UINT64_MAX);
    bool may_start = in->n_busy < max_busy(in);
    int64_t due = INT64_MAX;

    if (in->is_stopped)
        return due;
    if (!list_is_empty(&in->ready) && may_start)
        due = start_due(in, in->now_ms);
    if (!list_is_empty(&in->away))
        due = sooner(due, in->away_ms);
    if (!list_is_empty(&in->settling) || !list_is_empty(&in->seeking))
        due = sooner(due, in->now_ms + FILE_SETTLE_MS);
    if (!list_is_empty(&in->quiet) && may_start)
        due = sooner(due, start_due(in, LIST_ENTRY(in->quiet.next, struct tail, quiet)->quiet_ms +
                                            in->common->join.timeout_ms));
    if (idle)
        due = sooner(due, idle->quiet_ms + FILE_IDLE_CLOSE_MS);
    return due;
}

void file_forget_tail(struct input *in, struct tail *t)
{
    file_shut(in, t);
    if (t->state != TAIL_DRAINED)
        in->n_unread--;
    list_remove(&t->run);
    list_remove(&t->quiet);
    list_remove(&t->away);
    list_remove(&t->homeless);
    list_remove(&t->seek);
    if (in->checked == t)
        in->checked = NULL;
    if (t->left)
        t->left->previous = NULL;
    if (t->spot)
        t->spot->tail = NULL;
    if (t->predecessor)
        t->predecessor->successor = NULL;
    if (t->successor)
        t->successor->predecessor = NULL;
    file_tail_remove(in, t);
    in->stats.streams--;
    tail_free(t);
}
