/* What a letter's document is sent without. */
#include <criterion/criterion.h>

#include "shipper/inputs/letters.h"

Test(letters, a_field_is_left_out)
{
    static const struct {
        const char *document, *field, *want;
    } rows[] = {
        {"{\"a\":1,\"b\":\"x\\\"y\"}", "a", "{\"b\":\"x\\\"y\"}"},
        {"{\"a\":1,\"b\":2}", "b", "{\"a\":1}"},
        {"{\"a\":1}", "a", "{}"},
        {"{ \"a\" : [1, {\"b\":2}] , \"ab\" : 1.50 }", "b", "{\"a\":[1, {\"b\":2}],\"ab\":1.50}"},
        {"{\"a.b\":1,\"a\":{\"c\":1},\"ab\":null}", "a", "{\"ab\":null}"},
        {"{\"a.b\":1,\"a.bc\":2,\"a.b.c\":3}", "a.b", "{\"a.bc\":2}"},
        {"{}", "a", "{}"},
    };
    struct json_object scan = {0};
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(json_scan(slice_str(rows[i].document), &scan), JSON_OK);
        out.len = 0;
        letters_leave_out(&scan, rows[i].field, &out);
        cr_expect(slice_is(buffer_slice(&out), rows[i].want), "%s without %s: %.*s",
                  rows[i].document, rows[i].field, SLICE_ARG(buffer_slice(&out)));
    }
    buffer_free(&out);
    json_object_free(&scan);
}
