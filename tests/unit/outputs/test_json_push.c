#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "outputs/json_push.h"
#include "shipper/base/buffer.h"

/* Writes events as "key=value" at their depth, and containers as they come. */
static void record(void *ctx, const struct json_push *p, enum json_push_event event, unsigned depth,
                   struct slice text)
{
    struct buffer *out = ctx;
    struct slice key = depth ? json_push_key(p, depth) : (struct slice){0};

    buffer_printf(out, "%u:%.*s%s%.*s ", depth, SLICE_ARG(key), event == JSON_PUSH_VALUE ? "=" : "",
                  SLICE_ARG(text));
}

static bool push_by(struct json_push *p, struct slice text, size_t bite)
{
    while (text.len) {
        size_t n = bite < text.len ? bite : text.len;

        if (!json_push(p, slice_of(text.ptr, n)))
            return false;
        text = slice_from(text, n);
    }
    return true;
}

Test(json_push, events)
{
    static const struct {
        const char *text;
        const char *events;
    } rows[] = {
        {"{}", "0:{ 0:} "},
        {" [ ] ", "0:[ 0:] "},
        {"7 ", "0:=7 "},
        {"\"a\"", "0:=a "},
        {"null\n", "0:=null "},
        {"{\"a\":1,\"b\":{\"c\":[true,false]},\"d\":-1.5E+3}",
         "0:{ 1:a=1 1:b{ 2:c[ 3:=true 3:=false 2:c] 1:b} 1:d=-1.5E+3 0:} "},
        {"[{\"a\":1},{\"b\":2}]", "0:[ 1:{ 2:a=1 1:} 1:{ 2:b=2 1:} 0:] "},
        {"{\"a\":{\"k\":1},\"\":2}", "0:{ 1:a{ 2:k=1 1:a} 1:=2 0:} "},
        {"\"\\\"\\\\\\/\\n\\u0041\\u00e4\\u20AC\\ud83d\\ude00\"",
         "0:=\"\\/\nA\xc3\xa4\xe2\x82\xac?? "},
        {"{\"a\" : [ 1 , 2 ] }", "0:{ 1:a[ 2:=1 2:=2 1:a] 0:} "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t bite = 1; bite <= strlen(rows[i].text); bite++) {
            struct buffer out = {0};
            struct json_push p;

            json_push_init(&p, record, &out);
            cr_expect(push_by(&p, slice_str(rows[i].text), bite), "%s", rows[i].text);
            buffer_add_char(&out, '\0');
            cr_expect_str_eq(out.ptr, rows[i].events, "%s in bites of %zu", rows[i].text, bite);
            buffer_free(&out);
        }
    }
}

Test(json_push, is_complete_at_the_end_only)
{
    static const char text[] = "{\"a\":[1,{\"b\":\"\\u00e4\"}]}";
    struct buffer out = {0};

    for (size_t n = 0; n <= strlen(text); n++) {
        struct json_push p;

        json_push_init(&p, record, &out);
        cr_expect(json_push(&p, slice_of(text, n)));
        cr_expect_eq(json_push_is_complete(&p), n == strlen(text), "after %zu bytes", n);
    }
    buffer_free(&out);
}

Test(json_push, what_is_no_json)
{
    static const char *const rows[] = {
        "<html>",
        "{]",
        "[}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{,}",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "{} {}",
        "{}x",
        "]",
        "}",
        ",",
        ":",
        "\"\\x\"",
        "\"\\u12g4\"",
        "'a'",
        "[1]]",
        "\xef\xbb\xbf{}",
        "{\"a\":1:2}",
        "{1:2}",
        "\x1f\x8b",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        struct json_push p;

        json_push_init(&p, record, &out);
        cr_expect_not(json_push(&p, slice_str(rows[i])), "%s", rows[i]);
        cr_expect_not(json_push_is_complete(&p));
        cr_expect_not(json_push(&p, slice_str("{}")), "and it stays so");
        buffer_free(&out);
    }
}

Test(json_push, deeper_than_it_goes)
{
    struct buffer out = {0};
    struct json_push p;

    json_push_init(&p, record, &out);
    for (int i = 0; i < JSON_PUSH_DEPTH; i++)
        cr_expect(json_push(&p, slice_str("[")));
    cr_expect_not(json_push(&p, slice_str("[")));
    buffer_free(&out);
}

Test(json_push, long_keys_and_values_are_cut)
{
    struct buffer text = {0};
    struct buffer out = {0};
    struct json_push p;

    buffer_add_lit(&text, "{\"");
    for (int i = 0; i < 1000; i++)
        buffer_add_char(&text, 'k');
    buffer_add_lit(&text, "\":\"");
    for (int i = 0; i < 100000; i++)
        buffer_add_char(&text, 'v');
    buffer_add_lit(&text, "\",\"k\":1}");
    json_push_init(&p, record, &out);
    cr_expect(json_push(&p, buffer_slice(&text)));
    cr_expect(json_push_is_complete(&p));
    cr_expect_eq(out.len, strlen("0:{ 1:= 1:k=1 0:} ") + JSON_PUSH_KEY + JSON_PUSH_TEXT);
    buffer_free(&text);
    buffer_free(&out);
}
