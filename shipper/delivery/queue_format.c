#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "shipper/delivery/queue_format.h"

const char queue_entry_magic[QUEUE_MAGIC_LEN] = "\xFFrecord\n";
static const char head_magic[QUEUE_MAGIC_LEN] = "shipque\n";
static const char settled_magic[QUEUE_MAGIC_LEN] = "shipset\n";

enum { HEAD_SUM = QUEUE_HEAD_LEN - 8, ENTRY_SUM = QUEUE_ENTRY_LEN - 8, FLAG_PACKED = 1 };

static void put_u32(char *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (char)(value >> 8 * i);
}

static void put_u64(char *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (char)(value >> 8 * i);
}

static uint64_t get(const char *from, int n)
{
    uint64_t value = 0;

    for (int i = n - 1; i >= 0; i--)
        value = value << 8 | (unsigned char)from[i];
    return value;
}

static uint32_t get_u32(const char *from)
{
    return (uint32_t)get(from, 4);
}

static uint64_t get_u64(const char *from)
{
    return get(from, 8);
}

/* --- head ------------------------------------------------------------------------------------ */

void queue_head_write(const struct queue_head *head, char out[QUEUE_HEAD_LEN])
{
    memset(out, 0, QUEUE_HEAD_LEN);
    memcpy(out, head_magic, QUEUE_MAGIC_LEN);
    put_u32(out + 8, QUEUE_VERSION);
    put_u64(out + 16, head->segment);
    put_u64(out + 24, head->first);
    memcpy(out + 32, head->type, QUEUE_TYPE_MAX);
    put_u64(out + HEAD_SUM, hash64(slice_of(out, HEAD_SUM)));
}

enum queue_head_state queue_head_read(const char bytes[QUEUE_HEAD_LEN], struct queue_head *out)
{
    *out = (struct queue_head){0};
    if (memcmp(bytes, head_magic, QUEUE_MAGIC_LEN) != 0 ||
        get_u64(bytes + HEAD_SUM) != hash64(slice_of(bytes, HEAD_SUM)))
        return QUEUE_HEAD_DAMAGED;
    if (get_u32(bytes + 8) > QUEUE_VERSION)
        return QUEUE_HEAD_NEWER;
    out->segment = get_u64(bytes + 16);
    out->first = get_u64(bytes + 24);
    memcpy(out->type, bytes + 32, QUEUE_TYPE_MAX - 1);
    return QUEUE_HEAD_OK;
}

/* --- records --------------------------------------------------------------------------------- */

uint64_t queue_content_sum(struct slice meta, struct slice body)
{
    char sums[16];

    put_u64(sums, hash64(meta));
    put_u64(sums + 8, hash64(body));
    return hash64(slice_of(sums, sizeof sums));
}

void queue_entry_write(struct queue_entry *entry, char out[QUEUE_ENTRY_LEN])
{
    memcpy(out, queue_entry_magic, QUEUE_MAGIC_LEN);
    put_u64(out + 8, entry->number);
    put_u64(out + 16, entry->segment);
    put_u64(out + 24, entry->offset);
    put_u32(out + 32, entry->meta_len);
    put_u32(out + 36, entry->body_len);
    put_u32(out + 40, entry->n_items);
    put_u32(out + 44, entry->is_packed ? FLAG_PACKED : 0);
    put_u64(out + 48, entry->content_sum);
    entry->sum = hash64(slice_of(out, ENTRY_SUM));
    put_u64(out + ENTRY_SUM, entry->sum);
}

bool queue_entry_read(const char bytes[QUEUE_ENTRY_LEN], uint64_t segment, uint64_t offset,
                      struct queue_entry *out)
{
    if (memcmp(bytes, queue_entry_magic, QUEUE_MAGIC_LEN) != 0)
        return false;
    *out = (struct queue_entry){
        .number = get_u64(bytes + 8),
        .segment = get_u64(bytes + 16),
        .offset = get_u64(bytes + 24),
        .meta_len = get_u32(bytes + 32),
        .body_len = get_u32(bytes + 36),
        .n_items = get_u32(bytes + 40),
        .is_packed = get_u32(bytes + 44) & FLAG_PACKED,
        .content_sum = get_u64(bytes + 48),
        .sum = get_u64(bytes + ENTRY_SUM),
    };
    return out->sum == hash64(slice_of(bytes, ENTRY_SUM)) && out->segment == segment &&
           out->offset == offset && out->number > 0 && out->number < UINT64_MAX;
}

