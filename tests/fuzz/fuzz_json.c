#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/json_scan.h"
#include "tests/fuzz/targets.h"
#include "tests/support/json_oracle.h"

static void must(const char *wrong)
{
    if (!wrong)
        return;
    fprintf(stderr, "fuzz_json: %s\n", wrong);
    abort();
}

/* Any bytes, escaped, are a JSON string that says them (but for what was replaced). */
static void check_escape(struct slice text, struct json_object *o)
{
    struct buffer line = {0};
    struct buffer said = {0};
    bool is_replaced;

    buffer_add_lit(&line, "{\"k\":\"");
    is_replaced = json_escape(text, &line);
    buffer_add_lit(&line, "\"}");
    must(json_scan(buffer_slice(&line), o) == JSON_OK ? NULL : "escaped text is no JSON");
    json_unescape(o->members[0].value, &said);
    must(slice_eq(buffer_slice(&said), text) == !is_replaced ? NULL
                                                             : "escaping and back is not the same");
    buffer_free(&line);
    buffer_free(&said);
}

static void on_item(void *ctx, enum json_type type, struct slice value)
{
    size_t *n = ctx;

    (void)type;
    (void)value;
    ++*n;
}

static void check_each(const struct json_object *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        size_t n = 0;
        json_t *array;

        if (o->members[i].type != JSON_TYPE_ARRAY)
            continue;
        json_each(o->members[i].value, on_item, &n);
        array = json_loadb(o->members[i].value.ptr, o->members[i].value.len, JSON_ALLOW_NUL, NULL);
        must(!array || json_array_size(array) == n ? NULL : "json_each counts otherwise");
        json_decref(array);
    }
}

int fuzz_json(const uint8_t *data, size_t size)
{
    struct json_object o = {0};
    struct slice text = slice_of((const char *)data, size);

    must(oracle_check(text, &o));
    if (json_scan(text, &o) == JSON_OK)
        check_each(&o);
    check_escape(text, &o);
    json_object_free(&o);
    return 0;
}
