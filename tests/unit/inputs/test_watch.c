#include <criterion/criterion.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/inputs/watch.h"
#include "tests/support/file_rig.h"

static struct rig r;
static struct ev_loop *loop;
static struct buffer seen;

static void set_up(void)
{
    rig_init(&r);
    loop = ev_loop_new(EVFLAG_AUTO);
}

static void tear_down(void)
{
    buffer_free(&seen);
    rig_fini(&r);
    ev_loop_destroy(loop);
}

TestSuite(watch, .init = set_up, .fini = tear_down);

static void on_changed(void *ctx, const char *directory, const char *name, bool is_directory)
{
    (void)ctx;
    buffer_printf(&seen, "%s%s%s ", directory ? directory + strlen(r.dir) : "*", name ? name : "-",
                  is_directory ? "/" : "");
}

static const char *what_was_seen(void)
{
    seen.len = 0;
    ev_run(loop, EVRUN_NOWAIT);
    buffer_add_char(&seen, '\0');
    return seen.ptr;
}

Test(watch, names)
{
    struct err e;
    struct watch *w = watch_new(loop, on_changed, NULL, &e);

    cr_assert_not_null(w);
    cr_expect_eq(watch_add(w, r.dir, &e), 0);
    cr_expect_eq(watch_add(w, r.dir, &e), 0, "again");
    cr_expect_str_eq(what_was_seen(), "");
    rig_append(&r, "a", "x");
    cr_expect_not_null(strstr(what_was_seen(), "a "));
    for (int i = 0; i < 100; i++)
        rig_append(&r, "a", "x");
    cr_expect_lt(strlen(what_was_seen()), 20, "alike events become one: %s", seen.ptr);
    rig_rename(&r, "a", "b");
    cr_expect_str_eq(what_was_seen(), "a b ");
    mkdir(rig_path(&r, "d"), 0700);
    cr_expect_str_eq(what_was_seen(), "d/ ");
    watch_remove(w, r.dir);
    what_was_seen();
    rig_append(&r, "b", "x");
    cr_expect_str_eq(what_was_seen(), "", "not watched any more");
    cr_expect_eq(watch_add(w, rig_path(&r, "none"), &e), -1);
    cr_expect_neq(e.code, ERR_BUSY, "not there is not the same as no watches left");
    watch_free(w);
}

Test(watch, directory_that_goes_and_returns)
{
    struct err e;
    struct watch *w = watch_new(loop, on_changed, NULL, &e);
    char dir[256];

    strcpy(dir, rig_path(&r, "d"));
    mkdir(dir, 0700);
    cr_expect_eq(watch_add(w, dir, &e), 0);
    rmdir(dir);
    cr_expect_neq(what_was_seen()[0], '\0');
    mkdir(dir, 0700);
    cr_expect_eq(watch_add(w, dir, &e), 0);
    what_was_seen();
    rig_append(&r, "d/a", "x");
    cr_expect_not_null(strstr(what_was_seen(), "/da "), "%s", seen.ptr);
    watch_free(w);
}

Test(watch, file_behind_a_link)
{
    struct err e;
    struct watch *w = watch_new(loop, on_changed, NULL, &e);
    char link[256];

    strcpy(link, rig_path(&r, "link"));
    rig_append(&r, "real", "x");
    rig_append(&r, "plain", "x");
    cr_assert_eq(symlink("real", link), 0);
    cr_expect_eq(watch_add_link(w, link, &e), 0);
    cr_expect_eq(watch_add_link(w, rig_path(&r, "plain"), &e), 0, "no link: nothing to do");
    rig_append(&r, "real", "y");
    rig_append(&r, "plain", "y");
    cr_expect_str_eq(what_was_seen(), "/link- ");
    watch_free(w);
}

/* Whoever may make a link to "." in the directory must not make it say nothing more. */
Test(watch, a_link_to_a_watched_directory)
{
    struct err e;
    struct watch *w = watch_new(loop, on_changed, NULL, &e);
    char link[256];

    strcpy(link, rig_path(&r, "link"));
    cr_expect_eq(watch_add(w, r.dir, &e), 0);
    cr_assert_eq(symlink(".", link), 0);
    cr_expect_eq(watch_add_link(w, link, &e), 0);
    what_was_seen();
    rig_append(&r, "new", "x");
    cr_expect_not_null(strstr(what_was_seen(), "new "), "%s", seen.ptr);
    rig_rename(&r, "new", "newer");
    cr_expect_not_null(strstr(what_was_seen(), "newer "), "%s", seen.ptr);
    watch_free(w);
}

