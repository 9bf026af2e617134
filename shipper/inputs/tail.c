#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/tail.h"

enum { LINGER_MS = 5000, RELEASE_AFTER_GRACES = 10 };

void tail_write_key(char key[TAIL_KEY_MAX], const struct file_id *id, unsigned n_rewritten)
{
    int n = snprintf(key, TAIL_KEY_MAX, "file:%" PRIx64 ":%" PRIx64 ":%" PRIx64, id->device,
                     id->inode, id->generation);

    if (n_rewritten)
        snprintf(key + n, TAIL_KEY_MAX - (size_t)n, ":%x", n_rewritten);
}

struct tail *tail_new(const char *path, const struct file_id *id, unsigned n_rewritten)
{
    struct tail *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->path = strdup(path);
    if (!t->path) {
        free(t);
        return NULL;
    }
    t->id = *id;
    t->n_rewritten = n_rewritten;
    tail_write_key(t->key, id, n_rewritten);
    t->state = TAIL_WAITING;
    list_init(&t->all);
    list_init(&t->run);
    list_init(&t->idle);
    list_init(&t->quiet);
    list_init(&t->away);
    list_init(&t->homeless);
    list_init(&t->seek);
    correlate_init(&t->stream.correlate);
    t->stream.owner = t;
    return t;
}

void tail_free(struct tail *t)
{
    if (!t)
        return;
    if (t->stream.source)
        t->stream.source->ops->close(t->stream.source);
    correlate_fini(&t->stream.correlate);
    buffer_free(&t->stream.carry);
    had_free(&t->stream.had);
    buffer_free(&t->profile);
    free(t->path);
    free(t->copy_path);
    free(t);
}

bool tail_is_open(const struct tail *t)
{
    return t->is_packed ? t->packed != NULL : t->file && source_file_is_open(t->file);
}

int tail_stat(struct tail *t, struct file_stat *st, struct err *e)
{
    return t->is_packed ? source_packed_stat(t->packed, st, e) : source_file_stat(t->file, st, e);
}

/* Nothing of it was read, so that only its size tells. */
static bool has_lost_all(const struct tail *t, const struct file_stat *st)
{
    return t->stream.position == 0 && st->size < t->size;
}

enum tail_news tail_look(struct tail *t, const struct file_stat *st, int64_t now_ms)
{
    /* The time is only compared for being another one: clocks go back, and copies keep theirs. */
    bool is_same = st->size == t->read_size && st->mtime_ns == t->read_mtime_ns;

    if (!t->is_packed && (st->size < t->stream.position || has_lost_all(t, st))) {
        t->has_shrunk = true; /* t->size stays what was seen before: it says what was lost */
        return TAIL_REWRITTEN;
    }
    if (st->size != t->size || st->mtime_ns != t->stream.mtime_ns)
        t->grown_ms = now_ms;
    t->size = st->size;
    t->stream.mtime_ns = st->mtime_ns;
    return is_same ? TAIL_NOTHING : TAIL_GROWN;
}

void tail_reached_end(struct tail *t, int64_t now_ms)
{
    t->read_size = t->size;
    t->read_mtime_ns = t->stream.mtime_ns;
    t->quiet_ms = now_ms;
}

/* Of a packed file nobody knows how much text is left, but how many bytes were not unpacked. */
static uint64_t packed_left(const struct tail *t, bool is_in_work)
{
    uint64_t taken = t->packed && !is_in_work ? source_packed_taken(t->packed) : 0;

    return t->state != TAIL_DRAINED && t->size > taken ? t->size - taken : 0;
}

static uint64_t bytes_behind(const struct tail *t, uint64_t position)
{
    if (t->is_packed)
        return packed_left(t, t->state == TAIL_BUSY);
    return t->size > position ? t->size - position : 0;
}

uint64_t tail_lost_bytes(const struct tail *t)
{
    if (t->is_cut && !t->has_shrunk)
        return 0; /* its size may be that of the new text */
    return bytes_behind(t, t->stream.position);
}

uint64_t tail_unread_bytes(const struct tail *t)
{
    /* While a chunk is in work the position is the worker's: then what is settled, which is no
     * more. */
    return bytes_behind(t, t->state == TAIL_BUSY ? t->stream.settled_position : t->stream.position);
}

uint64_t tail_lost_at_end(const struct tail *t)
{
    uint64_t unsettled = t->stream.position - t->stream.settled_position;

    if (t->is_left || t->has_copy || t->stream.position < t->stream.settled_position)
        return 0;
    if (t->is_superseded) /* what was not read of it was counted then */
        return unsettled;
    if (t->is_packed) /* whatever it says, nobody is at work now */
        return t->is_gone ? packed_left(t, false) + unsettled : 0;
    return t->is_gone && (t->state != TAIL_DRAINED || unsettled) ? tail_lost_bytes(t) + unsettled
                                                                 : 0;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When it was last seen to grow, or earlier, if it says so itself. A clock that was set back says
 * nothing. */
static int64_t written_ms(const struct tail *t, const struct tail_moment *m)
{
    int64_t seen_ms = latest(t->grown_ms, t->quiet_ms);
    int64_t age_ms = (m->wall_ns - t->stream.mtime_ns) / 1000000;

    return age_ms > m->now_ms - seen_ms ? m->now_ms - age_ms : seen_ms;
}

enum tail_step tail_away_step(const struct tail *t, const struct tail_moment *m)
{
    int64_t seen_ms = latest(t->grown_ms, t->quiet_ms);

    if (t->state == TAIL_DRAINED)
        return m->now_ms - latest(t->away_ms, seen_ms) >= latest(m->grace_ms, LINGER_MS)
                   ? TAIL_CLOSE
                   : TAIL_STAY;
    if (t->state != TAIL_WAITING)
        return TAIL_STAY;
    if (m->now_ms - latest(t->away_ms, written_ms(t, m)) >= m->grace_ms)
        return TAIL_FINISH;
    if (t->failing_ms || !t->successor)
        return TAIL_STAY;
    return m->now_ms - t->away_ms >= RELEASE_AFTER_GRACES * m->grace_ms ? TAIL_RELEASE : TAIL_STAY;
}
