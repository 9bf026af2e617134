/* Files that have nothing but their descriptor, at a reload and at a stop. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/support/file_rig.h"

enum { LINES = 300 };

static struct rig r;
static char text[LINES * 5 + 1];

static void set_up(void)
{
    rig_init(&r);
    r.wall_ns = clock_wall_ns(&clock_real);
    r.common.chunk_bytes = 64;
    for (int i = 0; i < LINES; i++)
        sprintf(text + strlen(text), "%04d\n", i);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_left, .init = set_up, .fini = tear_down);

static void write_gzip(const char *name)
{
    gzFile f = gzopen(rig_path(&r, name), "wb");

    cr_assert_not_null(f);
    cr_assert_eq(gzwrite(f, text, sizeof text - 1), (int)sizeof text - 1);
    gzclose(f);
}

/* Some chunks, not all. */
static void read_some(void)
{
    for (int i = 0; i < 3; i++) {
        input_file.tick(r.input, r.now_ms += 50);
        pool_reap(r.pool);
        lanes_tick(r.lanes, r.now_ms, true);
        pool_reap(r.pool);
    }
    cr_assert_gt(r.out.len, 0);
    cr_assert_lt(r.out.len, sizeof text - 1);
}

static void stop_reading(bool is_stopped)
{
    budget_add(&r.budget, is_stopped ? 8 << 20 : -(8 << 20));
}

static bool is_told(const char *what)
{
    return slice_find(buffer_slice(&r.log), slice_str(what)) >= 0;
}

static void reload_and_read_on(const char *pattern)
{
    rig_reload(&r, pattern);
    rig_run(&r, 20000);
    rig_expect(&r, text, "its descriptor went on to the next input");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
    cr_expect_eq(r.log.len, 0, "nothing to say");
    rig_close(&r);
    rig_open(&r, pattern);
    rig_run(&r, 5000);
    rig_expect(&r, "", "and nothing twice");
}

Test(tail_left, a_packed_file_that_is_deleted_at_a_reload)
{
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log*");
    read_some();
    rig_delete(&r, "a.log.1.gz");
    reload_and_read_on("a.log*");
}

Test(tail_left, a_packed_file_that_is_there_at_a_reload)
{
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log*");
    read_some();
    reload_and_read_on("a.log*");
}

/* The row is that of the file which was packed. */
static void read_some_of_a_packed_copy(void)
{
    rig_write(&r, "a.log", "0000\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_delete(&r, "a.log");
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log");
    read_some();
}

Test(tail_left, a_packed_copy_that_is_deleted_at_a_reload)
{
    read_some_of_a_packed_copy();
    rig_delete(&r, "a.log.1.gz");
    reload_and_read_on("a.log");
}

Test(tail_left, a_plain_copy_that_is_deleted_at_a_reload)
{
    rig_write(&r, "a.log", "0000\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_write(&r, "a.log.1", text);
    rig_truncate(&r, "a.log", 0);
    rig_open(&r, "a.log");
    read_some();
    rig_delete(&r, "a.log.1");
    reload_and_read_on("a.log");
}

Test(tail_left, a_packed_file_that_is_deleted_at_a_stop_is_told_and_counted)
{
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log*");
    read_some();
    stop_reading(true);
    rig_delete(&r, "a.log.1.gz");
    input_file.stop(r.input);
    stop_reading(false);
    r.is_stalled = true;
    rig_close(&r);
    cr_expect(is_told("a.log.1.gz: was deleted or written anew, and its last "));
    cr_expect(is_told("bytes were not delivered before ship stopped: they are lost"));
}

/* It waits for its turn, and is not open. */
Test(tail_left, a_packed_file_that_is_deleted_before_it_was_opened_is_told_and_counted)
{
    stop_reading(true);
    r.n_may_open = 0;
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log*");
    rig_run(&r, 1000);
    rig_delete(&r, "a.log.1.gz");
    r.n_may_open = -1;
    rig_run(&r, 3000);
    stop_reading(false);
    rig_run(&r, 3000);
    rig_expect(&r, "", "nobody has it");
    cr_expect(is_told("packed bytes were read: they are lost"));
    cr_expect_gt(input_file.stats(r.input)->lost_bytes, 0);
}

Test(tail_left, a_packed_file_that_is_renamed_before_it_was_opened)
{
    stop_reading(true);
    r.n_may_open = 0;
    write_gzip("a.log.1.gz");
    rig_open(&r, "a.log.1.gz");
    rig_run(&r, 1000);
    rig_rename(&r, "a.log.1.gz", "a.log.2.gz");
    r.n_may_open = -1;
    rig_run(&r, 3000);
    stop_reading(false);
    rig_run(&r, 20000);
    rig_expect(&r, text, "read where it is now");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
}
