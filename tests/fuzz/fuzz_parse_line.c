#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/json_scan.h"
#include "tests/fuzz/targets.h"
#include "tests/support/document_rig.h"

static void must(bool holds, const char *what, struct slice document)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_parse_line: %s:\n%.*s\n", what, SLICE_ARG(document));
    abort();
}

/* What jansson does not take: numbers that no double holds, keys with \u0000. */
static bool is_beyond_jansson(const json_error_t *e)
{
    return json_error_code(e) == json_error_numeric_overflow ||
           json_error_code(e) == json_error_null_byte_in_key;
}

static void check_members(const json_t *doc, struct slice text)
{
    const char *id = json_string_value(json_object_get(doc, "event.id"));

    must(json_is_object(doc), "no object", text);
    must(json_is_string(json_object_get(doc, "@timestamp")), "no time", text);
    must(json_is_string(json_object_get(doc, "message")), "no message", text);
    must(json_is_integer(json_object_get(doc, "log.offset")), "no offset", text);
    must(id && strlen(id) == 22, "no id", text);
}

static void check_document(struct slice text)
{
    struct json_object o = {0};
    json_error_t e;
    json_t *doc = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);

    must(json_scan(text, &o) == JSON_OK, "no JSON", text);
    for (size_t i = 0; i < o.n_members; i++)
        must(!o.members[i].is_shadowed && !o.members[i].is_unsafe, "a key twice, or unsafe", text);
    must(doc || is_beyond_jansson(&e), e.text, text);
    if (doc)
        check_members(doc, text);
    json_decref(doc);
    json_object_free(&o);
}

/* Lines that say no time get the nearest that their chunk says; all else is the same however a file
 * is cut. */
static struct slice without_time(struct slice document)
{
    struct slice rest = document;
    struct slice time;

    return slice_cut(&rest, ',', &time) ? rest : document;
}

/* A summary's own start and end are times too, but those of its lines. */
static void check_same(struct slice a, struct slice b)
{
    struct slice one;
    struct slice other;

    while (slice_cut(&a, '\n', &one)) {
        must(slice_cut(&b, '\n', &other), "chunks lose an event", one);
        must(slice_eq(without_time(one), without_time(other)), "chunks make a difference", other);
    }
    must(b.len == 0, "chunks make an event more", b);
}

int fuzz_parse_line(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"a", "order", "n", "error.code", "k1"};
    static const char *const names[] = {"x.y", "x.z", "event.sequence", "error.code", "url.path"};
    struct document_rig rig = {
        .max_line_bytes = 700,
        .now_ns = 1,
        .chunk_bytes = (int64_t)size + 1024,
        .lift_keys = keys,
        .lift_names = names,
        .n_lifts = size % 3 ? 0 : sizeof keys / sizeof keys[0],
        .with_original = size % 5 == 0,
    };
    struct slice bytes = slice_of((const char *)data, size);
    struct buffer whole = {0};
    struct buffer cut = {0};
    struct slice rest;
    struct slice line;

    documents_of(&rig, bytes, &whole);
    rest = buffer_slice(&whole);
    while (slice_cut(&rest, '\n', &line))
        check_document(line);
    must(rest.len == 0, "a document without its newline", rest);

    rig.chunk_bytes = 1 + (int64_t)(size * 7 % 300);
    rig.is_restarted = size % 2;
    documents_of(&rig, bytes, &cut);
    check_same(buffer_slice(&whole), buffer_slice(&cut));
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
