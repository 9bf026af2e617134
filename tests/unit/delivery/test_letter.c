/* One dead letter: what it says, and that it is one line of JSON whatever is in it. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/letter.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"
#include "tests/support/memory_source.h"

struct rig {
    struct budget budget;
    struct memory_source source;
    struct stream stream;
    struct chunk chunk;
    struct batch *batch;
    struct buffer out;
    json_t *json;
};

/* One event: `line` as it stands in the file after 100 other bytes, `document` as it was sent. */
static void rig_init(struct rig *r, struct slice line, const char *document)
{
    static char text[4096];

    memset(r, 0, sizeof *r);
    memset(text, 'x', 100);
    memcpy(text + 100, line.ptr, line.len);
    memory_source_init(&r->source, slice_of(text, 100 + line.len), false);
    budget_init(&r->budget, 1 << 20);
    r->stream.source = &r->source.base;
    r->stream.profile.path = (struct slice)SLICE_LIT("/var/log/a \"b\".log");
    r->stream.id_key.low = 0x0123456789abcdef;
    r->chunk.stream = &r->stream;
    r->chunk.start = 60;
    r->batch = batch_new(0, &r->budget);
    buffer_add_slice(&r->batch->body, slice_str(document));
    cr_assert(batch_commit(r->batch, 0, &r->chunk, 40, (uint32_t)line.len));
}

static void rig_fini(struct rig *r)
{
    json_decref(r->json);
    buffer_free(&r->out);
    batch_free(r->batch);
}