/* --- settled --------------------------------------------------------------------------------- */

enum { SETTLED_HEAD = 32, PART_HEAD = 24, RANGE_LEN = 16, SUM_LEN = 8 };

static void add_u64(struct buffer *out, uint64_t value)
{
    char bytes[8];

    put_u64(bytes, value);
    buffer_add(out, bytes, sizeof bytes);
}

void queue_settled_begin(struct buffer *out, uint64_t next_number, uint64_t next_segment)
{
    out->len = 0;
    buffer_add(out, settled_magic, QUEUE_MAGIC_LEN);
    add_u64(out, QUEUE_VERSION);
    add_u64(out, next_number);
    add_u64(out, next_segment);
}

void queue_settled_add(struct buffer *out, const struct queue_settled_part *part)
{
    add_u64(out, part->segment);
    add_u64(out, part->first_sum);
    add_u64(out, part->n_ranges);
    for (size_t i = 0; i < part->n_ranges; i++) {
        add_u64(out, part->ranges[i].from);
        add_u64(out, part->ranges[i].to);
    }
}

void queue_settled_end(struct buffer *out)
{
    add_u64(out, out->failed ? 0 : hash64(buffer_slice(out)));
}

bool queue_settled_read(struct slice bytes, struct queue_settled *out)
{
    size_t len = bytes.len - SUM_LEN;

    *out = (struct queue_settled){0};
    if (bytes.len < SETTLED_HEAD + SUM_LEN ||
        memcmp(bytes.ptr, settled_magic, QUEUE_MAGIC_LEN) != 0 ||
        get_u64(bytes.ptr + len) != hash64(slice_of(bytes.ptr, len)) ||
        get_u64(bytes.ptr + 8) != QUEUE_VERSION)
        return false;
    out->next_number = get_u64(bytes.ptr + 16);
    out->next_segment = get_u64(bytes.ptr + 24);
    out->parts = slice_of(bytes.ptr + SETTLED_HEAD, len - SETTLED_HEAD);
    return true;
}

bool queue_settled_find(const struct queue_settled *s, uint64_t segment, uint64_t first_sum,
                        struct number_set *out)
{
    struct slice rest = s->parts;

    while (rest.len >= PART_HEAD) {
        bool is_it = get_u64(rest.ptr) == segment && get_u64(rest.ptr + 8) == first_sum;
        uint64_t n = get_u64(rest.ptr + 16);

        rest = slice_from(rest, PART_HEAD);
        if (n > rest.len / RANGE_LEN)
            return true;
        for (uint64_t i = 0; is_it && i < n; i++)
            if (!number_set_add(out, get_u64(rest.ptr + i * RANGE_LEN),
                                get_u64(rest.ptr + i * RANGE_LEN + 8)))
                return false;
        rest = slice_from(rest, n * RANGE_LEN);
    }
    return true;
}

/* --- names ----------------------------------------------------------------------------------- */

void queue_segment_name(uint64_t segment, char out[QUEUE_NAME_MAX])
{
    snprintf(out, QUEUE_NAME_MAX, "%010" PRIu64 ".segment", segment);
}

bool queue_segment_of(const char *name, uint64_t *segment)
{
    char same[QUEUE_NAME_MAX];

    if (name[0] < '0' || name[0] > '9')
        return false;
    *segment = strtoull(name, NULL, 10);
    queue_segment_name(*segment, same);
    return strcmp(name, same) == 0;
}

void queue_damaged_name(uint64_t segment, uint64_t offset, char out[QUEUE_NAME_MAX])
{
    snprintf(out, QUEUE_NAME_MAX, "%010" PRIu64 "-%010" PRIu64 ".damaged", segment, offset);
}

bool queue_is_damaged_name(const char *name)
{
    return slice_ends(slice_str(name), slice_str(".damaged"));
}
