/* A text whose file is gone, or was cut, and another file that has it: rotated and packed at once,
 * or while ship was away, or copied and truncated. The tail keeps its key, its ids and what
 * correlation knows; only where its bytes come from changes. */
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"

/* Packing keeps the time of the last writing. Of what was not read at all there is no first line to
 * compare: then the packed file itself must be the younger one too. */
static bool may_be_packed_copy(struct input *in, const struct lost_text *text,
                               const struct sibling *packed)
{
    if ((uint64_t)packed->st.mtime_ns < text->born_ns)
        return false;
    if (!text->head_hash)
        return text->born_ns && packed->id.generation > text->born_ns;
    return file_head(in, packed) == text->head_hash;
}

/* The place of the text has a text of its own. Of what was not read at all, only the times tell. */
static bool is_plain_copy(struct input *in, const struct lost_text *text,
                          const struct sibling *file)
{
    if (rotation_is_sibling(file->path, text->path) && !rotation_is_rotated(file->path))
        return false;
    if (!text->position)
        return text->since_ns && file->id.generation && file->st.size >= text->size;
    return text->head_hash && text->mark && file->st.size >= text->position &&
           file_has_text(in, file, text->head_hash, text->position, text->mark);
}

bool file_may_be_copy(struct input *in, const struct lost_text *text, const struct sibling *file)
{
    if (file_tail_find(in, &file->id) || file_known_find(in, &file->id))
        return false;
    if (file->id.generation && file->id.generation < text->since_ns)
        return false;
    return file->is_packed ? may_be_packed_copy(in, text, file) : is_plain_copy(in, text, file);
}

static uint64_t packed_size(const struct input *in, const struct sibling *packed, uint64_t *mask)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;
    int fd = source_open_file(files, packed->path, &packed->id, &st, &missing, NULL);
    uint64_t size = fd < 0 ? 0 : source_packed_size(files, fd, packed->path, st.size, mask);

    if (fd >= 0)
        files->close(files->ctx, fd);
    return size;
}

bool file_is_whole_copy(const struct input *in, uint64_t position, const struct sibling *file)
{
    uint64_t mask = 0;
    uint64_t size;

    if (!file->is_packed)
        return file->st.size == position;
    size = packed_size(in, file, &mask);
    return mask && size == (position & mask);
}

/* Where its bytes come from now, but for a packed one, which is opened when it is read. False: out
 * of memory. */
static bool change_source(struct input *in, struct tail *t, const struct sibling *copy)
{
    struct source_file *file =
        copy->is_packed ? NULL : source_file_new(in->world->files, copy->path, &copy->id);

    if (!copy->is_packed && !file)
        return false;
    file_shut(in, t);
    if (t->stream.source)
        t->stream.source->ops->close(t->stream.source);
    t->file = file;
    t->stream.source = file ? source_file_base(file) : NULL;
    if (file && t->stream.mark)
        source_file_expect(file, t->stream.position, t->stream.mark);
    return true;
}

bool file_take_copy(struct input *in, struct tail *t, const struct sibling *copy)
{
    char *path = strdup(copy->path);

    if (!path || !change_source(in, t, copy)) {
        free(path);
        return false;
    }
    free(t->copy_path);
    t->copy_path = path;
    stream_drop_rest(&t->stream); /* it is read again, there */
    t->is_packed = t->stream.is_sequential = copy->is_packed;
    t->is_counted = false; /* its plain size was */
    file_tail_rename(in, t, &copy->id);
    t->size = copy->st.size;
    t->stream.mtime_ns = copy->st.mtime_ns;
    t->is_gone = t->is_cut = t->has_copy = t->has_shrunk = t->wants_finish = false;
    list_push(&in->away, &t->away);
    return true;
}

struct tail *file_take_up_copy(struct input *in, struct known *k, const struct sibling *copy,
                               struct tail *predecessor)
{
    struct file_stat st = {.device = k->id.device,
                           .inode = k->id.inode,
                           .generation = k->id.generation,
                           .type = FILE_REGULAR};
    struct tail *t = file_make_tail(in, k->path, k->path, &st, k->n_rewritten);

