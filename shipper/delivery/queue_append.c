/* Appending to the disk queue: many batches, one fsync. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue_record.h"
#include "shipper/delivery/queue_store.h"

enum { KEPT_TEXT = 256 * 1024 }; /* what is kept of a large text's room */

static struct queue_segment *written(const struct queue_store *s)
{
    return &s->segments[s->n_segments - 1];
}

/* --- segments -------------------------------------------------------------------------------- */

static bool grow(struct queue_store *s)
{
    size_t cap = s->cap ? 2 * s->cap : 16;
    struct queue_segment *grown;

    if (s->n_segments < s->cap)
        return true;
    grown = realloc(s->segments, cap * sizeof *grown);
    if (!grown)
        return false;
    s->segments = grown;
    s->cap = cap;
    return true;
}

static int write_head(const struct queue_store *s, int file)
{
    struct queue_head head = {.segment = s->next_segment, .first = s->next_number};
    char bytes[QUEUE_HEAD_LEN];

    memcpy(head.type, s->type, sizeof head.type);
    queue_head_write(&head, bytes);
    return disk_write(s->disk, file, slice_of(bytes, sizeof bytes), 0);
}

/* The file of the next segment; a name that is taken (what could not be removed) is passed over. */
static int create_file(struct queue_store *s, char name[QUEUE_NAME_MAX])
{
    for (;; s->next_segment++) {
        int file;

        queue_segment_name(s->next_segment, name);
        file = disk_open(s->disk, s->dir, name, DISK_WRITE | DISK_CREATE);
        if (file != -EEXIST)
            return file;
    }
}

/* 0, or a negative errno and no segment begun. */
static int begin_segment(struct queue_store *s)
{
    char name[QUEUE_NAME_MAX];
    int file;
    int rc;

    if (!grow(s))
        return -ENOMEM;
    file = create_file(s, name);
    if (file == -ENOENT && queue_store_make_anew(s) == 0)
        file = create_file(s, name);
    if (file < 0)
        return file;
    rc = write_head(s, file);
    if (rc < 0) {
        s->disk->close(s->disk->ctx, file);
        s->disk->remove(s->disk->ctx, s->dir, name);
        return rc;
    }
    s->segments[s->n_segments++] = (struct queue_segment){.id = s->next_segment,
                                                          .first = s->next_number,
                                                          .end = s->next_number,
                                                          .readable = QUEUE_HEAD_LEN,
                                                          .bytes = QUEUE_HEAD_LEN};
    s->next_segment++;
    s->file = file;
    s->file_end = QUEUE_HEAD_LEN;
    s->is_name_synced = false;
    s->is_spoilt = false;
    return 0;
}

static void end_segment(struct queue_store *s)
{
    s->disk->close(s->disk->ctx, s->file);
    s->file = -1;
}

/* --- what is in doubt ------------------------------------------------------------------------ */

/* 0: the segment ends with the last record that is known to be durable. */
static int cut(const struct queue_store *s, struct queue_segment *segment, int file)
{
    int rc = disk_truncate(s->disk, file, segment->readable);

    segment->is_in_doubt = rc < 0;
    if (rc < 0)
        return rc;
    segment->bytes = (int64_t)segment->readable;
    disk_sync(s->disk, file); /* for a power cut; after the failure before, nobody can ask more */
    return 0;
}

/* After a failed fsync nobody knows what is on the disk, and the system thinks that all is well: a
 * second fsync would say so. What was not known durable before is cut off, and written again
 * elsewhere, under the same numbers; the head of the next segment says that those here do not
 * count. Both, since neither need work: left here, what has meanwhile gone another way would come
 * back in the next life. */
static void give_up_segment(struct queue_store *s)
{
    struct queue_segment *segment = written(s);
    char name[QUEUE_NAME_MAX];

    segment->bytes = (int64_t)s->file_end;
    cut(s, segment, s->file);
    end_segment(s);
    if (segment->first < segment->end)
        return;
    queue_segment_name(segment->id, name);
    if (s->disk->remove(s->disk->ctx, s->dir, name) == 0)
        s->n_segments--; /* else it goes with those that are settled */
}

void queue_store_cut(struct queue_store *s)
{
    for (size_t i = 0; i < s->n_segments; i++) {
        char name[QUEUE_NAME_MAX];
        int file;

        if (!s->segments[i].is_in_doubt)
            continue;
        queue_segment_name(s->segments[i].id, name);
        file = disk_open(s->disk, s->dir, name, DISK_WRITE);
        if (file < 0)
            continue;
        cut(s, &s->segments[i], file);
        s->disk->close(s->disk->ctx, file);
    }
}

bool queue_store_is_in_doubt(const struct queue_store *s)
{
    for (size_t i = 0; i < s->n_segments; i++)
        if (s->segments[i].is_in_doubt)
            return true;
    return false;
}

/* The head of the segment that is written to is durable: it says so of all before it. */
static void end_doubt(struct queue_store *s)
{
    for (size_t i = 0; i < s->n_segments; i++)
        s->segments[i].is_in_doubt = false;
}

static bool is_full(const struct queue_store *s)
{
    return s->is_spoilt || s->file_end >= s->segment_bytes;
}

/* --- records --------------------------------------------------------------------------------- */

