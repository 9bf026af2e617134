#include "parsers/quoted.h"

#include "parsers/json_scan.h"
#include "parsers/json_string.h"

bool quoted_cut(struct slice *rest, struct slice *inner, bool *has_escapes)
{
    char quote = *rest->ptr;
    const char *start = rest->ptr + 1;
    const char *end = rest->ptr + rest->len;

    *has_escapes = false;
    for (const char *p = start; p < end; p++) {
        if (*p == quote) {
            *inner = slice_of(start, (size_t)(p - start));
            *rest = slice_of(p + 1, (size_t)(end - p - 1));
            return true;
        }
        if (*p == '\\') {
            *has_escapes = true;
            p++;
        }
    }
    return false;
}

/* The value of two hex digits, or -1. */
static int hex_pair(const char *p)
{
    int high = json_hex_digit((uint8_t)p[0]);
    int low = json_hex_digit((uint8_t)p[1]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* How much of s is \uXXXX, one or more of them: surrogates come in pairs. */
static size_t unicode_len(struct slice s)
{
    size_t len = 0;

    while (s.len >= len + 6 && s.ptr[len] == '\\' && s.ptr[len + 1] == 'u' &&
           hex_pair(s.ptr + len + 2) >= 0 && hex_pair(s.ptr + len + 4) >= 0)
        len += 6;
    return len;
}

/* One escape at the start of s, of which there are at least two bytes; how many it took. */
static size_t decode_one(struct slice s, struct buffer *out)
{
    static const char letters[] = "ntrbf\"'\\/";
    static const char meanings[] = "\n\t\r\b\f\"'\\/";
    const char *letter = s.ptr[1] ? strchr(letters, s.ptr[1]) : NULL;
    size_t len = unicode_len(s);

    if (letter) {
        buffer_add_char(out, meanings[letter - letters]);
        return 2;
    }
    if (len) {
        json_unescape(slice_of(s.ptr, len), out);
        return len;
    }
    if (s.ptr[1] == 'x' && s.len >= 4 && hex_pair(s.ptr + 2) >= 0) {
        buffer_add_char(out, (char)hex_pair(s.ptr + 2));
        return 4;
    }
    buffer_add(out, s.ptr, 2);
    return 2;
}

void quoted_decode(struct slice inner, struct buffer *out)
{
    struct slice plain;

    while (slice_cut(&inner, '\\', &plain)) {
        buffer_add_slice(out, plain);
        if (!inner.len) {
            buffer_add_char(out, '\\');
            return;
        }
        inner = slice_of(inner.ptr - 1, inner.len + 1);
        inner = slice_from(inner, decode_one(inner, out));
    }
    buffer_add_slice(out, inner);
}

void percent_decode(struct slice text, struct buffer *out)
{
    struct slice plain;

    while (slice_cut(&text, '%', &plain)) {
        int byte = text.len >= 2 ? hex_pair(text.ptr) : -1;

        buffer_add_slice(out, plain);
        buffer_add_char(out, byte < 0 ? '%' : (char)byte);
        text = slice_from(text, byte < 0 ? 0 : 2);
    }
    buffer_add_slice(out, text);
}
