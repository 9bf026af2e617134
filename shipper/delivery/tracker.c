#include <assert.h>
#include <stddef.h>

#include "shipper/delivery/tracker.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"

void tracker_init(struct tracker *t, tracker_moved_fn *on_moved, void *ctx)
{
    *t = (struct tracker){.on_moved = on_moved, .ctx = ctx};
}

void tracker_add(struct tracker *t, struct chunk *chunk)
{
    struct stream *s = chunk->stream;

    chunk->next = NULL;
    if (s->newest)
        s->newest->next = chunk;
    else
        s->oldest = chunk;
    s->newest = chunk;
    t->n_chunks++;
    t->n_reading++;
}

static bool is_settled(const struct chunk *c)
{
    assert(!c->is_read || c->settled <= c->n_parts);
    return c->is_read && c->settled == c->n_parts;
}

/* What no checkpoint says of a stream without a source that can be asked again. */
static void keep_state(struct stream *s, struct chunk *last)
{
    struct buffer before = s->settled_state;

    s->settled_state = last->state;
    last->state = before;
}

/* The settled chunks at the head of the list leave it; the newest of them says how far we are. */
static void advance(struct tracker *t, struct stream *s)
{
    struct chunk *last = NULL;
    bool keeps_state = s->keeps_state;

    while (s->oldest && is_settled(s->oldest)) {
        chunk_free(last);
        last = s->oldest;
        s->oldest = last->next;
        t->n_chunks--;
    }
    if (!s->oldest)
        s->newest = NULL;
    if (!last)
        return;
    s->settled_position = last->end;
    /* Without memory for its state a position is not told: the next one is. */
    if (t->on_moved && !last->state.failed)
        t->on_moved(t->ctx, s, last->end, buffer_slice(&last->state));
    /* A stream whose state nobody keeps may be gone by now. */
    if (keeps_state && !last->state.failed)
        keep_state(s, last);
    chunk_free(last);
}

void tracker_read(struct tracker *t, struct chunk *chunk)
{
    chunk->is_read = true;
    t->n_reading--;
    advance(t, chunk->stream);
}

void tracker_settle(struct tracker *t, struct chunk *chunk, uint64_t n)
{
    chunk->settled += n;
    advance(t, chunk->stream);
}

/* That it has had them is of interest as long as others have not. */
static void note_had(unsigned output, const struct batch_item *items, size_t n)
{
    struct chunk *c = items->chunk;
    bool is_last = c == c->stream->oldest && c->is_read && c->settled + n == c->n_parts;

    if (!is_last && !c->stream->is_stand_in)
        had_note(&c->had, output, items, n);
}

void tracker_settle_items(struct tracker *t, unsigned output, const struct batch_item *items,
                          size_t n)
{
    /* Neighbours mostly come from the same chunk: settle them together. */
    for (size_t i = 0; i < n;) {
        struct chunk *chunk = items[i].chunk;
        size_t run = 1;

        while (i + run < n && items[i + run].chunk == chunk)
            run++;
        note_had(output, &items[i], run);
        tracker_settle(t, chunk, run);
        i += run;
    }
}

bool tracker_is_settled(const struct stream *stream)
{
    return !stream->oldest;
}

void tracker_drop(struct tracker *t, struct stream *stream)
{
    while (stream->oldest) {
        struct chunk *c = stream->oldest;

        stream->oldest = c->next;
        t->n_chunks--;
        t->n_reading -= !c->is_read;
        chunk_free(c);
    }
    stream->newest = NULL;
}
