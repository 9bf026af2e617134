#define _XOPEN_SOURCE 700 /* wcwidth */
#include <locale.h>
#include <stdint.h>
#include <wchar.h>

#include "parsers/utf8.h"
#include "shipper/verbs/trace/safe_text.h"

enum { TAB_COLUMNS = 4 };

/* "ESC [ 1;31 m": what sets a colour. Its length, or 0. */
static size_t colour_length(struct slice s)
{
    size_t n = 2;

    if (s.len < 3 || s.ptr[0] != '\x1b' || s.ptr[1] != '[')
        return 0;
    while (n < s.len && ((s.ptr[n] >= '0' && s.ptr[n] <= '9') || s.ptr[n] == ';'))
        n++;
    return n < s.len && s.ptr[n] == 'm' ? n + 1 : 0;
}

/* The character at the start of s; its length in *len. -1: no UTF-8, *len bytes of it. */
static int32_t decode(struct slice s, size_t *len)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    uint8_t low;
    uint8_t high;
    size_t tails = utf8_tails(p[0], &low, &high);
    int32_t c;

    *len = 1;
    if (p[0] < 0x80)
        return p[0];
    if (tails == 0 || s.len <= tails || p[1] < low || p[1] > high)
        return -1;
    c = p[0] & (0x3f >> tails);
    for (size_t i = 1; i <= tails; i++) {
        if (!utf8_is_tail(p[i]))
            return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    *len = tails + 1;
    return c;
}

/* Marks, embeddings, overrides and isolates of the bidirectional algorithm; line separators. */
static bool turns_text_around(int32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* One character as it may be shown, into *out; returns its columns. */
static size_t add_char(struct buffer *out, struct slice bytes, int32_t c)
{
    size_t before = out->len;
    int columns;

    if (c == '\t') {
        buffer_add(out, "    ", TAB_COLUMNS);
        return TAB_COLUMNS;
    }
    if (c < 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
        buffer_printf(out, "\\x%02x", c < 0 ? (unsigned)(uint8_t)*bytes.ptr : (unsigned)c);
        return out->len - before;
    }
    if (turns_text_around(c)) {
        buffer_printf(out, "\\u%04x", (unsigned)c);
        return out->len - before;
    }
    buffer_add_slice(out, bytes);
    columns = c < 0x300 ? 1 : wcwidth((wchar_t)c);
    return columns < 0 ? 1 : (size_t)columns;
}

/* The last place where "..." would still fit. */
struct cut {
    size_t len; /* of the buffer */
    size_t columns;
};

size_t safe_text_add(struct buffer *out, struct slice text, size_t max_columns)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    struct cut cut = {out->len, 0};
    size_t columns = 0;

    while (text.len) {
        size_t colour = colour_length(text);
        size_t len;
        int32_t c;

        if (colour) {
            text = slice_from(text, colour);
            continue;
        }
        c = decode(text, &len);
        columns += add_char(out, slice_of(text.ptr, len), c);
        text = slice_from(text, len);
        if (max_columns && columns > max_columns) {
            out->len = cut.len;
            buffer_add(out, "...", max_columns < 3 ? max_columns : 3);
            columns = cut.columns + (max_columns < 3 ? max_columns : 3);
            break;
        }
        if (columns + 3 <= max_columns)
            cut = (struct cut){out->len, columns};
    }
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return columns;
}
