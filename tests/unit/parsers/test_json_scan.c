#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parsers/json_scan.h"

#define LIT(lit) slice_of((lit), sizeof(lit) - 1)

/* A copy of exactly its size, so that ASan sees a read behind the end. */
static enum json_status scan_exact(struct slice text, struct json_object *o)
{
    char *copy = malloc(text.len ? text.len : 1);
    enum json_status status;

    memcpy(copy, text.ptr, text.len);
    status = json_scan(slice_of(copy, text.len), o);
    free(copy);
    return status;
}

Test(json_scan, accepts_and_refuses)
{
    static const struct {
        struct slice text;
        enum json_status want;
        const char *because;
    } rows[] = {
        {SLICE_LIT("{}"), JSON_OK, "empty"},
        {SLICE_LIT(" \t\r\n{ } \n"), JSON_OK, "blanks around"},
        {SLICE_LIT(""), JSON_NOT_OBJECT, "nothing"},
        {SLICE_LIT("   "), JSON_NOT_OBJECT, "only blanks"},
        {SLICE_LIT("[1]"), JSON_NOT_OBJECT, "an array"},
        {SLICE_LIT("\xEF\xBB\xBF{}"), JSON_NOT_OBJECT, "a byte order mark is no blank"},
        {SLICE_LIT("{"), JSON_INVALID, "cut"},
        {SLICE_LIT("{\"a\""), JSON_INVALID, "cut behind a key"},
        {SLICE_LIT("{\"a\":"), JSON_INVALID, "cut behind a colon"},
        {SLICE_LIT("{\"a\":1"), JSON_INVALID, "cut behind a value"},
        {SLICE_LIT("{\"a\":1,"), JSON_INVALID, "cut behind a comma"},
        {SLICE_LIT("{\"a\":1,}"), JSON_INVALID, "comma at the end"},
        {SLICE_LIT("{\"a\":[1,]}"), JSON_INVALID, "comma at an array's end"},
        {SLICE_LIT("{\"a\":[,1]}"), JSON_INVALID, "comma at an array's start"},
        {SLICE_LIT("{\"a\":[1}"), JSON_INVALID, "wrong bracket"},
        {SLICE_LIT("{\"a\":{\"b\":1]}"), JSON_INVALID, "wrong bracket"},
        {SLICE_LIT("{\"a\":1} x"), JSON_INVALID, "text behind"},
        {SLICE_LIT("{\"a\":1}{}"), JSON_INVALID, "two objects"},
        {SLICE_LIT("{\"a\":1}\0"), JSON_INVALID, "NUL behind"},
        {SLICE_LIT("{a:1}"), JSON_INVALID, "key without quotes"},
        {SLICE_LIT("{1:1}"), JSON_INVALID, "number as a key"},
        {SLICE_LIT("{\"a\" 1}"), JSON_INVALID, "no colon"},
        {SLICE_LIT("{\"a\":True}"), JSON_INVALID, "Python's True"},
        {SLICE_LIT("{\"a\":tru}"), JSON_INVALID, "half a word"},
        {SLICE_LIT("{\"a\":truee}"), JSON_INVALID, "more than a word"},
        {SLICE_LIT("{\"a\":NaN}"), JSON_INVALID, "NaN"},
        {SLICE_LIT("{\"a\":'b'}"), JSON_INVALID, "single quotes"},
        {SLICE_LIT("{\"a\":\"b}"), JSON_INVALID, "string without an end"},
        {SLICE_LIT("{\"a\":\"b\\"), JSON_INVALID, "cut behind a backslash"},
        {SLICE_LIT("{\"a\":\"b\nc\"}"), JSON_INVALID, "newline in a string"},
        {SLICE_LIT("{\"a\":\"b\0c\"}"), JSON_INVALID, "NUL in a string"},
        {SLICE_LIT("{\"a\":\"\x1F\"}"), JSON_INVALID, "control in a string"},
        {SLICE_LIT("{\"a\":\"\x7F\"}"), JSON_OK, "DEL is allowed"},
        {SLICE_LIT("{\"a\":\"\\x41\"}"), JSON_INVALID, "unknown escape"},
        {SLICE_LIT("{\"a\":\"\\u00g1\"}"), JSON_INVALID, "not hex"},
        {SLICE_LIT("{\"a\":\"\\u00"), JSON_INVALID, "cut in an escape"},
        {SLICE_LIT("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}"), JSON_OK, "all escapes"},
        {SLICE_LIT("{\"a\":\"\\u0000\"}"), JSON_OK, "an escaped NUL is text"},
        {SLICE_LIT("{\"a\":\"\\ud83d\\ude00\"}"), JSON_OK, "a pair of surrogates"},
        {SLICE_LIT("{\"a\":\"\\ud83d\"}"), JSON_BAD_ENCODING, "lone high surrogate"},
        {SLICE_LIT("{\"a\":\"\\ude00\"}"), JSON_BAD_ENCODING, "lone low surrogate"},
        {SLICE_LIT("{\"a\":\"\\ud83d\\u0041\"}"), JSON_BAD_ENCODING, "high, then a letter"},
        {SLICE_LIT("{\"\\ud83d\":1}"), JSON_BAD_ENCODING, "in a key"},
        {SLICE_LIT("{\"a\":{\"\\ud83d\":1}}"), JSON_BAD_ENCODING, "in a nested key"},
        {SLICE_LIT("{\"a\":\"\\ud83d\",}"), JSON_INVALID, "bad encoding, and no JSON"},
        {SLICE_LIT("{\"a\":\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"}"), JSON_OK, "UTF-8"},
        {SLICE_LIT("{\"a\":\"\xC0\x80\"}"), JSON_BAD_ENCODING, "overlong, 2 bytes"},
        {SLICE_LIT("{\"a\":\"\xE0\x9F\xBF\"}"), JSON_BAD_ENCODING, "overlong, 3 bytes"},
        {SLICE_LIT("{\"a\":\"\xF0\x8F\xBF\xBF\"}"), JSON_BAD_ENCODING, "overlong, 4 bytes"},
        {SLICE_LIT("{\"a\":\"\xED\xA0\x80\"}"), JSON_BAD_ENCODING, "a surrogate's bytes"},
        {SLICE_LIT("{\"a\":\"\xF4\x90\x80\x80\"}"), JSON_BAD_ENCODING, "above U+10FFFF"},
        {SLICE_LIT("{\"a\":\"\xF4\x8F\xBF\xBF\"}"), JSON_OK, "U+10FFFF"},
        {SLICE_LIT("{\"a\":\"\xFF\"}"), JSON_BAD_ENCODING, "never UTF-8"},
        {SLICE_LIT("{\"a\":\"\xE2\x82\"}"), JSON_BAD_ENCODING, "half a character"},
        {SLICE_LIT("{\"a\":\"\xE2\x82"), JSON_INVALID, "half a character, cut"},
        {SLICE_LIT("{\"a\":\xC3\xA9}"), JSON_INVALID, "UTF-8 outside a string"},
    };
    struct json_object o = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(scan_exact(rows[i].text, &o), rows[i].want, "%s", rows[i].because);
        cr_expect_eq(o.error != NULL,
                     rows[i].want == JSON_INVALID || rows[i].want == JSON_BAD_ENCODING,
                     "%s: the error is said", rows[i].because);
        cr_expect(rows[i].want != JSON_INVALID || o.n_members == 0, "%s", rows[i].because);
    }
    json_object_free(&o);
}

