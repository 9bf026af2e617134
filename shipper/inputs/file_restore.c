/* Where to go on after a restart: rows of the checkpoint store, and the last words on a file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/siblings.h"
#include "shipper/pipeline/frame.h"

enum { LOOK_BACK_MAX = 64 * 1024 };

static int64_t wall_s(const struct input *in)
{
    return clock_wall_ns(in->world->clock) / 1000000000;
}

/* --- rows ------------------------------------------------------------------------------------ */

bool file_parse_key(const char *key, struct file_id *id, unsigned *n_rewritten)
{
    int end = -1;

    *n_rewritten = 0;
    if (sscanf(key, "file:%" SCNx64 ":%" SCNx64 ":%" SCNx64 "%n", &id->device, &id->inode,
               &id->generation, &end) != 3 ||
        end < 0)
        return false;
    return key[end] == '\0' || sscanf(key + end, ":%x", n_rewritten) == 1;
}

/* "/l/a.log" of "/l/old/a.log.1" */
static char *origin_above(struct slice origin)
{
    const char *base = origin.ptr + origin.len;
    const char *above;
    char *copy;

    while (base > origin.ptr && base[-1] != '/')
        base--;
    above = base > origin.ptr ? base - 1 : base;
    while (above > origin.ptr && above[-1] != '/')
        above--;
    if (above == base)
        return NULL;
    copy = malloc(origin.len + 1);
    if (copy)
        snprintf(copy, origin.len + 1, "%.*s%.*s", (int)(above - origin.ptr), origin.ptr,
                 (int)(origin.ptr + origin.len - base), base);
    return copy;
}

char *file_origin(const struct input *in, const char *path)
{
    struct slice slice = stream_origin_path(slice_str(path));
    char *origin = strndup(slice.ptr, slice.len);
    char *above = origin && !file_matches(in, origin) ? origin_above(slice) : NULL;

    if (above && file_matches(in, above)) {
        free(origin);
        return above;
    }
    free(above);
    return origin;
}

/* Several inputs share the store: only what lies in our paths is ours. */
static bool is_ours(const struct input *in, const char *path)
{
    char *origin = file_origin(in, path);
    bool is_match = file_matches(in, path) || (origin && file_matches(in, origin));

    free(origin);
    return is_match;
}

static void on_row(void *ctx, const struct checkpoint *c)
{
    struct input *in = ctx;
    struct known *k;
    struct file_id id;
    unsigned n;

    if (!c->path || !file_parse_key(c->key, &id, &n) || !is_ours(in, c->path))
        return;
    k = calloc(1, sizeof *k);
    if (!k)
        return; /* read again from its beginning: the ids make that harmless */
    k->id = id;
    k->n_rewritten = n;
    k->position = c->position;
    k->head_hash = c->head_hash;
    k->seen_s = c->seen_s;
    k->is_finished = c->is_finished;
    k->path = strdup(c->path);
    buffer_add_slice(&k->state, c->state);
    if (!k->path || k->state.failed)
        file_known_free(k);
    else
        file_known_insert(in, k);
}

/* Says that there was a first start, even if there was no file then. */
static void start_key(const struct input *in, char *key, size_t cap)
{
    snprintf(key, cap, "file-start:%s", in->common->name ? in->common->name : "");
}

struct start {
    struct input *in;
    char key[256];
    bool is_first;
    int64_t seen_s; /* the newest word of an earlier life */
};

static void on_any_row(void *ctx, const struct checkpoint *c)
{
    struct start *start = ctx;

    if (strcmp(c->key, start->key) == 0)
        start->is_first = false;
    on_row(start->in, c);
    if (c->seen_s > start->seen_s)
        start->seen_s = c->seen_s;
}

int file_load_rows(struct input *in, struct err *e)
{
    struct start start = {.in = in, .is_first = true};

    if (in->world->checkpoints) {
        start_key(in, start.key, sizeof start.key);
        if (checkpoints_each(in->world->checkpoints, on_any_row, &start, e) < 0)
            return -1;
    }
    if (wall_s(in) - start.seen_s < FILE_FORGET_S)
        in->looked_ns = (uint64_t)start.seen_s * 1000000000u;
    in->skips_present =
        in->options->read_from == FILE_FROM_END && start.is_first && in->n_knowns == 0;
    if (in->world->checkpoints && start.is_first) {
        struct checkpoint c = {.key = start.key, .path = "", .seen_s = wall_s(in)};

        checkpoints_put(in->world->checkpoints, &c);
    }
    return 0;
}

/* --- going on -------------------------------------------------------------------------------- */

