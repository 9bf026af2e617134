/* What one agent's input leaves to the next: descriptors, and what the output has had already. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/file_rig.h"

static struct rig r;

#define REQUEST "8f507cfc-0000-4697-b07a-ac58fc914c95"

static void set_up(void)
{
    rig_init(&r);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_reload, .init = set_up, .fini = tear_down);

/* It was open, and waited for the one before it: so it does again. */
Test(tail_reload, a_file_waits_for_the_one_before_it)
{
    static int none;

    r.parser = (struct parser){&parser_auto, &none};
    r.common.with_invocations = true;
    rig_append(&r, "a.log", "START RequestId: " REQUEST " Version: $LATEST\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    r.out.len = 0;
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "without an id\n");
    rig_run(&r, 1000);
    cr_assert_eq(r.input->n_open, 2);
    rig_expect(&r, "", "it is held");
    rig_reload(&r, "a.log");
    cr_expect_eq(r.input->n_open + (r.input->left.files != NULL), 2, "both are left");
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] without an id\n", "of the request that was open before it");
    cr_expect_null(r.input->left.files, "each was found");
}

Test(tail_reload, a_deleted_file_is_read_on)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "2\n");
    rig_delete(&r, "a.log");
    rig_reload(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n", "through the descriptor");
}

/* The output has had the second line and not the first, so that the position is before both. */
static void settle_the_second_only(void)
{
    r.is_stalled = true;
    rig_append(&r, "a.log", "first\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    r.is_stalled = false;
    rig_append(&r, "a.log", "second\n");
    rig_run(&r, 1500);
    rig_expect(&r, "first\nsecond\n", "the first has no verdict yet, ...");
    rig_drop_kept(&r); /* ... and gets none in this life */
}

Test(tail_reload, what_was_had_is_not_sent_again)
{
    settle_the_second_only();
    rig_reload(&r, "a.log");
    rig_run(&r, 3000);
    rig_expect(&r, "first\n", "alone");
}

/* At the same places of another text there is something else. */
Test(tail_reload, what_was_had_was_of_the_old_text)
{
    settle_the_second_only();
    rig_write(&r, "a.log", "FIRST\nSECOND\nthird\n");
    rig_reload(&r, "a.log");
    rig_run(&r, 3000);
    rig_expect(&r, "FIRST\nSECOND\nthird\n", "nothing of it was had");
}

/* It changes when the next agent is there and has not read anything yet. */
Test(tail_reload, what_was_had_is_compared_when_it_is_read)
{
    settle_the_second_only();
    rig_reload(&r, "a.log");
    budget_add(&r.budget, 8 << 20);
    rig_run(&r, 1500);
    rig_write(&r, "a.log", "FIRST\nSECOND\nthird\n");
    rig_run(&r, 1500);
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 3000);
    rig_expect(&r, "FIRST\nSECOND\nthird\n", "nothing of it was had");
}
