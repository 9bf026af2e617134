#include <ctype.h>

#include <criterion/criterion.h>

#include "shipper/base/word.h"

/* Each byte at each place of a word, between neighbours that are none of it. */
Test(word, every_byte_at_every_place)
{
    static const char others[] = {'0', 'f', 'Z', '~'};

    for (int byte = 0; byte < 256; byte++)
        for (size_t place = 0; place < 8; place++)
            for (size_t o = 0; o < sizeof others; o++) {
                char text[8];
                char lower[8];
                bool is_hex = isxdigit(byte) && isxdigit(others[o]);

                memset(text, others[o], sizeof text);
                memset(lower, tolower(others[o]), sizeof lower);
                text[place] = (char)byte;
                lower[place] = (char)(byte < 128 ? tolower(byte) : byte);
                cr_expect_eq(word_lower(word_load(text, 8)), word_load(lower, 8), "%02x at %zu",
                             (unsigned)byte, place);
                cr_expect_eq(word_is_hex(word_load(text, 8)), is_hex, "%02x at %zu", (unsigned)byte,
                             place);
            }
}

Test(word, short_texts_are_equal_only_if_their_bytes_are)
{
    const char text[] = "abcdefgh";

    for (size_t n = 1; n <= 8; n++)
        for (size_t place = 0; place < 8; place++) {
            char other[8];

            memcpy(other, text, sizeof other);
            other[place] ^= 1;
            cr_expect_eq(word_load(text, n) == word_load(other, n), place >= n, "%zu of %zu", place,
                         n);
        }
}
