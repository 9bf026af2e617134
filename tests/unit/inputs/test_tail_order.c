/* Files that follow each other at one path: who waits for whom, and what is handed over. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/file_rig.h"

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_order, .init = set_up, .fini = tear_down);

Test(tail_order, an_older_file_that_cannot_be_opened_holds_up_nothing)
{
    char denied[256];

    strcpy(denied, rig_path(&r, "a.log.1"));
    r.denied = denied;
    rig_append(&r, "a.log.1", "1\n");
    rig_append(&r, "a.log", "2\n");
    rig_open(&r, "a.log*");
    rig_run(&r, 20000);
    rig_expect(&r, "2\n", "the file that is being written");
    r.denied = NULL;
    rig_run(&r, 3000);
    rig_expect(&r, "1\n", "and the older one, when it is allowed");
}
