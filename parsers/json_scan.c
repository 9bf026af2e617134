#include <stdlib.h>
#include <string.h>

#include "parsers/json_keys.h"
#include "parsers/json_scan.h"
#include "parsers/json_string.h"
#include "parsers/utf8.h"
#include "shipper/base/word.h"

/* A Bloom filter over the keys of one object: two bits of 256 a key. It never misses a key that
 * comes again; when it suspects one, json_keys.c looks exactly. */
struct key_filter {
    uint64_t words[4];
};

/* One pass. Functions take the position and give the next one, or NULL when the text is refused:
 * then error and error_at are set. The stacks are filled as objects open, never cleared whole. */
struct scanner {
    const uint8_t *end;
    bool is_bad_encoding; /* JSON so far, but for UTF-8 or a lone surrogate */
    bool is_suspect;      /* a filter hit inside the nested value at hand */
    bool has_nul_key;     /* \u0000 in a key inside the nested value at hand */
    bool is_long_number;
    unsigned depth;   /* of open brackets, the outermost object's included */
    unsigned deepest; /* since the nested value at hand began */
    const char *error;
    const uint8_t *error_at;
    bool is_object[JSON_MAX_DEPTH + 1];
    struct key_filter filters[JSON_MAX_DEPTH + 1];
};

static const uint8_t *refuse(struct scanner *s, const uint8_t *at, const char *why)
{
    s->error = why;
    s->error_at = at;
    return NULL;
}

/* ------------------------------------------------------------------ strings */

/* The escape at p (a backslash). */
static const uint8_t *escape_end(struct scanner *s, const uint8_t *p)
{
    size_t len;
    int unit;

    if (s->end - p < 2)
        return refuse(s, p, "string without an end");
    if (p[1] != 'u') {
        if (p[1] == 0 || !strchr("\"\\/bfnrt", p[1]))
            return refuse(s, p, "unknown escape");
        return p + 2;
    }
    unit = json_unit(p, s->end);
    if (unit < 0)
        return refuse(s, p, "\\u without four hex digits");
    if (json_code_point(p, s->end, unit, &len) < 0)
        s->is_bad_encoding = true;
    return p + len;
}

/* From the first byte that is not plain to the closing quote. */
static const uint8_t *string_rest(struct scanner *s, const uint8_t *p, bool *is_escaped)
{
    bool is_valid;

    while (p && p < s->end && *p != '"') {
        if (*p == '\\') {
            *is_escaped = true;
            p = escape_end(s, p);
        } else if (*p >= 0x80) {
            p += utf8_step(p, s->end, &is_valid);
            s->is_bad_encoding |= !is_valid;
            continue; /* another of its kind is likely */
        } else if (*p < 0x20) {
            return refuse(s, p, "control character in a string");
        }
        if (p)
            p = json_plain_end(p, s->end);
    }
    if (p == s->end)
        return refuse(s, p, "string without an end");
    return p;
}

/* p stands behind the opening quote; gives the closing one. */
static inline const uint8_t *string_end(struct scanner *s, const uint8_t *p, bool *is_escaped)
{
    *is_escaped = false;
    p = json_plain_end(p, s->end);
    if (p < s->end && *p == '"')
        return p;
    return string_rest(s, p, is_escaped);
}

/* ------------------------------------------------------------------ keys */

/* Cheap, and easy to collide on purpose: that costs an exact look, no more. */
static inline uint64_t key_hash(const uint8_t *key, size_t len)
{
    uint64_t head = word_load(key, len);
    uint64_t tail = len > 8 ? word_load(key + len - 8, 8) : 0;
    uint64_t mixed = (head ^ (tail << 29 | tail >> 35) ^ len) * UINT64_C(0x9E3779B97F4A7C15);

    return mixed ^ mixed >> 29;
}

/* True if the key may have been added before. */
static inline bool filter_add(struct key_filter *f, uint64_t hash)
{
    uint64_t *word = &f->words[hash >> 62];
    uint64_t bits = UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
    bool is_known = (*word & bits) == bits;

    *word |= bits;
    return is_known;
}

/* The key at p (a quote), its colon, and the blanks around that. */
static inline const uint8_t *key_end(struct scanner *s, const uint8_t *p, struct slice *key,
                                     bool *is_escaped)
{
    const uint8_t *close;

    if (p >= s->end || *p != '"')
        return refuse(s, p, "key expected");
    close = string_end(s, p + 1, is_escaped);
    if (!close)
        return NULL;
    *key = slice_of((const char *)p + 1, (size_t)(close - p - 1));
    p = json_blank_end(close + 1, s->end);
    if (p >= s->end || *p != ':')
        return refuse(s, p, "colon expected");
    return json_blank_end(p + 1, s->end);
}