static int write_bytes(const struct queue_store *s, struct slice header, struct slice body)
{
    int rc = disk_write(s->disk, s->file, header, s->file_end);

    return rc < 0 ? rc : disk_write(s->disk, s->file, body, s->file_end + header.len);
}

/* s->text becomes header and meta. */
static int make_header(struct queue_store *s, const struct batch *b, uint64_t number,
                       struct queue_entry *entry)
{
    struct buffer *text = &s->text;
    struct slice body = buffer_slice(&b->body);
    struct slice meta;

    text->len = 0;
    if (buffer_reserve(text, QUEUE_ENTRY_LEN))
        text->len = QUEUE_ENTRY_LEN;
    queue_record_encode(b, text);
    if (text->failed) {
        text->failed = false;
        return -ENOMEM;
    }
    meta = slice_from(buffer_slice(text), QUEUE_ENTRY_LEN);
    if (meta.len > UINT32_MAX || body.len > UINT32_MAX || b->n_items > UINT32_MAX)
        return -EFBIG;
    *entry = (struct queue_entry){.number = number,
                                  .segment = written(s)->id,
                                  .offset = s->file_end,
                                  .meta_len = (uint32_t)meta.len,
                                  .body_len = (uint32_t)body.len,
                                  .n_items = (uint32_t)b->n_items,
                                  .is_packed = b->is_packed,
                                  .content_sum = queue_content_sum(meta, body)};
    queue_entry_write(entry, text->ptr);
    return 0;
}

/* 0, or a negative errno; then the file ends where it did, or is spoilt. */
static int write_record(struct queue_store *s, const struct batch *b, uint64_t number)
{
    struct queue_entry entry;
    int rc = make_header(s, b, number, &entry);

    if (rc < 0)
        return rc;
    rc = write_bytes(s, buffer_slice(&s->text), buffer_slice(&b->body));
    if (rc < 0) {
        s->is_spoilt = disk_truncate(s->disk, s->file, s->file_end) < 0;
        return rc;
    }
    if (number == written(s)->first)
        written(s)->first_sum = entry.sum;
    s->file_end = queue_entry_end(&entry);
    return 0;
}

/* --- groups ---------------------------------------------------------------------------------- */

/* All calls succeed on a file that somebody deleted; the next life would not find it. */
static int check_name(const struct queue_store *s)
{
    char name[QUEUE_NAME_MAX];

    queue_segment_name(written(s)->id, name);
    return s->disk->is_named(s->disk->ctx, s->dir, name, s->file) == 0 ? -ENOENT : 0;
}

static int make_durable(struct queue_store *s)
{
    int rc = disk_sync(s->disk, s->file);

    if (rc == 0 && !s->is_name_synced)
        rc = disk_sync_dir(s->disk, s->dir);
    if (rc == 0)
        rc = check_name(s);
    if (rc == 0)
        s->is_name_synced = true;
    return rc;
}

/* `n` batches from `first` on are durable. The next one. */
static struct queue_put *commit(struct queue_store *s, struct queue_put *first, size_t n)
{
    struct queue_segment *segment = written(s);

    for (; n; n--, first = first->next)
        first->number = s->next_number++;
    segment->end = s->next_number;
    segment->readable = s->file_end;
    segment->bytes = (int64_t)s->file_end;
    end_doubt(s);
    if (is_full(s))
        end_segment(s);
    return first;
}

/* How many batches were written, up to the segment's end; *rc says why it is not more. */
static size_t write_group(struct queue_store *s, struct queue_put *first, int *rc)
{
    size_t n = 0;

    *rc = s->file < 0 ? begin_segment(s) : 0;
    for (struct queue_put *p = first; *rc == 0 && p && (n == 0 || !is_full(s)); p = p->next) {
        *rc = write_record(s, p->batch, s->next_number + n);
        n += *rc == 0;
    }
    return n;
}

/* Writes what one segment takes, and makes it durable. Returns the first batch that is not. *rc:
 * why it went no further; *is_in_doubt: an fsync failed. */
static struct queue_put *append_group(struct queue_store *s, struct queue_put *first, int *rc,
                                      bool *is_in_doubt)
{
    size_t n = write_group(s, first, rc);
    int sync_rc;

    if (n == 0) {
        if (s->file >= 0 && s->is_spoilt)
            give_up_segment(s);
        return first;
    }
    sync_rc = make_durable(s);
    if (sync_rc == 0)
        return commit(s, first, n);
    give_up_segment(s);
    *is_in_doubt = true;
    *rc = sync_rc;
    return first;
}

static void fail_all(const struct queue_store *s, struct queue_put *p, int rc)
{
    for (; p; p = p->next) {
        p->number = 0;
        err_set(&p->why, rc == -ENOMEM ? ERR_NOMEM : ERR_STORE, "%s", strerror(-rc));
        err_at(&p->why, "%s", s->directory);
    }
}

void queue_store_append(struct queue_store *s, struct queue_put *first)
{
    bool was_in_doubt = false;

    queue_store_cut(s);
    while (first) {
        bool is_in_doubt = false;
        int rc = 0;

        first = append_group(s, first, &rc, &is_in_doubt);
        if (rc < 0 && (!is_in_doubt || was_in_doubt)) {
            fail_all(s, first, rc);
            break;
        }
        was_in_doubt = is_in_doubt; /* then once more, into another segment */
    }
    if (s->text.cap > KEPT_TEXT)
        buffer_free(&s->text);
}
