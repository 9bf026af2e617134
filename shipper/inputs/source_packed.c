#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/source_mark.h"
#include "shipper/inputs/source_packed.h"
#include "shipper/inputs/unpack.h"

/* One read takes in no more packed bytes, and passes over no more text, than this: a worker that is
 * at it can neither do anything else nor be told to stop. */
enum { TAKEN_AT_ONCE = 8 * 1024 * 1024, PASSED_AT_ONCE = 64 * 1024 * 1024 };

struct source_packed {
    struct source base; /* first: the stream hands back this address */
    const struct files *files;
    char *path;
    int fd; /* -1: shut */
    enum packing packing;
    enum packed_window window;
    struct unpack *unpack; /* NULL until the first read, and after the end */
    char *in;              /* PACKED_IN_MAX bytes */
    size_t in_at;
    size_t in_len;
    uint64_t in_offset;    /* in the file, of what comes after `in` */
    size_t n_taken;        /* since a read gave all that it was asked for, or said ERR_BUSY */
    uint64_t offset;       /* of the next plain byte */
    char before[MARK_MAX]; /* the plain text before it, mark_len(offset) bytes at the end of this */
    struct mark line_mark; /* behind the last newline that was given out */
    struct mark end_mark;  /* behind the last byte */
    struct mark expected;
    bool is_other; /* it is not the text that was expected */
    enum packed_end end;
    struct err why; /* kept for the read after the one that gave out the last good bytes */
};

enum packing packing_of(const char *path)
{
    return slice_ends(slice_str(path), (struct slice)SLICE_LIT(".zst")) ? PACKING_ZSTD
                                                                        : PACKING_GZIP;
}

uint64_t source_packed_size(const struct files *files, int fd, const char *path,
                            uint64_t packed_bytes, uint64_t *mask)
{
    enum packing packing = packing_of(path);
    char bytes[UNPACK_SIZE_MAX];
    uint64_t from =
        packing == PACKING_GZIP && packed_bytes > sizeof bytes ? packed_bytes - sizeof bytes : 0;
    ssize_t n = files->pread(files->ctx, fd, bytes, sizeof bytes, from, NULL);

    *mask = 0;
    return n < (ssize_t)sizeof bytes ? 0 : unpack_size(packing, bytes, mask);
}

/* Makes sure that there is input; 0: the file has no more for now; -1 and *e. */
static int fill(struct source_packed *s, struct err *e)
{
    ssize_t n;

    if (s->in_at < s->in_len)
        return 1;
    n = s->files->pread(s->files->ctx, s->fd, s->in, PACKED_IN_MAX, s->in_offset, e);
    if (n < 0)
        return err_at(e, "%s", s->path);
    s->in_at = 0;
    s->in_len = (size_t)n;
    s->in_offset += (uint64_t)n;
    s->n_taken += (size_t)n;
    return n > 0;
}

static bool has_taken_enough(const struct source_packed *s)
{
    return s->n_taken >= TAKEN_AT_ONCE;
}

/* There is more, and another's turn comes first: a hole in a file can be a terabyte that unpacks to
 * nothing. */
static int give_way(struct source_packed *s, struct err *e)
{
    s->n_taken = 0;
    return err_set(e, ERR_BUSY, "%s: not unpacked so far yet", s->path);
}

static int start(struct source_packed *s, struct err *e)
{
    if (!s->in)
        s->in = malloc(PACKED_IN_MAX);
    if (!s->unpack)
        s->unpack = unpack_new(s->packing, s->window);
    if (!s->in || !s->unpack)
        return err_set(e, ERR_NOMEM, "%s: out of memory for unpacking", s->path);
    return 0;
}

/* One step: some input becomes some output. */
static enum unpack_step step(struct source_packed *s, char *buf, size_t cap, size_t *n)
{
    size_t used = 0;
    enum unpack_step how = unpack_run(s->unpack, slice_of(s->in + s->in_at, s->in_len - s->in_at),
                                      &used, buf, cap, n, &s->why);

    s->in_at += used;
    switch (how) {
    case UNPACK_INSIDE:
        s->end = PACKED_CUT;
        break;
    case UNPACK_BETWEEN:
        s->end = PACKED_WHOLE;
        break;
    case UNPACK_GARBAGE:
        s->end = PACKED_GARBAGE;
        break;
    case UNPACK_BROKEN:
        s->end = PACKED_BROKEN;
        err_at(&s->why, "%s: after %llu bytes of text", s->path,
               (unsigned long long)s->offset + *n);
        break;
    }
    return how;
}

/* Up to cap bytes; fewer only at the end, at damage, when the file has no more for now, or when
 * enough was taken in. */
static ssize_t unpack_more(struct source_packed *s, char *buf, size_t cap, struct err *e)
{
    size_t done = 0;

    while (done < cap && s->end != PACKED_GARBAGE && s->end != PACKED_BROKEN &&
           !has_taken_enough(s)) {
        size_t n = 0;
        /* The inflater may hold output although the input is used up. */
        int has_input = s->unpack && unpack_has_output(s->unpack) ? 1 : fill(s, e);

        if (has_input < 0)
            return -1;
        if (has_input == 0)
            break;
        step(s, buf + done, cap - done, &n);
        done += n;
        s->offset += n;
    }
    return (ssize_t)done;
}

static ssize_t tell_damage(struct source_packed *s, struct err *e)
{
    if (s->why.code == ERR_NONE)
        return 0;
    *e = s->why;
    s->why.code = ERR_NONE;
    return -1;
}

