/* What some outputs have had of a file behind its position, from one life to the next.
 *
 * It is of the text that was there then: how far that was read, and the mark there, go with it, and
 * are looked at before each read until that place is passed. The position alone would not tell: it
 * may be 0, or have the same text before it, and another behind it. */
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/file_input.h"

enum { PLACE = 2 }; /* how far, and the mark: in front of what is had */

struct file_had {
    struct file_had *next;
    struct buffer had;
    char key[TAIL_KEY_MAX];
};

/* Several inputs share the store: what has a row of ours is ours. */
static bool is_ours(const struct input *in, const char *key)
{
    struct file_id id;
    unsigned n;

    return strlen(key) < TAIL_KEY_MAX && file_parse_key(key, &id, &n) && file_known_at(in, &id, n);
}

/* Without memory it is forgotten: they have it twice. */
static void on_had(void *ctx, const char *key, struct slice had)
{
    struct input *in = ctx;
    struct file_had *h = key && is_ours(in, key) ? calloc(1, sizeof *h) : NULL;

    if (!h)
        return;
    memcpy(h->key, key, strlen(key) + 1);
    buffer_add_slice(&h->had, had);
    h->next = in->had;
    in->had = h;
}

int file_load_had(struct input *in, struct err *e)
{
    return in->world->checkpoints ? checkpoints_each_had(in->world->checkpoints, on_had, in, e) : 0;
}

static void free_had(struct file_had *h)
{
    buffer_free(&h->had);
    free(h);
}

static void load(struct input *in, struct tail *t, struct slice had)
{
    uint64_t place[PLACE];

    if (had.len <= sizeof place)
        return;
    memcpy(place, had.ptr, sizeof place);
    t->had_end = place[0];
    t->had_mark = place[1];
    had_load(&t->stream, in->world->lanes, slice_from(had, sizeof place));
}

void file_take_had(struct input *in, struct tail *t)
{
    for (struct file_had **link = &in->had; *link; link = &(*link)->next) {
        struct file_had *h = *link;

        if (strcmp(h->key, t->key) != 0)
            continue;
        load(in, t, buffer_slice(&h->had));
        *link = h->next;
        free_had(h);
        return;
    }
}

void file_check_had(struct tail *t)
{
    if (!t->stream.had.n_outputs || t->stream.position >= t->had_end)
        return;
    if (!t->file || !source_file_has_mark(t->file, t->had_end, t->had_mark))
        had_free(&t->stream.had);
}

static void note(struct input *in, const struct tail *t)
{
    bool is_earlier = t->stream.had.n_outputs && t->had_end > t->stream.position;
    const uint64_t place[PLACE] = {is_earlier ? t->had_end : t->stream.position,
                                   is_earlier ? t->had_mark : t->stream.mark};
    struct buffer had = {0};

    if (!t->stream.key || !place[1])
        return;
    buffer_add(&had, place, sizeof place);
    had_save(&t->stream, in->world->lanes, &had);
    if (had.len > sizeof place && !had.failed)
        checkpoints_put_had(in->world->checkpoints, t->key, buffer_slice(&had));
    buffer_free(&had);
}

void file_note_had(struct input *in)
{
    if (!in->world->checkpoints)
        return;
    for (struct file_had *h = in->had; h; h = h->next) /* whose file was not found in this life */
        if (is_ours(in, h->key))                       /* and may be yet */
            checkpoints_put_had(in->world->checkpoints, h->key, buffer_slice(&h->had));
    for (struct link *l = in->all.next; l != &in->all; l = l->next)
        note(in, LIST_ENTRY(l, struct tail, all));
}

void file_free_had(struct input *in)
{
    while (in->had) {
        struct file_had *h = in->had;

        in->had = h->next;
        free_had(h);
    }
}
