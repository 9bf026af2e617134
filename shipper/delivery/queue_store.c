#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/base/plural.h"
#include "shipper/delivery/queue_store.h"

enum { MIB = 1024 * 1024, SEGMENTS = 16, SEGMENT_LEAST = MIB, SEGMENT_MOST = 64 * MIB };

static int fail(const struct queue_store *s, const char *name, int rc, struct err *e)
{
    err_set(e, rc == -ENOMEM ? ERR_NOMEM : ERR_STORE, "%s", strerror(-rc));
    return err_at(e, "%s/%s", s->directory, name);
}

/* --- opening --------------------------------------------------------------------------------- */

static int take_lock(struct queue_store *s, struct err *e)
{
    int rc;

    s->lock = disk_open(s->disk, s->dir, QUEUE_LOCK_NAME, DISK_WRITE | DISK_CREATE);
    if (s->lock == -EEXIST)
        s->lock = disk_open(s->disk, s->dir, QUEUE_LOCK_NAME, DISK_WRITE);
    if (s->lock < 0)
        return fail(s, QUEUE_LOCK_NAME, s->lock, e);
    rc = disk_lock(s->disk, s->lock);
    if (rc == 0)
        return 0;
    if (rc != -EWOULDBLOCK)
        return fail(s, QUEUE_LOCK_NAME, rc, e);
    err_set(e, ERR_STORE, "another ship uses this queue; give each a path of its own");
    return err_at(e, "%s", s->directory);
}

static uint64_t segment_bytes(int64_t max_bytes)
{
    int64_t bytes = max_bytes / SEGMENTS;

    if (bytes < SEGMENT_LEAST)
        return SEGMENT_LEAST;
    return (uint64_t)(bytes > SEGMENT_MOST ? SEGMENT_MOST : bytes);
}

static int prepare(struct queue_store *s, const struct queue_options *o, struct err *e)
{
    *s = (struct queue_store){.disk = o->disk,
                              .output = o->output,
                              .budget = o->budget,
                              .segment_bytes = segment_bytes(o->max_bytes),
                              .dir = -1,
                              .lock = -1,
                              .file = -1,
                              .read_file = -1};
    snprintf(s->type, sizeof s->type, "%s", o->output_type);
    s->directory = strdup(o->directory);
    if (!s->directory)
        return err_set(e, ERR_NOMEM, "out of memory");
    s->dir = s->disk->open_dir(s->disk->ctx, s->directory, true, e);
    if (s->dir < 0)
        return -1;
    s->damage = (struct queue_damage){.disk = s->disk, .dir = s->dir, .directory = s->directory};
    return 0;
}

int queue_store_open(struct queue_store *s, const struct queue_options *options,
                     struct queue_scan *scan, struct err *e)
{
    *scan = (struct queue_scan){.damage = &s->damage, .output_type = options->output_type};
    if (prepare(s, options, e) < 0 || take_lock(s, e) < 0 || queue_scan_run(scan, e) < 0)
        return -1;
    s->segments = scan->segments;
    s->n_segments = scan->n_segments;
    s->cap = scan->cap;
    scan->segments = NULL;
    scan->n_segments = 0;
    s->next_number = scan->next_number;
    s->next_segment = scan->next_segment;
    return 0;
}

/* --- closing --------------------------------------------------------------------------------- */

static void close_handle(const struct queue_store *s, int *handle)
{
    if (*handle >= 0)
        s->disk->close(s->disk->ctx, *handle);
    *handle = -1;
}

void queue_store_close(struct queue_store *s)
{
    close_handle(s, &s->file);
    close_handle(s, &s->read_file);
    close_handle(s, &s->lock);
    close_handle(s, &s->dir);
    queue_walk_fini(&s->walk);
    buffer_free(&s->text);
    buffer_free(&s->meta);
    free(s->segments);
    free(s->directory);
}

int64_t queue_store_bytes(const struct queue_store *s)
{
    int64_t bytes = s->settled_bytes;

    for (size_t i = 0; i < s->n_segments; i++)
        bytes += s->segments[i].bytes;
    return bytes;
}

/* --- deleted under us ------------------------------------------------------------------------ */

int queue_store_make_anew(struct queue_store *s)
{
    struct err ignored;
    int dir = s->dir;
    int lock = s->lock;

    s->dir = s->disk->open_dir(s->disk->ctx, s->directory, true, &ignored);
    s->lock = -1;
    if (s->dir < 0 || take_lock(s, &ignored) < 0) {
        close_handle(s, &s->lock);
        close_handle(s, &s->dir);
        s->dir = dir;
        s->lock = lock;
        return -1;
    }
    close_handle(s, &lock);
    close_handle(s, &dir);
    s->damage.dir = s->dir;
    s->settled_sum = 0;
    queue_damage_note(&s->damage, NULL,
                      "was deleted, and is made anew; what was only there is lost");
    return 0;
}