static void remember(struct source_packed *s, const char *text, size_t len)
{
    if (len > MARK_MAX) {
        text += len - MARK_MAX;
        len = MARK_MAX;
    }
    memmove(s->before, s->before + len, MARK_MAX - len);
    memcpy(s->before + MARK_MAX - len, text, len);
}

/* The text ended before the place, or is another one. */
static bool is_expected(const struct source_packed *s, uint64_t offset)
{
    if (!s->expected.is_set)
        return true;
    if (s->offset < offset)
        return s->end == PACKED_CUT; /* it may grow */
    return mark_fits(&s->expected, offset, s->before + MARK_MAX);
}

/* After a restart the text before `offset` was read in an earlier life: unpacked and let go. */
static ssize_t skip_to(struct source_packed *s, uint64_t offset, char *buf, size_t cap,
                       struct err *e)
{
    uint64_t from = s->offset;

    while (s->offset < offset) {
        uint64_t rest = offset - s->offset;
        ssize_t n;

        if (s->offset - from >= PASSED_AT_ONCE)
            s->n_taken = TAKEN_AT_ONCE;
        n = unpack_more(s, buf, rest < cap ? (size_t)rest : cap, e);

        if (n <= 0)
            return n;
        remember(s, buf, (size_t)n);
    }
    return 1;
}

static void note_marks(struct source_packed *s, uint64_t offset, const char *buf, size_t len)
{
    size_t before_len = mark_len(offset);
    const char *before = s->before + MARK_MAX - before_len;
    size_t line = mark_last_newline(buf, len);

    if (line)
        mark_inside(&s->line_mark, offset, before, before_len, buf, line);
    mark_inside(&s->end_mark, offset, before, before_len, buf, len);
    remember(s, buf, len);
}

static ssize_t packed_read(struct source *base, uint64_t offset, char *buf, size_t cap,
                           struct err *e)
{
    struct source_packed *s = (struct source_packed *)base;
    ssize_t n;

    if (s->fd < 0)
        return 0;
    if (start(s, e) < 0)
        return -1;
    if (offset < s->offset)
        return err_set(e, ERR_INPUT, "%s: packed text cannot be read backwards", s->path);
    n = skip_to(s, offset, buf, cap, e);
    if (n == 0 && has_taken_enough(s))
        return give_way(s, e);
    if (n >= 0 && !is_expected(s, offset))
        s->is_other = true;
    if (s->is_other)
        return 0;
    if (n > 0)
        n = unpack_more(s, buf, cap, e);
    if (n > 0)
        note_marks(s, offset, buf, (size_t)n);
    if (n == (ssize_t)cap)
        s->n_taken = 0;
    if (n == 0 && has_taken_enough(s))
        return give_way(s, e);
    return n == 0 ? tell_damage(s, e) : n;
}

static uint64_t packed_mark(const struct source *base, uint64_t offset)
{
    const struct source_packed *s = (const struct source_packed *)base;

    if (s->line_mark.is_set && s->line_mark.offset == offset)
        return s->line_mark.hash;
    return s->end_mark.is_set && s->end_mark.offset == offset ? s->end_mark.hash : 0;
}

static void packed_mark_inside(struct source *base, uint64_t offset, struct slice before)
{
    struct source_packed *s = (struct source_packed *)base;

    s->line_mark.is_set = false;
    if (before.len >= mark_len(offset))
        mark_set(&s->line_mark, offset, before.ptr + before.len);
}

static void packed_close(struct source *base)
{
    struct source_packed *s = (struct source_packed *)base;

    source_packed_shut(s);
    free(s->path);
    free(s);
}

static const struct source_ops packed_ops = {
    .read = packed_read,
    .mark = packed_mark,
    .mark_inside = packed_mark_inside,
    .close = packed_close,
};

struct source_packed *source_packed_new(const struct files *files, int fd, const char *path,
                                        enum packed_window window)
{
    struct source_packed *s = calloc(1, sizeof *s);

    if (!s || !(s->path = strdup(path))) {
        free(s);
        files->close(files->ctx, fd);
        return NULL;
    }
    s->base.ops = &packed_ops;
    s->files = files;
    s->fd = fd;
    s->packing = packing_of(path);
    s->window = window;
    s->end = PACKED_WHOLE; /* an empty file is whole */
    return s;
}

struct source *source_packed_base(struct source_packed *s)
{
    return &s->base;
}

void source_packed_expect(struct source_packed *s, uint64_t offset, uint64_t mark)
{
    s->expected = (struct mark){offset, mark, true};
}

bool source_packed_is_other(const struct source_packed *s)
{
    return s->is_other;
}

enum packed_end source_packed_end(const struct source_packed *s)
{
    return s->end;
}

int source_packed_stat(struct source_packed *s, struct file_stat *out, struct err *e)
{
    return s->files->fstat(s->files->ctx, s->fd, out, e);
}

uint64_t source_packed_taken(const struct source_packed *s)
{
    return s->in_offset - (s->in_len - s->in_at);
}

int source_packed_resign(struct source_packed *s)
{
    int fd = s->fd;

    s->fd = -1;
    return fd;
}

void source_packed_shut(struct source_packed *s)
{
    unpack_free(s->unpack);
    free(s->in);
    s->unpack = NULL;
    s->in = NULL;
    s->in_at = s->in_len = 0;
    if (s->fd >= 0)
        s->files->close(s->files->ctx, s->fd);
    s->fd = -1;
}
