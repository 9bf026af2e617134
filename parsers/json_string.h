/* The bytes inside JSON strings: what the scanner, the key check and the text functions share.
 *
 * Everything here reads [p, end) only. Internal to parsers/json_*.c.
 * Thread: any; there is no state. */
#ifndef SHIP_PARSERS_JSON_STRING_H
#define SHIP_PARSERS_JSON_STRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Plain bytes stand for themselves in a JSON string and are ASCII: neither quote, backslash,
 * control nor part of a longer UTF-8 character. */
static inline bool json_is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* The first byte of [p, end) that is not plain, or end. */
static inline const uint8_t *json_plain_end(const uint8_t *p, const uint8_t *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');

    for (; end - p >= 16; p += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Bytes are signed here: "less than a space" is the controls and all from 0x80 on. */
        __m128i hits = _mm_or_si128(
            _mm_cmplt_epi8(block, space),
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hits);

        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && json_is_plain(*p))
        p++;
    return p;
}

static inline const uint8_t *json_blank_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* 0 to 15, or -1. */
static inline int json_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the "\uXXXX" at p says, or -1 if there is none before end. */
static inline int json_unit(const uint8_t *p, const uint8_t *end)
{
    int unit = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = json_hex_digit(p[i]);

        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static inline bool json_is_high_surrogate(int unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static inline bool json_is_low_surrogate(int unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The code point of the escape at p, whose first unit is `unit` (not -1), and its length in *len:
 * 6, or 12 for a pair. -1 for a lone surrogate, of length 6. */
static inline int32_t json_code_point(const uint8_t *p, const uint8_t *end, int unit, size_t *len)
{
    int low;

    *len = 6;
    if (json_is_low_surrogate(unit))
        return -1;
    if (!json_is_high_surrogate(unit))
        return unit;
    low = json_unit(p + 6, end);
    if (!json_is_low_surrogate(low))
        return -1;
    *len = 12;
    return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

/* In checked text: p stands behind the opening quote; the closing quote, or end. */
static inline const uint8_t *json_checked_string_end(const uint8_t *p, const uint8_t *end)
{
    for (;;) {
        p = json_plain_end(p, end);
        if (p >= end || *p == '"')
            return p;
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    }
}

#endif
