#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue_format.h"
#include "shipper/delivery/queue_scan.h"
#include "shipper/delivery/queue_walk.h"

enum { SETTLED_MAX = 16 * 1024 * 1024 };

static int fail(const struct queue_scan *s, const char *name, int rc, struct err *e)
{
    err_set(e, rc == -ENOMEM ? ERR_NOMEM : ERR_STORE, "%s", strerror(-rc));
    return err_at(e, "%s/%s", s->damage->directory, name);
}

/* --- which files there are ------------------------------------------------------------------- */

static bool add_segment(struct queue_scan *s, uint64_t id)
{
    if (s->n_segments == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        struct queue_segment *grown = realloc(s->segments, cap * sizeof *grown);

        if (!grown)
            return false;
        s->segments = grown;
        s->cap = cap;
    }
    s->segments[s->n_segments++] = (struct queue_segment){.id = id};
    return true;
}

static int64_t size_of(const struct queue_scan *s, const char *name)
{
    const struct disk *d = s->damage->disk;
    int file = disk_open(d, s->damage->dir, name, DISK_READ);
    int64_t size = file < 0 ? 0 : d->size(d->ctx, file);

    if (file >= 0)
        d->close(d->ctx, file);
    return size < 0 ? 0 : size;
}

struct listing {
    struct queue_scan *scan;
    bool has_failed; /* out of memory */
};

static bool on_name(void *arg, const char *name)
{
    struct listing *l = arg;
    struct queue_scan *s = l->scan;
    uint64_t id;

    if (queue_segment_of(name, &id)) {
        l->has_failed = !add_segment(s, id);
        return !l->has_failed;
    }
    if (queue_is_damaged_name(name)) {
        s->damage->aside_bytes += size_of(s, name);
        s->damage->n_aside++;
    } else if (strcmp(name, QUEUE_SETTLED_NAME) != 0 && strcmp(name, QUEUE_LOCK_NAME) != 0 &&
               strcmp(name, QUEUE_SETTLED_NAME ".new") != 0) {
        queue_damage_note(s->damage, name, "is no file of the queue's; left alone");
    }
    return true;
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = ((const struct queue_segment *)a)->id;
    uint64_t y = ((const struct queue_segment *)b)->id;

    return (x > y) - (x < y);
}

static int list_segments(struct queue_scan *s, struct err *e)
{
    const struct disk *d = s->damage->disk;
    struct listing listing = {.scan = s};
    int rc = d->list(d->ctx, s->damage->dir, on_name, &listing);

    if (listing.has_failed)
        rc = -ENOMEM;
    if (rc < 0) {
        fail(s, ".", rc, e);
        return -1;
    }
    if (s->n_segments)
        qsort(s->segments, s->n_segments, sizeof *s->segments, by_id);
    return 0;
}

/* --- what was settled ------------------------------------------------------------------------ */

/* Without it everything is sent again, and answers that it is there: a loss of time. */
static void load_settled(struct queue_scan *s, struct buffer *bytes, struct queue_settled *out)
{
    const struct disk *d = s->damage->disk;
    int file = disk_open(d, s->damage->dir, QUEUE_SETTLED_NAME, DISK_READ);
    int64_t size = file < 0 ? 0 : d->size(d->ctx, file);
    ssize_t n = -1;

    *out = (struct queue_settled){0};
    if (file == -ENOENT)
        return;
    if (size > 0 && size <= SETTLED_MAX && buffer_reserve(bytes, (size_t)size))
        n = disk_read(d, file, bytes->ptr, (size_t)size, 0);
    if (file >= 0)
        d->close(d->ctx, file);
    bytes->len = n < 0 ? 0 : (size_t)n;
    s->bytes += n < 0 ? 0 : n;
    if (!queue_settled_read(buffer_slice(bytes), out))
        queue_damage_note(s->damage, QUEUE_SETTLED_NAME,
                          "is damaged, or cannot be read; what it says was settled is sent once "
                          "more");
}

/* --- one segment ----------------------------------------------------------------------------- */

/* A segment on the way to be known. */
struct look {
    struct queue_scan *scan;
    struct queue_segment *segment;
    int file;
    bool has_head;
    bool has_record;
    uint64_t expected;                /* the next record's number */
    struct number_set settled;        /* of it */
    const struct queue_segment *next; /* the segment behind it; NULL: it is the last */
    bool next_has_head;               /* then its `first` is known for certain */
    uint64_t limit;                   /* records from this number on were given up */
};

