#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/bench/bulk_body.h"

enum { PLAIN_MAX = 256 * 1024, LONGEST_LINE = 1 << 21 };

void *bulk_grow(void *ptr, size_t size)
{
    void *grown = realloc(ptr, size);

    if (!grown) {
        perror("bulk_sink");
        exit(1);
    }
    return grown;
}

/* --- verification --- */

/* False if it was there. */
static bool add_id(struct bulk_totals *t, uint64_t hash)
{
    size_t at = hash & (t->ids_cap - 1);

    for (; t->ids[at]; at = (at + 1) & (t->ids_cap - 1))
        if (t->ids[at] == hash)
            return false;
    t->ids[at] = hash;
    t->n_ids++;
    return true;
}

static void make_room_for_id(struct bulk_totals *t)
{
    uint64_t *old = t->ids;
    size_t old_cap = t->ids_cap;

    if (t->n_ids * 2 < t->ids_cap)
        return;
    t->ids_cap = old_cap ? old_cap * 2 : 1 << 16;
    t->ids = bulk_grow(NULL, t->ids_cap * sizeof *t->ids);
    memset(t->ids, 0, t->ids_cap * sizeof *t->ids);
    t->n_ids = 0;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i])
            add_id(t, old[i]);
    free(old);
}

static bool starts(const char *line, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static void verify_action(struct bulk_totals *t, const char *line, size_t len)
{
    static const char key[] = "\"_id\":\"";
    const char *id = memmem(line, len, key, sizeof key - 1);
    const char *end;

    if (!starts(line, len, "{\"create\":{") && !starts(line, len, "{\"index\":{"))
        t->bad_lines++;
    if (!id)
        return;
    id += sizeof key - 1;
    end = memchr(id, '"', (size_t)(line + len - id));
    make_room_for_id(t);
    if (end && !add_id(t, XXH3_64bits(id, (size_t)(end - id)) | 1))
        t->repeated++;
}

static void keep_part(struct bulk_body *b, struct bulk_totals *t, const char *part, size_t len)
{
    if (b->line_len + len > LONGEST_LINE) {
        t->bad_lines++;
        b->line_len = 0;
        return;
    }
    b->line = bulk_grow(b->line, b->line_len + len + 1);
    memcpy(b->line + b->line_len, part, len);
    b->line_len += len;
}

static void verify_line(struct bulk_body *b, struct bulk_totals *t)
{
    if (b->line_len < 2 || b->line[0] != '{' || b->line[b->line_len - 1] != '}')
        t->bad_lines++;
    else if (b->n_newlines % 2 == 0)
        verify_action(t, b->line, b->line_len);
    b->line_len = 0;
}

/* --- the bytes --- */

void bulk_body_begin(struct bulk_body *b, bool is_gzip)
{
    b->is_gzip = is_gzip;
    b->is_first = true;
    b->is_create = false;
    b->n_newlines = 0;
    b->line_len = 0;
    if (is_gzip) {
        isal_inflate_init(&b->inflate);
        b->inflate.crc_flag = ISAL_GZIP;
    }
}

static void add_plain(struct bulk_body *b, struct bulk_totals *t, const char *text, size_t len)
{
    const char *end = text + len;
    const char *hit;

    if (b->is_first && len > 2)
        b->is_create = text[2] == 'c';
    b->is_first = false;
    t->plain_bytes += len;
    while ((hit = memchr(text, '\n', (size_t)(end - text)))) {
        if (t->verifies) {
            keep_part(b, t, text, (size_t)(hit - text));
            verify_line(b, t);
        }
        b->n_newlines++;
        text = hit + 1;
    }
    if (t->verifies)
        keep_part(b, t, text, (size_t)(end - text));
}

void bulk_body_add(struct bulk_body *b, struct bulk_totals *t, const char *bytes, size_t len)
{
    static char plain[PLAIN_MAX];
    struct inflate_state *z = &b->inflate;

    t->wire_bytes += len;
    if (!b->is_gzip) {
        add_plain(b, t, bytes, len);
        return;
    }
    z->next_in = (uint8_t *)bytes;
    z->avail_in = (uint32_t)len;
    do {
        z->next_out = (uint8_t *)plain;
        z->avail_out = PLAIN_MAX;
        if (isal_inflate(z) < 0) {
            t->bad_lines++;
            return;
        }
        add_plain(b, t, plain, PLAIN_MAX - z->avail_out);
    } while (z->avail_out == 0);
}

uint64_t bulk_body_end(struct bulk_body *b, struct bulk_totals *t)
{
    /* An action and its document are a line each; the last line has its end too. */
    t->bad_lines += b->n_newlines % 2 + (b->line_len > 0);
    return b->n_newlines / 2;
}

void bulk_body_free(struct bulk_body *b)
{
    free(b->line);
    b->line = NULL;
}