static void write_letter(struct rig *r, const struct rejection *why)
{
    struct letter_reason reason;

    letter_reason_init(&reason, 0, why);
    letter_encode(&reason, r->batch, buffer_slice(&r->batch->body), "es \"1\"", 1767225600123456789,
                  &r->out);
    letter_reason_fini(&reason);
    cr_expect_eq(memchr(r->out.ptr, '\n', r->out.len), r->out.ptr + r->out.len - 1, "one line");
    r->json = json_loadb(r->out.ptr, r->out.len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(r->json, "%.*s", (int)r->out.len, r->out.ptr);
}

static void expect_text(const struct rig *r, const char *key, const char *want)
{
    json_t *value = json_object_get(r->json, key);

    if (want)
        cr_expect_str_eq(json_string_value(value) ? json_string_value(value) : "(none)", want, "%s",
                         key);
    else
        cr_expect_null(value, "%s", key);
}

Test(letter, all_that_it_takes_to_send_it_again)
{
    struct rejection why = {0, 400, "document_parsing_exception", "failed to parse \"x\"\n at 1"};
    struct rig r;

    rig_init(&r, slice_str("the \"line\""), "{\"create\":{\"_id\":\"i\"}}\n{\"message\":\"m\"}\n");
    write_letter(&r, &why);
    expect_text(&r, "time", "2026-01-01T00:00:00.123456789Z");
    expect_text(&r, "output", "es \"1\"");
    cr_expect_eq(json_integer_value(json_object_get(r.json, "status")), 400);
    expect_text(&r, "type", "document_parsing_exception");
    expect_text(&r, "reason", "failed to parse \"x\"\n at 1");
    expect_text(&r, "path", "/var/log/a \"b\".log");
    cr_expect_eq(json_integer_value(json_object_get(r.json, "offset")), 100);
    expect_text(&r, "id", "i");
    expect_text(&r, "origin", "0123456789abcdef");
    expect_text(&r, "original", "the \"line\"");
    expect_text(&r, "original_base64", NULL);
    cr_expect_str_eq(
        json_string_value(json_object_get(json_object_get(r.json, "document"), "message")), "m");
    rig_fini(&r);
}

Test(letter, a_document_without_an_action_line)
{
    struct rig r;

    rig_init(&r, slice_str("line"), "{\"message\":\"m\"}\n");
    write_letter(&r, NULL);
    expect_text(&r, "type", "unknown");
    expect_text(&r, "id", NULL);
    expect_text(&r, "reason", "");
    cr_expect_str_eq(
        json_string_value(json_object_get(json_object_get(r.json, "document"), "message")), "m");
    rig_fini(&r);
}

/* Text would not be the original: the bytes are kept as they were. */
Test(letter, a_line_that_is_not_utf_8)
{
    static const struct {
        struct slice line;
        const char *base64;
    } rows[] = {
        {SLICE_LIT("\xff"), "/w=="},
        {SLICE_LIT("a\xff"), "Yf8="},
        {SLICE_LIT("ab\xff"), "YWL/"},
        {SLICE_LIT("\xff\xfe\xfd\xfc"), "//79/A=="},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;

        rig_init(&r, rows[i].line, "{}\n");
        write_letter(&r, NULL);
        expect_text(&r, "original", NULL);
        expect_text(&r, "original_base64", rows[i].base64);
        rig_fini(&r);
    }
}

Test(letter, an_original_that_is_gone)
{
    struct rig r;

    rig_init(&r, slice_str("line"), "{\"create\":{}}\n{\"message\":\"m\"}\n");
    r.source.text.len = 50; /* truncated */
    write_letter(&r, NULL);
    expect_text(&r, "original", NULL);
    expect_text(&r, "original_base64", NULL);
    cr_expect_not_null(json_object_get(r.json, "document"));
    rig_fini(&r);
}

Test(letter, a_reason_is_a_copy)
{
    char type[] = "type";
    char reason[] = "reason";
    struct letter_reason copy;
    struct rejection why = {7, 400, type, reason};

    letter_reason_init(&copy, 7, &why);
    memset(type, 'x', 4);
    memset(reason, 'x', 6);
    cr_expect_str_eq(copy.type, "type");
    cr_expect_str_eq(copy.reason, "reason");
    cr_expect_eq(copy.index, 7);
    letter_reason_fini(&copy);
}

/* Written, read, and written again for another reason: what it takes to send it stays to the byte.
 */
Test(letter, read_back_and_renewed)
{
    struct rejection why = {0, 400, "type \"1\"", "reason"};
    char type[] = "other";
    struct letter_reason again = {.status = 413, .type = type};
    struct json_object scan = {0};
    struct letter first;
    struct letter second;
    struct buffer renewed = {0};
    struct rig r;

    rig_init(&r, slice_str("a \"line\""),
             "{\"create\":{\"_id\":\"i-_9\"}}\n{\"n\":1.50,\"m\":\"\\u00e9\"}\n");
    write_letter(&r, &why);
    r.out.len--;
    cr_assert(letter_read(buffer_slice(&r.out), &scan, &first));
    cr_expect(slice_is(first.type, "type \\\"1\\\""));
    cr_expect(slice_is(first.output, "es \\\"1\\\""));
    cr_expect(slice_is(first.id, "i-_9"));
    cr_expect(slice_is(first.original, "a \\\"line\\\""));
    cr_expect(slice_is(first.document, "{\"n\":1.50,\"m\":\"\\u00e9\"}"));
    cr_expect_eq(first.status, 400);
    cr_expect_eq(first.offset, 100);
    cr_expect_eq(first.origin, 0x0123456789abcdef);
    cr_expect_eq(first.time_ns, 1767225600123456789);

    letter_renew(&scan, &again, 1767225601000000000, &renewed);
    cr_assert_eq(renewed.ptr[--renewed.len], '\n');
    cr_assert(letter_read(buffer_slice(&renewed), &scan, &second), "%.*s",
              SLICE_ARG(buffer_slice(&renewed)));
    cr_expect(slice_is(second.type, "other"));
    cr_expect(slice_is(second.reason, ""));
    cr_expect(slice_eq(second.output, first.output));
    cr_expect(slice_eq(second.id, first.id));
    cr_expect(slice_eq(second.original, first.original));
    cr_expect(slice_eq(second.path, first.path));
    cr_expect(slice_eq(second.document, first.document));
    cr_expect_eq(second.status, 413);
    cr_expect_eq(second.offset, first.offset);
    cr_expect_eq(second.origin, first.origin);
    cr_expect_eq(second.time_ns, 1767225601000000000);
    buffer_free(&renewed);
    json_object_free(&scan);
    rig_fini(&r);
}

Test(letter, what_is_none)
{
    static const char *const rows[] = {
        "{\"time\":\"2026-01-01T00:00:00Z\",\"document\":{", /* torn */
        "{\"time\":\"2026-01-01T00:00:00Z\"}",
        "{\"time\":\"2026-01-01T00:00:00Z\",\"document\":\"text\"}",
        "{\"time\":\"yesterday\",\"document\":{}}",
        "[]",
        "",
    };
    struct json_object scan = {0};
    struct letter letter;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_not(letter_read(slice_str(rows[i]), &scan, &letter), "%s", rows[i]);
    json_object_free(&scan);
}
