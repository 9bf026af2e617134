#include <criterion/criterion.h>
#include <stdlib.h>

#include "shipper/base/number_set.h"
#include "tests/support/failing_malloc.h"

enum { LIMIT = 200 };

/* The same set, one flag a number. */
static bool truth[LIMIT + 1];

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void check_shape(const struct number_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        cr_assert_lt(s->ranges[i].from, s->ranges[i].to);
        cr_assert(i == 0 || s->ranges[i - 1].to < s->ranges[i].from, "a number is between them");
    }
}

static void check_against_truth(const struct number_set *s)
{
    uint64_t count = 0;

    for (uint64_t number = 0; number < LIMIT; number++) {
        uint64_t next = number;

        while (next < LIMIT && truth[next])
            next++;
        cr_assert_eq(number_set_has(s, number), truth[number], "%lu", (unsigned long)number);
        cr_assert_eq(number_set_next_missing(s, number), next);
        cr_assert(number_set_covers(s, number, next));
        cr_assert_not(number_set_covers(s, number, next + 1));
        count += truth[number];
    }
    cr_assert_eq(number_set_count(s, 0, LIMIT), count);
    cr_assert_eq(number_set_count(s, 50, 120) + number_set_count(s, 0, 50) +
                     number_set_count(s, 120, LIMIT),
                 count);
}

Test(number_set, as_an_array_of_flags)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct number_set s = {0};
        struct number_set copy = {0};
        uint64_t state = seed;

        for (int i = 0; i < LIMIT; i++)
            truth[i] = false;
        for (int step = 0; step < 40; step++) {
            uint64_t from = draw(&state, LIMIT);
            uint64_t to = from + draw(&state, seed % 2 ? 3 : 20);

            to = to < LIMIT ? to : LIMIT;
            cr_assert(number_set_add(&s, from, to));
            for (uint64_t i = from; i < to; i++)
                truth[i] = true;
            check_shape(&s);
        }
        check_against_truth(&s);
        cr_assert(number_set_copy(&s, &copy));
        number_set_free(&s);
        check_against_truth(&copy);
        number_set_free(&copy);
    }
}

Test(number_set, what_was_reserved_cannot_fail)
{
    struct number_set s = {0};

    cr_assert(number_set_reserve(&s, 100));
    for (uint64_t i = 0; i < 100; i++) {
        failing_malloc_at(1);
        cr_assert(number_set_add(&s, 2 * i, 2 * i + 1));
        failing_malloc_at(0);
    }
    cr_expect_eq(s.n, 100);
    failing_malloc_at(1);
    cr_expect(!number_set_reserve(&s, 1000) || s.cap >= 1100);
    failing_malloc_at(0);
    cr_expect_eq(s.n, 100, "as it was");
    number_set_free(&s);
}
