#include <stdio.h>

#include <criterion/criterion.h>

#include "shipper/pipeline/frame.h"

/* The lines of `text`, joined by '|', a cut one with '~' behind it; then what was taken. */
static const char *lines_of(struct slice text, int64_t max_line, bool is_last, size_t *at)
{
    static char out[512];
    size_t len = 0;
    struct frame f;
    struct frame_line line;

    frame_init(&f, text, max_line, false, is_last);
    while (frame_next(&f, &line))
        len += (size_t)snprintf(out + len, sizeof out - len, "%.*s%s|", SLICE_ARG(line.text),
                                line.is_cut ? "~" : "");
    out[len] = '\0';
    *at = f.at;
    return out;
}

Test(frame, lines)
{
    static const struct {
        const char *text;
        bool is_last;
        const char *want;
        size_t at;
        const char *because;
    } rows[] = {
        {"a\nb\n", false, "a|b|", 4, "whole lines"},
        {"a\nb", false, "a|", 2, "a line without its end waits"},
        {"a\nb", true, "a|b|", 3, "unless no more will come"},
        {"a\r\n\r\nb\r\n", false, "a||b|", 8, "CR LF"},
        {"a\rb\n", false, "a\rb|", 4, "a CR in a line stays"},
        {"0123456789\nx\n", false, "01234567~|x|", 13, "longer than 8: cut, the neighbour whole"},
        {"01234567\nx\n", false, "01234567|x|", 11, "just 8"},
        {"01234567\r\n", false, "01234567|", 10, "the CR does not count"},
        {"0123456789ab", false, "01234567~|", 12, "the rest is skipped, wherever it ends"},
        {"0123456789ab", true, "01234567~|", 12, "also at the end of a file"},
        {"0123456\xC3\xA9x\n", false, "0123456~|", 11, "not in the middle of a character"},
        {"", true, "", 0, "nothing"},
        {"\n\n", false, "||", 2, "empty lines are the caller's matter"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t at;
        const char *got = lines_of(slice_str(rows[i].text), 8, rows[i].is_last, &at);

        cr_expect_str_eq(got, rows[i].want, "%s: %s", rows[i].because, got);
        cr_expect_eq(at, rows[i].at, "%s: %zu", rows[i].because, at);
    }
}

Test(frame, a_hole_is_no_text)
{
    static const char text[] = "a\n\0\0\0\0\0\0\0\0\0\0\0\0b\n";
    size_t at;

    cr_expect_str_eq(lines_of(slice_of(text, sizeof text - 1), 8, false, &at), "a|b|");
    cr_expect_eq(at, sizeof text - 1);
}

Test(frame, a_long_line_goes_on_in_the_next_bytes)
{
    struct frame f;
    struct frame_line line;

    frame_init(&f, slice_str("still the long one"), 8, true, false);
    cr_expect_not(frame_next(&f, &line));
    cr_expect(f.is_in_long_line);
    cr_expect_eq(f.at, 18);
    frame_init(&f, slice_str("its end\nnew\n"), 8, true, false);
    cr_assert(frame_next(&f, &line));
    cr_expect(slice_is(line.text, "new"));
    cr_expect_eq(line.offset, 8);
    cr_expect_eq(f.skipped_bytes, 8);
}
