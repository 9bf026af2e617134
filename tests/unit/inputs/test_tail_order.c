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

#define REPORT "\tDuration: 2.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\t\n"
#define REQUEST "8f507cfc-0000-4697-b07a-ac58fc914c95"

/* Reads as a user would have it: with requests. */
static void correlate(void)
{
    static int none;

    r.parser = (struct parser){&parser_auto, &none};
    r.common.with_invocations = true;
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

/* The request that is open when a file is rotated is that of the new file's first lines, also when
 * ship was started anew in between. */
Test(tail_order, the_open_request_outlives_rotation_and_restart)
{
    rig_append(&r, "a.log", "START RequestId: " REQUEST " Version: $LATEST\n");
    correlate();
    rig_open(&r, "a.log");
    rig_run(&r, 200);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "");
    rig_run(&r, 20000);
    rig_close(&r);
    r.out.len = 0;
    rig_append(&r, "a.log", "without an id\n");
    rig_open(&r, "a.log");
    rig_run(&r, 200);
    rig_expect(&r, "[" REQUEST "] without an id\n", "what was handed over is remembered");
}

/* The invocation that came out so far, and out of which file it was said to be. */
static void take_invocation(char *out, size_t cap)
{
    const char *found;

    buffer_add_char(&r.out, '\0');
    found = strstr(r.out.ptr, "invocation of ");
    cr_assert_not_null(found, "in %s", r.out.ptr);
    snprintf(out, cap, "%.*s", (int)strcspn(found, "\n"), found);
    cr_expect_null(strstr(found + 1, "invocation of "), "only once");
    r.out.len = 0;
}

/* A store keeps ids beside origin and offset (event.h): these are the same, whichever file the
 * summary was held back into. */
Test(tail_order, a_summary_that_is_held_back_stays_its_own_file_s)
{
    char live[64];
    char again[64];
    struct err e;

    rig_append(&r, "a.log.1", "START RequestId: " REQUEST " Version: $LATEST\n");
    rig_append(&r, "a.log.1", "REPORT RequestId: " REQUEST REPORT);
    rig_append(&r, "a.log", "the next file\n");
    correlate();
    rig_open(&r, "a.log*");
    rig_run(&r, 100);
    take_invocation(live, sizeof live);
    rig_close(&r);
    cr_assert(rig_replay(&r, "a.log*", &e));
    rig_run(&r, 500);
    take_invocation(again, sizeof again);
    cr_expect_str_eq(live, again);
}

/* The same where the file that follows is the same one, cut to nothing. */
Test(tail_order, a_summary_stays_its_own_across_a_truncation)
{
    char live[64];
    char again[64];
    struct err e;

    rig_append(&r, "a.log", "START RequestId: " REQUEST " Version: $LATEST\n");
    rig_append(&r, "a.log", "REPORT RequestId: " REQUEST REPORT);
    correlate();
    rig_open(&r, "a.log");
    rig_run(&r, 100);
    rig_truncate(&r, "a.log", 0);
    rig_append(&r, "a.log", "it begins anew\n");
    rig_run(&r, 1500);
    take_invocation(live, sizeof live);
    rig_close(&r);
    rig_write(&r, "a.log.1", "START RequestId: " REQUEST " Version: $LATEST\n");
    rig_append(&r, "a.log.1", "REPORT RequestId: " REQUEST REPORT);
    cr_assert(rig_replay(&r, "a.log.1", &e));
    rig_run(&r, 500);
    take_invocation(again, sizeof again);
    cr_expect_str_eq(live, again);
}

/* One name of a rotation is looked at before the others. */
static void look_at(const char *name)
{
    file_queue_check(r.input, file_spot_find(r.input, rig_path(&r, name)));
}

#define START_IN(id) "START RequestId: " id " Version: $LATEST\n"
#define OTHER "9f507cfc-0000-4697-b07a-ac58fc914c96"
#define OTHER_WHOLE START_IN(OTHER) "END RequestId: " OTHER "\n"

Test(tail_order, names_that_are_looked_at_in_no_order)
{
    rig_append(&r, "a.log.2", "0\n");
    rig_append(&r, "a.log.1", OTHER_WHOLE);
    rig_append(&r, "a.log", START_IN(REQUEST));
    correlate();
    r.options.poll_interval_ms = 5000;
    rig_open(&r, "a.log*");
    rig_run(&r, 500);
    r.out.len = 0;
    rig_rename(&r, "a.log.2", "a.log.3");
    rig_rename(&r, "a.log.1", "a.log.2");
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "without an id\n");
    look_at("a.log.1");
    look_at("a.log.2");
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] without an id\n", "it goes on from the file right before it");
}

