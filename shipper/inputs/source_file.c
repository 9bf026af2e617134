#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/source_file.h"
#include "shipper/inputs/source_mark.h"

struct source_file {
    struct source base; /* first: the stream hands back this address */
    const struct files *files;
    struct file_id id;
    struct mark line; /* behind the last newline that was given out: where reading mostly goes on */
    struct mark end;  /* behind the last byte */
    atomic_bool is_rewritten; /* a dead letter may ask while a worker finds out */
    pthread_mutex_t lock; /* over fd and path: a dead letter may be read while the loop closes */
    int fd;               /* -1: closed */
    char *path;           /* NULL: it has none any more */
};

int source_open_file(const struct files *files, const char *path, const struct file_id *expected,
                     struct file_stat *st, bool *missing, struct err *e)
{
    int fd = files->open(files->ctx, path, missing, e);
    struct file_id id;

    if (fd < 0)
        return -1;
    if (files->fstat(files->ctx, fd, st, e) < 0)
        goto fail;
    id = file_id_of(st);
    if (expected && !file_id_eq(&id, expected)) {
        *missing = true;
        err_set(e, ERR_INPUT, "%s: another file has taken its place", path);
        goto fail;
    }
    if (st->type != FILE_REGULAR) {
        err_set(e, ERR_INPUT, "%s: not a regular file", path);
        goto fail;
    }
    return fd;

fail:
    files->close(files->ctx, fd);
    return -1;
}

static ssize_t file_read(struct source *base, uint64_t offset, char *buf, size_t cap, struct err *e)
{
    struct source_file *s = (struct source_file *)base;
    const struct files *files = s->files;
    char before[MARK_MAX];
    size_t before_len = mark_len(offset);
    ssize_t n;
    size_t line;

    if (s->is_rewritten || s->fd < 0)
        return 0;
    n = before_len ? files->pread(files->ctx, s->fd, before, before_len, offset - before_len, e)
                   : 0;
    if (n < 0)
        return n;
    if ((size_t)n < before_len || !mark_fits(&s->line, offset, before + before_len) ||
        !mark_fits(&s->end, offset, before + before_len)) {
        s->is_rewritten = true; /* or shorter than it was: the same thing */
        return 0;
    }
    n = files->pread(files->ctx, s->fd, buf, cap, offset, e);
    if (n <= 0)
        return n;
    line = mark_last_newline(buf, (size_t)n);
    if (line)
        mark_inside(&s->line, offset, before, before_len, buf, line);
    mark_inside(&s->end, offset, before, before_len, buf, (size_t)n);
    return n;
}