/* Whether a checked string says NUL: "\u0000" (not "\\u0000"). */
static bool says_nul(struct slice escaped)
{
    const uint8_t *p = (const uint8_t *)escaped.ptr;
    const uint8_t *end = p + escaped.len;

    while ((p = memchr(p, '\\', (size_t)(end - p)))) {
        if (json_unit(p, end) == 0)
            return true;
        p += 2;
        if (p >= end)
            break;
    }
    return false;
}

/* ------------------------------------------------------------------ scalars */

static inline const uint8_t *digits_end(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (uint8_t)(*p - '0') < 10)
        p++;
    return p;
}

static const uint8_t *number_end(struct scanner *s, const uint8_t *p)
{
    const uint8_t *start = p;
    const uint8_t *part = p + (*p == '-');

    p = digits_end(part, s->end);
    if (p == part || (*part == '0' && p - part > 1))
        return refuse(s, start, "not a value");
    if (p < s->end && *p == '.') {
        part = p + 1;
        p = digits_end(part, s->end);
        if (p == part)
            return refuse(s, p, "digit expected behind the point");
    }
    if (p < s->end && (*p | 0x20) == 'e') {
        part = p + 1;
        if (part < s->end && (*part == '+' || *part == '-'))
            part++;
        p = digits_end(part, s->end);
        if (p == part)
            return refuse(s, p, "digit expected in the exponent");
    }
    s->is_long_number |= p - start > JSON_SAFE_NUMBER;
    return p;
}

static inline const uint8_t *word_end(struct scanner *s, const uint8_t *p, const char *word,
                                      size_t len)
{
    if ((size_t)(s->end - p) < len || memcmp(p, word, len) != 0)
        return refuse(s, p, "not a value");
    return p + len;
}

/* Any value but an object or array; p < end. */
static inline const uint8_t *scalar_end(struct scanner *s, const uint8_t *p)
{
    bool is_escaped;

    switch (*p) {
    case '"':
        p = string_end(s, p + 1, &is_escaped);
        return p ? p + 1 : NULL;
    case 't':
        return word_end(s, p, "true", 4);
    case 'f':
        return word_end(s, p, "false", 5);
    case 'n':
        return word_end(s, p, "null", 4);
    default:
        return number_end(s, p);
    }
}

/* ------------------------------------------------------------------ nested values, no recursion */

static inline bool push(struct scanner *s, bool is_object)
{
    if (s->depth == JSON_MAX_DEPTH)
        return false;
    s->depth++;
    if (s->depth > s->deepest)
        s->deepest = s->depth;
    s->is_object[s->depth] = is_object;
    if (is_object)
        s->filters[s->depth] = (struct key_filter){{0}};
    return true;
}

static const uint8_t *nested_key_end(struct scanner *s, const uint8_t *p)
{
    struct slice key;
    bool is_escaped;

    p = key_end(s, p, &key, &is_escaped);
    if (!p)
        return NULL;
    if (is_escaped) {
        s->is_suspect = true;
        s->has_nul_key |= says_nul(key);
    } else {
        s->is_suspect |=
            filter_add(&s->filters[s->depth], key_hash((const uint8_t *)key.ptr, key.len));
    }
    return p;
}

/* Behind an opened bracket or a comma: reads the key if it is an object's. */
static inline const uint8_t *item_start(struct scanner *s, const uint8_t *p)
{
    if (s->depth == JSON_MAX_DEPTH)
        return refuse(s, p, "nested too deeply");
    return s->is_object[s->depth] ? nested_key_end(s, p) : p;
}

/* Opens the bracket at p. *is_empty: it closes at once, and is closed. */
static inline const uint8_t *bracket_open(struct scanner *s, const uint8_t *p, bool *is_empty)
{
    bool is_object = *p == '{';

    *is_empty = false;
    if (!push(s, is_object))
        return refuse(s, p, "nested too deeply");
    p = json_blank_end(p + 1, s->end);
    if (p < s->end && *p == (is_object ? '}' : ']')) {
        *is_empty = true;
        s->depth--;
        return p + 1;
    }
    return item_start(s, p);
}

/* Behind a value: closes what closes here, and stops before the next value; or, with depth back at
 * `floor`, behind the last bracket. */
static inline const uint8_t *value_after(struct scanner *s, const uint8_t *p, unsigned floor)
{
    while (s->depth > floor) {
        p = json_blank_end(p, s->end);
        if (p >= s->end)
            return refuse(s, p, "bracket without an end");
        if (*p == ',')
            return item_start(s, json_blank_end(p + 1, s->end));
        if (*p != (s->is_object[s->depth] ? '}' : ']'))
            return refuse(s, p, "comma or closing bracket expected");
        s->depth--;
        p++;
    }
    return p;
}

