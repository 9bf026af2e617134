#include <stdlib.h>
#include <string.h>

#include "shipper/base/slice.h"
#include "shipper/inputs/rotation.h"
#include "shipper/pipeline/stream.h"

/* Oldest first: dates go up to the numbers, which count down to the file being written. */
enum age { AGE_DATED, AGE_NUMBERED, AGE_CURRENT };

struct rotated {
    struct slice origin;
    struct slice suffix; /* "20260101-1767225600", "3", "" */
    enum age age;
};

static const struct slice packed_ends[] = {SLICE_LIT(".gz"), SLICE_LIT(".zst")};

static struct slice cut_packed(struct slice path)
{
    for (size_t i = 0; i < sizeof packed_ends / sizeof packed_ends[0]; i++)
        if (slice_ends(path, packed_ends[i]))
            return slice_of(path.ptr, path.len - packed_ends[i].len);
    return path;
}

static struct rotated take_apart(const char *path)
{
    struct slice plain = cut_packed(slice_str(path));
    struct rotated r = {.origin = stream_origin_path(slice_str(path)), .age = AGE_CURRENT};

    if (plain.len <= r.origin.len)
        return r;
    r.suffix = slice_from(plain, r.origin.len + 1);
    r.age = plain.ptr[r.origin.len] == '.' && r.suffix.len <= 6 ? AGE_NUMBERED : AGE_DATED;
    return r;
}

static int compare_bytes(struct slice a, struct slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_numbers(struct slice newer, struct slice older)
{
    int64_t n = 0;
    int64_t o = 0;

    slice_to_int(newer, &n);
    slice_to_int(older, &o);
    return (n < o) - (n > o);
}

int rotation_compare(const char *a, const char *b)
{
    struct rotated ra = take_apart(a);
    struct rotated rb = take_apart(b);
    int order = compare_bytes(ra.origin, rb.origin);

    if (order == 0)
        order = (int)ra.age - (int)rb.age;
    if (order == 0 && ra.age == AGE_NUMBERED)
        order = compare_numbers(ra.suffix, rb.suffix);
    if (order == 0 && ra.age == AGE_DATED)
        order = compare_bytes(ra.suffix, rb.suffix);
    return order ? order : strcmp(a, b);
}

bool rotation_is_sibling(const char *a, const char *b)
{
    return slice_eq(stream_origin_path(slice_str(a)), stream_origin_path(slice_str(b)));
}

bool rotation_is_rotated(const char *path)
{
    return take_apart(path).age != AGE_CURRENT;
}

bool rotation_is_packed(const char *path)
{
    struct slice whole = slice_str(path);

    return cut_packed(whole).len < whole.len;
}

static int64_t number_of(const struct rotated *r)
{
    int64_t n = 0;

    if (r->age == AGE_NUMBERED)
        slice_to_int(r->suffix, &n);
    return n;
}

bool rotation_is_next(const char *older, const char *newer)
{
    struct rotated o = take_apart(older);
    struct rotated n = take_apart(newer);

    if (rotation_compare(older, newer) >= 0 || !slice_eq(o.origin, n.origin))
        return false;
    if (o.age != AGE_NUMBERED)
        return true;
    /* The first number is 1, or 0. */
    return n.age == AGE_CURRENT ? number_of(&o) <= 1 : number_of(&o) == number_of(&n) + 1;
}
