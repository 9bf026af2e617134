#include <stdlib.h>
#include <string.h>

#include "shipper/verbs/trace/names.h"

static int compare(const char *a, struct slice b)
{
    int rc = strncmp(a, b.ptr, b.len);

    return rc ? rc : a[b.len] != '\0';
}

/* Where it stands, or belongs. */
static size_t place_of(const struct names *s, struct slice name)
{
    size_t low = 0;
    size_t high = s->n_items;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(s->items[mid], name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool names_have(const struct names *s, struct slice name)
{
    size_t at = place_of(s, name);

    return at < s->n_items && compare(s->items[at], name) == 0;
}

static bool make_room(struct names *s)
{
    size_t cap = s->cap ? s->cap * 2 : 8;
    char **grown;

    if (s->n_items < s->cap)
        return true;
    grown = realloc(s->items, cap * sizeof *grown);
    if (!grown)
        return false;
    s->items = grown;
    s->cap = cap;
    return true;
}

bool names_add(struct names *s, struct slice name)
{
    size_t at;
    char *copy;

    if (!name.len || memchr(name.ptr, '\0', name.len) || names_have(s, name))
        return true;
    copy = strndup(name.ptr, name.len);
    if (!copy || !make_room(s)) {
        free(copy);
        return false;
    }
    at = place_of(s, name);
    memmove(s->items + at + 1, s->items + at, (s->n_items - at) * sizeof *s->items);
    s->items[at] = copy;
    s->n_items++;
    return true;
}

void names_free(struct names *s)
{
    for (size_t i = 0; i < s->n_items; i++)
        free(s->items[i]);
    free(s->items);
    *s = (struct names){0};
}
