/* Making a file of letters anew beside itself: through a struct disk, as appending is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/letter_files.h"

enum { BITE = 64 * 1024, NAME_MAX_LEN = 256 };

struct anew {
    const struct disk *disk;
    int dir;
    int in;
    int out; /* the file beside */
    const char *name;
    char beside[NAME_MAX_LEN];
    letter_line_fn *fn;
    void *ctx;
    struct buffer text;    /* read, and not passed on yet */
    uint64_t at;           /* where it begins in the file */
    struct buffer pending; /* to be written at `end` */
    uint64_t end;
};

/* --- lines ----------------------------------------------------------------------------------- */

static int flush(struct anew *a, size_t beyond)
{
    int rc;

    if (a->pending.failed)
        return -ENOMEM;
    if (a->pending.len <= beyond)
        return 0;
    rc = disk_write(a->disk, a->out, buffer_slice(&a->pending), a->end);
    a->end += rc == 0 ? a->pending.len : 0;
    a->pending.len = 0;
    return rc;
}

static int pass_on(struct anew *a, size_t from, size_t len)
{
    if (len)
        a->fn(a->ctx, a->at + from, slice_of(a->text.ptr + from, len), &a->pending);
    return flush(a, BITE);
}

/* Passes whole lines on; what is left stays, at the front. */
static int pass_lines(struct anew *a, size_t looked_at)
{
    size_t from = 0;
    const char *newline;

    while ((newline = memchr(a->text.ptr + looked_at, '\n', a->text.len - looked_at))) {
        size_t end = (size_t)(newline - a->text.ptr);
        int rc = pass_on(a, from, end - from);

        if (rc < 0)
            return rc;
        from = looked_at = end + 1;
    }
    a->at += from;
    a->text.len -= from;
    memmove(a->text.ptr, a->text.ptr + from, a->text.len);
    return 0;
}

/* A last line without an end was torn, and is one too. */
static int copy_lines(struct anew *a)
{
    for (;;) {
        size_t before = a->text.len;
        ssize_t n;
        int rc;

        if (!buffer_reserve(&a->text, BITE))
            return -ENOMEM;
        n = disk_read(a->disk, a->in, a->text.ptr + before, BITE, a->at + before);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        a->text.len += (size_t)n;
        rc = pass_lines(a, before);
        if (rc < 0)
            return rc;
    }
    return a->text.len ? pass_on(a, 0, a->text.len) : 0;
}

/* --- the file -------------------------------------------------------------------------------- */

static int open_both(struct anew *a)
{
    const struct disk *d = a->disk;

    a->in = disk_open(d, a->dir, a->name, DISK_READ);
    if (a->in < 0)
        return a->in;
    d->remove(d->ctx, a->dir, a->beside); /* of one that was killed */
    a->out = disk_open(d, a->dir, a->beside, DISK_WRITE | DISK_CREATE);
    return a->out < 0 ? a->out : 0;
}

/* One without lines goes first: killed in between, it would be left behind by itself. */
static int replace(struct anew *a)
{
    const struct disk *d = a->disk;
    int rc;

    if (a->end)
        return d->rename(d->ctx, a->dir, a->beside, a->name);
    rc = d->remove(d->ctx, a->dir, a->beside);
    return rc < 0 ? rc : d->remove(d->ctx, a->dir, a->name);
}

static int make(struct anew *a)
{
    int rc = open_both(a);

    if (rc == 0)
        rc = copy_lines(a);
    if (rc == 0)
        rc = flush(a, 0);
    if (rc == 0)
        rc = disk_sync(a->disk, a->out);
    if (rc == 0)
        rc = replace(a);
    if (rc == 0)
        return disk_sync_dir(a->disk, a->dir);
    if (a->out >= 0)
        a->disk->remove(a->disk->ctx, a->dir, a->beside);
    return rc;
}

static void finish(struct anew *a)
{
    const int handles[] = {a->in, a->out, a->dir};

    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++)
        if (handles[i] >= 0)
            a->disk->close(a->disk->ctx, handles[i]);
    buffer_free(&a->text);
    buffer_free(&a->pending);
}

int letter_file_make_anew(const struct disk *disk, const char *path, letter_line_fn *fn, void *ctx,
                          struct err *e)
{
    const char *slash = strrchr(path, '/');
    char *directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    struct anew a = {disk, -1, -1, -1, slash + 1, "", fn, ctx, {0}, 0, {0}, 0};
    struct err why = {0};
    int rc = -ENOMEM;

    if (snprintf(a.beside, sizeof a.beside, "%s.new", a.name) >= (int)sizeof a.beside)
        rc = -ENAMETOOLONG;
    else if (directory)
        rc = a.dir = disk->open_dir(disk->ctx, directory, false, &why);
    if (rc >= 0)
        rc = make(&a);
    finish(&a);
    free(directory);
    if (rc >= 0)
        return 0;
    err_set(e, rc == -ENOMEM ? ERR_NOMEM : ERR_STORE, "%s", strerror(-rc));
    return err_at(e, "%s", path);
}