Test(json_scan, numbers)
{
    static const struct {
        const char *text;
        bool is_number;
    } rows[] = {
        {"0", true},         {"-0", true},
        {"10", true},        {"-1.5", true},
        {"1e5", true},       {"1E+5", true},
        {"1e-05", true},     {"0.0", true},
        {"1e999", true},     {"123456789012345678901", true},
        {"01", false},       {"-", false},
        {"+1", false},       {"1.", false},
        {".5", false},       {"1e", false},
        {"1e+", false},      {"--1", false},
        {"0x10", false},     {"1_000", false},
        {"-01", false},      {"1.e5", false},
        {"Infinity", false},
    };
    struct json_object o = {0};
    char text[64];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int len = snprintf(text, sizeof text, "{\"n\":%s}", rows[i].text);
        enum json_status status = scan_exact(slice_of(text, (size_t)len), &o);

        cr_expect_eq(status, rows[i].is_number ? JSON_OK : JSON_INVALID, "%s", rows[i].text);
        len = snprintf(text, sizeof text, "{\"n\":[ %s ]}", rows[i].text);
        status = scan_exact(slice_of(text, (size_t)len), &o);
        cr_expect_eq(status, rows[i].is_number ? JSON_OK : JSON_INVALID, "[%s]", rows[i].text);
    }
    json_object_free(&o);
}

