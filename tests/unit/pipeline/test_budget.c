#include <criterion/criterion.h>
#include <pthread.h>

#include "shipper/pipeline/budget.h"

Test(budget, no_room_no_read)
{
    struct budget b;

    budget_init(&b, 100);
    cr_expect(budget_try(&b, 500), "nothing held: one thing larger than all still moves");
    cr_expect_not(budget_try(&b, 1));
    budget_add(&b, -450);
    cr_expect(budget_try(&b, 50));
    cr_expect_not(budget_try(&b, 1));
    budget_add(&b, -100);
    cr_expect_eq(budget_held(&b), 0);
    cr_expect_eq(b.peak_bytes, 500);
}

Test(budget, a_part_counts_in_the_whole)
{
    struct budget whole, part;

    budget_init(&whole, 100);
    budget_init_part(&part, &whole, 30);
    budget_add(&whole, 10);
    budget_add(&part, 20);
    cr_expect_eq(budget_held(&part), 20);
    cr_expect_eq(budget_held(&whole), 30);
    budget_add(&part, -20);
    cr_expect_eq(budget_held(&whole), 10);
    cr_expect_eq(whole.peak_bytes, 30);
}

Test(budget, shut_gives_nothing_and_says_that_somebody_asked)
{
    struct budget b;

    budget_init(&b, 100);
    budget_shut(&b, true);
    cr_expect_not(budget_has_refused(&b));
    cr_expect_not(budget_try(&b, 1), "though nothing is held");
    cr_expect(budget_has_refused(&b));
    cr_expect_not(budget_has_refused(&b), "said once");
    budget_shut(&b, false);
    cr_expect(budget_try(&b, 1));
    cr_expect_not(budget_has_refused(&b));
}

/* The loop takes for a read, workers count what they make of it: the sum is true in the end. */
static void *add_and_give_back(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        budget_add(arg, 7);
        budget_add(arg, -7);
    }
    return NULL;
}

Test(budget, threads, .timeout = 300)
{
    struct budget b;
    pthread_t threads[3];
    int64_t taken = 0;

    budget_init(&b, 1000);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, add_and_give_back, &b);
    for (int i = 0; i < 20000; i++) {
        if (budget_try(&b, 100))
            taken += 100;
        cr_assert_leq(budget_held(&b), 1000 + 3 * 7);
        if (i % 3 == 0 && taken) {
            budget_add(&b, -100);
            taken -= 100;
        }
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(budget_held(&b), taken);
    cr_expect_leq(b.peak_bytes, 1000 + 3 * 7);
}