/* The first line's hash, as the pipeline makes it; 0: there is none yet. */
static uint64_t head_of(const struct input *in, int fd, struct source *packed)
{
    const struct files *files = in->world->files;
    char head[HEAD_MAX + 2];
    ssize_t n = packed ? packed->ops->read(packed, 0, head, sizeof head, NULL)
                       : files->pread(files->ctx, fd, head, sizeof head, 0, NULL);
    struct frame f;
    struct frame_line line;

    if (n <= 0)
        return 0;
    frame_init(&f, slice_of(head, (size_t)n), in->stream_options.max_line_bytes, false, true);
    return frame_next(&f, &line) && line.offset + line.text.len <= (size_t)n && line.text.len
               ? stream_head_hash(line.text)
               : 0;
}

static uint64_t packed_head(struct input *in, int fd, const char *path)
{
    struct source_packed *packed = source_packed_new(in->world->files, fd, path, file_window(in));
    uint64_t head;

    if (!packed)
        return 0;
    head = head_of(in, -1, source_packed_base(packed));
    source_packed_base(packed)->ops->close(source_packed_base(packed));
    return head;
}

static int open_sibling(const struct input *in, const struct sibling *file)
{
    struct file_stat st;
    bool missing;

    return source_open_file(in->world->files, file->path, &file->id, &st, &missing, NULL);
}

uint64_t file_head(struct input *in, const struct sibling *file)
{
    int fd = open_sibling(in, file);
    uint64_t head;

    if (fd < 0)
        return 0;
    if (file->is_packed)
        return packed_head(in, fd, file->path);
    head = head_of(in, fd, NULL);
    in->world->files->close(in->world->files->ctx, fd);
    return head;
}

bool file_has_text(struct input *in, const struct sibling *file, uint64_t head_hash,
                   uint64_t position, uint64_t mark)
{
    const struct files *files = in->world->files;
    int fd = open_sibling(in, file);
    bool has_it;

    if (fd < 0)
        return false;
    has_it =
        head_of(in, fd, NULL) == head_hash && !source_file_lacks_mark(files, fd, position, mark);
    files->close(files->ctx, fd);
    return has_it;
}

bool file_row_fits(struct input *in, const struct known *k, const char *path,
                   const struct file_stat *st)
{
    const struct files *files = in->world->files;
    struct file_stat now;
    bool missing;
    bool is_packed = slice_ends(slice_str(path), (struct slice)SLICE_LIT(".gz")) ||
                     slice_ends(slice_str(path), (struct slice)SLICE_LIT(".zst"));
    uint64_t mark = stream_state_mark(buffer_slice(&k->state));
    uint64_t head;
    bool is_other = false;
    int fd;

    if (k->position == 0)
        return true;
    if (!is_packed && st->size < k->position)
        return false;
    fd = source_open_file(files, path, &k->id, &now, &missing, NULL);
    if (fd < 0)
        return true; /* it cannot be read now: no reason to read it twice later */
    if (is_packed) {
        head = packed_head(in, fd, path);
    } else {
        head = head_of(in, fd, NULL);
        is_other = mark && source_file_lacks_mark(files, fd, k->position, mark);
        files->close(files->ctx, fd);
    }
    return !is_other && (head == k->head_hash || !head || !k->head_hash);
}

static void trust(struct tail *t, uint64_t position)
{
    source_file_trust(t->file, position);
    t->stream.mark = t->stream.source->ops->mark(t->stream.source, position);
}

void file_restore(struct input *in, struct tail *t, struct known *k)
{
    uint64_t mark = stream_state_mark(buffer_slice(&k->state));
    struct err e = {0};

    t->stream.position = k->position;
    t->stream.settled_position = k->position;
    if (k->state.len && stream_state_load(&t->stream, buffer_slice(&k->state), &e) < 0) {
        err_at(&e, "%s: what was known of its open requests is lost", t->path);
        file_log(in, &e);
    }
    if (!t->stream.has_head && k->head_hash)
        stream_set_head(&t->stream, k->head_hash);
    file_take_had(in, t);
    if (t->file && mark) /* file_row_fits may not have been able to look */
        source_file_expect(t->file, k->position, mark);
    else if (t->file)
        trust(t, k->position);
    in->stats.total_bytes -= t->is_packed ? 0 : k->position;
    file_known_remove(in, k);
}

void file_forget_row(struct input *in, struct known *k)
{
    char key[TAIL_KEY_MAX];

    tail_write_key(key, &k->id, k->n_rewritten);
    if (in->world->checkpoints)
        checkpoints_remove(in->world->checkpoints, key);
    file_known_remove(in, k);
}

