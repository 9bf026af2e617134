/* UTF-8, one character at a time (Unicode 15, table 3-7 and "maximal subparts").
 *
 * Thread: any; there is no state. */
#ifndef SHIP_PARSERS_UTF8_H
#define SHIP_PARSERS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD, what stands for bytes that are no UTF-8. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

static inline bool utf8_is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* How many tail bytes follow this first byte; 0 if none may begin with it. *low and *high bound the
 * second byte: there overlong forms, surrogates and what is above U+10FFFF fall out. */
static inline size_t utf8_tails(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

/* The length of the character at p (*p >= 0x80, p < end). If it is none, *is_valid is false and the
 * length that of the maximal part which one U+FFFD replaces; it never holds an ASCII byte. */
static inline size_t utf8_step(const uint8_t *p, const uint8_t *end, bool *is_valid)
{
    uint8_t low;
    uint8_t high;
    size_t tails = utf8_tails(*p, &low, &high);
    size_t room = (size_t)(end - p);
    size_t len = 1;

    *is_valid = false;
    if (tails == 0 || room < 2 || p[1] < low || p[1] > high)
        return 1;
    for (len = 2; len <= tails; len++)
        if (len >= room || !utf8_is_tail(p[len]))
            return len;
    *is_valid = true;
    return len;
}

#endif
