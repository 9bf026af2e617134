/* A few bytes as one machine word, so that short texts are hashed and compared without a loop.
 *
 * Reads exactly the bytes it is told. What the words look like depends on the machine: never store
 * one. Thread: any; there is no state. */
#ifndef SHIP_BASE_WORD_H
#define SHIP_BASE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first 8 of n bytes at p. For n < 8 all of them, in an order of its own: two words of the same
 * n are equal if and only if the bytes are. */
static inline uint64_t word_load(const void *p, size_t n)
{
    const uint8_t *at = p;
    uint64_t word = 0;

    if (n >= 8) {
        memcpy(&word, at, 8);
    } else if (n >= 4) {
        uint32_t first;
        uint32_t last;

        memcpy(&first, at, 4);
        memcpy(&last, at + n - 4, 4);
        word = first | (uint64_t)last << 32;
    } else if (n) {
        word = at[0] | (uint32_t)at[n / 2] << 8 | (uint32_t)at[n - 1] << 16;
    }
    return word;
}

/* ASCII letters in lower case, all else as it is. */
static inline uint64_t word_lower(uint64_t word)
{
    uint64_t low = word & WORD_ALL(0x7F);
    uint64_t from_a = low + WORD_ALL(0x80 - 'A');
    uint64_t above_z = low + WORD_ALL(0x80 - 'Z' - 1);
    uint64_t upper = from_a & ~above_z & ~word & WORD_ALL(0x80);

    return word | upper >> 2;
}

/* Whether each of the 8 bytes is a hexadecimal digit, in either case. */
static inline bool word_is_hex(uint64_t word)
{
    uint64_t low = word & WORD_ALL(0x7F);
    uint64_t letter = low | WORD_ALL(0x20);
    uint64_t is_digit = (low + WORD_ALL(0x80 - '0')) & ~(low + WORD_ALL(0x80 - '9' - 1));
    uint64_t is_letter = (letter + WORD_ALL(0x80 - 'a')) & ~(letter + WORD_ALL(0x80 - 'f' - 1));

    return ((is_digit | is_letter) & ~word & WORD_ALL(0x80)) == WORD_ALL(0x80);
}

#endif
