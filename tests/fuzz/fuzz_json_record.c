#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/json.h"
#include "tests/fuzz/targets.h"

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_json_record: %s\n", what);
    abort();
}

static void add_value(struct buffer *b, struct value v)
{
    if (v.kind == VALUE_JSON) {
        buffer_add_slice(b, v.bytes);
        return;
    }
    buffer_add_char(b, '"');
    if (v.kind == VALUE_TEXT)
        json_escape(v.bytes, b);
    else
        buffer_add_slice(b, v.bytes);
    buffer_add_char(b, '"');
}

static void add_member(struct buffer *b, struct slice key, struct value value)
{
    if (value.kind == VALUE_NONE)
        return;
    buffer_add_lit(b, ",\"");
    buffer_add_slice(b, key);
    buffer_add_lit(b, "\":");
    add_value(b, value);
}

static void add_known(struct buffer *b, const struct record *r)
{
    const struct value values[] = {
        r->message,       r->logger,      r->service_name,           r->faas_name,
        r->faas_version,  r->faas_arn,    r->correlation_id,         r->error_type,
        r->error_message, r->error_stack, value_text(r->request_id), value_text(r->level_text),
    };
    char key[16];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        int len = snprintf(key, sizeof key, "\x7F%zu", i);

        add_member(b, slice_of(key, (size_t)len), values[i]);
    }
}

static void check_document(const struct record *r, bool may_repeat)
{
    struct buffer b = {0};
    struct json_object o = {0};

    buffer_add_lit(&b, "{\"\x7F\":0");
    add_known(&b, r);
    for (size_t i = 0; i < r->n_fields; i++)
        add_member(&b, r->fields[i].key, r->fields[i].value);
    buffer_add_char(&b, '}');
    must(json_scan(buffer_slice(&b), &o) == JSON_OK, "the record's values make no JSON");
    for (size_t i = 0; i < o.n_members; i++)
        must(may_repeat || !o.members[i].is_shadowed || o.members[i].key.ptr[0] == 0x7F,
             "a key comes twice");
    for (size_t i = 0; i < o.n_members; i++)
        must(!o.members[i].is_unsafe, "a value is not safe");
    buffer_free(&b);
    json_object_free(&o);
}

int fuzz_json_record(const uint8_t *data, size_t size)
{
    const struct parser parser = {&parser_json, NULL};
    struct parse_scratch scratch = {0};
    struct slice line = slice_of((const char *)data, size);
    struct record r;

    parser_parse(&parser, &scratch, line, &r);
    if (r.flags & RECORD_NO_MATCH)
        must(slice_eq(r.message.bytes, line), "a refused line is not the message");
    else
        /* NUL and U+FFFD in keys become the same. */
        check_document(&r, slice_find(line, slice_str("u0000")) >= 0);
    parse_scratch_free(&scratch);
    return 0;
}