void file_forget_rows(struct input *in, const struct file_id *id)
{
    struct known *k;

    while ((k = file_known_find(in, id)))
        file_forget_row(in, k);
}

/* Behind the last newline before `size`: a line that is being written is read as a whole. */
static uint64_t last_line_start(const struct input *in, int fd, uint64_t size)
{
    const struct files *files = in->world->files;
    uint64_t from = size > LOOK_BACK_MAX ? size - LOOK_BACK_MAX : 0;
    size_t len = (size_t)(size - from);
    char *bytes = malloc(len + 1);
    ssize_t n = bytes ? files->pread(files->ctx, fd, bytes, len, from, NULL) : -1;

    while (n > 0 && bytes[n - 1] != '\n')
        n--;
    free(bytes);
    return n > 0 ? from + (uint64_t)n : n == 0 && from == 0 ? 0 : size;
}

void file_start_at_end(struct input *in, struct tail *t, const char *path, uint64_t size)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;
    uint64_t head;
    int fd;

    if (t->is_packed) {
        t->stream.position = UINT64_MAX; /* all of it is old */
        return;
    }
    fd = source_open_file(files, path, &t->id, &st, &missing, NULL);
    if (fd < 0)
        return;
    t->stream.position = last_line_start(in, fd, size);
    head = head_of(in, fd, NULL);
    files->close(files->ctx, fd);
    if (t->stream.position)
        stream_set_head(&t->stream, head);
    t->stream.settled_position = t->stream.position;
    trust(t, t->stream.position);
    in->stats.total_bytes -= t->stream.position;
    file_put_row(in, t, false);
}

/* --- last words ------------------------------------------------------------------------------ */

void file_put_row(struct input *in, struct tail *t, bool is_finished)
{
    struct buffer state = {0};
    const char *where = t->file ? source_file_path(t->file) : NULL;
    struct checkpoint c = {
        .key = t->key,
        .path = is_finished && where ? where : t->path,
        .position = t->stream.position,
        .head_hash = t->stream.head_hash,
        .is_finished = is_finished,
        .seen_s = wall_s(in),
    };

    if (!t->stream.key)
        return;
    stream_state_save(&t->stream, &state);
    c.state = buffer_slice(&state);
    if (!state.failed)
        checkpoints_put(in->world->checkpoints, &c);
    if (!is_finished)
        checkpoints_hurry(in->world->checkpoints);
    buffer_free(&state);
}

void file_put_known(struct input *in, const struct known *k)
{
    char key[TAIL_KEY_MAX];
    struct checkpoint c = {
        .key = key,
        .path = k->path,
        .position = k->position,
        .head_hash = k->head_hash,
        .is_finished = k->is_finished,
        .seen_s = k->seen_s,
        .state = buffer_slice(&k->state),
    };

    tail_write_key(key, &k->id, k->n_rewritten);
    if (in->world->checkpoints)
        checkpoints_put(in->world->checkpoints, &c);
}

/* Remembered in little space: should it turn up again, it is not read twice. */
static void remember(struct input *in, struct tail *t, bool is_finished)
{
    const char *where = t->file ? source_file_path(t->file) : NULL;
    struct known *k = calloc(1, sizeof *k);

    if (!k)
        return;
    k->id = t->id;
    k->n_rewritten = t->n_rewritten;
    k->position = t->stream.position;
    k->head_hash = t->stream.head_hash;
    k->seen_s = wall_s(in);
    k->is_finished = is_finished;
    k->path = strdup(is_finished && where ? where : t->path);
    stream_state_save(&t->stream, &k->state);
    if (k->path && !k->state.failed)
        file_known_insert(in, k);
    else
        file_known_free(k);
}

void file_settled(struct input *in, struct tail *t)
{
    bool is_finished = (!t->spot && !t->is_given_up) || t->is_packed;

    if (t->spot && (t->is_packed || t->copy_path)) {
        t->spot->is_done = true;
        t->spot->done = t->id;
        t->spot->done_size = t->size;
    }
    if (in->world->is_replay) {
        file_forget_tail(in, t);
        return;
    }
    if (t->copy_path) {
        file_settle_copy(in, t);
    } else if (t->is_superseded || t->is_gone) {
        if (t->is_gone)
            file_know_twins(in, t);
        if (t->stream.key)
            checkpoints_remove(in->world->checkpoints, t->key);
    } else {
        file_put_row(in, t, is_finished);
        remember(in, t, is_finished);
    }
    file_forget_tail(in, t);
}
