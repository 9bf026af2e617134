#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/inputs/rotation.h"

static int compare(const void *a, const void *b)
{
    return rotation_compare(*(const char *const *)a, *(const char *const *)b);
}

Test(rotation, oldest_first)
{
    static const char *const want[] = {
        "/l/app.log-20251231.zst",
        "/l/app.log-20260101.gz",
        "/l/app.log-20260101-1767225600",
        "/l/app.log-20260102",
        "/l/app.log.10.gz",
        "/l/app.log.9.gz",
        "/l/app.log.2",
        "/l/app.log.1",
        "/l/app.log",
        "/l/other.log.1",
        "/l/other.log",
    };
    enum { N = sizeof want / sizeof want[0] };

    /* From every rotation of the right order, back to it. */
    for (size_t turn = 0; turn < N; turn++) {
        const char *have[N];

        for (size_t i = 0; i < N; i++)
            have[i] = want[(i * 7 + turn) % N];
        qsort(have, N, sizeof have[0], compare);
        for (size_t i = 0; i < N; i++)
            cr_expect_str_eq(have[i], want[i], "at %zu: %s", i, have[i]);
    }
}

Test(rotation, names)
{
    cr_expect(rotation_is_sibling("/l/a.log", "/l/a.log.3.gz"));
    cr_expect_not(rotation_is_sibling("/l/a.log", "/l/b.log"));
    cr_expect_not(rotation_is_sibling("/l/a.log", "/m/a.log.1"));
    cr_expect(rotation_is_rotated("/l/a.log.1"));
    cr_expect(rotation_is_rotated("/l/a.log-20260101"));
    cr_expect_not(rotation_is_rotated("/l/a.log"));
    cr_expect(rotation_is_packed("/l/a.log.gz"));
    cr_expect(rotation_is_packed("/l/a.zst"));
    cr_expect_not(rotation_is_packed("/l/a.log"));
    cr_expect_eq(rotation_compare("/l/a.log", "/l/a.log"), 0);
    cr_expect_neq(rotation_compare("/l/a.log.1", "/l/a.log.1.gz"), 0);
}

Test(rotation, what_comes_right_after)
{
    static const struct {
        const char *older;
        const char *newer;
        bool is_next;
    } rows[] = {
        {"a.log.1", "a.log", true},
        {"a.log.0", "a.log", true},
        {"a.log.2", "a.log", false},
        {"a.log.2", "a.log.1", true},
        {"a.log.10.gz", "a.log.9", true},
        {"a.log.3", "a.log.1", false},
        {"a.log.1", "a.log.2", false},
        {"a.log", "a.log", false},
        {"a.log.1", "b.log", false},
        {"a.log-20260101", "a.log-20260102", true},
        {"a.log-20260101", "a.log-20260301", true},
        {"a.log-20260102", "a.log-20260101", false},
        {"a.log-20260101", "a.log", true},
        {"a.log-20260101", "a.log.3", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(rotation_is_next(rows[i].older, rows[i].newer), rows[i].is_next, "%s, %s",
                     rows[i].older, rows[i].newer);
}
