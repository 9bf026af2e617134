#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/delivery/row_table.h"

static void row_fini(struct row *r)
{
    free(r->key);
    free(r->path);
    free(r->state);
}

void row_table_clear(struct row_table *t)
{
    for (size_t i = 0; i < t->n_rows; i++)
        row_fini(&t->rows[i]);
    free(t->rows);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

static uint32_t *slot_of(const struct row_table *t, const char *key, uint64_t hash)
{
    size_t at = hash & (t->n_slots - 1);

    while (t->slots[at]) {
        const struct row *r = &t->rows[t->slots[at] - 1];

        if (r->hash == hash && strcmp(r->key, key) == 0)
            break;
        at = (at + 1) & (t->n_slots - 1);
    }
    return &t->slots[at];
}

static bool grow(struct row_table *t)
{
    size_t cap = t->cap ? t->cap * 2 : 64;
    struct row *rows = realloc(t->rows, cap * sizeof *rows);
    uint32_t *slots;

    if (!rows)
        return false;
    t->rows = rows;
    slots = calloc(cap * 2, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->n_slots = cap * 2;
    t->cap = cap;
    for (size_t i = 0; i < t->n_rows; i++)
        *slot_of(t, t->rows[i].key, t->rows[i].hash) = (uint32_t)i + 1;
    return true;
}

static bool row_init(struct row *r, const char *key, uint64_t hash, const struct checkpoint *c)
{
    memset(r, 0, sizeof *r);
    r->key = strdup(key);
    r->hash = hash;
    r->is_removal = !c;
    if (c) {
        r->path = strdup(c->path ? c->path : "");
        r->state = malloc(c->state.len + 1);
        if (r->state && c->state.len)
            memcpy(r->state, c->state.ptr, c->state.len);
        r->state_len = c->state.len;
        r->position = c->position;
        r->head_hash = c->head_hash;
        r->seen_s = c->seen_s;
        r->is_finished = c->is_finished;
    }
    if (r->key && (!c || (r->path && r->state)))
        return true;
    row_fini(r);
    return false;
}

static bool is_or_was_removed(const struct row *r)
{
    return r->is_removal || r->was_removed;
}

static bool put_row(struct row_table *t, struct row *r, bool replace)
{
    uint32_t *slot;
    struct row *there;

    if (t->n_rows == t->cap && !grow(t))
        return false;
    slot = slot_of(t, r->key, r->hash);
    if (!*slot) {
        t->rows[t->n_rows++] = *r;
        *slot = (uint32_t)t->n_rows;
        return true;
    }
    there = &t->rows[*slot - 1];
    if (replace) {
        r->was_removed |= is_or_was_removed(there);
        row_fini(there);
        *there = *r;
    } else {
        there->was_removed |= is_or_was_removed(r);
        row_fini(r);
    }
    return true;
}

bool row_table_put(struct row_table *t, const char *key, const struct checkpoint *c)
{
    struct row r;

    if (!row_init(&r, key, hash64(slice_str(key)), c))
        return false;
    if (put_row(t, &r, true))
        return true;
    row_fini(&r);
    return false;
}

void row_table_merge_older(struct row_table *t, struct row_table *older)
{
    for (size_t i = 0; i < older->n_rows; i++)
        if (!put_row(t, &older->rows[i], false))
            row_fini(&older->rows[i]);
    older->n_rows = 0;
    row_table_clear(older);
}
