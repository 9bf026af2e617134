/* A file that is gone, and a packed one that has its text: rotated and packed at once, or while
 * ship was away. The tail keeps its key, its ids and what correlation knows; only where its bytes
 * come from changes. */
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"

/* Packing keeps the time of the last writing. Of what was not read at all there is no first line to
 * compare: then the packed file itself must be the younger one too. */
bool file_may_be_copy(struct input *in, const struct lost_text *text, const struct sibling *packed)
{
    if (!packed->is_packed || file_tail_find(in, &packed->id) || file_known_find(in, &packed->id) ||
        (uint64_t)packed->st.mtime_ns < text->born_ns)
        return false;
    if (!text->head_hash)
        return text->born_ns && packed->id.generation > text->born_ns;
    return file_packed_head(in, packed) == text->head_hash;
}

bool file_is_whole_copy(const struct input *in, uint64_t position, const struct sibling *packed)
{
    const struct files *files = in->world->files;
    struct file_stat st;
    bool missing;
    int fd = source_open_file(files, packed->path, &packed->id, &st, &missing, NULL);
    uint64_t mask = 0;
    uint64_t size = fd < 0 ? 0 : source_packed_size(files, fd, packed->path, st.size, &mask);

    if (fd >= 0)
        files->close(files->ctx, fd);
    return mask && size == (position & mask);
}

bool file_take_copy(struct input *in, struct tail *t, const struct sibling *packed)
{
    char *path = strdup(packed->path);

    if (!path)
        return false;
    file_shut(in, t);
    if (t->stream.source)
        t->stream.source->ops->close(t->stream.source);
    t->stream.source = NULL;
    t->file = NULL;
    free(t->copy_path);
    t->copy_path = path;
    t->is_packed = t->stream.is_sequential = true;
    t->is_counted = false; /* its plain size was */
    file_tail_rename(in, t, &packed->id);
    t->size = packed->st.size;
    t->stream.mtime_ns = packed->st.mtime_ns;
    t->is_gone = t->wants_finish = false;
    list_push(&in->away, &t->away);
    return true;
}

/* Oldest first, behind the one that was tried last. */
static const struct sibling *find_copy(struct input *in, const struct tail *t,
                                       const struct siblings *s)
{
    /* Once it reads a copy, its id is that one's. */
    struct lost_text text = {t->copy_path ? 0 : t->id.generation,
                             t->stream.has_head ? t->stream.head_hash : 0};
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

static const char *place_of(const struct tail *t)
{
    return t->left ? t->left->path : t->path;
}

/* Nothing more of it is to be had. */
static void end(struct input *in, struct tail *t)
{
    t->is_gone = true;
    list_push(&in->away, &t->away);
    file_ready(in, t); /* which drains it, when it finds no file */
}

static void find_one(struct input *in, struct tail *t, struct siblings_round *round)
{
    struct siblings s;
    struct siblings others = {0};
    const struct sibling *copy = NULL;
    bool is_listed = siblings_find(round, place_of(t), &s);

    if (is_listed) {
        copy = find_moved(t, &s);
        copy = copy ? copy : find_copy(in, t, &s);
    }
    if (!copy && siblings_find_others(round, place_of(t), &others)) {
        copy = find_moved(t, &others);
        copy = copy ? copy : find_copy(in, t, &others);
    }
    if (copy && !t->copy_path && file_is_whole_copy(in, t->stream.position, copy)) {
        end(in, t);
    } else if (copy) {
        if (file_take_copy(in, t, copy))
            file_ready(in, t);
        else
            list_push(&in->seeking, &t->seek);
    } else if (!is_listed && in->now_ms - t->seek_ms < FILE_PATIENCE_MS) {
        list_push(&in->seeking, &t->seek); /* that none was seen says nothing */
    } else {
        file_tell_lost(in, t);
        end(in, t);
    }
    siblings_free(&s);
    siblings_free(&others);
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
            list_push(&in->seeking, &t->seek);
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
