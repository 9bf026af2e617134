/* A growable run of bytes: request bodies, documents in the making, replies.
 *
 * Owner:  the caller's storage; buffer_free gives the bytes back and leaves an empty buffer.
 * Errors: running out of memory sets `failed` and later appends do nothing, so that an encoder
 *         checks once at its end.
 * Thread: one at a time. */
#ifndef SHIP_BASE_BUFFER_H
#define SHIP_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shipper/base/slice.h"

struct buffer {
    char *ptr;
    size_t len;
    size_t cap;
    bool failed;
};

/* Makes room for n more bytes; false (and failed set) when memory is out. */
bool buffer_grow(struct buffer *b, size_t n);
void buffer_free(struct buffer *b);

static inline bool buffer_reserve(struct buffer *b, size_t n)
{
    return b->cap - b->len >= n || buffer_grow(b, n);
}

static inline void buffer_add(struct buffer *b, const void *ptr, size_t len)
{
    if (len && buffer_reserve(b, len)) {
        memcpy(b->ptr + b->len, ptr, len);
        b->len += len;
    }
}

static inline void buffer_add_slice(struct buffer *b, struct slice s)
{
    buffer_add(b, s.ptr, s.len);
}

static inline void buffer_add_char(struct buffer *b, char c)
{
    if (buffer_reserve(b, 1))
        b->ptr[b->len++] = c;
}

#define buffer_add_lit(b, lit) buffer_add((b), (lit), sizeof(lit) - 1)

/* Decimal, no locale. */
void buffer_add_int(struct buffer *b, int64_t value);
/* The shortest text that reads back as the same double; "null" for what JSON has no word for. */
void buffer_add_double(struct buffer *b, double value);
/* RFC 4648 section 4, with padding. */
void buffer_add_base64(struct buffer *b, struct slice s);
void buffer_printf(struct buffer *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline struct slice buffer_slice(const struct buffer *b)
{
    return (struct slice){b->ptr, b->len};
}

#endif
