#include <stdlib.h>
#include <string.h>

#include "shipper/base/number_set.h"

void number_set_free(struct number_set *s)
{
    free(s->ranges);
    *s = (struct number_set){0};
}

bool number_set_reserve(struct number_set *s, size_t n)
{
    size_t cap = s->cap ? s->cap : 8;
    struct number_range *grown;

    if (s->cap - s->n >= n)
        return true;
    while (cap - s->n < n)
        cap *= 2;
    grown = realloc(s->ranges, cap * sizeof *grown);
    if (!grown)
        return false;
    s->ranges = grown;
    s->cap = cap;
    return true;
}

size_t number_set_find(const struct number_set *s, uint64_t number)
{
    size_t low = 0;
    size_t high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->ranges[middle].to <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool number_set_add(struct number_set *s, uint64_t from, uint64_t to)
{
    size_t first; /* of those that it touches; they become one */
    size_t after;

    if (from >= to)
        return true;
    if (!number_set_reserve(s, 1))
        return false;
    first = number_set_find(s, from ? from - 1 : 0);
    for (after = first; after < s->n && s->ranges[after].from <= to; after++) {
        if (s->ranges[after].from < from)
            from = s->ranges[after].from;
        if (s->ranges[after].to > to)
            to = s->ranges[after].to;
    }
    memmove(s->ranges + first + 1, s->ranges + after, (s->n - after) * sizeof *s->ranges);
    s->ranges[first] = (struct number_range){from, to};
    s->n = s->n + 1 - (after - first);
    return true;
}

bool number_set_covers(const struct number_set *s, uint64_t from, uint64_t to)
{
    return from >= to || number_set_next_missing(s, from) >= to;
}

bool number_set_has(const struct number_set *s, uint64_t number)
{
    return number_set_next_missing(s, number) != number;
}

uint64_t number_set_count(const struct number_set *s, uint64_t from, uint64_t to)
{
    uint64_t count = 0;

    for (size_t i = number_set_find(s, from); i < s->n && s->ranges[i].from < to; i++) {
        uint64_t low = s->ranges[i].from > from ? s->ranges[i].from : from;
        uint64_t high = s->ranges[i].to < to ? s->ranges[i].to : to;

        count += high - low;
    }
    return count;
}

uint64_t number_set_next_missing(const struct number_set *s, uint64_t number)
{
    size_t i = number_set_find(s, number);

    return i < s->n && s->ranges[i].from <= number ? s->ranges[i].to : number;
}

bool number_set_copy(const struct number_set *s, struct number_set *out)
{
    if (!number_set_reserve(out, s->n ? s->n : 1))
        return false;
    if (s->n)
        memcpy(out->ranges, s->ranges, s->n * sizeof *s->ranges);
    out->n = s->n;
    return true;
}
