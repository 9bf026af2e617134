#define _GNU_SOURCE /* memmem */
#include "shipper/base/slice.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool slice_cut(struct slice *rest, char at, struct slice *part)
{
    const char *hit = rest->len ? memchr(rest->ptr, at, rest->len) : NULL;

    if (!hit)
        return false;
    *part = slice_of(rest->ptr, (size_t)(hit - rest->ptr));
    *rest = slice_from(*rest, part->len + 1);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim_end(struct slice s)
{
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct slice slice_trim(struct slice s)
{
    s = slice_trim_end(s);
    while (s.len && is_blank(*s.ptr))
        s = slice_from(s, 1);
    return s;
}

ptrdiff_t slice_find(struct slice s, struct slice needle)
{
    const char *hit;

    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit ? hit - s.ptr : -1;
}

bool slice_to_int(struct slice s, int64_t *out)
{
    int64_t value = 0;

    if (s.len == 0 || s.len > 19)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.ptr[i] - '0';

        if (digit < 0 || digit > 9 || value > (INT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