/* The object or array at p. */
static const uint8_t *nested_end(struct scanner *s, const uint8_t *p)
{
    unsigned floor = s->depth;
    bool is_closed;

    do {
        if (p >= s->end)
            return refuse(s, p, "value expected");
        if (*p == '{' || *p == '[') {
            p = bracket_open(s, p, &is_closed);
            if (!is_closed && p)
                continue;
        } else {
            p = scalar_end(s, p);
        }
        if (p)
            p = value_after(s, p, floor);
    } while (p && s->depth > floor);
    return p;
}

/* ------------------------------------------------------------------ members */

static struct json_member *member_add(struct scanner *s, struct json_object *o)
{
    size_t cap = o->cap ? o->cap * 2 : 32;
    struct json_member *grown;

    if (o->n_members == o->cap) {
        grown = realloc(o->members, cap * sizeof *grown);
        if (!grown) {
            refuse(s, s->end, NULL); /* no word for it: JSON_NOMEM */
            return NULL;
        }
        o->members = grown;
        o->cap = cap;
    }
    return &o->members[o->n_members++];
}

static const uint8_t *string_value(struct scanner *s, const uint8_t *p, struct json_member *m)
{
    const uint8_t *close = string_end(s, p + 1, &m->value_escaped);

    if (!close)
        return NULL;
    m->type = JSON_TYPE_STRING;
    m->value = slice_of((const char *)p + 1, (size_t)(close - p - 1));
    return close + 1;
}

static const uint8_t *scalar_value(struct scanner *s, const uint8_t *p, struct json_member *m)
{
    const uint8_t *after;

    s->is_long_number = false;
    after = scalar_end(s, p);
    if (!after)
        return NULL;
    m->type = *p == 't'   ? JSON_TYPE_TRUE
              : *p == 'f' ? JSON_TYPE_FALSE
              : *p == 'n' ? JSON_TYPE_NULL
                          : JSON_TYPE_NUMBER;
    m->value = slice_of((const char *)p, (size_t)(after - p));
    m->is_unsafe = s->is_long_number;
    return after;
}

static const uint8_t *nested_value(struct scanner *s, const uint8_t *p, struct json_object *o,
                                   struct json_member *m)
{
    const uint8_t *after;
    enum json_keys_answer answer = JSON_KEYS_UNIQUE;

    s->is_suspect = false;
    s->has_nul_key = false;
    s->is_long_number = false;
    s->deepest = s->depth;
    after = nested_end(s, p);
    if (!after)
        return NULL;
    m->type = *p == '{' ? JSON_TYPE_OBJECT : JSON_TYPE_ARRAY;
    m->value = slice_of((const char *)p, (size_t)(after - p));
    m->is_unsafe = s->deepest > JSON_SAFE_DEPTH || s->has_nul_key || s->is_long_number;
    if (s->is_suspect && !m->is_unsafe)
        answer = json_keys_repeat(o, m->value);
    if (answer == JSON_KEYS_NOMEM)
        return refuse(s, after, NULL);
    m->is_unsafe |= answer == JSON_KEYS_REPEATED;
    return after;
}

/* Key, colon and value at p. */
static inline const uint8_t *member_end(struct scanner *s, const uint8_t *p, struct json_object *o)
{
    struct json_member *m = member_add(s, o);

    if (!m)
        return NULL;
    p = key_end(s, p, &m->key, &m->key_escaped);
    if (!p)
        return NULL;
    if (p >= s->end)
        return refuse(s, p, "value expected");
    m->value_escaped = false;
    m->is_shadowed = false;
    m->is_unsafe = false;
    m->is_taken = false;
    if (*p == '"')
        return string_value(s, p, m);
    if (*p == '{' || *p == '[')
        return nested_value(s, p, o, m);
    return scalar_value(s, p, m);
}

enum {
    FEW_MEMBERS = 64, /* are compared one with another; more are sorted */
    KEPT_MEMBERS = 4096,
};

/* The newest member may have a key that was there. True if that cannot be said cheaply. */
static bool shadow_earlier(struct json_object *o)
{
    const struct json_member *newest = &o->members[o->n_members - 1];

    if (o->n_members > FEW_MEMBERS)
        return true;
    for (size_t i = 0; i + 1 < o->n_members; i++)
        if (slice_eq(o->members[i].key, newest->key))
            o->members[i].is_shadowed = true;
    return false;
}