static int look_at_head(struct look *l, struct err *e)
{
    const struct queue_scan *s = l->scan;
    char bytes[QUEUE_HEAD_LEN];
    char name[QUEUE_NAME_MAX];
    struct queue_head head;
    ssize_t n = disk_read(s->damage->disk, l->file, bytes, sizeof bytes, 0);

    queue_segment_name(l->segment->id, name);
    if (n < 0)
        return fail(s, name, (int)n, e);
    if (n < QUEUE_HEAD_LEN) /* a crash came before its first record was whole */
        return 0;
    switch (queue_head_read(bytes, &head)) {
    case QUEUE_HEAD_NEWER:
        err_set(e, ERR_STORE, "of a newer version of ship; start that one, or move the file away");
        return err_at(e, "%s/%s", s->damage->directory, name);
    case QUEUE_HEAD_DAMAGED:
        queue_damage_take(s->damage, l->file,
                          &(struct queue_stretch){.segment = l->segment->id,
                                                  .to = QUEUE_HEAD_LEN,
                                                  .what = "the damaged head of the file"});
        return 0;
    case QUEUE_HEAD_OK:
        break;
    }
    if (s->output_type && strcmp(head.type, s->output_type) != 0) {
        err_set(e, ERR_STORE,
                "holds what was meant for an output of type %s, this one's is %s; give this output "
                "another queue path, and drain this one with the type that it had",
                head.type, s->output_type);
        return err_at(e, "%s/%s", s->damage->directory, name);
    }
    l->has_head = true;
    l->segment->first = head.first;
    l->expected = head.first;
    return 0;
}

/* Of [expected, to), those that were not settled. */
static uint64_t count_lost(const struct look *l, uint64_t to)
{
    if (to <= l->expected)
        return 0;
    return to - l->expected - number_set_count(&l->settled, l->expected, to);
}

static void take_stretch(const struct look *l, uint64_t from, uint64_t to, uint64_t n_lost)
{
    queue_damage_take(l->scan->damage, l->file,
                      &(struct queue_stretch){.segment = l->segment->id,
                                              .from = from,
                                              .to = to,
                                              .n_records = n_lost,
                                              .what = "no whole record"});
}

static bool take_entry(struct look *l, const struct queue_entry *entry)
{
    struct queue_scan *s = l->scan;

    if (!number_set_has(&l->settled, entry->number)) {
        if (!number_set_add(&s->waiting, entry->number, entry->number + 1))
            return false;
        s->n_waiting++;
        s->n_events += entry->n_items;
    }
    l->expected = entry->number + 1;
    return true;
}

static bool begin_at(struct look *l, const struct queue_entry *entry,
                     const struct queue_settled *settled)
{
    if (l->has_record)
        return true;
    l->has_record = true;
    l->segment->first_sum = entry->sum;
    if (!l->has_head) {
        l->segment->first = entry->number;
        l->expected = entry->number;
    }
    return queue_settled_find(settled, l->segment->id, entry->sum, &l->settled);
}

static void look_at_end(struct look *l, const struct queue_walk *walk)
{
    bool is_known = (l->has_head || l->has_record) && l->next && l->next_has_head &&
                    l->next->id == l->segment->id + 1;
    uint64_t n_lost = is_known ? count_lost(l, l->limit) : walk->bad_to > walk->bad_from;

    if (!l->next && l->scan->damage->is_peek)
        return; /* a ship may be at work on it */
    if (n_lost) /* else it is what a failed write left behind */
        take_stretch(l, walk->bad_from, walk->bad_to, n_lost);
}

/* 1: it was the last one that counts; 0; a negative errno. */
static int look_at_entry(struct look *l, const struct queue_walk *walk,
                         const struct queue_settled *settled)
{
    const struct queue_entry *entry = &walk->entry;
    bool is_first = !l->has_record && !l->has_head;
    uint64_t n_lost;

    if (entry->number >= l->limit)
        return 1;
    if (!begin_at(l, entry, settled))
        return -ENOMEM;
    n_lost = is_first && walk->bad_to > walk->bad_from ? 1 : count_lost(l, entry->number);
    if (n_lost)
        take_stretch(l, walk->bad_from, walk->bad_to, n_lost);
    if (entry->number < l->expected)
        return 0; /* of an older life of the same place on the disk */
    return take_entry(l, entry) ? 0 : -ENOMEM;
}