Test(json_scan, members_stand_where_they_stood)
{
    struct slice text =
        LIT("{\"a\" : \"x\\ty\", \"\\u0062\":[1, 2],\"c\":-1.5 , \"d\":null,\"e\":true,"
            "\"f\":false,\"\":{}}");
    static const struct {
        const char *key;
        const char *value;
        uint8_t type;
        bool key_escaped;
        bool value_escaped;
    } rows[] = {
        {"a", "x\\ty", JSON_TYPE_STRING, false, true},
        {"\\u0062", "[1, 2]", JSON_TYPE_ARRAY, true, false},
        {"c", "-1.5", JSON_TYPE_NUMBER, false, false},
        {"d", "null", JSON_TYPE_NULL, false, false},
        {"e", "true", JSON_TYPE_TRUE, false, false},
        {"f", "false", JSON_TYPE_FALSE, false, false},
        {"", "{}", JSON_TYPE_OBJECT, false, false},
    };
    struct json_object o = {0};

    cr_assert_eq(json_scan(text, &o), JSON_OK);
    cr_assert_eq(o.n_members, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < o.n_members; i++) {
        const struct json_member *m = &o.members[i];

        cr_expect(slice_is(m->key, rows[i].key), "key %zu", i);
        cr_expect(slice_is(m->value, rows[i].value), "value of %s", rows[i].key);
        cr_expect_eq(m->type, rows[i].type, "type of %s", rows[i].key);
        cr_expect_eq(m->key_escaped, rows[i].key_escaped, "%s", rows[i].key);
        cr_expect_eq(m->value_escaped, rows[i].value_escaped, "%s", rows[i].key);
        cr_expect(m->value.ptr >= text.ptr && m->value.ptr < text.ptr + text.len);
    }
    cr_expect_eq(json_find(&o, "b"), &o.members[1], "found by what it says");
    cr_expect_null(json_find(&o, "z"));
    json_object_free(&o);
}

Test(json_scan, the_last_of_equal_keys_counts)
{
    static const struct {
        const char *text;
        const char *shadowed; /* one letter a member: s or - */
    } rows[] = {
        {"{\"a\":1,\"b\":2}", "--"},
        {"{\"a\":1,\"a\":2}", "s-"},
        {"{\"a\":1,\"b\":0,\"a\":2,\"a\":3}", "s-s-"},
        {"{\"a\":1,\"\\u0061\":2}", "s-"},
        {"{\"\\u0061\":1,\"a\":2}", "s-"},
        {"{\"\\u0061\":1,\"\\u0061\":2,\"A\":3}", "s--"},
        {"{\"\":1,\"\":2}", "s-"},
        {"{\"a\\/b\":1,\"a/b\":2}", "s-"},
        {"{\"\\u0000\":1,\"\":2,\"\\u0000\":3}", "s--"},
        {"{\"abcdefgh1abcdefgh\":1,\"abcdefgh2abcdefgh\":2}", "--"},
    };
    struct json_object o = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(json_scan(slice_str(rows[i].text), &o), JSON_OK, "%s", rows[i].text);
        cr_assert_eq(o.n_members, strlen(rows[i].shadowed), "%s", rows[i].text);
        for (size_t m = 0; m < o.n_members; m++)
            cr_expect_eq(o.members[m].is_shadowed, rows[i].shadowed[m] == 's', "%s, member %zu",
                         rows[i].text, m);
    }
    json_object_free(&o);
}

static void add_brackets(struct buffer *b, const char *bracket, size_t n)
{
    while (n--)
        buffer_add(b, bracket, strlen(bracket));
}