    if (!t)
        return NULL;
    file_restore(in, t, k);
    if (!file_take_copy(in, t, copy)) {
        file_forget_tail(in, t);
        return NULL;
    }
    t->away_ms = in->now_ms;
    if (predecessor)
        file_hold(in, t, predecessor);
    file_ready(in, t);
    return t;
}

static const char *place_of(const struct tail *t)
{
    return t->left ? t->left->path : t->path;
}

enum { CLOCK_NS = 100000000 }; /* the kernel's lags behind */

/* Once it reads a copy, its id is that one's. */
static struct lost_text text_of(const struct tail *t)
{
    return (struct lost_text){
        .path = place_of(t),
        .born_ns = t->copy_path ? 0 : t->id.generation,
        .since_ns = t->is_cut ? (uint64_t)(t->found_ns - CLOCK_NS) : 0,
        .head_hash = t->stream.has_head ? t->stream.head_hash : 0,
        .position = t->stream.position,
        .mark = t->stream.mark,
        .size = t->size,
    };
}

/* Oldest first, behind the one that was tried last. */
static const struct sibling *find_copy(struct input *in, const struct tail *t,
                                       const struct siblings *s)
{
    struct lost_text text = text_of(t);
    size_t i = 0;

    while (t->copy_path && i < s->n_items && strcmp(s->items[i].path, t->copy_path) != 0)
        i++;
    for (i = i < s->n_items ? i + (t->copy_path != NULL) : 0; i < s->n_items; i++)
        if (file_may_be_copy(in, &text, &s->items[i]))
            return &s->items[i];
    return NULL;
}

static const struct sibling *find_moved(const struct tail *t, const struct siblings *s)
{
    for (size_t i = 0; t->copy_path && i < s->n_items; i++)
        if (file_id_eq(&s->items[i].id, &t->id))
            return &s->items[i];
    return NULL;
}

/* A look around for where its text is. */
struct search {
    struct siblings near;
    struct siblings others;
    bool is_listed; /* else that there is none says nothing */
    const struct sibling *copy;
};

static void search(struct input *in, const struct tail *t, struct siblings_round *round,
                   struct search *out)
{
    *out = (struct search){0};
    out->is_listed = siblings_find(round, place_of(t), &out->near);
    if (out->is_listed) {
        out->copy = find_moved(t, &out->near);
        out->copy = out->copy ? out->copy : find_copy(in, t, &out->near);
    }
    if (!out->copy && siblings_find_others(round, place_of(t), &out->others)) {
        out->copy = find_moved(t, &out->others);
        out->copy = out->copy ? out->copy : find_copy(in, t, &out->others);
    }
}

static void search_fini(struct search *s)
{
    siblings_free(&s->near);
    siblings_free(&s->others);
}

/* Nothing more of it is to be had. */
static void end(struct input *in, struct tail *t)
{
    if (t->is_cut) {
        file_end_cut(in, t);
        return;
    }
    file_tell_lost(in, t);
    t->is_gone = true;
    list_push(&in->away, &t->away);
    file_ready(in, t); /* which drains it, when it finds no file */
}

/* All of it was read; the copy is not to be taken for another file. */
static void end_whole(struct input *in, struct tail *t, const struct sibling *copy)
{
    t->size = t->stream.position; /* what was beyond it never was */
    if (file_matches(in, copy->path))
        file_know_copy(in, copy->path, &copy->id, t->stream.position, t->stream.head_hash);
    end(in, t);
}

static void tell_read_on(struct input *in, const struct tail *t, const char *path)
{
    struct err e = {0};

    err_set(&e, ERR_NONE,
            "%s: was truncated or written anew; what was not read of the old content is in %s, and "
            "is read there first",
            t->path, path);
    file_log(in, &e);
}

static void go_on(struct input *in, struct tail *t, const struct sibling *copy)
{
    bool was_cut = t->is_cut;

    if (!file_take_copy(in, t, copy)) {
        list_push(&in->seeking, &t->seek);
        return;
    }
    if (was_cut)
        tell_read_on(in, t, copy->path);
    file_ready(in, t);
}

