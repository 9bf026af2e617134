/* Reading records of the disk queue back. */
#include <errno.h>
#include <string.h>

#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/queue_store.h"

enum { KEPT_META = 256 * 1024 };

static int fail(const struct queue_store *s, uint64_t segment, int rc, struct err *e)
{
    char name[QUEUE_NAME_MAX];

    queue_segment_name(segment, name);
    err_set(e, rc == -ENOMEM ? ERR_NOMEM : ERR_STORE, "cannot be read: %s", strerror(-rc));
    return err_at(e, "%s/%s", s->directory, name);
}

static const struct queue_segment *segment_of(const struct queue_store *s, uint64_t number)
{
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i].first <= number && number < s->segments[i].end)
            return &s->segments[i];
    return NULL;
}

static void close_file(struct queue_store *s)
{
    if (s->read_file >= 0)
        s->disk->close(s->disk->ctx, s->read_file);
    s->read_file = -1;
    s->has_entry = false;
}

static void take_stretch(struct queue_store *s, uint64_t from, uint64_t to, uint32_t n_events)
{
    queue_damage_take(&s->damage, s->read_file,
                      &(struct queue_stretch){.segment = s->walk.segment,
                                              .from = from,
                                              .to = to,
                                              .n_records = 1,
                                              .n_events = n_events,
                                              .what = "damaged since they were written"});
}

/* --- finding it ------------------------------------------------------------------------------ */

/* Records are mostly read in their order, so the walk goes on where it stood. */
static int aim(struct queue_store *s, const struct queue_segment *segment, uint64_t number)
{
    bool is_ahead = s->has_entry && s->walk.entry.number > number;
    char name[QUEUE_NAME_MAX];

    if (s->read_file >= 0 && s->walk.segment == segment->id && !is_ahead) {
        s->walk.size = segment->readable;
        return 0;
    }
    if (s->read_file < 0 || s->walk.segment != segment->id) {
        close_file(s);
        queue_segment_name(segment->id, name);
        s->read_file = disk_open(s->disk, s->dir, name, DISK_READ);
        if (s->read_file < 0)
            return s->read_file;
    }
    queue_walk_fini(&s->walk);
    queue_walk_init(&s->walk, s->disk, s->read_file, segment->id, segment->readable,
                    QUEUE_HEAD_LEN);
    s->has_entry = false;
    return 0;
}

/* To the record itself. 1; 0: it is not there; a negative errno. */
static int find(struct queue_store *s, const struct queue_segment *segment, uint64_t number)
{
    int rc = aim(s, segment, number);

    if (rc < 0)
        return rc;
    while (!s->has_entry || s->walk.entry.number < number) {
        rc = queue_walk_next(&s->walk);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return 0;
        s->has_entry = true;
    }
    return s->walk.entry.number == number;
}

/* --- taking it ------------------------------------------------------------------------------- */

/* 1; 0: not as many bytes as there should be; a negative errno. */
static int read_part(const struct queue_store *s, uint64_t offset, size_t len, struct buffer *out)
{
    ssize_t n;

    if (!buffer_reserve(out, len ? len : 1)) {
        out->failed = false;
        return -ENOMEM;
    }
    n = disk_read(s->disk, s->read_file, out->ptr, len, offset);
    if (n < 0)
        return (int)n;
    out->len = (size_t)n;
    return out->len == len;
}

/* *out NULL: it is damaged. */
static int read_record(struct queue_store *s, struct queue_record **out, struct err *e)
{
    const struct queue_entry *entry = &s->walk.entry;
    uint64_t at = entry->offset + QUEUE_ENTRY_LEN;
    struct buffer body = {0};
    int rc;

    *out = NULL;
    s->meta.len = 0;
    rc = read_part(s, at, entry->meta_len, &s->meta);
    if (rc > 0)
        rc = read_part(s, at + entry->meta_len, entry->body_len, &body);
    if (rc <= 0 ||
        queue_content_sum(buffer_slice(&s->meta), buffer_slice(&body)) != entry->content_sum) {
        buffer_free(&body);
        return rc < 0 ? fail(s, entry->segment, rc, e) : 0;
    }
    *out = queue_record_decode(buffer_slice(&s->meta), &body, entry->is_packed, entry->number,
                               s->output, s->budget, e);
    return !*out && e->code == ERR_NOMEM ? -1 : 0;
}

enum queue_read queue_store_read(struct queue_store *s, uint64_t number, struct queue_record **out,
                                 struct err *e)
{
    const struct queue_segment *segment = segment_of(s, number);
    int rc = segment ? find(s, segment, number) : 0;

    *out = NULL;
    if (rc < 0) {
        fail(s, segment->id, rc, e);
        close_file(s);
        return QUEUE_READ_FAILED;
    }
    if (rc == 0) {
        if (segment)
            take_stretch(s, s->walk.bad_from, s->walk.bad_to, 0);
        return QUEUE_READ_LOST;
    }
    rc = read_record(s, out, e);
    if (s->meta.cap > KEPT_META)
        buffer_free(&s->meta);
    if (rc < 0)
        return QUEUE_READ_FAILED;
    if (*out)
        return QUEUE_READ_OK;
    take_stretch(s, s->walk.entry.offset, queue_entry_end(&s->walk.entry), s->walk.entry.n_items);
    return QUEUE_READ_LOST;
}

uint64_t queue_store_give_up(struct queue_store *s, uint64_t number, const struct err *why)
{
    const struct queue_segment *segment = segment_of(s, number);
    bool has_header = s->has_entry && s->walk.entry.number == number;
    uint64_t n_events = has_header ? s->walk.entry.n_items : 0;
    char name[QUEUE_NAME_MAX];

    s->damage.records++;
    s->damage.events += n_events;
    queue_segment_name(segment ? segment->id : 0, name);
    queue_damage_note(&s->damage, name, "record %llu %s, again and again: given up, going on",
                      (unsigned long long)number, why->what);
    return n_events;
}