Test(json_scan, what_not_every_reader_takes_is_unsafe)
{
    static const struct {
        const char *value;
        bool is_unsafe;
        const char *because;
    } rows[] = {
        {"{\"a\":1,\"b\":{\"a\":1}}", false, "the same key on two levels"},
        {"[{\"a\":1},{\"a\":1}]", false, "the same key in two objects"},
        {"{\"a\":\"a\",\"b\":\"a\"}", false, "values are no keys"},
        {"{\"a\":1,\"a\":2}", true, "a key twice"},
        {"{\"a\":1,\"\\u0061\":2}", true, "a key twice, once escaped"},
        {"[[{\"x\":[{\"a\":1 , \"b\":2, \"a\" :2}]}]]", true, "deep inside"},
        {"{\"\\u0061\":1,\"b\":2}", false, "an escaped key alone"},
        {"{\"a\\u0000b\":1}", true, "NUL in a key"},
        {"{\"a\\\\u0000b\":1}", false, "no NUL, but a backslash"},
        {"{\"a\":\"\\u0000\"}", false, "NUL in a value"},
    };
    struct json_object o = {0};
    struct buffer text = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text.len = 0;
        buffer_printf(&text, "{\"v\":%s}", rows[i].value);
        cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_OK, "%s", rows[i].because);
        cr_expect_eq(o.members[0].is_unsafe, rows[i].is_unsafe, "%s", rows[i].because);
    }
    for (size_t depth = JSON_SAFE_DEPTH - 2; depth < JSON_SAFE_DEPTH + 2; depth++) {
        text.len = 0;
        buffer_add_lit(&text, "{\"v\":");
        add_brackets(&text, "[", depth);
        add_brackets(&text, "]", depth);
        buffer_add_lit(&text, ",\"w\":[]}");
        cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_OK);
        cr_expect_eq(o.members[0].is_unsafe, depth + 1 > JSON_SAFE_DEPTH, "depth %zu", depth + 1);
        cr_expect_not(o.members[1].is_unsafe, "its neighbour");
    }
    text.len = 0;
    buffer_add_lit(&text, "{\"v\":");
    add_brackets(&text, "9", JSON_SAFE_NUMBER + 1);
    buffer_add_lit(&text, ",\"w\":[1]}");
    cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_OK);
    cr_expect(o.members[0].is_unsafe, "a very long number");
    cr_expect_not(o.members[1].is_unsafe, "its neighbour");
    buffer_free(&text);
    json_object_free(&o);
}

Test(json_scan, nesting_has_an_end)
{
    static const struct {
        const char *open;
        const char *close;
    } rows[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":", "}]"}};
    struct json_object o = {0};
    struct buffer text = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t fits = JSON_MAX_DEPTH - 2; /* the outermost object and the innermost value */

        fits /= strlen(rows[i].close);
        for (size_t n = fits; n <= 1 << 20; n = n == fits ? fits + 1 : 1 << 20) {
            text.len = 0;
            buffer_add_lit(&text, "{\"v\":");
            add_brackets(&text, rows[i].open, n);
            buffer_add_lit(&text, "1");
            add_brackets(&text, rows[i].close, n);
            buffer_add_lit(&text, "}");
            cr_expect_eq(json_scan(buffer_slice(&text), &o), n == fits ? JSON_OK : JSON_INVALID,
                         "%s %zu times", rows[i].open, n);
            if (n == 1 << 20)
                break;
        }
        text.len = 0;
        buffer_add_lit(&text, "{\"v\":");
        add_brackets(&text, rows[i].open, 1 << 20);
        cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_INVALID, "%s, never closed",
                     rows[i].open);
    }
    buffer_free(&text);
    json_object_free(&o);
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 100 000 keys: quadratic work would take minutes, ours takes milliseconds (seconds under ASan). */
Test(json_scan, many_keys_are_not_quadratic)
{
    static const struct {
        const char *format;
        size_t n_counting;
        const char *because;
    } rows[] = {
        {"\"k%zu\":1", 100000, "all different"},
        {"\"k\":%zu", 1, "all the same"},
        {"\"\\u006b%zu\":1", 100000, "all different, all escaped"},
        {"\"aaaaaaaa%06zubbbbbbbb\":1", 100000, "all in the same place of the filter"},
    };
    struct json_object o = {0};
    struct buffer text = {0};
    struct buffer nested = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n_counting = 0;
        double began = cpu_seconds();

        text.len = 0;
        buffer_add_lit(&text, "{");
        for (size_t k = 0; k < 100000; k++) {
            buffer_add(&text, ",", k > 0);
            buffer_printf(&text, rows[i].format, k);
        }
        buffer_add_lit(&text, "}");
        cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_OK, "%s", rows[i].because);
        for (size_t m = 0; m < o.n_members; m++)
            n_counting += !o.members[m].is_shadowed;
        cr_expect_eq(n_counting, rows[i].n_counting, "%s", rows[i].because);
        cr_expect_not(o.members[o.n_members - 1].is_shadowed, "the last counts");

        nested.len = 0;
        buffer_add_lit(&nested, "{\"v\":");
        buffer_add_slice(&nested, buffer_slice(&text));
        buffer_add_lit(&nested, "}");
        cr_expect_eq(json_scan(buffer_slice(&nested), &o), JSON_OK, "%s", rows[i].because);
        cr_expect_eq(o.members[0].is_unsafe, rows[i].n_counting == 1, "%s", rows[i].because);
        cr_expect_lt(cpu_seconds() - began, 30.0, "%s", rows[i].because);
    }
    buffer_free(&text);
    buffer_free(&nested);
    json_object_free(&o);
}

