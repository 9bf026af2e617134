/* Our JSON scanner against jansson: both accept or both refuse, and give the same values.
 *
 * Known differences, all wanted: jansson refuses numbers that a double does not hold and keys that
 * hold \u0000; ours takes them. jansson overlooks a NUL byte behind a number; ours refuses it.
 * Thread: any; `o` is the caller's. */
#ifndef SHIP_TESTS_SUPPORT_JSON_ORACLE_H
#define SHIP_TESTS_SUPPORT_JSON_ORACLE_H

#include <jansson.h>
#include <string.h>

#include "parsers/json_scan.h"

static inline size_t oracle_depth(const json_t *value)
{
    size_t deepest = 0;
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, i, item)
        {
            size_t depth = oracle_depth(item);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item)
        {
            size_t depth = oracle_depth(item);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    return 0;
}

/* The member's value as jansson reads its bytes alone. */
static inline json_t *oracle_value(const struct json_member *m, size_t flags, json_error_t *e)
{
    struct buffer text = {0};
    json_t *value;

    if (m->type == JSON_TYPE_STRING)
        buffer_add_char(&text, '"');
    buffer_add_slice(&text, m->value);
    if (m->type == JSON_TYPE_STRING)
        buffer_add_char(&text, '"');
    value = json_loadb(text.ptr, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, e);
    buffer_free(&text);
    return value;
}

static inline bool oracle_type_is(const struct json_member *m, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return m->type == JSON_TYPE_NULL;
    case JSON_TRUE:
        return m->type == JSON_TYPE_TRUE;
    case JSON_FALSE:
        return m->type == JSON_TYPE_FALSE;
    case JSON_INTEGER:
    case JSON_REAL:
        return m->type == JSON_TYPE_NUMBER;
    case JSON_STRING:
        return m->type == JSON_TYPE_STRING;
    case JSON_ARRAY:
        return m->type == JSON_TYPE_ARRAY;
    default:
        return m->type == JSON_TYPE_OBJECT;
    }
}

/* is_unsafe must be set where a key comes twice, and only for its reasons. */
static inline const char *oracle_check_unsafe(const struct json_member *m, const json_t *value)
{
    json_error_t e;
    json_t *strict = oracle_value(m, JSON_REJECT_DUPLICATES, &e);
    bool has_twice = !strict && json_error_code(&e) == json_error_duplicate_key;
    bool is_deep = 1 + oracle_depth(value) > JSON_SAFE_DEPTH;

    json_decref(strict);
    if ((has_twice || is_deep) && !m->is_unsafe)
        return "a value with a key twice, or too deep, is not marked unsafe";
    /* Below a shadowed duplicate jansson's tree says nothing of the depth. */
    if (!has_twice && !is_deep && m->is_unsafe && m->value.len <= JSON_SAFE_NUMBER)
        return "a value is marked unsafe without a reason";
    return NULL;
}

static inline const char *oracle_check_member(const struct json_member *m, const json_t *want)
{
    json_error_t e;
    json_t *got = oracle_value(m, 0, &e);
    struct buffer said = {0};
    const char *wrong = NULL;

    if (!got || !json_equal(got, want))
        wrong = "a value differs";
    else if (!oracle_type_is(m, want))
        wrong = "a value's type differs";
    else
        wrong = oracle_check_unsafe(m, want);
    json_decref(got);
    if (!wrong && m->type == JSON_TYPE_STRING) {
        json_unescape(m->value, &said);
        if (!slice_eq(buffer_slice(&said),
                      slice_of(json_string_value(want), json_string_length(want))))
            wrong = "a string, unescaped, differs";
        else if (!m->value_escaped && memchr(m->value.ptr, '\\', m->value.len))
            wrong = "an escaped string is not marked so";
        buffer_free(&said);
    }
    return wrong;
}

static inline const char *oracle_check_members(const struct json_object *o, const json_t *tree)
{
    struct buffer key = {0};
    const char *wrong = NULL;
    size_t n = 0;

    for (size_t i = 0; i < o->n_members && !wrong; i++) {
        const json_t *want;

        if (o->members[i].is_shadowed)
            continue;
        n++;
        key.len = 0;
        json_unescape(o->members[i].key, &key);
        buffer_add_char(&key, 0);
        want = json_object_get(tree, key.ptr);
        wrong = want ? oracle_check_member(&o->members[i], want) : "a key that jansson has not";
        /* Linear, so only where that is cheap. */
        if (!wrong && o->n_members < 200 && json_find(o, key.ptr) != &o->members[i])
            wrong = "json_find does not find the member that counts";
    }
    if (!wrong && n != json_object_size(tree))
        wrong = "the number of keys differs";
    buffer_free(&key);
    return wrong;
}

static inline const char *oracle_check(struct slice text, struct json_object *o);

/* Bad encoding, repaired, is JSON, and its values are jansson's. */
static inline const char *oracle_check_repair(struct slice text, struct json_object *o)
{
    struct buffer repaired = {0};
    const char *wrong;

    json_repair(text, &repaired);
    wrong = oracle_check(buffer_slice(&repaired), o);
    if (!wrong && json_scan(buffer_slice(&repaired), o) != JSON_OK)
        wrong = "a repaired text is not JSON";
    buffer_free(&repaired);
    return wrong;
}

static inline const char *oracle_check_refused(struct slice text, struct json_object *o,
                                               enum json_status status, const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_numeric_overflow: /* jansson stops there: nothing known of the rest */
    case json_error_null_byte_in_key:
        return NULL;
    default:
        if (status == JSON_OK)
            return "jansson refuses, ours accepts";
        return status == JSON_BAD_ENCODING ? oracle_check_repair(text, o) : NULL;
    }
}

/* NULL, or what is wrong (static text). `o` is used for the scans. */
static inline const char *oracle_check(struct slice text, struct json_object *o)
{
    json_error_t e;
    enum json_status status = json_scan(text, o);
    json_t *tree = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, &e);
    const char *wrong;

    if (memchr(text.ptr, 0, text.len)) {
        wrong = status == JSON_OK || status == JSON_BAD_ENCODING ? "a NUL byte is no JSON" : NULL;
    } else if (!tree && status != JSON_NOT_OBJECT) {
        wrong = oracle_check_refused(text, o, status, &e);
    } else if (!json_is_object(tree)) {
        wrong = status == JSON_NOT_OBJECT ? NULL : "jansson has no object, ours has";
    } else {
        wrong = status == JSON_OK ? oracle_check_members(o, tree) : "jansson accepts, ours refuses";
    }
    json_decref(tree);
    return wrong;
}

#endif
