#include <stdlib.h>
#include <string.h>

#include "parsers/json_keys.h"
#include "parsers/json_string.h"
#include "shipper/base/hash.h"

struct key {
    uint64_t hash; /* of the object's number and the key: equal keys stand together when sorted */
    struct slice said;
    uint32_t object; /* which object inside the value it belongs to */
    uint32_t order;
};

enum {
    KEPT_KEYS = 4096,
    KEPT_TEXT = 256 * 1024,
};

struct json_keys {
    struct key *keys;
    size_t n_keys;
    size_t cap;
    struct buffer text; /* unescaped keys; reserved before, so that it does not move */
};

/* ------------------------------------------------------------------ a list of keys */

static struct json_keys *begin(struct json_object *o, size_t text_bytes)
{
    if (!o->keys)
        o->keys = calloc(1, sizeof *o->keys);
    if (!o->keys)
        return NULL;
    o->keys->n_keys = 0;
    o->keys->text.len = 0;
    o->keys->text.failed = false; /* memory may be back */
    return buffer_reserve(&o->keys->text, text_bytes) ? o->keys : NULL;
}

static bool has_room(struct json_keys *k)
{
    size_t cap = k->cap ? k->cap * 2 : 64;
    struct key *grown;

    if (k->n_keys < k->cap)
        return true;
    grown = realloc(k->keys, cap * sizeof *grown);
    if (!grown)
        return false;
    k->keys = grown;
    k->cap = cap;
    return true;
}

static bool add(struct json_keys *k, struct slice key, bool is_escaped, uint32_t object)
{
    size_t before = k->text.len;

    if (!has_room(k))
        return false;
    if (is_escaped) {
        json_unescape(key, &k->text);
        key = slice_of(k->text.ptr + before, k->text.len - before);
    }
    k->keys[k->n_keys] = (struct key){hash64(key) ^ object * UINT64_C(0x9E3779B97F4A7C15), key,
                                      object, (uint32_t)k->n_keys};
    k->n_keys++;
    return true;
}

/* ------------------------------------------------------------------ sorting */

static bool is_same(const struct key *a, const struct key *b)
{
    return a->hash == b->hash && a->object == b->object && slice_eq(a->said, b->said);
}

static int compare(const struct key *a, const struct key *b)
{
    int by_bytes;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    if (a->said.len != b->said.len)
        return a->said.len < b->said.len ? -1 : 1;
    by_bytes = a->said.len ? memcmp(a->said.ptr, b->said.ptr, a->said.len) : 0;
    if (by_bytes)
        return by_bytes;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void sift_down(struct key *keys, size_t from, size_t n)
{
    struct key moving = keys[from];

    for (size_t child; (child = 2 * from + 1) < n; from = child) {
        if (child + 1 < n && compare(&keys[child], &keys[child + 1]) < 0)
            child++;
        if (compare(&moving, &keys[child]) >= 0)
            break;
        keys[from] = keys[child];
    }
    keys[from] = moving;
}

/* Heapsort: in place, and n log n whatever the input (qsort may call malloc). */
static void sort(struct key *keys, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(keys, i, n);
    for (size_t last = n; last-- > 1;) {
        struct key top = keys[0];

        keys[0] = keys[last];
        keys[last] = top;
        sift_down(keys, 0, last);
    }
}

/* ------------------------------------------------------------------ the two questions */

enum json_keys_answer json_keys_shadow(struct json_object *o)
{
    enum json_keys_answer answer = JSON_KEYS_UNIQUE;
    struct json_keys *k;
    size_t escaped_bytes = 0;

    for (size_t i = 0; i < o->n_members; i++)
        escaped_bytes += o->members[i].key_escaped ? o->members[i].key.len : 0;
    k = begin(o, escaped_bytes);
    if (!k)
        return JSON_KEYS_NOMEM;
    for (size_t i = 0; i < o->n_members; i++)
        if (!add(k, o->members[i].key, o->members[i].key_escaped, 0))
            return JSON_KEYS_NOMEM;
    sort(k->keys, k->n_keys);
    for (size_t i = 1; i < k->n_keys; i++) {
        if (is_same(&k->keys[i - 1], &k->keys[i])) {
            o->members[k->keys[i - 1].order].is_shadowed = true;
            answer = JSON_KEYS_REPEATED;
        }
    }
    return answer;
}

/* Where a walk through a checked value stands: which object each open bracket belongs to. */
struct walk {
    struct json_keys *keys;
    uint32_t n_objects;
    size_t depth;
    uint32_t objects[JSON_MAX_DEPTH + 1];
};

static void on_bracket(struct walk *w, uint8_t c)
{
    if (c == '{' && w->depth < JSON_MAX_DEPTH)
        w->objects[++w->depth] = ++w->n_objects;
    else if (c == '}' && w->depth)
        w->depth--;
}

/* A string is a key if a colon follows it. p stands behind the opening quote; returns what stands
 * behind the closing one, or NULL when memory is out. */
static const uint8_t *on_string(struct walk *w, const uint8_t *p, const uint8_t *end)
{
    const uint8_t *close = json_checked_string_end(p, end);
    struct slice text = slice_of((const char *)p, (size_t)(close - p));
    const uint8_t *next = json_blank_end(close < end ? close + 1 : end, end);

    if (next < end && *next == ':' &&
        !add(w->keys, text, text.len && memchr(text.ptr, '\\', text.len), w->objects[w->depth]))
        return NULL;
    return next;
}

static bool collect(struct json_keys *k, struct slice value)
{
    const uint8_t *p = (const uint8_t *)value.ptr;
    const uint8_t *end = p + value.len;
    struct walk w;

    w.keys = k;
    w.n_objects = 0;
    w.depth = 0;
    w.objects[0] = 0;
    while (p && p < end) {
        if (*p == '"') {
            p = on_string(&w, p + 1, end);
        } else {
            on_bracket(&w, *p);
            p++;
        }
    }
    return p;
}

enum json_keys_answer json_keys_repeat(struct json_object *o, struct slice value)
{
    struct json_keys *k = begin(o, value.len);

    if (!k || !collect(k, value))
        return JSON_KEYS_NOMEM;
    sort(k->keys, k->n_keys);
    for (size_t i = 1; i < k->n_keys; i++)
        if (is_same(&k->keys[i - 1], &k->keys[i]))
            return JSON_KEYS_REPEATED;
    return JSON_KEYS_UNIQUE;
}

void json_keys_trim(struct json_keys *k)
{
    if (k->cap > KEPT_KEYS) {
        free(k->keys);
        k->keys = NULL;
        k->cap = 0;
    }
    if (k->text.cap > KEPT_TEXT)
        buffer_free(&k->text);
}

void json_keys_free(struct json_keys *k)
{
    if (!k)
        return;
    free(k->keys);
    buffer_free(&k->text);
    free(k);
}