static int look_at_records(struct look *l, const struct queue_settled *settled)
{
    struct queue_walk walk;
    int rc;

    queue_walk_init(&walk, l->scan->damage->disk, l->file, l->segment->id, l->segment->readable,
                    QUEUE_HEAD_LEN);
    for (;;) {
        rc = queue_walk_next(&walk);
        if (rc <= 0)
            break;
        rc = look_at_entry(l, &walk, settled);
        if (rc)
            break;
    }
    if (rc >= 0)
        look_at_end(l, &walk);
    queue_walk_fini(&walk);
    return rc < 0 ? rc : 0;
}

static int look_at_file(struct look *l, const struct queue_settled *settled, struct err *e)
{
    struct queue_scan *s = l->scan;
    struct queue_segment *segment = l->segment;
    char name[QUEUE_NAME_MAX];
    int64_t size = s->damage->disk->size(s->damage->disk->ctx, l->file);
    int rc;

    queue_segment_name(segment->id, name);
    if (size < 0)
        return fail(s, name, (int)size, e);
    segment->bytes = size;
    segment->readable = (uint64_t)size;
    s->bytes += size;
    if (look_at_head(l, e) < 0)
        return -1;
    rc = look_at_records(l, settled);
    if (rc < 0)
        return fail(s, name, rc, e);
    segment->end = l->expected;
    if (segment->end > s->next_number)
        s->next_number = segment->end;
    return 0;
}

/* A link, a directory, another's file: not the queue's, whatever its name. */
static bool is_foreign(int rc)
{
    return rc == -ELOOP || rc == -EINVAL || rc == -EPERM || rc == -EISDIR;
}

/* 1: it is none; 0; -1 and *e. */
static int look_at_segment(struct look *l, const struct queue_settled *settled, struct err *e)
{
    const struct queue_scan *s = l->scan;
    const struct disk *d = s->damage->disk;
    char name[QUEUE_NAME_MAX];
    int rc;

    queue_segment_name(l->segment->id, name);
    l->file = disk_open(d, s->damage->dir, name, DISK_READ);
    if (l->file == -ENOENT && s->damage->is_peek)
        return 1; /* the ship that is at work has removed it */
    if (is_foreign(l->file)) {
        queue_damage_note(s->damage, name, "is no segment, but something else; left alone");
        return 1;
    }
    if (l->file < 0)
        return fail(s, name, l->file, e);
    rc = look_at_file(l, settled, e);
    d->close(d->ctx, l->file);
    return rc;
}

/* --- all of them ----------------------------------------------------------------------------- */

static void remove_segment(struct queue_scan *s, size_t i)
{
    s->n_segments--;
    memmove(s->segments + i, s->segments + i + 1, (s->n_segments - i) * sizeof *s->segments);
}

/* From the last to the first: what a segment begins with says what counts of the one before. */
static int look_at_all(struct queue_scan *s, const struct queue_settled *settled, struct err *e)
{
    uint64_t limit = UINT64_MAX;
    bool next_has_head = false;

    for (size_t i = s->n_segments; i-- > 0;) {
        struct look l = {.scan = s,
                         .segment = &s->segments[i],
                         .limit = limit,
                         .next = i + 1 < s->n_segments ? &s->segments[i + 1] : NULL,
                         .next_has_head = next_has_head};
        int rc;

        if (s->segments[i].id >= s->next_segment)
            s->next_segment = s->segments[i].id + 1;
        rc = look_at_segment(&l, settled, e);
        number_set_free(&l.settled);
        if (rc < 0)
            return -1;
        if (rc > 0) {
            remove_segment(s, i);
            continue;
        }
        next_has_head = l.has_head;
        if (l.has_head || l.has_record)
            limit = l.segment->first;
    }
    return 0;
}

int queue_scan_run(struct queue_scan *s, struct err *e)
{
    struct buffer bytes = {0};
    struct queue_settled settled;
    int rc;

    s->next_number = 1;
    s->next_segment = 1;
    if (list_segments(s, e) < 0)
        return -1;
    load_settled(s, &bytes, &settled);
    if (settled.next_number > s->next_number)
        s->next_number = settled.next_number;
    if (settled.next_segment > s->next_segment)
        s->next_segment = settled.next_segment;
    rc = look_at_all(s, &settled, e);
    buffer_free(&bytes);
    return rc;
}

void queue_scan_fini(struct queue_scan *s)
{
    free(s->segments);
    number_set_free(&s->waiting);
}
