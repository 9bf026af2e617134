#include <stdio.h>

#include <criterion/criterion.h>

#include "shipper/base/printable.h"

Test(printable, controls_are_question_marks)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"plain, \xc3\xa4 \xe2\x82\xac", "plain, \xc3\xa4 \xe2\x82\xac"},
        {"\x1b[31mred\x07", "?[31mred?"},
        {"two\r\nlines\tand\x7f", "two??lines?and?"},
        {"\xc2\x9b"
         "31m",
         "??31m"},                /* CSI as one character */
        {"\xc2\xa0", "\xc2\xa0"}, /* a blank */
        {"cut\xc2", "cut\xc2"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];

        snprintf(text, sizeof text, "%s", rows[i].text);
        cr_expect_str_eq(make_printable(text), rows[i].want);
    }
}
