#include <criterion/criterion.h>
#include <string.h>

#include "shipper/inputs/rest.h"
#include "shipper/pipeline/pack.h"
#include "shipper/pipeline/pool.h"

static void add(struct rest *r, const char *text)
{
    struct buffer bytes = {0};

    buffer_add_slice(&bytes, slice_str(text));
    rest_add(r, &bytes, 0);
    cr_assert_null(bytes.ptr, "it was taken");
}

static void add_packed(struct rest *r, const char *text)
{
    struct worker w = {0};
    struct buffer packed = {0};

    cr_assert(pack_bytes(&w, slice_str(text), &packed));
    rest_add(r, &packed, strlen(text));
    worker_fini(&w);
}

static void expect(struct rest *r, size_t bite, const char *want)
{
    char got[256] = "";
    size_t at = 0;
    ssize_t n;

    while ((n = rest_read(r, got + at, bite, NULL)) > 0)
        at += (size_t)n;
    cr_expect_eq(n, 0);
    cr_expect_str_eq(got, want);
    cr_expect(rest_is_empty(r));
}

Test(rest, comes_in_its_order_whatever_the_bites)
{
    for (size_t bite = 1; bite < 20; bite++) {
        struct rest r = {0};

        add_packed(&r, "one\ntwo\n");
        add(&r, "three\n");
        add(&r, "");
        add_packed(&r, "fo");
        add(&r, "ur");
        expect(&r, bite, "one\ntwo\nthree\nfour");
        rest_fini(&r);
    }
}

Test(rest, lines_are_counted_also_when_some_are_read)
{
    struct rest r = {0};
    char buf[5];

    cr_expect_eq(rest_count_lines(&r), 0);
    add_packed(&r, "one\ntwo\n");
    add(&r, "three\nfo");
    cr_expect_eq(rest_count_lines(&r), 4);
    rest_read(&r, buf, 4, NULL);
    cr_expect_eq(rest_count_lines(&r), 3);
    rest_read(&r, buf, 5, NULL);
    cr_expect_eq(rest_count_lines(&r), 2);
    add(&r, "ur\n");
    cr_expect_eq(rest_count_lines(&r), 2);
    rest_fini(&r);
}

Test(rest, is_handed_on_with_what_is_left_of_it)
{
    struct rest from = {0};
    struct rest to = {0};
    char buf[2];

    add_packed(&from, "one\n");
    add(&from, "two\n");
    rest_read(&from, buf, 2, NULL);
    from.lost_bytes = 7;
    add(&to, "zero\n");
    rest_append(&to, &from);
    cr_expect(rest_is_empty(&from));
    cr_expect_eq(to.lost_bytes, 7);
    expect(&to, 3, "zero\ne\ntwo\n");
    rest_fini(&to);
    rest_fini(&from);
}

Test(rest, counts_in_one_budget_at_a_time)
{
    struct budget old;
    struct budget new;
    struct rest r = {0};
    char buf[64];

    budget_init(&old, 1 << 20);
    budget_init(&new, 1 << 20);
    add_packed(&r, "one\ntwo\n");
    rest_count_in(&r, &old);
    cr_expect_gt(budget_held(&old), 0);
    rest_count_in(&r, &new);
    cr_expect_eq(budget_held(&old), 0);
    cr_expect_gt(budget_held(&new), 0);
    rest_read(&r, buf, 2, NULL);
    add(&r, "three\n");
    rest_fini(&r);
    cr_expect_eq(budget_held(&new), 0);
}