Test(tail_order, rotated_twice_and_the_middle_is_looked_at_first)
{
    rig_append(&r, "a.log", OTHER_WHOLE);
    correlate();
    r.options.poll_interval_ms = 5000;
    rig_open(&r, "a.log*");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", START_IN(REQUEST));
    rig_run(&r, 20000);
    r.out.len = 0;
    rig_rename(&r, "a.log.1", "a.log.3");
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log.1", "without an id\n");
    rig_append(&r, "a.log", "nor this\n");
    look_at("a.log.1");
    rig_run(&r, 30000);
    rig_expect(&r, "[" REQUEST "] without an id\n[" REQUEST "] nor this\n",
               "each goes on from the one before it");
}

/* What is known of the name before it is put off until all are looked at; so is this one. */
Test(tail_order, rotated_twice_and_the_newest_is_looked_at_first)
{
    rig_append(&r, "a.log", OTHER_WHOLE);
    correlate();
    r.options.poll_interval_ms = 5000;
    rig_open(&r, "a.log*");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", START_IN(REQUEST));
    rig_run(&r, 20000);
    r.out.len = 0;
    rig_rename(&r, "a.log.1", "a.log.3");
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log.1", "without an id\n");
    rig_append(&r, "a.log", "nor this\n");
    look_at("a.log");
    rig_run(&r, 30000);
    rig_expect(&r, "[" REQUEST "] without an id\n[" REQUEST "] nor this\n",
               "each goes on from the one before it");
}

/* With no turn for it in between they say nothing about the time between them. */
Test(tail_order, two_failures_far_apart_do_not_make_a_file_unreadable)
{
    rig_append(&r, "a.log", OTHER_WHOLE);
    correlate();
    r.options.poll_interval_ms = 5000;
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_append(&r, "a.log", START_IN(REQUEST));
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "without an id\n");
    r.unreadable_from = 1;
    rig_run(&r, 5000);
    cr_assert_gt(r.log.len, 0, "it failed once");
    r.unreadable_from = 0;
    budget_add(&r.budget, 8 << 20);
    rig_run(&r, 30000);
    r.unreadable_from = 1;
    budget_add(&r.budget, -(8 << 20));
    rig_run(&r, 50);
    r.unreadable_from = 0;
    r.out.len = 0;
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] " START_IN(REQUEST) "[" REQUEST "] without an id\n",
               "it goes on from the file before it");
}

/* What cannot be read of a file for so long, after a rotation, is its START. */
static void rotate_and_fail_for(const char *pattern, int64_t ms)
{
    rig_append(&r, "a.log", OTHER_WHOLE);
    correlate();
    rig_open(&r, pattern);
    rig_run(&r, 500);
    rig_append(&r, "a.log", START_IN(REQUEST));
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", "without an id\n");
    r.out.len = 0;
    r.unreadable_from = 100; /* behind all of the new one */
    rig_run(&r, 1500);
    r.input->scan_ms += 500; /* looks, and what time brings, are not in step */
    rig_run(&r, ms - 1500);
    r.unreadable_from = 0;
}

/* A wrong request is worse than none: nobody knows what the unread part began. */
Test(tail_order, a_file_that_cannot_be_read_to_its_end_hands_nothing_on)
{
    rotate_and_fail_for("a.log", 60000);
    rig_expect(&r, "without an id\n", "it begins as if there had been nothing before it");
}

Test(tail_order, nor_does_one_that_is_looked_at_where_it_is_now)
{
    rotate_and_fail_for("a.log*", 60000);
    rig_expect(&r, "without an id\n", "it begins as if there had been nothing before it");
}

Test(tail_order, a_file_that_cannot_be_read_for_a_while_hands_on_what_it_has_then)
{
    rotate_and_fail_for("a.log*", 5000);
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] " START_IN(REQUEST) "[" REQUEST "] without an id\n",
               "quiet, and not at its end");
}

/* It is looked for once more, as when it was closed for want of descriptors. */
static void look_for(const char *name)
{
    struct file_stat st;
    struct file_id id;
    struct tail *t;
    bool missing;

    cr_assert_eq(r.files.stat(r.files.ctx, rig_path(&r, name), &st, &missing, NULL), 0);
    id = file_id_of(&st);
    t = file_tail_find(r.input, &id);
    cr_assert_not_null(t);
    list_push(&r.input->homeless, &t->homeless);
}

/* The oldest has handed over already, and its new place is found before the others'. */
Test(tail_order, what_was_missed_follows_the_one_before_it)
{
    rig_append(&r, "a.log", OTHER_WHOLE);
    correlate();
    rig_open(&r, "a.log");
    rig_run(&r, 500);
    rig_rename(&r, "a.log", "a.log.1");
    rig_append(&r, "a.log", START_IN(REQUEST));
    rig_run(&r, 3500);
    r.out.len = 0;
    rig_rename(&r, "a.log.1", "a.log.3");
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log.1", "without an id\n");
    rig_append(&r, "a.log", "nor this\n");
    look_for("a.log.3");
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] without an id\n[" REQUEST "] nor this\n",
               "not the oldest of all");
}
