/* A list whose links are part of its members: in and out in one step, without memory.
 *
 * A member may be in as many lists as it has links. A link that is in no list points at itself.
 * Thread: its owner's. */
#ifndef SHIP_INPUTS_LIST_H
#define SHIP_INPUTS_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *prev;
    struct link *next;
};

/* The struct that holds this link. */
#define LIST_ENTRY(link_ptr, type, member)                                                         \
    ((type *)(void *)((char *)(link_ptr)-offsetof(type, member)))

static inline void list_init(struct link *l)
{
    l->prev = l;
    l->next = l;
}

static inline bool list_is_empty(const struct link *l)
{
    return l->next == l;
}

/* Also says whether a member is in its list. */
static inline bool list_has(const struct link *l)
{
    return l->next != l;
}

static inline void list_remove(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

/* At the end; out of where it was before. */
static inline void list_push(struct link *list, struct link *l)
{
    list_remove(l);
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

#endif
