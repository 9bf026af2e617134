/* Descriptors at a reload: files that are not read to their end, or have events under way, go from
 * one agent's input to the next one's. A deleted file has nothing else, and whether it is deleted
 * nobody knows for the next moment. */
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/rotation.h"
#include "shipper/inputs/siblings.h"

void file_leave(struct input *in, struct handover *out)
{
    handover_move(&in->left, out);
    for (struct link *l = in->all.next; l != &in->all; l = l->next) {
        struct tail *t = LIST_ENTRY(l, struct tail, all);
        struct left_file left = {.files = in->world->files, .copy_path = t->copy_path};

        if (!tail_is_open(t) || !file_parse_key(t->key, &left.id, &left.n_rewritten))
            continue;
        if (t->is_packed)
            left.copy_path = (char *)file_packed_path(t); /* lent: it is copied */
        left.fd = t->is_packed ? source_packed_resign(t->packed) : source_file_resign(t->file);
        handover_add_file(out, &left);
        t->is_left = true;
    }
}

/* The row's file, which is not where we look: read through its descriptor, as any that is away. */
static struct tail *go_on(struct input *in, struct known *k, const struct file_stat *st,
                          struct tail *predecessor)
{
    struct file_id id = k->id;
    struct tail *t = file_make_tail(in, k->path, k->path, st, k->n_rewritten);

    if (!t || t->is_packed)
        return t;
    file_restore(in, t, k);
    file_forget_rows(in, &id);
    t->away_ms = in->now_ms;
    list_push(&in->away, &t->away);
    if (predecessor)
        file_hold(in, t, predecessor);
    if (t->state == TAIL_WAITING)
        file_ready(in, t);
    return t;
}

/* The row's text is in another file, or packed. */
static struct tail *go_on_in_copy(struct input *in, struct known *k, const struct left_file *f,
                                  const struct file_stat *st, struct tail *predecessor)
{
    struct sibling file = {.path = f->copy_path,
                           .st = *st,
                           .id = file_id_of(st),
                           .is_packed = rotation_is_packed(f->copy_path)};

    return file_take_up_copy(in, k, &file, predecessor);
}

static struct tail *take_over(struct input *in, struct known *k, const struct left_file *f,
                              const struct file_stat *st, struct tail *predecessor)
{
    struct tail *t =
        f->copy_path ? go_on_in_copy(in, k, f, st, predecessor) : go_on(in, k, st, predecessor);

    if (!t || !file_adopt(in, t, f->fd)) {
        in->world->files->close(in->world->files->ctx, f->fd);
        return t;
    }
    t->is_gone = st->n_links == 0;
    if (t->is_gone && t->file)
        source_file_move(t->file, NULL);
    file_keep(in, t);
    return t;
}

void file_take_left(struct input *in)
{
    struct handover *from = in->world->handover;
    struct left_file *next;

    for (struct left_file *f = from ? from->files : NULL; f; f = next) {
        const struct known *k = file_known_at(in, &f->id, f->n_rewritten);

        next = f->next;
        if (k && !k->is_finished)
            handover_return_file(&in->left, handover_take_file(from, &f->id, f->n_rewritten));
    }
}

void file_adopt_left(struct input *in, struct tail *t)
{
    struct left_file *f = handover_take_file(&in->left, &t->id, t->n_rewritten);

    if (!f)
        return;
    if (!f->copy_path && !t->is_packed && file_adopt(in, t, f->fd))
        handover_free_file(f);
    else
        handover_return_file(&in->left, f);
}

/* With only_deleted, one that is still somewhere stays: its path may yet be found. */
static struct tail *claim(struct input *in, const struct file_id *id, unsigned n_rewritten,
                          bool only_deleted, struct tail *predecessor)
{
    const struct files *files = in->world->files;
    struct known *k = file_known_at(in, id, n_rewritten);
    struct left_file *f;
    struct file_stat st;
    struct tail *t = NULL;

    if (!k || k->is_finished)
        return NULL;
    f = handover_take_file(&in->left, id, n_rewritten);
    if (!f)
        return NULL;
    if ((f->copy_path || !file_tail_find(in, id)) &&
        files->fstat(files->ctx, f->fd, &st, NULL) == 0 && (!only_deleted || st.n_links == 0)) {
        t = take_over(in, k, f, &st, predecessor);
        handover_free_file(f);
    } else {
        handover_return_file(&in->left, f);
    }
    return t;
}

struct tail *file_claim_deleted(struct input *in, const struct file_id *id, unsigned n_rewritten,
                                struct tail *predecessor)
{
    return claim(in, id, n_rewritten, true, predecessor);
}

static void claim_all(struct input *in, bool only_copies)
{
    struct handover all = in->left;
    struct left_file *next;

    in->left = (struct handover){0};
    for (struct left_file *f = all.files; f; f = next) {
        struct file_id id = f->id;
        unsigned n = f->n_rewritten;

        next = f->next;
        handover_return_file(&in->left, handover_take_file(&all, &id, n));
        if (f->copy_path || !only_copies)
            claim(in, &id, n, false, NULL); /* which may free f */
    }
}

void file_claim_copies(struct input *in)
{
    claim_all(in, true);
}

void file_claim_rest(struct input *in)
{
    claim_all(in, false);
    handover_fini(&in->left);
}