static bool read_all(const struct source_file *s, int fd, uint64_t offset, char *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = s->files->pread(s->files->ctx, fd, buf + done, len - done, offset + done, NULL);

        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool file_reread(struct source *base, uint64_t offset, char *buf, size_t len)
{
    struct source_file *s = (struct source_file *)base;
    struct file_stat st;
    bool missing;
    bool is_read = false;
    int fd;

    pthread_mutex_lock(&s->lock);
    fd = s->fd;
    if (fd < 0 && s->path && !s->is_rewritten)
        fd = source_open_file(s->files, s->path, &s->id, &st, &missing, NULL);
    if (fd >= 0 && !s->is_rewritten)
        is_read = read_all(s, fd, offset, buf, len);
    if (fd >= 0 && fd != s->fd)
        s->files->close(s->files->ctx, fd);
    pthread_mutex_unlock(&s->lock);
    return is_read;
}

static uint64_t file_mark(const struct source *base, uint64_t offset)
{
    const struct source_file *s = (const struct source_file *)base;

    if (s->line.is_set && s->line.offset == offset)
        return s->line.hash;
    return s->end.is_set && s->end.offset == offset ? s->end.hash : 0;
}

/* What is missing in front of it was verified by the read of what is there. */
static void file_mark_inside(struct source *base, uint64_t offset, struct slice before)
{
    struct source_file *s = (struct source_file *)base;
    char joined[MARK_MAX];
    size_t want = mark_len(offset);
    size_t n = before.len < want ? before.len : want;
    size_t missing = want - n;

    s->line.is_set = false;
    if (missing && !file_reread(base, offset - want, joined, missing))
        return;
    if (n)
        memcpy(joined + missing, before.ptr + before.len - n, n);
    mark_set(&s->line, offset, joined + want);
}

bool source_file_lacks_mark(const struct files *files, int fd, uint64_t offset, uint64_t mark)
{
    char before[MARK_MAX];
    size_t len = mark_len(offset);
    ssize_t n = files->pread(files->ctx, fd, before, len, offset - len, NULL);

    return n >= 0 && ((size_t)n < len || mark_hash(offset, before + len) != mark);
}

bool source_file_has_mark(struct source_file *s, uint64_t offset, uint64_t mark)
{
    char before[MARK_MAX];
    size_t len = mark_len(offset);

    return file_reread(&s->base, offset - len, before, len) &&
           mark_hash(offset, before + len) == mark;
}

void source_file_trust(struct source_file *s, uint64_t offset)
{
    char before[MARK_MAX];
    size_t len = mark_len(offset);

    if (len && file_reread(&s->base, offset - len, before, len))
        mark_set(&s->line, offset, before + len);
}

void source_file_expect(struct source_file *s, uint64_t offset, uint64_t mark)
{
    s->line = (struct mark){offset, mark, true};
}

static void file_close(struct source *base)
{
    struct source_file *s = (struct source_file *)base;

    source_file_shut(s);
    pthread_mutex_destroy(&s->lock);
    free(s->path);
    free(s);
}

static const struct source_ops file_ops = {
    .read = file_read,
    .reread = file_reread,
    .mark = file_mark,
    .mark_inside = file_mark_inside,
    .close = file_close,
};

struct source_file *source_file_new(const struct files *files, const char *path,
                                    const struct file_id *id)
{
    struct source_file *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->base.ops = &file_ops;
    s->files = files;
    s->id = *id;
    s->fd = -1;
    s->path = strdup(path);
    if (!s->path) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

struct source *source_file_base(struct source_file *s)
{
    return &s->base;
}

int source_file_open(struct source_file *s, bool *missing, struct err *e)
{
    struct file_stat st;
    int fd;

    *missing = false;
    if (s->fd >= 0)
        return 0;
    if (!s->path) {
        *missing = true;
        return err_set(e, ERR_INPUT, "the file is gone");
    }
    fd = source_open_file(s->files, s->path, &s->id, &st, missing, e);
    if (fd < 0)
        return -1;
    source_file_adopt(s, fd);
    return 0;
}

void source_file_adopt(struct source_file *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    s->fd = fd;
    pthread_mutex_unlock(&s->lock);
}

void source_file_shut(struct source_file *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->fd >= 0)
        s->files->close(s->files->ctx, s->fd);
    s->fd = -1;
    pthread_mutex_unlock(&s->lock);
}

bool source_file_is_open(const struct source_file *s)
{
    return s->fd >= 0;
}

int source_file_stat(struct source_file *s, struct file_stat *out, struct err *e)
{
    return s->files->fstat(s->files->ctx, s->fd, out, e);
}

bool source_file_move(struct source_file *s, const char *path)
{
    char *copy = path ? strdup(path) : NULL;

    if (path && !copy)
        return false;
    pthread_mutex_lock(&s->lock);
    free(s->path);
    s->path = copy;
    pthread_mutex_unlock(&s->lock);
    return true;
}

const char *source_file_path(const struct source_file *s)
{
    return s->path;
}

bool source_file_is_rewritten(const struct source_file *s)
{
    return s->is_rewritten;
}

int source_file_resign(struct source_file *s)
{
    int fd;

    pthread_mutex_lock(&s->lock);
    fd = s->fd;
    s->fd = -1;
    s->is_rewritten = true;
    pthread_mutex_unlock(&s->lock);
    return fd;
}