/* --- the input on top of it ------------------------------------------------------------------ */

static void run_once(void)
{
    ev_run(loop, EVRUN_NOWAIT);
    rig_run(&r, 50);
}

static void open_with_inotify(const char *pattern)
{
    r.world.loop = loop;
    r.options.watch = FILE_WATCH_INOTIFY;
    rig_open(&r, pattern);
    run_once();
}

Test(watch, input_wakes_at_once)
{
    char link[256];

    strcpy(link, rig_path(&r, "l.log"));
    rig_append(&r, "target", "linked\n");
    cr_assert_eq(symlink("target", link), 0);
    open_with_inotify("**/*.log");
    rig_append(&r, "a.log", "1\n");
    run_once();
    rig_append(&r, "a.log", "2\n");
    run_once();
    rig_append(&r, "target", "linked too\n");
    run_once();
    rig_expect(&r, "linked\n1\n2\nlinked too\n", "within 50 ms each, not at the next scan");
    mkdir(rig_path(&r, "d"), 0700);
    run_once();
    rig_append(&r, "d/b.log", "3\n");
    run_once();
    rig_expect(&r, "3\n", "in a directory that is new");
    cr_expect_geq(input_file.tick(r.input, r.now_ms), r.now_ms + 500, "and then it rests");
}

/* Not one look between: the first generation was there, the others are found. */
Test(watch, rotated_in_a_burst) /* R3 */
{
    rig_append(&r, "a.log", "0\n");
    open_with_inotify("a.log");
    for (int i = 1; i <= 5; i++) {
        char line[16];
        char from[32];
        char to[32];

        for (int age = i; age > 0; age--) {
            snprintf(from, sizeof from, age > 1 ? "a.log.%d" : "a.log", age - 1);
            snprintf(to, sizeof to, "a.log.%d", age);
            rig_rename(&r, from, to);
        }
        snprintf(line, sizeof line, "%d\n", i);
        rig_append(&r, "a.log", line);
    }
    for (int i = 0; i < 600; i++)
        run_once();
    rig_expect(&r, "0\n1\n2\n3\n4\n5\n", "each generation, in order");
}

Test(watch, ten_thousand_files, .timeout = 300)
{
    for (int i = 0; i < 10000; i++) {
        char name[16];

        snprintf(name, sizeof name, "%d.log", i);
        rig_append(&r, name, "1\n");
    }
    open_with_inotify("*.log");
    for (int i = 0; i < 100; i++)
        run_once();
    cr_expect_eq(input_file.stats(r.input)->lines, 10000);
    cr_expect_leq(r.n_opened, FILE_MAX_OPEN);
    for (int i = 0; i < 200; i++)
        run_once();
    cr_expect_eq(r.n_opened, 0, "all quiet, all closed");
    rig_append(&r, "7777.log", "2\n");
    run_once();
    cr_expect_eq(input_file.stats(r.input)->lines, 10001);
    cr_expect_eq(r.n_opened, 1);
}

static unsigned max_queued_events(void)
{
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    unsigned n = 0;

    if (f && fscanf(f, "%u", &n) != 1)
        n = 0;
    if (f)
        fclose(f);
    return n;
}

/* More than the kernel keeps while nobody reads: then anything may have happened anywhere. */
Test(watch, overflow)
{
    unsigned n = max_queued_events();
    struct err e;
    struct watch *w;

    if (n == 0 || n > 50000)
        cr_skip("this kernel keeps too many events");
    w = watch_new(loop, on_changed, NULL, &e);
    cr_assert_not_null(w);
    rig_append(&r, "a", "x");
    cr_expect_eq(watch_add(w, r.dir, &e), 0);
    for (unsigned i = 0; i < n / 2 + 1; i++) /* two events each */
        rig_rename(&r, i % 2 ? "b" : "a", i % 2 ? "a" : "b");
    seen.len = 0;
    for (int i = 0; i < 1000 && !(seen.len && memchr(seen.ptr, '*', seen.len)); i++)
        ev_run(loop, EVRUN_NOWAIT);
    cr_expect(seen.len && memchr(seen.ptr, '*', seen.len), "it says that something was lost");
    rig_append(&r, "c", "x");
    cr_expect_not_null(strstr(what_was_seen(), "c "), "and goes on");
    watch_free(w);
}
