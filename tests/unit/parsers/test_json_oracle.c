/* The scanner held against jansson: over a corpus, and over mutations of it from a fixed seed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/json_oracle.h"

#define DOC(lit) SLICE_LIT(lit)

static const struct slice corpus[] = {
    DOC("{}"),
    DOC(" {\"a\" : [ 1 , 2.5 , { } , [ ] ] , \"b\" : null , \"c\" : true , \"d\" : false } "),
    DOC("{\"timestamp\":\"2026-10-09T08:53:20.123Z\",\"level\":\"INFO\",\"requestId\":\"3f0d9c9e-"
        "0b1d-"
        "4a52-9a3e-0f6d6a3c1b11\",\"message\":\"order taken\"}"),
    DOC("{\"level\":\"ERROR\",\"message\":{\"errorType\":\"Error\",\"errorMessage\":\"boom\","
        "\"stackTrace\":[\"Error: boom\",\"    at f (/var/task/a.js:1:2)\"]}}"),
    DOC("{\"_aws\":{\"Timestamp\":1760000000123,\"CloudWatchMetrics\":[{\"Namespace\":\"shop\","
        "\"Dimensions\":[[\"service\"]],\"Metrics\":[{\"Name\":\"taken\"}]}]},\"taken\":1}"),
    DOC("{\"a\":1,\"\\u0061\":2,\"b\":{\"c\":1,\"c\":2},\"a\":[{\"x\":{\"y\":1,\"\\u0079\":2}}]}"),
    DOC("{\"e\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\ud83d\\ude00\\u0000\"}"),
    DOC("{\"s\":\"\\ud800\",\"t\":\"\\udc00x\",\"u\":\"\\ud800\\ud83d\\ude00\"}"),
    DOC("{\"u\":\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 plain text of some length \xC3\xA9\","
        "\"\xC3\xA9\":1}"),
    DOC("{\"u\":\"\xC0\x80 \xED\xA0\x80 \xF4\x90\x80\x80 \xFF \xE2\x82\",\"\xE2\x82\":1}"),
    DOC("{\"a\":0,\"b\":-0,\"c\":1.5e+10,\"d\":1E-2,\"e\":12345678901234567890123,\"f\":-1.25}"),
    DOC("{\"a\":[[[[[[[[[[[[[[[[[[[[{\"b\":[]}]]]]]]]]]]]]]]]]]]]],\"c\":{\"d\":{\"e\":{}}}}"),
    DOC("{\"a\":{\"x\\u0000y\":1},\"z\":\"\\u0000\"}"),
    DOC("{\"k1\":1,\"k2\":{\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,"
        "\"k9\":9,\"k10\":1,\"k11\":1,\"k12\":1,\"k13\":1,\"k14\":1,\"k15\":1},\"k3\":[\"k\",\"k\"]"
        "}"),
    DOC("[{\"a\":1}]"),
    DOC("\"text\""),
    DOC("{\"a\":\"cut"),
};

enum { N_CORPUS = sizeof corpus / sizeof corpus[0] };

Test(json_oracle, corpus)
{
    struct json_object o = {0};

    for (size_t i = 0; i < N_CORPUS; i++) {
        const char *wrong = oracle_check(corpus[i], &o);

        cr_expect_null(wrong, "%.*s: %s", SLICE_ARG(corpus[i]), wrong ? wrong : "");
    }
    json_object_free(&o);
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static size_t draw_below(uint64_t *state, size_t n)
{
    return (size_t)(draw(state) % n);
}

/* Replaces doc[at, at + cut) by `with`. */
static void splice(struct buffer *doc, size_t at, size_t cut, struct slice with)
{
    size_t tail = doc->len - at - cut;

    buffer_reserve(doc, with.len);
    memmove(doc->ptr + at + with.len, doc->ptr + at + cut, tail);
    memcpy(doc->ptr + at, with.ptr, with.len);
    doc->len = at + with.len + tail;
}

/* What often decides whether a text is JSON, or the same JSON. */
static const struct slice tokens[] = {
    DOC("\""),
    DOC("\\"),
    DOC("{"),
    DOC("}"),
    DOC("["),
    DOC("]"),
    DOC(","),
    DOC(":"),
    DOC("\\u0061"),
    DOC("\\ud83d"),
    DOC("\\ude00"),
    DOC("\0"),
    DOC("\xFF"),
    DOC("\xC3"),
    DOC("\xA9"),
    DOC("\xE2\x82"),
    DOC("\xED\xA0\x80"),
    DOC("0"),
    DOC("-"),
    DOC("."),
    DOC("e"),
    DOC("1e9"),
    DOC("null"),
    DOC("true"),
    DOC(" "),
    DOC("\n"),
    DOC("\x1F"),
    DOC("\"a\":1,"),
    DOC("{\"a\":1},"),
    DOC("[],"),
    DOC("\"k1\":{\"k1\":0,\"k1\":1},"),
    DOC("\\u0000"),
    DOC("\\"),
    DOC("\xF0\x9F\x98\x80"),
};

static void mutate(struct buffer *doc, uint64_t *state)
{
    struct slice token = tokens[draw_below(state, sizeof tokens / sizeof tokens[0])];
    struct slice other = corpus[draw_below(state, N_CORPUS)];
    size_t at = draw_below(state, doc->len + 1);
    size_t room = doc->len - at;
    size_t from;

    switch (draw_below(state, 6)) {
    case 0:
    case 1:
        splice(doc, at, 0, token);
        break;
    case 2:
        splice(doc, at, room ? 1 : 0, token);
        break;
    case 3:
        splice(doc, at, room ? draw_below(state, room < 8 ? room : 8) : 0, slice_of("", 0));
        break;
    case 4:
        if (room)
            doc->ptr[at] = (char)draw(state);
        break;
    default:
        from = draw_below(state, other.len);
        splice(doc, at, 0, slice_of(other.ptr + from, draw_below(state, other.len - from) + 1));
        break;
    }
}

static void check_mutations(uint64_t seed, size_t n_documents)
{
    struct json_object o = {0};
    struct buffer doc = {0};
    uint64_t state = seed;
    size_t n_accepted = 0;

    for (size_t n = 0; n < n_documents; n++) {
        const char *wrong;

        doc.len = 0;
        buffer_add_slice(&doc, corpus[draw_below(&state, N_CORPUS)]);
        for (size_t i = draw_below(&state, 4) + 1; i > 0; i--)
            mutate(&doc, &state);
        buffer_reserve(&doc, 1); /* an emptied document still has an address */
        wrong = oracle_check(buffer_slice(&doc), &o);
        cr_expect_null(wrong, "seed %llu, document %zu: %s: %.*s", (unsigned long long)seed, n,
                       wrong ? wrong : "", (int)doc.len, doc.ptr);
        n_accepted += json_scan(buffer_slice(&doc), &o) == JSON_OK;
    }
    /* Else the comparison of values has seen nothing. */
    cr_expect_gt(n_accepted, n_documents / 20, "seed %llu", (unsigned long long)seed);
    buffer_free(&doc);
    json_object_free(&o);
}

Test(json_oracle, mutations)
{
    for (uint64_t seed = 20261009; seed < 20261013; seed++)
        check_mutations(seed, 10000);
}
