#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/hash.h"
#include "shipper/base/slice.h"

Test(base, slices_cut_and_compare)
{
    struct slice rest = slice_str("a\tbc\t");
    struct slice part;
    int64_t n;

    cr_assert(slice_cut(&rest, '\t', &part));
    cr_expect(slice_is(part, "a"));
    cr_assert(slice_cut(&rest, '\t', &part));
    cr_expect(slice_is(part, "bc"));
    cr_expect_not(slice_cut(&rest, '\t', &part), "nothing left to cut");
    cr_expect(slice_eq_nocase(slice_str("WARN"), slice_str("warn")));
    cr_expect(slice_is(slice_trim(slice_str(" \t x y\r\n")), "x y"));
    cr_expect_eq(slice_find(slice_str("abcabd"), slice_str("abd")), 3);
    cr_expect_eq(slice_find(slice_str("ab"), slice_str("abd")), -1);
    cr_expect(slice_to_int(slice_str("9223372036854775807"), &n) && n == INT64_MAX);
    cr_expect_not(slice_to_int(slice_str("9223372036854775808"), &n), "one more than fits");
    cr_expect_not(slice_to_int(slice_str("12a"), &n));
    cr_expect_not(slice_to_int(slice_str(""), &n));
}

Test(base, numbers_are_written_exactly)
{
    static const struct {
        double value;
        const char *want;
    } rows[] = {{0, "0"},      {-1, "-1"},          {812.25, "812.25"},
                {0.1, "0.1"},  {1e15, "1e+15"},     {123456789012345, "123456789012345"},
                {3.10, "3.1"}, {1.0 / 0.0, "null"}, {1e300, "1e+300"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer b = {0};

        buffer_add_double(&b, rows[i].value);
        cr_expect(slice_is(buffer_slice(&b), rows[i].want), "%.*s is not %s",
                  SLICE_ARG(buffer_slice(&b)), rows[i].want);
        buffer_free(&b);
    }
    struct buffer b = {0};

    buffer_add_int(&b, INT64_MIN);
    cr_expect(slice_is(buffer_slice(&b), "-9223372036854775808"));
    buffer_free(&b);
}

/* The shortest of printf's texts that reads back as the same number. */
static void write_shortest(double value, char *out, size_t cap)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, cap, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* Whole thousandths have a way of their own: they and what is next to them. */
Test(base, numbers_are_written_as_short_as_they_can_be)
{
    uint64_t random = 1;

    for (int i = 0; i < 20000; i++) {
        struct buffer b = {0};
        char want[40];
        double value;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        value = (double)(int64_t)(random >> (20 + random % 40)) / 1000;
        value = i % 3 == 0 ? value : nextafter(value, i % 3 == 1 ? 1e18 : -1);
        value = i % 2 ? -value : value;
        if (value == floor(value) || fabs(value) < 1e-4)
            continue; /* printf has other forms for these */
        buffer_add_double(&b, value);
        write_shortest(value, want, sizeof want);
        cr_assert(slice_is(buffer_slice(&b), want), "%.*s is not %s", SLICE_ARG(buffer_slice(&b)),
                  want);
        buffer_free(&b);
    }
}

Test(base, errors_gather_their_place)
{
    struct err e;
    char text[128];

    cr_expect_eq(err_set(&e, ERR_INPUT, "no %s", "luck"), -1);
    err_at(&e, "line %d", 3);
    err_at(&e, "file x");
    cr_expect_str_eq(err_text(&e, text, sizeof text), "file x: line 3: no luck");
}

Test(base, an_error_text_too_long_is_cut)
{
    struct err e;
    char long_name[2000];

    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    err_set(&e, ERR_INPUT, "%s", long_name);
    err_at(&e, "%s", long_name);
    err_at(&e, "%s", long_name);
    cr_expect_lt(strlen(e.what), sizeof e.what);
    cr_expect_lt(strlen(e.where), sizeof e.where);
}

/* base64url of the 16 bytes, big-endian, as Python's base64.urlsafe_b64encode gives it. */
Test(base, a_hash_as_text)
{
    struct hash128 h = {.high = 0x0001020304050607, .low = 0x08090a0b0c0d0eff};
    char text[HASH_TEXT_LEN];

    hash128_text(&h, text);
    cr_expect(slice_is(slice_of(text, sizeof text), "AAECAwQFBgcICQoLDA0O_w"), "%.22s", text);
}

Test(base, hashes_tell_keys_and_bytes_apart)
{
    struct hash128 a = {1, 2}, b = {2, 1}, c = {1, 3};
    struct hash128 ha = hash128_keyed(slice_str("x"), &a);
    struct hash128 hb = hash128_keyed(slice_str("x"), &b);
    struct hash128 hc = hash128_keyed(slice_str("x"), &c);
    struct hash128 hy = hash128_keyed(slice_str("y"), &a);

    cr_expect(ha.low != hb.low && ha.high != hb.high);
    cr_expect(ha.low != hc.low && ha.high != hc.high);
    cr_expect(ha.low != hy.low && ha.high != hy.high);
}
