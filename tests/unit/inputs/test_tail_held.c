/* Files that are away and unread: their descriptors are kept up to a limit; what may be lost is
 * told before, and what is lost is counted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/file_rig.h"

enum { FILES = 30, DESCRIPTORS = 24, MOST_OPEN = 12, MOST_HELD = 6 };

static const char unread[] = "12 bytes...\n";

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    r.now_ms = 86400000; /* a machine that is up for a day: a time that was never set is long ago */
    r.world.n_descriptors = DESCRIPTORS;
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_held, .init = set_up, .fini = tear_down);

static uint64_t lost_bytes(void)
{
    return input_file.stats(r.input)->lost_bytes;
}

static bool is_told(const char *what)
{
    return slice_find(buffer_slice(&r.log), slice_str(what)) >= 0;
}

static const char *name_of(int i, const char *end)
{
    static char names[2][24];
    static unsigned turn;
    char *name = names[turn++ % 2];

    snprintf(name, sizeof names[0], "%02d.log%s", i, end);
    return name;
}

static void stop_reading(bool is_stopped)
{
    budget_add(&r.budget, is_stopped ? 8 << 20 : -(8 << 20));
}

/* All were read, and all have grown since. */
static void grow_unread(void)
{
    for (int i = 0; i < FILES; i++)
        rig_append(&r, name_of(i, ""), "read\n");
    rig_open(&r, "*.log");
    rig_run(&r, 10000);
    stop_reading(true);
    for (int i = 0; i < FILES; i++)
        rig_append(&r, name_of(i, ""), unread);
    rig_run(&r, 2000);
}

static void rotate_all(void)
{
    for (int i = 0; i < FILES; i++)
        rig_rename(&r, name_of(i, ""), name_of(i, ".1"));
    rig_run(&r, 3000);
}

Test(tail_held, up_to_a_limit_and_the_rest_is_told_before_and_counted_after)
{
    uint64_t n_lines;

    grow_unread();
    rotate_all();
    cr_expect_eq(r.input->n_held, MOST_HELD);
    cr_expect_leq(r.n_opened, MOST_OPEN + MOST_HELD);
    cr_expect(is_told("was rotated away with 12 bytes unread"));
    cr_expect_eq(lost_bytes(), 0, "nothing is lost yet");
    for (int i = 0; i < FILES; i++)
        rig_delete(&r, name_of(i, ".1"));
    rig_run(&r, 20000);
    stop_reading(false);
    rig_run(&r, 20000);
    n_lines = input_file.stats(r.input)->lines - FILES;
    cr_expect_geq(n_lines, MOST_HELD);
    cr_expect_eq(n_lines * strlen(unread) + lost_bytes(), FILES * strlen(unread),
                 "%d lines, and %d bytes lost", (int)n_lines, (int)lost_bytes());
    cr_expect_eq(r.input->n_held, 0);
    cr_expect_eq(input_file.stats(r.input)->streams, 0, "and all are forgotten");
}

/* As long as they have a name somewhere, none has to be held. */
Test(tail_held, what_has_a_name_is_not_lost)
{
    grow_unread();
    rotate_all();
    stop_reading(false);
    rig_run(&r, 20000);
    cr_expect_eq(input_file.stats(r.input)->lines, 2 * FILES);
    cr_expect_eq(lost_bytes(), 0);
}

Test(tail_held, deleted_and_unread_for_long_is_told_with_its_space)
{
    rig_append(&r, "a.log", "read\n");
    rig_open(&r, "*.log");
    rig_run(&r, 2000);
    stop_reading(true);
    rig_append(&r, "a.log", unread);
    rig_run(&r, 2000);
    rig_rename(&r, "a.log", "a.log.1");
    rig_run(&r, 2000);
    rig_delete(&r, "a.log.1"); /* where it was rotated to */
    rig_run(&r, 5000);
    cr_expect_not(is_told("disk space"), "it may be read in a moment");
    rig_run(&r, 10000);
    cr_expect(is_told(
        "a.log: was deleted, and 12 bytes of it are not read yet: 17 bytes of disk space "));
    stop_reading(false);
    rig_run(&r, 20000);
    rig_expect(&r, "read\n12 bytes...\n", "its descriptor was kept");
    cr_expect_eq(lost_bytes(), 0);
    cr_expect_eq(r.n_opened, 0, "until it was read, and no longer");
}

Test(tail_held, what_goes_with_the_descriptor_at_the_end_is_counted)
{
    rig_append(&r, "a.log", "read\n");
    rig_open(&r, "*.log");
    rig_run(&r, 2000);
    r.is_stalled = true;
    rig_append(&r, "a.log", "read, and not delivered\n");
    rig_run(&r, 500);
    stop_reading(true);
    rig_append(&r, "a.log", unread);
    rig_run(&r, 2000);
    rig_delete(&r, "a.log");
    rig_run(&r, 2000);
    stop_reading(false);
    input_file.stop(r.input);
    rig_drop_kept(&r);
    rig_close(&r);
    cr_expect(is_told("its last 36 bytes were not delivered before ship stopped: they are lost"));
}

Test(tail_held, nothing_is_told_at_the_end_of_what_was_delivered)
{
    rig_append(&r, "a.log", "read\n");
    rig_open(&r, "*.log");
    rig_run(&r, 2000);
    rig_delete(&r, "a.log");
    rig_run(&r, 200);
    rig_close(&r);
    cr_expect_not(is_told("lost"));
}

/* Rotated away and deleted at once, as with `rotate 0`, before its turn has come. */
Test(tail_held, one_that_waits_for_its_turn_stays_open)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", "2\n");
    stop_reading(true);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 10000);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "4\n");
    rig_delete(&r, "a.log.1");
    rig_run(&r, 10000);
    stop_reading(false);
    rig_run(&r, 30000);
    rig_expect(&r, "1\n2\n3\n4\n", "each generation, the second from a descriptor of its own");
    cr_expect_eq(lost_bytes(), 0);
    cr_expect_eq(r.n_opened, 0, "at rest all of them are shut");
}
