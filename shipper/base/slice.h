/* A slice: bytes that somebody else owns. Never NUL-terminated; may hold NULs.
 *
 * Owner:  whoever made the bytes; every function here borrows.
 * Thread: any; there is no state. */
#ifndef SHIP_BASE_SLICE_H
#define SHIP_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* For printf("%.*s"). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr
/* A slice over a string literal, also in static tables. */
#define SLICE_LIT(lit)                                                                             \
    {                                                                                              \
        (lit), sizeof(lit) - 1                                                                     \
    }

static inline struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

/* Over a C string; NULL gives the empty slice. */
static inline struct slice slice_str(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *literal)
{
    return slice_eq(a, slice_str(literal));
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* What stays after the first n bytes; n must not exceed s.len. */
static inline struct slice slice_from(struct slice s, size_t n)
{
    return (struct slice){s.ptr + n, s.len - n};
}

/* ASCII case only. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Cuts the part of *rest before the first `at` into *part and moves *rest behind it. False, with
 * nothing moved, if there is no `at`. */
bool slice_cut(struct slice *rest, char at, struct slice *part);

/* Less the bytes " \t\r\n" at its end (at both ends for _trim). */
struct slice slice_trim_end(struct slice s);
struct slice slice_trim(struct slice s);

/* The offset of needle in s, or -1. */
ptrdiff_t slice_find(struct slice s, struct slice needle);

/* A non-negative decimal number and nothing else, at most INT64_MAX. */
bool slice_to_int(struct slice s, int64_t *out);

#endif
