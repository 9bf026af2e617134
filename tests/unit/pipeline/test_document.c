#include <criterion/criterion.h>
#include <jansson.h>

#include "parsers/parser.h"
#include "shipper/pipeline/event.h"

/* The document of one line by itself, as the `auto` parser reads it; the caller's to json_decref.
 */
static json_t *document_of(const char *line, unsigned flags, struct buffer *text)
{
    static const struct stream_profile profile = {
        .static_json = SLICE_LIT(",\"host.name\":\"h\",\"ecs.version\":\"8.17.0\""),
        .static_path_json = SLICE_LIT(",\"log.file.path\":\"/var/log/f.log\""),
        .has_id = true,
    };
    const struct parser parser = {.ops = &parser_auto};
    struct parse_scratch scratch = {0};
    struct record record;
    struct event event = {.record = &record,
                          .stream = &profile,
                          .line = slice_str(line),
                          .id = "0123456789012345678901",
                          .coldstart = -1};
    json_t *doc;

    parser_parse(&parser, &scratch, event.line, &record);
    record.flags |= flags;
    event.time_ns = record.time_ns;
    event.level = record.level;
    event.request_id = record.request_id;
    event.request_id_source = REQUEST_ID_LINE;
    text->len = 0;
    document_encode(&event, true, text);
    doc = json_loadb(text->ptr, text->len, JSON_REJECT_DUPLICATES, NULL);
    parse_scratch_free(&scratch);
    return doc;
}

#define THROWN                                                                                     \
    "2026-10-09T08:53:20.123Z\t3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11\tERROR\tInvoke Error \t"       \
    "{\"errorType\":\"E\",\"errorMessage\":\"m\",\"stack\":[\"E: m\",\"    at f (x.js:1:2)\"]}"

/* Whatever the line and its flags, a document is one JSON object without a key twice. */
Test(document, is_json)
{
    static const char *const lines[] = {
        "plain text with \"quotes\", a \t tab and \\",
        "bytes that are no UTF-8: \xFF\xC3",
        "{\"a\":1,\"a.b\":{\"c\":[1,2]},\"message\":[\"not\",\"text\"],\"level\":30}",
        "{\"ecs.version\":\"1.2.0\",\"@timestamp\":\"2026-10-09T08:53:20Z\",\"log\":\"x\",\"\":1}",
        "{\"message\":\"m\",\"error\":{\"type\":\"E\",\"stack\":\"s\",\"code\":7}}",
        "{\"errorType\":\"E\",\"stackTrace\":[\"a\",\"b\"],\"level\":\"ERROR\"}",
        "REPORT RequestId: 3f0d9c9e-0b1d-4a52-9a3e-0f6d6a3c1b11\tDuration: 812.25 ms\tBilled "
        "Duration: 1210 ms\tMemory Size: 256 MB\tMax Memory Used: 91 MB\tStatus: timeout",
        "[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r  File \"a.py\", line 1",
        THROWN,
    };
    struct buffer text = {0};

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (unsigned flags = 0; flags < 1u << 6; flags++) {
            json_t *doc = document_of(lines[i], flags, &text);

            cr_expect(json_is_object(doc), "flags %u: %s\n%.*s", flags, lines[i],
                      SLICE_ARG(buffer_slice(&text)));
            json_decref(doc);
        }
    buffer_free(&text);
}

Test(document, flags)
{
    static const struct {
        unsigned flags;
        const char *want; /* NULL: no log.flags at all */
        const char *because;
    } rows[] = {
        {0, NULL, "nothing to say"},
        {RECORD_UNHANDLED, NULL, "this one has no name, and must leave no trace"},
        {RECORD_TRUNCATED, "[\"truncated\"]", "one"},
        {RECORD_TRUNCATED | RECORD_BAD_JSON | RECORD_UNHANDLED, "[\"truncated\", \"bad_json\"]",
         "two, and one without a name"},
    };
    struct buffer text = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *doc = document_of("x", rows[i].flags, &text);
        json_t *got = json_object_get(doc, "log.flags");
        char *said = got ? json_dumps(got, 0) : NULL;

        cr_expect(rows[i].want ? said && strcmp(said, rows[i].want) == 0 : !said, "%s: %s",
                  rows[i].because, said ? said : "(absent)");
        free(said);
        json_decref(doc);
    }
    buffer_free(&text);
}

Test(document, stack_of_frames_is_one_text)
{
    struct buffer text = {0};
    json_t *doc = document_of(THROWN, 0, &text);

    cr_assert(doc);
    cr_expect_str_eq(json_string_value(json_object_get(doc, "error.stack_trace")),
                     "E: m\n    at f (x.js:1:2)");
    cr_expect_str_eq(json_string_value(json_object_get(doc, "error.type")), "E");
    json_decref(doc);
    buffer_free(&text);
}
