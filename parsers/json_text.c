/* JSON's string text: repaired, unescaped, escaped; and an array's elements. */
#include <string.h>

#include "parsers/json_scan.h"
#include "parsers/json_string.h"
#include "parsers/utf8.h"

/* An empty slice may have no address, and C allows no sum with that. */
static const uint8_t *text_end(struct slice s)
{
    return s.len ? (const uint8_t *)s.ptr + s.len : (const uint8_t *)s.ptr;
}

static void add_bytes(struct buffer *out, const uint8_t *from, const uint8_t *to)
{
    buffer_add(out, from, (size_t)(to - from));
}

/* Copies the UTF-8 character at p, or U+FFFD for what is none; returns what stands behind it. */
static const uint8_t *copy_character(const uint8_t *p, const uint8_t *end, struct buffer *out,
                                     bool *is_valid)
{
    size_t len = utf8_step(p, end, is_valid);

    if (*is_valid)
        add_bytes(out, p, p + len);
    else
        buffer_add_lit(out, UTF8_REPLACEMENT);
    return p + len;
}

/* ------------------------------------------------------------------ repair */

/* The escape at p, copied; U+FFFD for a lone surrogate. */
static const uint8_t *repair_escape(const uint8_t *p, const uint8_t *end, struct buffer *out)
{
    int unit = json_unit(p, end);
    size_t len = 1;

    if (unit >= 0 && json_code_point(p, end, unit, &len) < 0) {
        buffer_add_lit(out, UTF8_REPLACEMENT);
        return p + len;
    }
    /* The byte behind a backslash goes with it (a quote there ends nothing), unless it may be the
     * start of bad UTF-8. */
    if (unit < 0 && end - p > 1 && p[1] < 0x80)
        len = 2;
    add_bytes(out, p, p + len);
    return p + len;
}

void json_repair(struct slice text, struct buffer *out)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    const uint8_t *end = text_end(text);
    bool is_in_string = false;
    bool is_valid;

    buffer_reserve(out, text.len + 64);
    while (p < end) {
        const uint8_t *plain_end = json_plain_end(p, end);

        add_bytes(out, p, plain_end);
        p = plain_end;
        if (p == end)
            break;
        if (*p >= 0x80) {
            p = copy_character(p, end, out, &is_valid);
        } else if (*p == '\\' && is_in_string) {
            p = repair_escape(p, end, out);
        } else {
            is_in_string ^= *p == '"';
            buffer_add_char(out, (char)*p++);
        }
    }
}

/* ------------------------------------------------------------------ unescape */

static void add_code_point(struct buffer *out, int32_t c)
{
    uint32_t u = c < 0 ? 0xFFFD : (uint32_t)c;

    if (u < 0x80) {
        buffer_add_char(out, (char)u);
    } else if (u < 0x800) {
        buffer_add_char(out, (char)(0xC0 | u >> 6));
        buffer_add_char(out, (char)(0x80 | (u & 0x3F)));
    } else if (u < 0x10000) {
        buffer_add_char(out, (char)(0xE0 | u >> 12));
        buffer_add_char(out, (char)(0x80 | (u >> 6 & 0x3F)));
        buffer_add_char(out, (char)(0x80 | (u & 0x3F)));
    } else {
        buffer_add_char(out, (char)(0xF0 | u >> 18));
        buffer_add_char(out, (char)(0x80 | (u >> 12 & 0x3F)));
        buffer_add_char(out, (char)(0x80 | (u >> 6 & 0x3F)));
        buffer_add_char(out, (char)(0x80 | (u & 0x3F)));
    }
}

static char short_escape(uint8_t c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return (char)c; /* quote, backslash, slash */
    }
}

void json_unescape(struct slice escaped, struct buffer *out)
{
    const uint8_t *p = (const uint8_t *)escaped.ptr;
    const uint8_t *end = text_end(escaped);

    while (p < end) {
        const uint8_t *hit = memchr(p, '\\', (size_t)(end - p));
        size_t len = 2;
        int unit;

        add_bytes(out, p, hit ? hit : end);
        if (!hit || end - hit < 2)
            return;
        unit = json_unit(hit, end);
        if (unit < 0)
            buffer_add_char(out, short_escape(hit[1]));
        else
            add_code_point(out, json_code_point(hit, end, unit, &len));
        p = hit + len;
    }
}

/* ------------------------------------------------------------------ escape */

enum {
    BLOCK = 16,
    LONGEST_ESCAPE = 6, /* "\u001f" */
};

