/* Patterns that have rotated names too: a file that is new there may be a copy of a text that is
 * read under another name. Its lines would come twice; those without a time of their own under
 * other ids. It is put off as long as nobody can tell, and never read if all of it was. */
#include <stdio.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"
#include "shipper/inputs/source_mark.h"

enum { LOOKS_MAX = 1024 }; /* at files that are away, for each that is new */

static const int64_t MADE_NS =
    60000000000; /* to make a packed file of another; between two writes */

static struct spot *spot_of_origin(const struct input *in, const char *path)
{
    struct slice origin = stream_origin_path(slice_str(path));
    char buf[GLOB_PATH_MAX];

    snprintf(buf, sizeof buf, "%.*s", SLICE_ARG(origin));
    return file_spot_find(in, buf);
}

/* a.log.1 of a.log.1.gz */
static struct spot *spot_unpacked(const struct input *in, const char *path)
{
    const char *dot = strrchr(path, '.');
    char buf[GLOB_PATH_MAX];

    snprintf(buf, sizeof buf, "%.*s", (int)(dot - path), path);
    return file_spot_find(in, buf);
}

static bool is_there(const struct input *in, const struct spot *s)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct file_id id;
    bool missing;

    if (files->stat(files->ctx, s->path, &st, &missing, NULL) < 0)
        return !missing;
    id = file_id_of(&st);
    return file_id_eq(&id, &s->tail->id);
}

/* --- packed ----------------------------------------------------------------------------------- */

/* Nobody knows while a chunk is in work, or of what was not read. 0: there is nothing yet that
 * could be unpacked. */
static bool may_be_text_of(const struct tail *t, uint64_t head_hash)
{
    if (!t || t->is_packed || t->copy_path)
        return false;
    return !head_hash || t->state == TAIL_BUSY || !t->stream.has_head ||
           t->stream.head_hash == head_hash;
}

/* It lost its place, and where it went is not known yet, or its text is sought. */
static bool may_be_gone_text(const struct tail *t, uint64_t head_hash)
{
    return t && !t->spot && may_be_text_of(t, head_hash);
}

/* One whose place others have taken since. */
static const struct tail *find_gone(const struct input *in, const char *path, uint64_t head_hash)
{
    size_t n = 0;

    for (struct link *l = in->away.prev; l != &in->away && n < LOOKS_MAX; l = l->prev, n++) {
        const struct tail *t = LIST_ENTRY(l, struct tail, away);

        if (t->is_gone && may_be_gone_text(t, head_hash) && rotation_is_sibling(t->path, path))
            return t;
    }
    return NULL;
}

/* It is being made, or was made of what was last written to then: packing keeps that time. */
static bool is_packed_of(const struct input *in, const struct sibling *packed, const struct tail *t)
{
    int64_t age_ns = clock_wall_ns(in->world->clock) - packed->st.mtime_ns;

    return packed->st.mtime_ns == t->stream.mtime_ns || (age_ns < MADE_NS && age_ns > -MADE_NS);
}

/* delaycompress: a.log.1 is packed, and then named a.log.2.gz while a.log takes its place. */
static const struct tail *find_moved(const struct input *in, const char *path, uint64_t head_hash)
{
    for (struct spot *s = file_spot_kin(in, path, NULL); s; s = file_spot_kin(in, path, s)) {
        if (may_be_gone_text(s->previous, head_hash))
            return s->previous;
        if (may_be_text_of(s->tail, head_hash) && !is_there(in, s))
            return s->tail;
    }
    return NULL;
}

static const struct tail *find_original(const struct input *in, const struct sibling *packed,
                                        uint64_t head_hash)
{
    const struct tail *moved;

    const struct spot *plain = spot_unpacked(in, packed->path);
    const struct spot *current = spot_of_origin(in, packed->path);

    if (plain && may_be_text_of(plain->tail, head_hash) && is_packed_of(in, packed, plain->tail))
        return plain->tail;
    if (plain && may_be_gone_text(plain->previous, head_hash))
        return plain->previous;
    if (current && current != plain && may_be_gone_text(current->previous, head_hash))
        return current->previous;
    if (current && current != plain && may_be_text_of(current->tail, head_hash) &&
        !is_there(in, current))
        return current->tail;
    moved = find_moved(in, packed->path, head_hash);
    return moved ? moved : find_gone(in, packed->path, head_hash);
}

static void know(struct input *in, struct spot *s, const struct sibling *file, const struct tail *t)
{
    file_know_copy(in, s->path, &file->id, t->stream.position, t->stream.head_hash);
    s->is_done = true;
    s->done = file->id;
    s->done_size = file->st.size;
}

