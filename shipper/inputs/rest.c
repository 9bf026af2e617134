#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/rest.h"
#include "shipper/pipeline/pack.h"

struct rest_piece {
    struct rest_piece *next;
    struct buffer bytes;
    size_t plain_len; /* packed, if not 0 */
    size_t at;        /* of the plain bytes, so many were read */
    bool is_counted;  /* n_newlines are those of all of it; asked for more than once */
    uint64_t n_newlines;
    bool is_open; /* its last line */
};

static void count(const struct rest *r, const struct rest_piece *p, int sign)
{
    if (r->budget)
        budget_add(r->budget, sign * (int64_t)p->bytes.cap);
}

static struct rest_piece **end_of(struct rest *r)
{
    struct rest_piece **end = &r->first;

    while (*end)
        end = &(*end)->next;
    return end;
}

void rest_add(struct rest *r, struct buffer *bytes, size_t plain_len)
{
    struct rest_piece *p = bytes->len ? calloc(1, sizeof *p) : NULL;

    if (!p) {
        r->lost_bytes += plain_len ? plain_len : bytes->len;
        buffer_free(bytes);
        return;
    }
    p->bytes = *bytes;
    p->plain_len = plain_len;
    *bytes = (struct buffer){0};
    count(r, p, 1);
    *end_of(r) = p;
}

void rest_append(struct rest *r, struct rest *from)
{
    struct budget *budget = r->budget;

    rest_count_in(from, budget);
    *end_of(r) = from->first;
    from->first = NULL;
    r->lost_bytes += from->lost_bytes;
    from->lost_bytes = 0;
}

static bool unpack(struct rest *r, struct rest_piece *p)
{
    struct buffer plain = {0};

    if (!p->plain_len)
        return true;
    if (!unpack_bytes(buffer_slice(&p->bytes), p->plain_len, &plain)) {
        buffer_free(&plain);
        return false;
    }
    count(r, p, -1);
    buffer_free(&p->bytes);
    p->bytes = plain;
    p->plain_len = 0;
    count(r, p, 1);
    return true;
}

static void drop_first(struct rest *r)
{
    struct rest_piece *p = r->first;

    r->first = p->next;
    count(r, p, -1);
    buffer_free(&p->bytes);
    free(p);
}

ssize_t rest_read(struct rest *r, char *buf, size_t cap, struct err *e)
{
    struct rest_piece *p = r->first;
    size_t n;

    if (!p)
        return 0;
    if (!unpack(r, p))
        return err_set(e, ERR_NOMEM, "out of memory");
    n = p->bytes.len - p->at < cap ? p->bytes.len - p->at : cap;
    memcpy(buf, p->bytes.ptr + p->at, n);
    p->at += n;
    p->is_counted = false;
    if (p->at == p->bytes.len)
        drop_first(r);
    return (ssize_t)n;
}

bool rest_is_empty(const struct rest *r)
{
    return !r->first;
}

static uint64_t count_newlines(struct slice text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

static void count_piece(struct rest_piece *p)
{
    struct buffer plain = {0};
    struct slice text = slice_from(buffer_slice(&p->bytes), p->at);

    if (p->plain_len) {
        if (!unpack_bytes(buffer_slice(&p->bytes), p->plain_len, &plain))
            plain.len = 0;
        text = buffer_slice(&plain);
    }
    p->n_newlines = count_newlines(text);
    p->is_open = text.len && text.ptr[text.len - 1] != '\n';
    p->is_counted = true;
    buffer_free(&plain);
}

uint64_t rest_count_lines(const struct rest *r)
{
    uint64_t n = 0;
    bool is_open = false;

    for (struct rest_piece *p = r->first; p; p = p->next) {
        if (!p->is_counted)
            count_piece(p);
        n += p->n_newlines;
        is_open = p->is_open;
    }
    return n + is_open;
}

void rest_count_in(struct rest *r, struct budget *budget)
{
    for (const struct rest_piece *p = r->first; p; p = p->next)
        count(r, p, -1);
    r->budget = budget;
    for (const struct rest_piece *p = r->first; p; p = p->next)
        count(r, p, 1);
}

void rest_fini(struct rest *r)
{
    while (r->first)
        drop_first(r);
    buffer_free(&r->state);
    buffer_free(&r->had);
    *r = (struct rest){0};
}
