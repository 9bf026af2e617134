#include "shipper/verbs/dead/ledger.h"

#include <stdlib.h>

#include "shipper/pipeline/chunk.h"

static bool make_room(struct ledger *l)
{
    size_t cap = l->cap ? 2 * l->cap : 256;
    struct ledger_entry *grown;

    if (l->n < l->cap)
        return true;
    grown = realloc(l->entries, cap * sizeof *grown);
    if (!grown)
        return false;
    l->entries = grown;
    l->cap = cap;
    return true;
}

void ledger_on_verdict(void *ctx, const struct batch_item *item, enum verdict verdict,
                       const struct rejection *why)
{
    struct ledger *l = ctx;
    struct ledger_entry *entry;

    if (!make_room(l))
        return;
    entry = &l->entries[l->n++];
    *entry =
        (struct ledger_entry){.offset = item->chunk->start + item->line_offset, .verdict = verdict};
    if (verdict == VERDICT_REJECTED)
        letter_reason_init(&entry->reason, 0, why);
}

/* Where a letter has two verdicts, the better one first: it was refused, and sent once more when
 * there was no memory to take its batch apart. */
static int in_order(const void *a, const void *b)
{
    const struct ledger_entry *x = a;
    const struct ledger_entry *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (int)x->verdict - (int)y->verdict;
}

void ledger_close(struct ledger *l)
{
    if (l->n)
        qsort(l->entries, l->n, sizeof *l->entries, in_order);
}

const struct ledger_entry *ledger_find(const struct ledger *l, uint64_t offset)
{
    size_t from = 0;
    size_t to = l->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (l->entries[middle].offset < offset)
            from = middle + 1;
        else
            to = middle;
    }
    return from < l->n && l->entries[from].offset == offset ? &l->entries[from] : NULL;
}

void ledger_fini(struct ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        letter_reason_fini(&l->entries[i].reason);
    free(l->entries);
    *l = (struct ledger){0};
}
