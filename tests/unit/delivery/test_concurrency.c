#include <criterion/criterion.h>

#include "shipper/delivery/concurrency.h"

enum { MB = 1024 * 1024 };

static void answer(struct concurrency *c, int64_t sent_ms, int64_t took_ms, bool is_refusal)
{
    concurrency_answered(c, &(struct concurrency_answer){.sent_ms = sent_ms,
                                                         .now_ms = sent_ms + took_ms,
                                                         .bytes = MB,
                                                         .is_refusal = is_refusal});
}

/* So many rounds, each as many requests as are allowed. */
static void live(struct concurrency *c, int64_t *now_ms, int rounds, int64_t took_ms)
{
    for (int i = 0; i < rounds; i++, *now_ms += took_ms)
        for (unsigned n = concurrency_limit(c); n; n--)
            answer(c, *now_ms, took_ms, false);
}

Test(concurrency, a_healthy_sink_never_waits)
{
    for (unsigned ceiling = 1; ceiling <= 32; ceiling++) {
        struct concurrency c;
        int64_t now_ms = 0;

        concurrency_init(&c, ceiling);
        cr_expect_eq(concurrency_limit(&c), ceiling);
        for (int i = 0; i < 1000; i++) {
            live(&c, &now_ms, 1, 1 + i % 250); /* quick, and uneven */
            cr_expect_eq(concurrency_limit(&c), ceiling);
        }
    }
}

Test(concurrency, a_refusal_halves_and_success_adds_one_a_round)
{
    struct concurrency c;
    int64_t now_ms = 1000;

    concurrency_init(&c, 16);
    answer(&c, now_ms, 10, true);
    cr_expect_eq(concurrency_limit(&c), 8);
    now_ms += 10;
    for (unsigned want = 9; want <= 16; want++) {
        live(&c, &now_ms, 1, 10);
        cr_expect_geq(concurrency_limit(&c), want - 1, "%u", concurrency_limit(&c));
        cr_expect_leq(concurrency_limit(&c), want);
    }
    live(&c, &now_ms, 2, 10);
    cr_expect_eq(concurrency_limit(&c), 16, "the ceiling");
}

Test(concurrency, a_burst_of_refusals_is_one)
{
    struct concurrency c;

    concurrency_init(&c, 16);
    for (int i = 0; i < 16; i++)
        answer(&c, 1000 + i, 100, true); /* all were under way when the first came back */
    cr_expect_eq(concurrency_limit(&c), 8);
    answer(&c, 1101, 1, true); /* sent after */
    cr_expect_eq(concurrency_limit(&c), 4);
}

Test(concurrency, refused_for_long_it_is_one_and_comes_back)
{
    struct concurrency c;
    int64_t now_ms = 0;

    concurrency_init(&c, 32);
    for (int i = 0; i < 100; i++, now_ms += 2)
        answer(&c, now_ms, 1, true);
    cr_expect_eq(concurrency_limit(&c), 1, "never less");
    live(&c, &now_ms, 40, 10);
    cr_expect_eq(concurrency_limit(&c), 32);
}

Test(concurrency, a_rising_round_trip_halves)
{
    static const struct {
        int64_t usual_ms;
        int64_t slow_ms;
        unsigned want;
        const char *because;
    } rows[] = {
        {300, 5000, 8, "far longer than of late"},
        {300, 1150, 16, "longer, and no reason to worry"},
        {2, 900, 16, "a hiccup of less than a second"},
        {3000, 9000, 16, "slow as ever"},
        {3000, 13000, 8, "slow, and much slower"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct concurrency c;
        int64_t now_ms = 0;

        concurrency_init(&c, 16);
        live(&c, &now_ms, 3, rows[i].usual_ms);
        answer(&c, now_ms, rows[i].slow_ms, false);
        cr_expect_eq(concurrency_limit(&c), rows[i].want, "%s", rows[i].because);
    }
}

/* A few events in a request of their own are back at once; that says nothing about a full one. */
Test(concurrency, large_requests_may_take_longer)
{
    struct concurrency c;

    concurrency_init(&c, 4);
    concurrency_answered(&c, &(struct concurrency_answer){0, 80, 1000, false});
    concurrency_answered(&c, &(struct concurrency_answer){100, 2600, 10 * MB, false});
    cr_expect_eq(concurrency_limit(&c), 4);
    concurrency_answered(&c, &(struct concurrency_answer){3000, 5500, 1000, false});
    cr_expect_eq(concurrency_limit(&c), 2);
}

/* A sink that is slower from now on (moved, more work) is not held against what it once was. */
Test(concurrency, what_was_long_ago_does_not_count)
{
    struct concurrency c;
    int64_t now_ms = 0;

    concurrency_init(&c, 8);
    live(&c, &now_ms, 10, 100);
    live(&c, &now_ms, 1, 2000);
    cr_expect_lt(concurrency_limit(&c), 8);
    live(&c, &now_ms, 60, 2000);
    cr_expect_eq(concurrency_limit(&c), 8);
    now_ms += 3600000; /* nothing to send for an hour */
    answer(&c, now_ms, 30000, false);
    cr_expect_eq(concurrency_limit(&c), 8);
}
