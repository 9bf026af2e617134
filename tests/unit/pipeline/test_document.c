#include <criterion/criterion.h>
#include <jansson.h>

#include "parsers/parser.h"
#include "shipper/pipeline/document_app.h"
#include "shipper/pipeline/event.h"

static const struct stream_profile plain_profile = {
    .static_json = SLICE_LIT(",\"host.name\":\"h\",\"ecs.version\":\"9.4.0\""),
    .static_path_json = SLICE_LIT(",\"log.file.path\":\"/var/log/f.log\""),
    .has_id = true,
};

/* The document of one line by itself, as the `auto` parser reads it; the caller's to json_decref.
 */
static json_t *document_in(const struct stream_profile *profile, const char *line, unsigned flags,
                           struct buffer *text)
{
    const struct parser parser = {.ops = &parser_auto};
    struct parse_scratch scratch = {0};
    struct record record;
    struct event event = {.record = &record,
                          .stream = profile,
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

static json_t *document_of(const char *line, unsigned flags, struct buffer *text)
{
    return document_in(&plain_profile, line, flags, text);
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

/* What stands under a root key of a line's document, as compact JSON; NULL for none. */
static void check_member(const char *line, const char *key, const char *want, const char *because)
{
    struct buffer text = {0};
    json_t *doc = document_of(line, 0, &text);
    json_t *got = json_object_get(doc, key);
    char *said = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    cr_expect(doc, "%s: %.*s", because, SLICE_ARG(buffer_slice(&text)));
    cr_expect(want ? said && strcmp(said, want) == 0 : !said, "%s: %s: %s", because, key,
              said ? said : "(absent)");
    free(said);
    json_decref(doc);
    buffer_free(&text);
}

#define ECS(rest) "{\"ecs.version\":\"1.2.0\"," rest "}"

/* Whatever the keys are called: under `app` nothing clashes, and nothing is renamed. */
Test(document, keys_of_the_application)
{
    static const struct {
        const char *line;
        const char *want;
        const char *because;
    } rows[] = {
        {"{\"a\":1,\"b\":\"x\"}", "{\"a\":1,\"b\":\"x\"}", "as they are"},
        {"{\"\":1,\".\":2,\"a..b\":3,\".a\":4,\"a.\":5,\" \":6}",
         "{\"\":1,\".\":2,\"a..b\":3,\".a\":4,\"a.\":5,\" \":6}", "odd names"},
        {"{\"_id\":1,\"log\":\"x\",\"event.id\":2}", "{\"_id\":1,\"log\":\"x\",\"event.id\":2}",
         "names that mean something at the root"},
        {"{\"a\":{\"b\":[1,{\"c\":null}]}}", "{\"a\":{\"b\":[1,{\"c\":null}]}}", "nested"},
        {"{\"a\":{\"b\":1,\"b\":2}}", "{\"a\":\"{\\\"b\\\":1,\\\"b\\\":2}\"}",
         "a key twice inside: the text of it"},
        {"{\"a\":1,\"a\":2}", "{\"a\":2}", "a key twice: the last one"},
        {"{ \"a\" : 1 , \"b\" : \"x\" , \"c\" : { } }", "{\"a\":1,\"b\":\"x\",\"c\":{}}", "blanks"},
        {"{\"a\": 1, \"b\": \"x\", \"c\": [ ]}", "{\"a\":1,\"b\":\"x\",\"c\":[]}",
         "as Python writes it"},
        {"{\"a\":1,\"level\":\"info\",\"b\":2,\"c\":3}", "{\"a\":1,\"b\":2,\"c\":3}",
         "what became a field of its own stood between them"},
        {"{\"a\":1,\"b\":{\"x\":1,\"x\":2},\"c\":3,\"b\":4,\"d\":5}",
         "{\"a\":1,\"c\":3,\"b\":4,\"d\":5}", "what does not count stood between them"},
        {"{\"a\":\"\\\"\",\"b\":\"\\\\\",\"c\":\"\"}", "{\"a\":\"\\\"\",\"b\":\"\\\\\",\"c\":\"\"}",
         "quotes and backslashes inside, nothing inside"},
        {"{\"error\":{\"type\":\"E\",\"code\":7},\"a\":1}", "{\"error.code\":7,\"a\":1}",
         "a key that stands nowhere in the line"},
        {"{\"message\":\"x\"}", NULL, "nothing left over"},
        {"text", NULL, "no keys"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_member(rows[i].line, "app", rows[i].want, rows[i].because);
}

Test(document, lines_that_are_ecs)
{
    check_member(ECS("\"process.pid\":7"), "process.pid", "7", "stays at the root");
    check_member(ECS("\"process\":{\"pid\":7}"), "process", "{\"pid\":7}", "nested too");
    check_member(ECS("\"mine\":7"), "mine", "7", "its own names too");
    check_member(ECS("\"a\":1"), "app", NULL, "nothing under app");
    check_member(ECS("\"a\":1"), "ecs.version", "\"1.2.0\"", "its version, not ours");
    check_member("{\"ecs\":{\"version\":\"8.0\"}}", "ecs", "{\"version\":\"8.0\"}", "nested");
    check_member("{\"ecs\":{\"version\":\"8.0\"}}", "ecs.version", NULL, "and only once");
    check_member(ECS("\"event.dataset\":\"d\""), "event.dataset", "\"d\"", "its dataset");
    check_member(ECS("\"host\":{\"name\":\"x\"}"), "host.name", NULL, "its host");
    check_member(ECS("\"host\":{\"ip\":\"::1\"}"), "host.name", "\"h\"", "ours beside it");
    check_member(ECS("\"host.name\":\"x\""), "host.name", "\"x\"", "its host");
    check_member(ECS("\"labels\":{\"a\":\"x\"}"), "labels", "{\"a\":\"x\"}", "flat labels");
    check_member(ECS("\"labels\":{\"a\":{\"b\":1}}"), "app", "{\"labels\":{\"a\":{\"b\":1}}}",
                 "labels that no mapping takes");
    check_member(ECS("\"process\":\"x\""), "app", "{\"process\":\"x\"}",
                 "a word where ECS has an object");
    check_member(ECS("\"_id\":\"x\""), "app", "{\"_id\":\"x\"}", "the server's own names");
    check_member(ECS("\"a..b\":1"), "app", "{\"a..b\":1}", "no name at the root");
    check_member(ECS("\"a. .b\":1"), "app", "{\"a. .b\":1}", "no name at the root");
    check_member(ECS("\"\":1"), "app", "{\"\":1}", "no name at the root");
    check_member(ECS("\"log.offset\":1"), "app", "{\"log.offset\":1}", "what ship writes");
    check_member(ECS("\"log\":{\"file\":{\"path\":\"x\"}}"), "app",
                 "{\"log\":{\"file\":{\"path\":\"x\"}}}", "what ship writes, nested");
    check_member(ECS("\"log\":{\"off\\u0073et\":1}"), "log", NULL, "the same by an escape");
    check_member(ECS("\"faas\":{\"a\":{},\"execut\\u0069on\":1}"), "faas", NULL,
                 "the same by an escape, behind others");
    check_member(ECS("\"log.file\":{\"p\\u0061th\" : 1}"), "log.file", NULL, "half and half");
    check_member(ECS("\"faas\":{\"execution.x\":1}"), "faas", NULL, "a dot in a name inside");
    check_member(ECS("\"log\":{\"x\":\"\\u0061\"}"), "log", "{\"x\":\"a\"}",
                 "an escape in a value is none in a name");
    check_member(ECS("\"event\":{\"action\":\"login\"}"), "event", "{\"action\":\"login\"}",
                 "what ship does not write for a line");
}

/* OpenSearch refuses a document with a term of more than 32766 bytes under `app`. */
Test(document, what_is_too_long_for_a_term)
{
    static const struct {
        const char *head;
        size_t fill;
        const char *tail;
        const char *app; /* how it must begin; NULL: absent */
        const char *app_long;
        const char *because;
    } rows[] = {
        {"{\"a\":1,\"s\":\"", 40000, "\"}", "{\"a\":1}", "{\"s\":\"xxx", "a long text"},
        {"{\"s\":\"", 31000, "\"}", "{\"s\":\"xxx", NULL, "one that just fits"},
        {"{\"", 40000, "\":1}", NULL, "{\"xxx", "a long key"},
        {"{\"o\":{\"p\":[\"", 40000, "\"]}}", NULL, "{\"o\":{\"p\":[\"xxx", "inside"},
        {"{\"o\":{\"kkk\":1,\"", 40000, "\":{}}}", NULL, "{\"o\":{\"kkk\":1", "a key inside"},
        {"{\"o\":[\"a\",\"", 31000, "\",\"bbbb\",{\"c\":\"d\"}]}", "{\"o\":[\"a\"", NULL,
         "many that fit"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer line = {0};
        struct buffer text = {0};
        const char *names[] = {"app", "app_long"};
        const char *want[] = {rows[i].app, rows[i].app_long};
        json_t *doc;

        buffer_add_slice(&line, slice_str(rows[i].head));
        for (size_t n = 0; n < rows[i].fill; n++)
            buffer_add_char(&line, 'x');
        buffer_add_slice(&line, slice_str(rows[i].tail));
        buffer_add_char(&line, '\0');
        doc = document_of(line.ptr, 0, &text);
        cr_assert(doc, "%s", rows[i].because);
        for (int n = 0; n < 2; n++) {
            json_t *got = json_object_get(doc, names[n]);
            char *said = got ? json_dumps(got, JSON_COMPACT) : NULL;

            cr_expect(want[n] ? said && strncmp(said, want[n], strlen(want[n])) == 0 : !said,
                      "%s: %s: %.40s", rows[i].because, names[n], said ? said : "(absent)");
            free(said);
        }
        json_decref(doc);
        buffer_free(&line);
        buffer_free(&text);
    }
}

Test(document, texts_are_repaired_and_say_so)
{
    check_member("a\xFF"
                 "b",
                 "message",
                 "\"a\xEF\xBF\xBD"
                 "b\"",
                 "no UTF-8");
    check_member("a\xFF"
                 "b",
                 "log.flags", "[\"repaired\"]", "and flagged");
    check_member("{\"message\":\"\xFF\"}", "log.flags", "[\"repaired\"]", "in JSON");
    check_member("{\"message\":\"\\ud800\"}", "message", "\"\xEF\xBF\xBD\"", "a lone surrogate");
    check_member("plain", "log.flags", NULL, "nothing to repair");
    check_member("\xC3\xA9", "log.flags", NULL, "UTF-8");
}

Test(document, stack_frames)
{
    check_member("{\"stackTrace\":[\"say \\\"hi\\\"\",\"b\"]}", "error.stack_trace",
                 "\"say \\\"hi\\\"\\nb\"", "a quote at a frame's end");
    check_member("{\"stackTrace\":[\"\",\"b\"]}", "error.stack_trace", "\"\\nb\"", "an empty one");
    check_member("{\"stackTrace\":\"a\\n b\"}", "error.stack_trace", "\"a\\n b\"", "a text");
    check_member(THROWN, "error.stack_trace", "\"E: m\\n    at f (x.js:1:2)\"", "node.js");
}

/* What a configuration says about the application's keys. */
Test(document, lifted_keys_and_namespace)
{
    static const char *const keys[] = {"latency", "user"};
    static const char *const names[] = {"http.latency_ms", "user.name"};
    struct stream_profile profile = plain_profile;
    struct buffer text = {0};
    static const struct {
        const char *line;
        const char *key; /* at the root */
        const char *want;
        const char *because;
    } rows[] = {
        {"{\"latency\":3.5,\"x\":1}", "http.latency_ms", "3.5", "a lifted number"},
        {"{\"latency\":3.5,\"x\":1}", "shop", "{\"x\":1}", "the rest is in the namespace"},
        {"{\"user\":\"ann\"}", "user.name", "\"ann\"", "a lifted text"},
        {"{\"user\":\"ann\"}", "shop", NULL, "nothing is left"},
        {"{\"ecs.version\":\"1.2.0\",\"user\":\"ann\",\"user.name\":\"bob\"}", "user.name",
         "\"ann\"", "a lifted key is there before an ECS line's own"},
        {"{\"ecs.version\":\"1.2.0\",\"shop\":1}", "shop", "{\"shop\":1}",
         "an ECS line's key of the namespace's name"},
        {"{\"a\":1}", "event.original", "\"{\\\"a\\\":1}\"", "the line goes along"},
    };

    profile.namespace = slice_str("shop");
    profile.lift_keys = keys;
    profile.lift_names = names;
    profile.n_lifts = 2;
    profile.with_original = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *doc = document_in(&profile, rows[i].line, 0, &text);
        json_t *got = json_object_get(doc, rows[i].key);
        char *said = got ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

        cr_expect(doc, "%s: no JSON", rows[i].because);
        cr_expect(rows[i].want ? said && strcmp(said, rows[i].want) == 0 : !said, "%s: %s",
                  rows[i].because, said ? said : "(absent)");
        free(said);
        json_decref(doc);
    }
    buffer_free(&text);
}

Test(document, names_that_a_configuration_may_choose)
{
    static const struct {
        const char *name;
        bool is_free;
    } rows[] = {
        {"http.latency_ms", true},
        {"app", true},
        {"user-name", true},
        {"labels.x", true},
        {"log.level", false},
        {"log", false},
        {"", false},
        {"a..b", false},
        {".a", false},
        {"_id", false},
        {"a b", false},
        {"a\"b", false},
        {"@timestamp", false},
        {"event.id", false},
        {"cloud", false},
        {"message", false},
        {"aws.lambda.x", false},
        {"host.name", false},
        {"host", false},
        {"app", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(document_name_is_free(slice_str(rows[i].name)), rows[i].is_free, "%s",
                     rows[i].name);
}

Test(document, a_level_of_its_own)
{
    check_member("{\"level\":\"AUDIT\"}", "log.level", "\"audit\"", "in lower case");
    check_member("{\"level\":\"WARN\"}", "log.level", "\"warn\"", "one that is known");
    check_member("{\"level\":\"UNDEFINED\"}", "log.level", NULL, "Java says that there is none");
}

/* A parser's ECS fields stand at the root, but not where a configuration puts something else. */
Test(document, fields_of_ecs_stand_at_the_root)
{
    static const struct field root[] = {
        {SLICE_LIT("http.request.method"), {SLICE_LIT("GET"), VALUE_TEXT}},
        {SLICE_LIT("http.response.status_code"), {SLICE_LIT("200"), VALUE_JSON}},
        {SLICE_LIT("url.path"), {SLICE_LIT("/\"a\""), VALUE_TEXT}},
    };
    static const char *const keys[] = {"status", "p"};
    static const char *const names[] = {"http.response", "url.path"};
    struct stream_profile profile = plain_profile;
    struct record record;
    struct event event = {.record = &record, .stream = &profile, .coldstart = -1};
    struct buffer text = {0};

    record_reset(&record);
    record.root = root;
    record.n_root = 3;
    document_encode(&event, false, &text);
    cr_expect(
        slice_find(buffer_slice(&text),
                   slice_str(",\"http.request.method\":\"GET\",\"http.response.status_code\":200,"
                             "\"url.path\":\"/\\\"a\\\"\",")) > 0,
        "%.*s", SLICE_ARG(buffer_slice(&text)));
    profile.lift_keys = keys;
    profile.lift_names = names;
    profile.n_lifts = 2;
    text.len = 0;
    document_encode(&event, false, &text);
    cr_expect(slice_find(buffer_slice(&text), slice_str(",\"http.request.method\":\"GET\",")) > 0);
    cr_expect_lt(slice_find(buffer_slice(&text), slice_str("status_code")), 0,
                 "within a lifted one");
    cr_expect_lt(slice_find(buffer_slice(&text), slice_str("url.path")), 0, "lifted");
    buffer_free(&text);
}
