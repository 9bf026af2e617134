#include <criterion/criterion.h>

#include "shipper/delivery/retry.h"

Test(retry, delays)
{
    static const struct {
        unsigned failures;
        int64_t retry_after;
        uint64_t random;
        int64_t want;
        const char *because;
    } rows[] = {
        {1, -1, 500, 500, "at most the initial delay"},
        {1, -1, 501, 10, "the range ends there; never less than the floor"},
        {3, -1, 2000, 2000, "twice as long each time"},
        {60, -1, 60000, 60000, "but no longer than the maximum, and no overflow"},
        {1, 3000, 0, 3000, "the server's word is a floor"},
        {1, 86400000, 0, 60000, "as far as the maximum goes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(
            retry_delay_ms(rows[i].failures, 500, 60000, rows[i].retry_after, rows[i].random),
            rows[i].want, "%s", rows[i].because);
}
