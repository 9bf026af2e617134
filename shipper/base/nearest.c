#include "shipper/base/nearest.h"

#include <ctype.h>
#include <limits.h>

static int lower(struct slice s, size_t i)
{
    return tolower((unsigned char)s.ptr[i]);
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein and swaps, a row at a time. */
unsigned nearest_distance(struct slice a, struct slice b)
{
    unsigned rows[3][NEAREST_WORD_MAX + 1];
    unsigned *before = rows[0];
    unsigned *above = rows[1];
    unsigned *row = rows[2];

    for (unsigned j = 0; j <= b.len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *free_row = before;

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned change = lower(a, i - 1) != lower(b, j - 1);

            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && lower(a, i - 1) == lower(b, j - 2) &&
                lower(a, i - 2) == lower(b, j - 1))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = free_row;
    }
    return above[b.len];
}

void nearest_init(struct nearest *n, struct slice word)
{
    *n = (struct nearest){.word = word, .distance = UINT_MAX};
}

/* One slip in a short word, more in a longer one; a word of one or two letters may be anything. */
static unsigned tolerance(size_t len)
{
    return len < 3 ? 0 : len < 6 ? 1 : len < 10 ? 2 : 3;
}

static void hold_against(struct nearest *n, struct slice candidate, const char *name)
{
    unsigned distance;

    if (candidate.len > NEAREST_WORD_MAX || n->word.len > NEAREST_WORD_MAX)
        return;
    distance = nearest_distance(n->word, candidate);
    if (distance > tolerance(n->word.len) || distance >= n->distance)
        return;
    n->name = name;
    n->distance = distance;
}

void nearest_offer(struct nearest *n, const char *name)
{
    const char *first = strchr(name, '.');
    const char *last = strrchr(name, '.');

    hold_against(n, slice_str(name), name);
    if (!first)
        return;
    hold_against(n, slice_str(last + 1), name);
    hold_against(n, slice_of(name, (size_t)(first - name)), name);
}