/* The members of the outermost object; p stands behind its '{' and the blanks there. */
static const uint8_t *members_end(struct scanner *s, const uint8_t *p, struct json_object *o)
{
    bool needs_exact = false;

    if (p < s->end && *p == '}')
        return p + 1;
    for (;;) {
        const struct json_member *m;

        p = member_end(s, p, o);
        if (!p)
            return NULL;
        m = &o->members[o->n_members - 1];
        if (m->key_escaped)
            needs_exact = true;
        else if (filter_add(&s->filters[1], key_hash((const uint8_t *)m->key.ptr, m->key.len)))
            needs_exact |= shadow_earlier(o);
        p = json_blank_end(p, s->end);
        if (p >= s->end)
            return refuse(s, p, "bracket without an end");
        if (*p == '}')
            break;
        if (*p != ',')
            return refuse(s, p, "comma or closing bracket expected");
        p = json_blank_end(p + 1, s->end);
    }
    if (needs_exact && o->n_members > 1 && json_keys_shadow(o) == JSON_KEYS_NOMEM)
        return refuse(s, p, NULL);
    return p + 1;
}

/* ------------------------------------------------------------------ the whole */

static enum json_status status_of(const struct scanner *s, const uint8_t *text,
                                  struct json_object *out)
{
    out->error = s->error;
    out->error_at = (size_t)(s->error_at - text);
    if (!s->error) {
        out->error = "out of memory";
        return JSON_NOMEM;
    }
    return JSON_INVALID;
}

/* One line with 100 000 keys must not cost its memory for ever. */
static void give_back(struct json_object *o)
{
    if (o->cap > KEPT_MEMBERS) {
        free(o->members);
        o->members = NULL;
        o->cap = 0;
    }
    if (o->keys)
        json_keys_trim(o->keys);
}

enum json_status json_scan(struct slice text, struct json_object *out)
{
    const uint8_t *start = (const uint8_t *)text.ptr;
    const uint8_t *p;
    struct scanner s; /* its stacks are written before they are read */

    s.end = text.len ? start + text.len : start; /* an empty slice may have no address */
    s.error = NULL;
    s.error_at = start;
    s.is_bad_encoding = false;
    s.depth = 0;
    s.deepest = 0;
    give_back(out);
    out->n_members = 0;
    out->error = NULL;
    out->error_at = 0;
    p = json_blank_end(start, s.end);
    if (p >= s.end || *p != '{')
        return JSON_NOT_OBJECT;
    push(&s, true);
    p = members_end(&s, json_blank_end(p + 1, s.end), out);
    if (p && json_blank_end(p, s.end) != s.end)
        p = refuse(&s, json_blank_end(p, s.end), "text behind the object");
    if (!p) {
        out->n_members = 0;
        return status_of(&s, start, out);
    }
    if (s.is_bad_encoding) {
        out->error = "invalid UTF-8 or a lone surrogate";
        return JSON_BAD_ENCODING;
    }
    return JSON_OK;
}

/* Whether a key that holds escapes says `want`: piece by piece, without memory. */
static bool escaped_is(struct slice escaped, struct slice want)
{
    char said[16]; /* more than one escape can say */

    while (escaped.len) {
        const char *hit = memchr(escaped.ptr, '\\', escaped.len);
        struct slice piece = slice_of(escaped.ptr, hit ? (size_t)(hit - escaped.ptr) : escaped.len);
        struct buffer out = {.ptr = said, .cap = sizeof said};
        const uint8_t *at = (const uint8_t *)hit;
        size_t len = 2;
        int unit;

        if (!slice_starts(want, piece))
            return false;
        want = slice_from(want, piece.len);
        escaped = slice_from(escaped, piece.len);
        if (!hit)
            break;
        unit = json_unit(at, at + escaped.len);
        if (unit >= 0)
            json_code_point(at, at + escaped.len, unit, &len);
        json_unescape(slice_of(hit, len), &out);
        if (!slice_starts(want, buffer_slice(&out)))
            return false;
        want = slice_from(want, out.len);
        escaped = slice_from(escaped, len);
    }
    return want.len == 0;
}

const struct json_member *json_find(const struct json_object *o, const char *key)
{
    struct slice want = slice_str(key);

    for (size_t i = 0; i < o->n_members; i++) {
        const struct json_member *m = &o->members[i];

        if (!m->is_shadowed && (m->key_escaped ? escaped_is(m->key, want) : slice_eq(m->key, want)))
            return m;
    }
    return NULL;
}

void json_object_free(struct json_object *o)
{
    free(o->members);
    json_keys_free(o->keys);
    memset(o, 0, sizeof *o);
}
