/* How a document is mended before it is sent again. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/letter_fix.h"

Test(letter_fix, what_can_be_asked_for)
{
    static const struct {
        const char *text;
        enum letter_fix_kind kind;
        const char *field, *value;
    } rows[] = {
        {"a.b=x", LETTER_FIX_SET, "a.b", "x"},
        {"a=", LETTER_FIX_SET, "a", ""},
        {"a=b->c", LETTER_FIX_SET, "a", "b->c"},
        {"a=b:string", LETTER_FIX_SET, "a", "b:string"},
        {"-a=x", LETTER_FIX_SET, "-a", "x"},
        {"@timestamp=2026-01-01T00:00:00Z", LETTER_FIX_SET, "@timestamp", "2026-01-01T00:00:00Z"},
        {"-a.b", LETTER_FIX_REMOVE, "a.b", ""},
        {"--a", LETTER_FIX_REMOVE, "-a", ""},
        {"a->b.c", LETTER_FIX_RENAME, "a", "b.c"},
        {"a->b=c", LETTER_FIX_RENAME, "a", "b=c"},
        {"a.b:string", LETTER_FIX_STRING, "a.b", ""},
    };
    static const char *const bad[] = {
        "",      "a",    "-",     "=x",     "->b",   "a->",     ":string",
        "a:int", "\"=x", "\\->b", "\xff=x", "-\xe4", "a->\xc3", "\xed\xa0\x80:string"};
    struct letter_fix fix;
    struct err e;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(letter_fix_parse(rows[i].text, &fix, &e), 0, "%s", rows[i].text);
        cr_expect_eq(fix.kind, rows[i].kind, "%s", rows[i].text);
        cr_expect(slice_is(fix.field, rows[i].field), "%s", rows[i].text);
        cr_expect(slice_is(fix.value, rows[i].value), "%s", rows[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(letter_fix_parse(bad[i], &fix, &e), -1, "%s", bad[i]);
        cr_expect(strstr(e.where, bad[i]) || !*bad[i]);
    }
}

static const struct {
    const char *fix, *document, *want;
} rows[] = {
    {"-a", "{\"a\":1,\"b\":\"x\\\"y\"}", "{\"b\":\"x\\\"y\"}"},
    {"-b", "{\"a\":1,\"b\":2}", "{\"a\":1}"},
    {"-a", "{\"a\":1}", "{}"},
    {"-b", "{ \"a\" : [1, {\"b\":2}] , \"ab\" : 1.50 }", "{\"a\":[1, {\"b\":2}],\"ab\":1.50}"},
    {"-a", "{\"a.b\":1,\"a\":{\"c\":1},\"ab\":null}", "{\"ab\":null}"},
    {"-a.b", "{\"a.b\":1,\"a.bc\":2,\"a.b.c\":3}", "{\"a.bc\":2}"},
    {"-a", "{}", "{}"},
    {"-a.b.c", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}", "{\"a\":{\"b\":{\"d\":2}}}"},
    {"-a.b.c", "{\"a.b\":{\"c\":1},\"a\":{\"b.c\":2,\"x\":3}}", "{\"a.b\":{},\"a\":{\"x\":3}}"},
    {"-a.b", "{\"a\":\"text\"}", "{\"a\":\"text\"}"},
    {"a=x", "{}", "{\"a\":\"x\"}"},
    {"a=x", "{\"a\":{\"b\":1},\"c\":2}", "{\"c\":2,\"a\":\"x\"}"},
    {"a.b=x \"y\"", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2},\"a.b\":\"x \\\"y\\\"\"}"},
    {"a->b", "{\"a\":1,\"c\":2}", "{\"c\":2,\"b\":1}"},
    {"a->b", "{\"c\":2}", "{\"c\":2}"},
    {"a->b", "{\"b\":1}", "{\"b\":1}"},
    {"a->b", "{\"a\":\"x\\ny\",\"b\":1,\"b.c\":2,\"bc\":3}", "{\"bc\":3,\"b\":\"x\\ny\"}"},
    {"a->x.y", "{\"a\":{\"b\":1},\"a.c\":[2]}", "{\"x.y\":{\"b\":1},\"x.y.c\":[2]}"},
    {"a.b->a.c", "{\"a\":{\"b\":1}}", "{\"a\":{},\"a.c\":1}"},
    {"a->a", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"},
    {"a:string", "{\"a\":1.50,\"b\":2}", "{\"b\":2,\"a\":\"1.50\"}"},
    {"a:string", "{\"a\":true}", "{\"a\":\"true\"}"},
    {"a:string", "{\"a\":null}", "{\"a\":null}"},
    {"a:string", "{\"a\":\"x\\u00e9\"}", "{\"a\":\"x\\u00e9\"}"},
    {"a:string", "{\"a\":{\"b\":\"c\"}}", "{\"a\":\"{\\\"b\\\":\\\"c\\\"}\"}"},
    {"a.b:string", "{\"a\":{\"b\":[1,2]}}", "{\"a\":{},\"a.b\":\"[1,2]\"}"},
    {"a:string", "{\"b\":1}", "{\"b\":1}"},
};

Test(letter_fix, a_document_is_mended)
{
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letter_fix fix;
        json_t *read;

        cr_assert_eq(letter_fix_parse(rows[i].fix, &fix, NULL), 0);
        out.len = 0;
        cr_expect(letter_fix_apply(&fix, slice_str(rows[i].document), &out));
        cr_expect(slice_is(buffer_slice(&out), rows[i].want), "%s of %s: %.*s", rows[i].fix,
                  rows[i].document, SLICE_ARG(buffer_slice(&out)));
        read = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
        cr_expect(read, "%.*s is no JSON", SLICE_ARG(buffer_slice(&out)));
        json_decref(read);
    }
    buffer_free(&out);
}
