#include <stdlib.h>

#include "shipper/inputs/handover.h"

void handover_add_file(struct handover *h, const struct files *files, const struct file_id *id,
                       int fd)
{
    struct left_file *f = malloc(sizeof *f);

    if (!f) {
        files->close(files->ctx, fd);
        return;
    }
    *f = (struct left_file){h->files, *id, files, fd};
    h->files = f;
}

int handover_take_file(struct handover *h, const struct file_id *id)
{
    for (struct left_file **link = &h->files; *link; link = &(*link)->next) {
        struct left_file *f = *link;
        int fd = f->fd;

        if (!file_id_eq(&f->id, id))
            continue;
        *link = f->next;
        free(f);
        return fd;
    }
    return -1;
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
        free(f);
    }
    rest_fini(&h->rest);
}
