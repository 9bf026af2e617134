#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/base/buffer.h"

bool buffer_grow(struct buffer *b, size_t n)
{
    size_t want = b->len + n;
    size_t cap = b->cap ? b->cap : 171; /* 256 at first */
    char *grown;

    if (b->failed)
        return false;
    cap += cap / 2;
    if (cap < want) /* a leap: just that, for it may be a large one */
        cap = want;
    grown = realloc(b->ptr, cap);
    if (!grown) {
        b->failed = true;
        return false;
    }
    b->ptr = grown;
    b->cap = cap;
    return true;
}

void buffer_free(struct buffer *b)
{
    free(b->ptr);
    memset(b, 0, sizeof *b);
}

void buffer_add_int(struct buffer *b, int64_t value)
{
    char digits[24];
    char *p = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--p = '-';
    buffer_add(b, p, (size_t)(digits + sizeof digits - p));
}

/* Numbers with at most three decimals, as durations mostly have: no division of a whole number
 * below 2^53 by 1000 gives another double than reading its digits does. False for the others. */
static bool add_thousandths(struct buffer *b, double value)
{
    double scaled = fabs(value) * 1000;
    int64_t whole = (int64_t)(scaled + 0.5);
    char text[4] = {'.', (char)('0' + whole / 100 % 10), (char)('0' + whole / 10 % 10),
                    (char)('0' + whole % 10)};
    size_t len = sizeof text;

    if ((double)whole / 1000 != fabs(value))
        return false;
    if (value < 0)
        buffer_add_char(b, '-');
    buffer_add_int(b, whole / 1000);
    while (text[len - 1] == '0')
        len--;
    buffer_add(b, text, len);
    return true;
}

void buffer_add_double(struct buffer *b, double value)
{
    char text[40];

    if (!isfinite(value)) {
        buffer_add_lit(b, "null");
        return;
    }
    if (value == floor(value) && fabs(value) < 1e15) {
        buffer_add_int(b, (int64_t)value);
        return;
    }
    if (fabs(value) < 1e12 && add_thousandths(b, value))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_add(b, text, strlen(text));
}

void buffer_add_base64(struct buffer *b, struct slice s)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < s.len; i += 3) {
        unsigned left = s.len - i < 3 ? (unsigned)(s.len - i) : 3;
        unsigned bits = (unsigned)(unsigned char)s.ptr[i] << 16;

        bits |= left > 1 ? (unsigned)(unsigned char)s.ptr[i + 1] << 8 : 0;
        bits |= left > 2 ? (unsigned)(unsigned char)s.ptr[i + 2] : 0;
        buffer_add_char(b, alphabet[bits >> 18 & 63]);
        buffer_add_char(b, alphabet[bits >> 12 & 63]);
        buffer_add_char(b, left > 1 ? alphabet[bits >> 6 & 63] : '=');
        buffer_add_char(b, left > 2 ? alphabet[bits & 63] : '=');
    }
}

void buffer_printf(struct buffer *b, const char *fmt, ...)
{
    va_list ap;
    va_list again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0 && buffer_reserve(b, (size_t)n + 1)) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}