static bool is_read_whole(const struct input *in, const struct tail *t, const struct sibling *file)
{
    return t->state != TAIL_BUSY && t->stream.position &&
           file_is_whole_copy(in, t->stream.position, file);
}

static bool is_packed_twin(struct input *in, struct spot *s, const struct sibling *packed)
{
    uint64_t head_hash = file_head(in, packed);
    const struct tail *t = find_original(in, packed, head_hash);

    if (t && is_read_whole(in, t, packed))
        know(in, s, packed, t);
    return t;
}

/* --- plain ------------------------------------------------------------------------------------ */

/* As far as it goes, it is what the other begins with. By its last bytes; a copy that is being made
 * has them too. */
static bool is_beginning_of(const struct input *in, const struct sibling *file, const char *path)
{
    const struct files *files = in->world->files;
    char bytes[MARK_MAX];
    size_t len = mark_len(file->st.size);
    uint64_t from = file->st.size - len;
    struct file_stat st;
    bool missing;
    bool is_same = false;
    int fd = source_open_file(files, file->path, &file->id, &st, &missing, NULL);
    int other = source_open_file(files, path, NULL, &st, &missing, NULL);

    if (fd >= 0 && other >= 0 &&
        files->pread(files->ctx, fd, bytes, len, from, NULL) == (ssize_t)len)
        is_same = len == 0 || !source_file_lacks_mark(files, other, file->st.size,
                                                      mark_hash(file->st.size, bytes + len));
    if (fd >= 0)
        files->close(files->ctx, fd);
    if (other >= 0)
        files->close(files->ctx, other);
    return is_same;
}

/* It was cut since anybody looked at it, and the file has its text. */
static bool has_text_of(struct input *in, const struct tail *t, const struct sibling *file)
{
    return t->state != TAIL_BUSY && t->stream.has_head && t->stream.mark &&
           file->st.size >= t->stream.position &&
           file_has_text(in, file, t->stream.head_hash, t->stream.position, t->stream.mark);
}

/* At the start: what is there now was read in an earlier life. */
static bool has_text_of_row(struct input *in, const struct spot *s, const struct sibling *file)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    struct file_id id;
    const struct known *k;
    bool missing;

    if (files->stat(files->ctx, s->path, &st, &missing, NULL) < 0)
        return false;
    id = file_id_of(&st);
    k = file_known_find(in, &id);
    if (!k || !k->position || file->id.generation <= k->id.generation)
        return false;
    return is_beginning_of(in, file, s->path) ||
           (file->st.size >= k->position &&
            file_has_text(in, file, k->head_hash, k->position,
                          stream_state_mark(buffer_slice(&k->state))));
}

/* What was renamed was born before what is there now; a copy is born later. */
static bool is_plain_twin(struct input *in, const struct sibling *file)
{
    struct spot *current = spot_of_origin(in, file->path);

    if (!current || !file->id.generation)
        return false;
    if (current->previous && current->previous->is_cut)
        return true; /* which looks around for it */
    if (!current->tail)
        return has_text_of_row(in, current, file);
    if (file->id.generation <= current->tail->id.generation)
        return false;
    if (has_text_of(in, current->tail, file)) {
        file_queue_check(in, current);
        return true;
    }
    return is_beginning_of(in, file, current->path);
}

/* --- both ------------------------------------------------------------------------------------- */

bool file_is_twin(struct input *in, struct spot *s, const struct file_stat *st)
{
    struct sibling file = {
        .path = s->path, .st = *st, .id = file_id_of(st), .is_packed = rotation_is_packed(s->path)};

    if (in->world->is_replay || !rotation_is_rotated(s->path) || file_known_find(in, &file.id))
        return false;
    return file.is_packed ? is_packed_twin(in, s, &file) : is_plain_twin(in, &file);
}

void file_know_twins(struct input *in, const struct tail *t)
{
    const struct files *files = in->world->files;

    if (t->is_packed || t->copy_path || !t->stream.has_head)
        return;
    for (struct spot *s = file_spot_kin(in, t->path, NULL); s; s = file_spot_kin(in, t->path, s)) {
        struct sibling file = {.path = s->path, .is_packed = true};
        bool missing;

        if (s->tail || s->is_done || !rotation_is_packed(s->path) ||
            files->stat(files->ctx, s->path, &file.st, &missing, NULL) < 0)
            continue;
        file.id = file_id_of(&file.st);
        if (!file_known_find(in, &file.id) && t->stream.head_hash == file_head(in, &file) &&
            is_read_whole(in, t, &file))
            know(in, s, &file, t);
    }
}
