#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "tests/support/file_rig.h"

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    rig_write(&r, "a.log", "line\n");
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(file_table, .init = set_up, .fini = tear_down);

static struct spot *get(unsigned n)
{
    char path[32];

    snprintf(path, sizeof path, "/made/up/%u.log", n);
    return file_spot_get(r.input, path);
}

/* Whoever may make files under a glob must not have all of our memory by it. */
Test(file_table, paths_have_a_ceiling)
{
    unsigned n = 0;
    const char *told;

    cr_assert(rig_open(&r, "*.log"));
    rig_run(&r, 10);
    while (r.input->n_spots < FILE_MAX_SPOTS)
        cr_assert_not_null(get(n++));
    cr_expect_null(get(n));
    cr_expect_null(get(n + 1));
    cr_expect_not_null(get(0), "what is known stays");
    buffer_add_char(&r.log, '\0');
    told = strstr(r.log.ptr, "more than 50000 files match");
    cr_assert_not_null(told);
    cr_expect_null(strstr(told + 1, "more than"), "once");
    file_spot_remove(r.input, get(1));
    cr_expect_not_null(get(n), "one went, one comes");
    cr_expect_eq(r.input->stats.errors, 1);
}

static struct spot *get_rotated(const char *origin, unsigned n)
{
    static const char *const forms[] = {"%s", "%s.%u", "%s.%u.gz", "%s-202601%02u"};
    char path[64];

    snprintf(path, sizeof path, forms[n % 4], origin, n / 4 % 28 + 1);
    return file_spot_get(r.input, path);
}

/* After a scan there is an order to look it up in. */
Test(file_table, the_next_in_age_is_the_same_with_and_without_an_order)
{
    static const char *const origins[] = {"/up/a.log", "/up/a.log2", "/up/b", "/a"};
    struct spot *spots[4 * 40];
    unsigned n_found = 0;

    cr_assert(rig_open(&r, "*.log"));
    for (unsigned i = 0; i < 4 * 40; i++)
        spots[i] = get_rotated(origins[i % 4], i / 4);
    file_scan_patterns(r.input); /* which wants them checked: so far they count as there */
    cr_assert(r.input->has_order);
    for (unsigned i = 0; i < 4 * 40; i += 3)
        list_remove(&spots[i]->queued);
    for (unsigned i = 0; i < 4 * 40; i++) {
        struct spot *older = file_spot_older(r.input, spots[i]);

        r.input->has_order = false;
        cr_expect_eq(older, file_spot_older(r.input, spots[i]), "%s", spots[i]->path);
        r.input->has_order = true;
        n_found += older != NULL;
    }
    cr_expect_gt(n_found, 100);
}

/* One after the other it would be a minute, in which nothing else is done. */
Test(file_table, twenty_thousand_of_one_name, .timeout = 300)
{
    enum { MANY = 20000 };
    static struct spot *spots[MANY];

    cr_assert(rig_open(&r, "*.log"));
    for (unsigned n = 0; n < MANY; n++) {
        char path[32];

        snprintf(path, sizeof path, "/up/a.log.%u", n);
        spots[n] = file_spot_get(r.input, path);
    }
    file_scan_patterns(r.input);
    for (unsigned n = 0; n + 1 < MANY; n++)
        cr_assert_eq(file_spot_older(r.input, spots[n]), spots[n + 1]);
    cr_expect_lt((double)clock() / CLOCKS_PER_SEC, 20.0, "of a processor, however many share it");
}
