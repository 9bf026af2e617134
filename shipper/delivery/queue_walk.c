#include <errno.h>
#include <string.h>

#include "shipper/delivery/queue_walk.h"

enum { WINDOW_LEAST = 4 * 1024, WINDOW = 256 * 1024 };

void queue_walk_init(struct queue_walk *w, const struct disk *disk, int file, uint64_t segment,
                     uint64_t size, uint64_t at)
{
    *w =
        (struct queue_walk){.disk = disk, .file = file, .segment = segment, .size = size, .at = at};
}

void queue_walk_fini(struct queue_walk *w)
{
    buffer_free(&w->window);
}

/* A header that says more than there is left is that of a record whose end is missing. */
static bool is_record(const struct queue_walk *w, const char *bytes, uint64_t offset,
                      struct queue_entry *out)
{
    return queue_entry_read(bytes, w->segment, offset, out) && queue_entry_end(out) <= w->size;
}

static bool take_if_record(struct queue_walk *w, const char *bytes, uint64_t offset)
{
    struct queue_entry entry;

    if (!is_record(w, bytes, offset, &entry))
        return false;
    w->entry = entry;
    w->bad_from = w->at;
    w->bad_to = offset;
    w->at = queue_entry_end(&entry);
    return true;
}

/* Where the magic may begin from `from` on; len if nowhere. */
static size_t find_magic(struct slice window, size_t from)
{
    while (from + QUEUE_MAGIC_LEN <= window.len) {
        const char *at = memchr(window.ptr + from, queue_entry_magic[0],
                                window.len - from - QUEUE_MAGIC_LEN + 1);

        if (!at)
            break;
        if (memcmp(at, queue_entry_magic, QUEUE_MAGIC_LEN) == 0)
            return (size_t)(at - window.ptr);
        from = (size_t)(at - window.ptr) + 1;
    }
    return window.len;
}

static bool search_window(struct queue_walk *w, uint64_t offset)
{
    struct slice window = buffer_slice(&w->window);

    for (size_t i = find_magic(window, 0); i + QUEUE_ENTRY_LEN <= window.len;
         i = find_magic(window, i + 1))
        if (take_if_record(w, window.ptr + i, offset + i))
            return true;
    return false;
}

/* The next record behind a header that is none: mostly it is near. Windows overlap, so that no
 * header is cut in two. */
static int search(struct queue_walk *w)
{
    uint64_t offset = w->at + 1;

    if (!buffer_reserve(&w->window, WINDOW)) {
        w->window.failed = false;
        return -ENOMEM;
    }
    for (uint64_t want = WINDOW_LEAST; offset + QUEUE_ENTRY_LEN <= w->size;) {
        uint64_t left = w->size - offset;
        ssize_t n = disk_read(w->disk, w->file, w->window.ptr, left < want ? left : want, offset);

        if (n < 0)
            return (int)n;
        w->window.len = (size_t)n;
        if (search_window(w, offset))
            return 1;
        if (n < QUEUE_ENTRY_LEN) /* the file has become shorter */
            break;
        offset += (uint64_t)n - QUEUE_ENTRY_LEN + 1;
        want = want < WINDOW ? 2 * want : WINDOW;
    }
    w->bad_from = w->at;
    w->bad_to = w->size;
    w->at = w->size;
    return 0;
}

int queue_walk_next(struct queue_walk *w)
{
    char bytes[QUEUE_ENTRY_LEN];
    ssize_t n;

    if (w->at >= w->size) {
        w->bad_from = w->bad_to = w->at;
        return 0;
    }
    n = disk_read(w->disk, w->file, bytes, sizeof bytes, w->at);
    if (n < 0)
        return (int)n;
    if (n == QUEUE_ENTRY_LEN && take_if_record(w, bytes, w->at))
        return 1;
    return search(w);
}
