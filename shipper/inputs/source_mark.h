/* A mark: what stood in the bytes before an offset of a text, up to MARK_MAX of them, as a hash. It
 * tells whether what is there now is still the text that was read. Thread: any; pure. */
#ifndef SHIP_INPUTS_SOURCE_MARK_H
#define SHIP_INPUTS_SOURCE_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARK_MAX = 256 };

struct mark {
    uint64_t offset;
    uint64_t hash;
    bool is_set;
};

/* How many bytes before the offset count. */
size_t mark_len(uint64_t offset);
/* before_end is the end of the bytes before `offset`, mark_len(offset) of them or more. */
uint64_t mark_hash(uint64_t offset, const char *before_end);
void mark_set(struct mark *m, uint64_t offset, const char *before_end);
/* True also when the mark is of another offset. */
bool mark_fits(const struct mark *m, uint64_t offset, const char *before_end);
/* Marks the place `at` in buf[0..], which begins at `offset`, with `before` in front of it. */
void mark_inside(struct mark *m, uint64_t offset, const char *before, size_t before_len,
                 const char *buf, size_t at);
/* The length of buf up to its last newline; 0: it has none. */
size_t mark_last_newline(const char *buf, size_t len);

#endif