static void find_one(struct input *in, struct tail *t, struct siblings_round *round)
{
    struct search s;

    search(in, t, round, &s);
    if (s.copy && t->is_cut)
        file_read_between(in, t, s.copy, &s.near);
    if (s.copy && !t->copy_path && file_is_whole_copy(in, t->stream.position, s.copy))
        end_whole(in, t, s.copy);
    else if (s.copy)
        go_on(in, t, s.copy);
    else if (!s.is_listed && in->now_ms - t->seek_ms < FILE_PATIENCE_MS)
        list_push(&in->seeking, &t->seek);
    else
        end(in, t);
    search_fini(&s);
}

/* What is lost is told at once, whenever what was read of it may be settled. */
static void look_for_one(struct input *in, struct tail *t, struct siblings_round *round)
{
    struct search s;

    list_push(&in->seeking, &t->seek);
    if (!t->is_cut || t->has_copy)
        return;
    search(in, t, round, &s);
    t->has_copy = s.copy != NULL;
    if (!s.copy && s.is_listed) {
        list_remove(&t->seek);
        end(in, t);
    }
    search_fini(&s);
}

void file_seek_copy(struct input *in, struct tail *t)
{
    if (t->state == TAIL_READY) {
        t->state = TAIL_WAITING;
        list_remove(&t->run);
    }
    t->seek_ms = in->now_ms;
    list_push(&in->seeking, &t->seek);
}

/* A chunk that is not settled could be asked for its text, and its position comes before. */
void file_find_copies(struct input *in)
{
    struct siblings_round round;
    struct link todo; /* what is put off is the next pass's */

    if (list_is_empty(&in->seeking))
        return;
    list_init(&todo);
    while (!list_is_empty(&in->seeking))
        list_push(&todo, in->seeking.next);
    siblings_begin(&round, in);
    while (!list_is_empty(&todo)) {
        struct tail *t = LIST_ENTRY(todo.next, struct tail, seek);

        list_remove(&t->seek);
        if (tracker_is_settled(&t->stream))
            find_one(in, t, &round);
        else
            look_for_one(in, t, &round);
    }
    siblings_end(&round);
}

void file_know_copy(struct input *in, const char *path, const struct file_id *id, uint64_t position,
                    uint64_t head_hash)
{
    struct known *k = calloc(1, sizeof *k);

    if (!k)
        return;
    k->id = *id;
    k->position = position;
    k->head_hash = head_hash;
    k->seen_s = clock_wall_ns(in->world->clock) / 1000000000;
    k->is_finished = true;
    k->path = strdup(path);
    if (!k->path) {
        file_known_free(k);
        return;
    }
    file_put_known(in, k);
    file_known_insert(in, k);
}

/* Its row stays as it is: the copy may come yet. */
static void give_up(struct input *in, struct tail *t)
{
    struct err e = {0};

    err_set(&e, ERR_INPUT,
            "%s: a file that was here is gone, read up to byte %llu, and no packed file beside it "
            "has its text; going on without its rest. `ship --replay` of where it is now, with "
            "--as %s, brings it",
            t->path, (unsigned long long)t->stream.position, t->path);
    file_log(in, &e);
    file_shut(in, t);
    t->is_given_up = true;
    if (t->successor)
        file_cut_off(in, t->successor);
    list_remove(&t->away);
    file_drained(in, t);
}

void file_other_copy(struct input *in, struct tail *t)
{
    struct siblings_round round;
    struct siblings s;
    struct siblings others = {0};
    const struct sibling *copy = NULL;

    t->state = TAIL_WAITING;
    file_shut(in, t);
    siblings_begin(&round, in);
    if (siblings_find(&round, place_of(t), &s))
        copy = find_copy(in, t, &s);
    if (!copy && siblings_find_others(&round, place_of(t), &others))
        copy = find_copy(in, t, &others);
    if (copy && file_take_copy(in, t, copy))
        file_ready(in, t);
    else
        give_up(in, t);
    siblings_free(&s);
    siblings_free(&others);
    siblings_end(&round);
}

void file_settle_copy(struct input *in, struct tail *t)
{
    if (t->is_given_up)
        return;
    if (in->world->checkpoints)
        checkpoints_remove(in->world->checkpoints, t->key);
    file_know_copy(in, t->spot ? t->spot->path : t->copy_path, &t->id, t->stream.position,
                   t->stream.head_hash);
}