Test(json_scan, a_huge_line_gives_its_memory_back)
{
    struct json_object o = {0};
    struct buffer text = {0};

    buffer_add_lit(&text, "{\"a\":1");
    for (int i = 0; i < 50000; i++)
        buffer_printf(&text, ",\"k%d\":%d", i, i);
    buffer_add_lit(&text, "}");
    cr_expect_eq(json_scan(buffer_slice(&text), &o), JSON_OK);
    cr_expect_eq(o.n_members, 50001);
    cr_expect_eq(json_scan(LIT("{\"a\":1}"), &o), JSON_OK);
    cr_expect_eq(o.n_members, 1);
    cr_expect_lt(o.cap, 5000);
    buffer_free(&text);
    json_object_free(&o);
}

Test(json_scan, repair_makes_json_of_bad_encoding)
{
    static const struct {
        struct slice text;
        struct slice want;
    } rows[] = {
        {SLICE_LIT("{\"a\":\"x\xFFy\"}"), SLICE_LIT("{\"a\":\"x\xEF\xBF\xBDy\"}")},
        {SLICE_LIT("{\"a\":\"\xE2\x82\"}"), SLICE_LIT("{\"a\":\"\xEF\xBF\xBD\"}")},
        {SLICE_LIT("{\"a\":\"\xE2\x82\xE2\x82\xAC\"}"),
         SLICE_LIT("{\"a\":\"\xEF\xBF\xBD\xE2\x82\xAC\"}")},
        {SLICE_LIT("{\"a\":\"\xC0\x80\"}"), SLICE_LIT("{\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\"}")},
        {SLICE_LIT("{\"a\":\"\\ud83d\"}"), SLICE_LIT("{\"a\":\"\xEF\xBF\xBD\"}")},
        {SLICE_LIT("{\"a\":\"\\ud83d\\ud83d\\ude00\"}"),
         SLICE_LIT("{\"a\":\"\xEF\xBF\xBD\\ud83d\\ude00\"}")},
        {SLICE_LIT("{\"a\":\"\\\\ud83d \\\" \\udc00\"}"),
         SLICE_LIT("{\"a\":\"\\\\ud83d \\\" \xEF\xBF\xBD\"}")},
        {SLICE_LIT("{\"\\udc00\xFF\":1}"), SLICE_LIT("{\"\xEF\xBF\xBD\xEF\xBF\xBD\":1}")},
    };
    struct json_object o = {0};
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(json_scan(rows[i].text, &o), JSON_BAD_ENCODING, "row %zu", i);
        out.len = 0;
        json_repair(rows[i].text, &out);
        cr_expect(slice_eq(buffer_slice(&out), rows[i].want), "row %zu: %.*s", i, (int)out.len,
                  out.ptr);
        cr_expect_eq(json_scan(buffer_slice(&out), &o), JSON_OK, "row %zu, repaired", i);
    }
    buffer_free(&out);
    json_object_free(&o);
}

