/* Files whose place among those of their origin is not known hand on no request: a wrong one is
 * worse than none. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/file_rig.h"

static struct rig r;

#define REQUEST "8f507cfc-0000-4697-b07a-ac58fc914c95"
#define START "START RequestId: " REQUEST " Version: $LATEST\n"

/* Reads as a user would have it: with requests. */
static void set_up(void)
{
    static int none;

    rig_init(&r);
    r.parser = (struct parser){&parser_auto, &none};
    r.common.with_invocations = true;
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_aside, .init = set_up, .fini = tear_down);

/* That of the one whole line that came out. */
static void expect_line(const char *line, const char *because)
{
    buffer_add_char(&r.out, '\0');
    cr_expect_not_null(strstr(r.out.ptr, line), "%s: in %s", because, r.out.ptr);
    r.out.len--;
}

/* Births are the file system's: after the last look, or before it. */
static void looks_were_before(bool are_before)
{
    r.wall_ns = clock_wall_ns(&clock_real) + (are_before ? -3600 : 0) * INT64_C(1000000000);
}

/* Nothing had been read that could tell that the file was cut. */
Test(tail_aside, a_copy_from_before_a_cut_that_nobody_saw)
{
    looks_were_before(false);
    rig_append(&r, "a.log", "copied, without its end yet");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log.1", "copied\n");
    rig_write(&r, "a.log", START);
    rig_run(&r, 3500);
    r.out.len = 0;
    rig_delete(&r, "a.log");
    rig_append(&r, "a.log", "anew\n");
    rig_run(&r, 20000);
    rig_expect(&r, "copied\nanew\n", "neither is that request's");
}

/* What follows a file that was cut need not: it may be a copy of what was there before. */
static void cut_and_delete_between_two_looks(void)
{
    looks_were_before(true);
    rig_append(&r, "a.log", "a line that was read\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    r.out.len = 0;
    rig_append(&r, "a.log.1", "a line that was read\ncopied\n");
    rig_write(&r, "a.log", START "much more than there was before\n");
    rig_delete(&r, "a.log");
    rig_append(&r, "a.log", "anew\n");
    rig_run(&r, 20000);
}

Test(tail_aside, a_copy_of_a_file_that_was_cut_when_it_had_been_deleted)
{
    cut_and_delete_between_two_looks();
    expect_line("\ncopied\n", "none");
    expect_line("\nanew\n", "none");
    expect_line("[" REQUEST "] much more", "its own");
}

/* A restart before anything of it was read does not forget that. */
Test(tail_aside, a_copy_after_a_restart)
{
    looks_were_before(false);
    rig_append(&r, "a.log", "copied, without its end yet");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log.1", "copied\n");
    rig_write(&r, "a.log", START);
    rig_run(&r, 3500);
    r.out.len = 0;
    r.denied = rig_path(&r, "a.log.1");
    rig_delete(&r, "a.log");
    rig_append(&r, "a.log", "");
    rig_run(&r, 2000);
    rig_close(&r);
    r.denied = NULL;
    rig_append(&r, "a.log", "anew\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "copied\nanew\n", "neither is that request's");
}

/* The number of a deleted file, of which some was read, is that of another one now. */
static void reuse_number(const char *name)
{
    r.has_no_births = true;
    rig_append(&r, "a.log.2", START);
    rig_append(&r, "a.log.1", "2\n");
    rig_open(&r, "*.log*");
    rig_run(&r, 20000); /* read, and shut */
    r.out.len = 0;
    rig_rename(&r, "a.log.2", name);
    rig_write(&r, name, "a line that is longer than all that was there before, and another's\n");
    rig_run(&r, 20000);
}

Test(tail_aside, a_number_that_another_file_has_now)
{
    reuse_number("b.log");
    rig_expect(&r, "a line that is longer than all that was there before, and another's\n",
               "without the request of the deleted file");
}

/* It follows what was rotated last, which has no request any more. */
Test(tail_aside, a_number_that_the_newest_of_the_same_files_has_now)
{
    const struct spot *s;

    reuse_number("a.log");
    s = file_spot_find(r.input, rig_path(&r, "a.log"));
    cr_assert(s && s->tail);
    cr_expect_eq(s->tail->n_rewritten, 1, "a generation of its own");
    cr_expect_str_eq(s->tail->path, rig_path(&r, "a.log"));
}

/* Bytes that are known to be lost may have begun another request. */
Test(tail_aside, a_file_that_was_cut_before_it_was_read)
{
    rig_append(&r, "a.log", START);
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    budget_add(&r.budget, 8 << 20);
    rig_append(&r, "a.log", "lost\n");
    rig_run(&r, 1500);
    rig_write(&r, "a.log", "anew\n");
    rig_run(&r, 1500);
    r.out.len = 0;
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 5000);
    rig_expect(&r, "anew\n", "none");
    cr_expect_eq(r.input->stats.lost_bytes, 5);
}