static bool is_deleted(const struct queue_store *s, const char *name)
{
    int file = disk_open(s->disk, s->dir, name, DISK_READ);

    if (file >= 0)
        s->disk->close(s->disk->ctx, file);
    return file == -ENOENT;
}

void queue_store_note_deleted(struct queue_store *s, const struct number_set *settled)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        const struct queue_segment *segment = &s->segments[i];
        uint64_t n =
            segment->end - segment->first - number_set_count(settled, segment->first, segment->end);
        char name[QUEUE_NAME_MAX];

        queue_segment_name(segment->id, name);
        if (n == 0 || !is_deleted(s, name))
            continue;
        s->damage.records += n;
        queue_damage_note(&s->damage, name,
                          "was deleted: %llu record%s in it, not sent yet, %s lost",
                          (unsigned long long)n, plural_s(n), n == 1 ? "is" : "are");
    }
}

/* --- remembering ----------------------------------------------------------------------------- */

static void add_part(struct buffer *out, const struct queue_segment *segment,
                     const struct number_set *settled)
{
    size_t from = number_set_find(settled, segment->first);
    size_t to = from;

    while (to < settled->n && settled->ranges[to].from < segment->end)
        to++;
    if (to > from)
        queue_settled_add(out, &(struct queue_settled_part){.segment = segment->id,
                                                            .first_sum = segment->first_sum,
                                                            .ranges = settled->ranges + from,
                                                            .n_ranges = to - from});
}

static int write_settled(struct queue_store *s, const struct number_set *settled, struct err *e)
{
    struct buffer *text = &s->text;
    uint64_t sum;
    int rc;

    queue_settled_begin(text, s->next_number, s->next_segment);
    for (size_t i = 0; i < s->n_segments; i++)
        add_part(text, &s->segments[i], settled);
    queue_settled_end(text);
    if (text->failed) {
        text->failed = false;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    sum = hash64(buffer_slice(text));
    if (sum == s->settled_sum)
        return 0;
    rc = disk_replace(s->disk, s->dir, QUEUE_SETTLED_NAME, buffer_slice(text));
    if (rc == -ENOENT && queue_store_make_anew(s) == 0)
        rc = disk_replace(s->disk, s->dir, QUEUE_SETTLED_NAME, buffer_slice(text));
    if (rc < 0)
        return fail(s, QUEUE_SETTLED_NAME, rc, e);
    s->settled_sum = sum;
    s->settled_bytes = (int64_t)text->len;
    return 0;
}

/* Whether the segment being written may end now: small ones live on, else each batch would get a
 * file of its own. */
static bool may_end(const struct queue_store *s, bool is_last)
{
    return is_last || s->file_end >= s->segment_bytes / 4;
}

static int remove_file(const struct queue_store *s, const struct queue_segment *segment,
                       struct err *e)
{
    char name[QUEUE_NAME_MAX];
    int rc;

    queue_segment_name(segment->id, name);
    rc = s->disk->remove(s->disk->ctx, s->dir, name);
    return rc < 0 && rc != -ENOENT ? fail(s, name, rc, e) : 0;
}

static int remove_settled(struct queue_store *s, const struct number_set *settled, bool is_last,
                          struct err *e)
{
    size_t kept = 0;
    size_t n = s->n_segments;
    int rc = 0;

    for (size_t i = 0; i < n; i++) {
        struct queue_segment *segment = &s->segments[i];
        bool is_written = s->file >= 0 && i == n - 1;

        if (number_set_covers(settled, segment->first, segment->end) &&
            (!is_written || may_end(s, is_last))) {
            if (is_written)
                close_handle(s, &s->file);
            if (segment->id == s->walk.segment)
                close_handle(s, &s->read_file);
            if (remove_file(s, segment, e) == 0)
                continue;
            rc = -1;
        }
        s->segments[kept++] = *segment;
    }
    s->n_segments = kept;
    if (kept < n)
        disk_sync_dir(s->disk, s->dir); /* should one come back, it is known to be settled */
    return rc;
}

int queue_store_remember(struct queue_store *s, const struct number_set *settled, bool is_last,
                         struct err *e)
{
    struct err ignored;
    int rc = write_settled(s, settled, e);

    /* Also on a full disk: it makes room. */
    if (remove_settled(s, settled, is_last, rc < 0 ? &ignored : e) < 0)
        rc = -1;
    return rc;
}
