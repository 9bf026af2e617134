/* Descriptors at a reload: files that are not read to their end, or have events under way, go from
 * one agent's input to the next one's. A deleted file has nothing else, and whether it is deleted
 * nobody knows for the next moment. */
#include "shipper/inputs/file_input.h"
#include "shipper/inputs/handover.h"

void file_leave(struct input *in, struct handover *out)
{
    for (struct link *l = in->all.next; l != &in->all; l = l->next) {
        struct tail *t = LIST_ENTRY(l, struct tail, all);

        if (t->is_packed || !tail_is_open(t))
            continue;
        handover_add_file(out, in->world->files, &t->id, source_file_resign(t->file));
        t->is_left = true;
    }
}

/* The row's file, which is not where we look: read through its descriptor, as any that is away. */
static struct tail *go_on(struct input *in, struct known *k, int fd, const struct file_stat *st,
                          struct tail *predecessor)
{
    struct file_id id = k->id;
    struct tail *t = file_make_tail(in, k->path, k->path, st, k->n_rewritten);

    if (!t || t->is_packed) {
        in->world->files->close(in->world->files->ctx, fd);
        return t;
    }
    file_restore(in, t, k);
    file_forget_rows(in, &id);
    source_file_adopt(t->file, fd);
    in->n_open++;
    t->is_gone = st->n_links == 0;
    if (t->is_gone)
        source_file_move(t->file, NULL);
    t->away_ms = in->now_ms;
    list_push(&in->away, &t->away);
    file_keep(in, t);
    if (predecessor)
        file_hold(in, t, predecessor);
    if (t->state == TAIL_WAITING)
        file_ready(in, t);
    return t;
}

/* With only_deleted, one that is still somewhere stays: its path may yet be found. */
static struct tail *claim(struct input *in, const struct file_id *id, bool only_deleted,
                          struct tail *predecessor)
{
    struct handover *handover = in->world->handover;
    const struct files *files = in->world->files;
    struct known *k = file_known_find(in, id);
    struct file_stat st;
    int fd;

    if (!handover || !k || k->is_finished || file_tail_find(in, id))
        return NULL;
    fd = handover_take_file(handover, id);
    if (fd < 0)
        return NULL;
    if (files->fstat(files->ctx, fd, &st, NULL) == 0 && (!only_deleted || st.n_links == 0))
        return go_on(in, k, fd, &st, predecessor);
    handover_add_file(handover, files, id, fd);
    return NULL;
}

struct tail *file_claim_deleted(struct input *in, const struct file_id *id,
                                struct tail *predecessor)
{
    return claim(in, id, true, predecessor);
}

void file_claim_rest(struct input *in)
{
    struct left_file *next;

    for (struct left_file *f = in->world->handover ? in->world->handover->files : NULL; f;
         f = next) {
        struct file_id id = f->id;

        next = f->next;
        claim(in, &id, false, NULL);
    }
}
