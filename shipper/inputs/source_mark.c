#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/inputs/source_mark.h"

size_t mark_len(uint64_t offset)
{
    return offset < MARK_MAX ? (size_t)offset : MARK_MAX;
}

uint64_t mark_hash(uint64_t offset, const char *before_end)
{
    size_t len = mark_len(offset);

    return hash64(slice_of(before_end - len, len));
}

void mark_set(struct mark *m, uint64_t offset, const char *before_end)
{
    *m = (struct mark){offset, mark_hash(offset, before_end), true};
}

bool mark_fits(const struct mark *m, uint64_t offset, const char *before_end)
{
    return !m->is_set || m->offset != offset || mark_hash(offset, before_end) == m->hash;
}

void mark_inside(struct mark *m, uint64_t offset, const char *before, size_t before_len,
                 const char *buf, size_t at)
{
    char joined[2 * MARK_MAX];
    size_t len = mark_len(offset + at);

    if (at >= len) {
        mark_set(m, offset + at, buf + at);
        return;
    }
    memcpy(joined, before, before_len);
    memcpy(joined + before_len, buf, at);
    mark_set(m, offset + at, joined + before_len + at);
}

size_t mark_last_newline(const char *buf, size_t len)
{
    while (len > 0 && buf[len - 1] != '\n')
        len--;
    return len;
}