/* Writes what stands for c at `out`; returns what stands behind it. */
static char *escape_ascii(uint8_t c, char *out)
{
    static const char digits[] = "0123456789abcdef";
    static const char named[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    char letter = c < 0x20 ? named[c] : (char)c;

    *out++ = '\\';
    if (letter) {
        *out++ = letter;
        return out;
    }
    memcpy(out, "u00", 3);
    out[3] = digits[c >> 4];
    out[4] = digits[c & 15];
    return out + 5;
}

/* Copies the plain bytes from *p on, a block at a time; there is room for one block more than there
 * is text. Returns what stands behind them. */
static char *copy_plain(const uint8_t **p, const uint8_t *end, char *out)
{
    uint8_t last[BLOCK] = {0};
    size_t left;
    size_t n;

    while ((left = (size_t)(end - *p)) >= BLOCK) {
        const uint8_t *plain_end = json_plain_end(*p, *p + BLOCK);

        memcpy(out, *p, BLOCK); /* what is too much of it is written over */
        out += plain_end - *p;
        if (plain_end < *p + BLOCK) {
            *p = plain_end;
            return out;
        }
        *p = plain_end;
    }
    /* The last of it, in a block of its own; the zeros behind it are not plain. */
    memcpy(last, *p, left);
    n = (size_t)(json_plain_end(last, last + BLOCK) - last);
    memcpy(out, last, BLOCK);
    *p += n;
    return out + n;
}

bool json_escape(struct slice text, struct buffer *out)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    const uint8_t *end = text_end(text);
    bool is_replaced = false;

    while (p < end && buffer_reserve(out, (size_t)(end - p) + BLOCK + LONGEST_ESCAPE)) {
        bool is_valid = true;
        char *at = copy_plain(&p, end, out->ptr + out->len);

        if (p < end && *p < 0x80)
            at = escape_ascii(*p++, at);
        out->len = (size_t)(at - out->ptr);
        if (p < end && *p >= 0x80)
            p = copy_character(p, end, out, &is_valid);
        is_replaced |= !is_valid;
    }
    return is_replaced;
}

/* ------------------------------------------------------------------ elements */

/* The end of the checked value at p: the comma or bracket behind it, or a blank before that. */
static const uint8_t *checked_value_end(const uint8_t *p, const uint8_t *end)
{
    size_t depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = json_checked_string_end(p + 1, end);
        } else if (*p == '[' || *p == '{') {
            depth++;
        } else if (*p == ']' || *p == '}') {
            if (depth == 0)
                return p;
            depth--;
        } else if (depth == 0 && (*p == ',' || json_blank_end(p, end) != p)) {
            return p;
        }
        if (p < end)
            p++;
    }
    return end;
}

static enum json_type type_of(uint8_t first)
{
    switch (first) {
    case '"':
        return JSON_TYPE_STRING;
    case '{':
        return JSON_TYPE_OBJECT;
    case '[':
        return JSON_TYPE_ARRAY;
    case 't':
        return JSON_TYPE_TRUE;
    case 'f':
        return JSON_TYPE_FALSE;
    case 'n':
        return JSON_TYPE_NULL;
    default:
        return JSON_TYPE_NUMBER;
    }
}

void json_each(struct slice array, json_item_fn *on_item, void *ctx)
{
    const uint8_t *p = (const uint8_t *)array.ptr;
    const uint8_t *end = text_end(array);

    if (array.len < 2 || *p != '[')
        return;
    p = json_blank_end(p + 1, end);
    while (p < end && *p != ']') {
        const uint8_t *stop = checked_value_end(p, end);
        struct slice value = slice_of((const char *)p, (size_t)(stop - p));
        enum json_type type = type_of(*p);

        if (type == JSON_TYPE_STRING && value.len >= 2)
            value = slice_of(value.ptr + 1, value.len - 2);
        on_item(ctx, type, value);
        p = json_blank_end(stop, end);
        if (p == end || *p != ',')
            return;
        p = json_blank_end(p + 1, end);
    }
}

/* ------------------------------------------------------------------ lengths */

size_t json_string_len(struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    const uint8_t *end = text_end(text);
    const uint8_t *close;

    if (text.len == 0)
        return 0;
    close = json_checked_string_end(p + 1, end);
    return (size_t)(close - p) + (close < end);
}

size_t json_longest_term(struct slice value)
{
    const uint8_t *p = (const uint8_t *)value.ptr;
    const uint8_t *end = text_end(value);
    size_t path[JSON_SAFE_DEPTH + 2] = {0}; /* of the keys down to each depth */
    size_t depth = 0;
    size_t longest = 0;

    while (p < end) {
        size_t len = 1;

        if (*p == '"') {
            const uint8_t *next;

            len = json_string_len(slice_of((const char *)p, (size_t)(end - p)));
            next = json_blank_end(p + len, end);
            if (next < end && *next == ':')
                path[depth] = (depth ? path[depth - 1] : 0) + len;
            if (path[depth] + len > longest)
                longest = path[depth] + len;
        } else if ((*p == '{' || *p == '[') && depth < JSON_SAFE_DEPTH) {
            depth++;
            path[depth] = path[depth - 1];
        } else if ((*p == '}' || *p == ']') && depth > 0) {
            depth--;
        }
        p += len;
    }
    return longest;
}
