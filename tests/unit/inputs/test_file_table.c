#include <stdio.h>
#include <string.h>

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
