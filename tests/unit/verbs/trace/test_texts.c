#include <criterion/criterion.h>
#include <math.h>

#include "shipper/verbs/trace/page.h"
#include "shipper/verbs/trace/safe_text.h"
#include "shipper/verbs/trace/story_errors.h"

Test(safe_text, shows_what_would_command_a_terminal)
{
    static const struct {
        const char *text;
        size_t len; /* 0: to its NUL */
        const char *want;
        size_t columns;
        const char *because;
    } rows[] = {
        {"plain text", 0, "plain text", 10, "as it is"},
        {"\x1b[31mred\x1b[0m", 0, "red", 3, "colours go"},
        {"\x1b[1;31mred\x1b[m", 0, "red", 3, "with several numbers, with none"},
        {"\x1b[2J", 0, "\\x1b[2J", 7, "wiping the screen is no colour"},
        {"\x1b]0;title\x07", 0, "\\x1b]0;title\\x07", 16, "nor is a title"},
        {"\x1b", 0, "\\x1b", 4, "cut off"},
        {"\x1b[31", 0, "\\x1b[31", 7, "cut off"},
        {"a\0b", 3, "a\\x00b", 6, "a NUL"},
        {"a\rb\x7f", 0, "a\\x0db\\x7f", 10, "C0, DEL"},
        {"\xc2\x9b"
         "31m",
         0, "\\x9b31m", 7, "C1: CSI in one character"},
        {"\xe2\x80\xaetxt.exe", 0, "\\u202etxt.exe", 13, "right-to-left override"},
        {"\xff\xfe", 0, "\\xff\\xfe", 8, "no UTF-8"},
        {"\xe2\x80", 0, "\\xe2\\x80", 8, "cut off"},
        {"\xed\xa0\x80", 0, "\\xed\\xa0\\x80", 12, "a surrogate"},
        {"f\xc3\xbcr", 0, "f\xc3\xbcr", 3, "two bytes, one column"},
        {"\xe6\x97\xa5\xe6\x9c\xac", 0, "\xe6\x97\xa5\xe6\x9c\xac", 4, "wide characters"},
        {"\xf0\x9f\x98\x80", 0, "\xf0\x9f\x98\x80", 2, "four bytes"},
        {"e\xcc\x81", 0, "e\xcc\x81", 1, "a combining accent"},
        {"a\tb", 0, "a    b", 6, "a tab"},
        {"\xc2\xa0", 0, "\xc2\xa0", 1, "a no-break space"},
        {"", 0, "", 0, "nothing"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        struct slice text =
            rows[i].len ? slice_of(rows[i].text, rows[i].len) : slice_str(rows[i].text);
        size_t columns = safe_text_add(&out, text, 0);

        cr_expect(slice_is(buffer_slice(&out), rows[i].want), "%s: \"%.*s\"", rows[i].because,
                  SLICE_ARG(buffer_slice(&out)));
        cr_expect_eq(columns, rows[i].columns, "%s: %zu columns", rows[i].because, columns);
        buffer_free(&out);
    }
}

Test(safe_text, is_cut_to_its_columns)
{
    static const struct {
        const char *text;
        size_t max;
        const char *want;
    } rows[] = {
        {"0123456789", 10, "0123456789"},
        {"0123456789x", 10, "0123456..."},
        {"0123456789\x1b[0m", 10, "0123456789"},
        {"01234\x1b\x1b\x1b", 10, "01234..."},
        {"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 7, "\xe6\x97\xa5\xe6\x97\xa5..."},
        {"0123", 3, "..."},
        {"0123", 1, "."},
        {"0", 1, "0"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer out = {0};
        size_t columns = safe_text_add(&out, slice_str(rows[i].text), rows[i].max);

        cr_expect(slice_is(buffer_slice(&out), rows[i].want), "\"%.*s\" is not \"%s\"",
                  SLICE_ARG(buffer_slice(&out)), rows[i].want);
        cr_expect_leq(columns, rows[i].max);
        buffer_free(&out);
    }
}

Test(stack_origin, by_language)
{
    static const struct {
        const char *stack;
        const char *want;
    } rows[] = {
        {"Traceback (most recent call last):\n  File \"/var/task/app.py\", line 41, in handler\n"
         "    x()\n  File \"/var/task/pay.py\", line 27, in charge\n    raise E()",
         "/var/task/pay.py:27 in charge"},
        {"\xc2\xa0 File \"/var/task/app.py\", line 3", "/var/task/app.py:3"},
        {"Error: no\n    at charge (/var/task/index.js:10:5)\n    at async main "
         "(/var/task/m.js:1:1)",
         "charge (/var/task/index.js:10:5)"},
        {"java.lang.IllegalStateException: no\n\tat shop.Payment.charge(Payment.java:27)\n\tat "
         "x.Y.z(Y.java:1)",
         "shop.Payment.charge(Payment.java:27)"},
        {"look at this: nothing", ""},
        {"File \"unfinished", ""},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct slice got = stack_origin(slice_str(rows[i].stack), &arena);

        cr_expect(slice_is(got, rows[i].want), "\"%.*s\" is not \"%s\"", SLICE_ARG(got),
                  rows[i].want);
        arena_free(&arena);
    }
}

Test(page, durations)
{
    static const struct {
        double ms;
        const char *want;
    } rows[] = {
        {0, "0.0 ms"}, {12.34, "12.3 ms"},    {999.9, "999.9 ms"},           {1000, "1.000 s"},
        {NAN, "-"},    {900000, "900.000 s"}, {1e300, "1000000000000.000 s"}};
    char text[PAGE_TEXT_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        page_duration(rows[i].ms, text);
        cr_expect_str_eq(text, rows[i].want);
    }
}
