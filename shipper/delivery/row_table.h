/* Checkpoint rows that wait to be written: the newest word on each key.
 *
 * Owner:  the caller's storage; the rows are copies. Thread: one at a time. */
#ifndef SHIP_DELIVERY_ROW_TABLE_H
#define SHIP_DELIVERY_ROW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/delivery/checkpoints.h"

struct row {
    char *key;
    char *path;
    char *state;
    size_t state_len;
    uint64_t hash;
    uint64_t position;
    uint64_t head_hash;
    int64_t seen_s;
    bool is_finished;
    bool is_removal;
    bool was_removed; /* a word before this one was its removal: this is another stream's */
};

struct row_table {
    struct row *rows;
    size_t n_rows;
    size_t cap;
    uint32_t *slots; /* index + 1 into rows; 0: empty. A power of two, at least twice n_rows */
    size_t n_slots;
};

/* The key's row becomes this; NULL c: its removal. False when memory is out: the old word stays. */
bool row_table_put(struct row_table *t, const char *key, const struct checkpoint *c);
/* Puts the rows of `older` for which t has no word; older is empty afterwards. */
void row_table_merge_older(struct row_table *t, struct row_table *older);
void row_table_clear(struct row_table *t);

#endif
