#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/handover.h"

void handover_return_file(struct handover *h, struct left_file *f)
{
    f->next = h->files;
    h->files = f;
}

void handover_free_file(struct left_file *f)
{
    if (f)
        free(f->copy_path);
    free(f);
}

void handover_add_file(struct handover *h, const struct left_file *what)
{
    struct left_file *f = malloc(sizeof *f);
    char *path = f && what->copy_path ? strdup(what->copy_path) : NULL;

    if (!f || (what->copy_path && !path)) {
        what->files->close(what->files->ctx, what->fd);
        free(f);
        return;
    }
    *f = *what;
    f->copy_path = path;
    handover_return_file(h, f);
}

struct left_file *handover_take_file(struct handover *h, const struct file_id *id,
                                     unsigned n_rewritten)
{
    for (struct left_file **link = &h->files; *link; link = &(*link)->next) {
        struct left_file *f = *link;

        if (!file_id_eq(&f->id, id) || f->n_rewritten != n_rewritten)
            continue;
        *link = f->next;
        return f;
    }
    return NULL;
}

void handover_move(struct handover *from, struct handover *to)
{
    struct left_file **end = &to->files;

    while (*end)
        end = &(*end)->next;
    *end = from->files;
    from->files = NULL;
    if (to->rest.is_there)
        return;
    to->rest = from->rest;
    from->rest = (struct rest){0};
}

void handover_fini(struct handover *h)
{
    while (h->files) {
        struct left_file *f = h->files;

        h->files = f->next;
        f->files->close(f->files->ctx, f->fd);
        handover_free_file(f);
    }
    rest_fini(&h->rest);
}