Test(json_scan, escape_and_unescape)
{
    static const struct {
        struct slice text;
        struct slice escaped;
        bool is_replaced;
    } rows[] = {
        {SLICE_LIT(""), SLICE_LIT(""), false},
        {SLICE_LIT("plain"), SLICE_LIT("plain"), false},
        {SLICE_LIT("a\"b\\c/d"), SLICE_LIT("a\\\"b\\\\c/d"), false},
        {SLICE_LIT("\b\f\n\r\t"), SLICE_LIT("\\b\\f\\n\\r\\t"), false},
        {SLICE_LIT("\0\x01\x1F\x7F"), SLICE_LIT("\\u0000\\u0001\\u001f\x7F"), false},
        {SLICE_LIT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
         SLICE_LIT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), false},
        {SLICE_LIT("0123456789abcdef0123\n456789abcdef\""),
         SLICE_LIT("0123456789abcdef0123\\n456789abcdef\\\""), false},
        {SLICE_LIT("a\xFFz"), SLICE_LIT("a\xEF\xBF\xBDz"), true},
        {SLICE_LIT("\xE2\x82"), SLICE_LIT("\xEF\xBF\xBD"), true},
    };
    struct buffer out = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        out.len = 0;
        cr_expect_eq(json_escape(rows[i].text, &out), rows[i].is_replaced, "row %zu", i);
        cr_expect(slice_eq(buffer_slice(&out), rows[i].escaped), "row %zu", i);
        out.len = 0;
        json_unescape(rows[i].escaped, &out);
        cr_expect_eq(slice_eq(buffer_slice(&out), rows[i].text), !rows[i].is_replaced, "row %zu",
                     i);
    }
    out.len = 0;
    json_unescape(LIT("\\u00e9\\u20AC\\ud83d\\ude00\\/\\u0000"), &out);
    cr_expect(slice_eq(buffer_slice(&out), LIT("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80/\0")));
    buffer_free(&out);
}

Test(json_scan, an_empty_slice_may_have_no_address)
{
    struct slice none = slice_of(NULL, 0);
    struct json_object o = {0};
    struct buffer out = {0};

    cr_expect_eq(json_scan(none, &o), JSON_NOT_OBJECT);
    cr_expect_not(json_escape(none, &out));
    json_unescape(none, &out);
    json_repair(none, &out);
    cr_expect_eq(out.len, 0);
    buffer_free(&out);
    json_object_free(&o);
}

struct items {
    struct buffer text;
};

static void on_item(void *ctx, enum json_type type, struct slice value)
{
    struct items *items = ctx;

    buffer_printf(&items->text, "%d:%.*s|", type, SLICE_ARG(value));
}

Test(json_scan, each_element_of_an_array)
{
    static const struct {
        const char *array;
        const char *want;
    } rows[] = {
        {"[]", ""},
        {"[ ]", ""},
        {"[1]", "3:1|"},
        {"[ 1 , \"a,]\\\"\" ,[2,[3]], {\"k\":[1,2]} ,null,true,false]",
         "3:1|4:a,]\\\"|5:[2,[3]]|6:{\"k\":[1,2]}|0:null|2:true|1:false|"},
        {"{\"no\":1}", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct items items = {0};

        json_each(slice_str(rows[i].array), on_item, &items);
        cr_expect(slice_is(buffer_slice(&items.text), rows[i].want), "%s: %.*s", rows[i].array,
                  (int)items.text.len, items.text.ptr);
        buffer_free(&items.text);
    }
}

/* json_escape a byte at a time; the text is well-formed UTF-8. */
static void escape_slowly(struct slice text, struct buffer *out)
{
    static const char bytes[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *named = c ? strchr(bytes, c) : NULL;

        if (named)
            buffer_printf(out, "\\%c", letters[named - bytes]);
        else if (c < 0x20)
            buffer_printf(out, "\\u%04x", c);
        else
            buffer_add_char(out, (char)c);
    }
}

/* Whatever stands at whatever place of the blocks that it works in, and at the text's end. */
Test(json_scan, escapes_at_every_place)
{
    static const char *const odd[] = {"\"",   "\\",       "\n",   "\x01",
                                      "\x1F", "\xC3\xA9", "\"\"", "\n\\\xC3\xA9"};

    for (size_t len = 0; len < 40; len++)
        for (size_t at = 0; at <= len; at++)
            for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
                size_t all = len + strlen(odd[i]);
                char *text = malloc(all); /* its exact size, for ASan */
                struct buffer got = {0};
                struct buffer want = {0};

                memset(text, 'x', all);
                memcpy(text + at, odd[i], strlen(odd[i]));
                cr_expect_not(json_escape(slice_of(text, all), &got));
                escape_slowly(slice_of(text, all), &want);
                cr_expect(slice_eq(buffer_slice(&got), buffer_slice(&want)),
                          "%zu at %zu of %zu: %.*s", i, at, len, SLICE_ARG(buffer_slice(&got)));
                free(text);
                buffer_free(&got);
                buffer_free(&want);
            }
}
