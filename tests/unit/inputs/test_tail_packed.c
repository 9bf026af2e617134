#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

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

TestSuite(tail_packed, .init = set_up, .fini = tear_down);

static void write_gzip(const char *name, const char *text)
{
    gzFile f = gzopen(rig_path(&r, name), "ab");

    cr_assert_not_null(f);
    cr_assert_gt(gzwrite(f, text, (unsigned)strlen(text)), 0);
    gzclose(f);
}

static void expect_log(const char *part)
{
    buffer_add_char(&r.log, '\0');
    cr_expect_not_null(strstr(r.log.ptr, part), "\"%s\" is not in: %s", part, r.log.ptr);
}

Test(tail_packed, replay_with_its_siblings)
{
    struct err e;

    write_gzip("a.log.2.gz", "1\n");
    write_gzip("a.log.2.gz", "2\n");
    rig_append(&r, "a.log.1", "3\n");
    rig_append(&r, "a.log", "4\n");
    cr_assert(rig_replay(&r, "*", &e));
    rig_run(&r, 500);
    rig_expect(&r, "1\n2\n3\n4\n", "two members, then the plain ones");
    cr_expect(input_file.is_finished(r.input));
    cr_expect_eq(input_file.stats(r.input)->total_bytes, 8, "known in the end");
    cr_expect_eq(r.log.len, 0);
}

/* A replay of what was shipped before it was packed and renamed repeats nothing. */
Test(tail_packed, ids_outlive_rotation)
{
    struct err e;

    rig_append(&r, "a.log", "first\nsecond\n");
    cr_assert(rig_replay(&r, "a.log", &e));
    rig_run(&r, 500);
    rig_close(&r);
    rig_delete(&r, "a.log");
    write_gzip("a.log.7.gz", "first\nsecond\n");
    cr_assert(rig_replay(&r, "a.log.7.gz", &e));
    rig_run(&r, 500);
    cr_assert_eq(r.ids.len, 4 * (HASH_TEXT_LEN + 1));
    cr_expect_eq(memcmp(r.ids.ptr, r.ids.ptr + r.ids.len / 2, r.ids.len / 2), 0);
}

Test(tail_packed, damaged_in_a_replay)
{
    struct err e;

    write_gzip("a.gz", "good\nopen");
    rig_append(&r, "a.gz", "\x1f\x8b\x08 this is no member");
    rig_append(&r, "b.log", "neighbour\n");
    cr_assert(rig_replay(&r, "*", &e));
    rig_run(&r, 500);
    rig_expect(&r, "neighbour\ngood\nopen\n", "what was read before the damage");
    cr_expect(input_file.is_finished(r.input));
    cr_expect_eq(input_file.stats(r.input)->errors, 1);
    expect_log("a.gz: after 9 bytes of text: damaged gzip data");
}

Test(tail_packed, cut_short_in_a_replay)
{
    struct err e;

    write_gzip("a.gz", "whole\n");
    rig_truncate(&r, "a.gz", 22);
    cr_assert(rig_replay(&r, "*", &e));
    rig_run(&r, 500);
    rig_expect(&r, "whole\n", "what is there");
    cr_expect(input_file.is_finished(r.input));
    expect_log("ends in the middle of its packed data");
}

Test(tail_packed, live_and_after_a_restart)
{
    write_gzip("a.gz", "1\n2\n");
    rig_open(&r, "*.gz");
    rig_run(&r, 3000);
    rig_expect(&r, "1\n2\n", "read as it is");
    cr_expect_eq(r.n_opened, 0, "and closed");
    write_gzip("b.gz", "3\n");
    rig_run(&r, 3000);
    rig_expect(&r, "3\n", "a new one");
    rig_close(&r);
    rig_open(&r, "*.gz");
    rig_run(&r, 3000);
    rig_expect(&r, "", "nothing twice");
}

static void rename_numbered(int n)
{
    char from[32];
    char to[32];

    snprintf(from, sizeof from, "a.log.%d.gz", n);
    snprintf(to, sizeof to, "a.log.%d.gz", n + 1);
    rig_rename(&r, from, to);
}

/* What is still there would be read again by the next start: its row stays as long as it. */
Test(tail_packed, an_old_one_that_is_still_there_is_not_read_again)
{
    write_gzip("a.log.2.gz", "1\n2\n");
    rig_open(&r, "*.gz");
    rig_run(&r, 3000);
    rig_expect(&r, "1\n2\n", "read as it is");
    for (int n = 2; n < 5; n++) {
        r.wall_ns += 2LL * FILE_FORGET_S * 1000000000;
        rig_run(&r, 70000);
        rig_close(&r);
        rig_open(&r, "*.gz");
        rig_run(&r, 3000);
        rig_expect(&r, "", "nothing twice, days later");
        rename_numbered(n);
        rig_run(&r, 12000);
    }
    rig_expect(&r, "", "nor after it was renamed");
}

/* Packed text cannot be read again: until it is settled it is kept, and counted. */
Test(tail_packed, what_is_kept_for_dead_letters_is_in_the_budget)
{
    char line[20001];
    int64_t in_batches = 0;
    struct err e;

    for (size_t i = 0; i < sizeof line - 2; i++)
        line[i] = (char)('!' + (i * i * 7919 + i / 94) % 90);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    write_gzip("a.log.gz", line);
    r.is_stalled = true;
    cr_assert(rig_replay(&r, "*", &e));
    rig_run(&r, 500);
    for (const struct batch *b = r.kept; b; b = b->next)
        in_batches += b->counted_bytes;
    cr_expect_gt(in_batches, 0);
    cr_expect_gt(budget_held(&r.budget), in_batches + 1000, "%lld bytes, of them %lld in batches",
                 (long long)budget_held(&r.budget), (long long)in_batches);
    rig_release(&r);
    rig_expect(&r, line, "the line");
    rig_run(&r, 100);
    cr_expect_eq(budget_held(&r.budget), 0);
}

static unsigned count(const struct buffer *b, const char *line)
{
    unsigned n = 0;

    for (const char *at = b->ptr; (at = strstr(at, line)); at++)
        n++;
    return n;
}

/* Files that are cut short (or still being packed) wait for their rest, and keep nobody waiting. */
Test(tail_packed, many_that_are_cut_short_do_not_keep_a_whole_one_waiting)
{
    char names[6][24];
    char whole[64];
    size_t len;
    FILE *f;

    for (int i = 0; i < 6; i++) {
        snprintf(names[i], sizeof names[i], "a%d.log.gz", i);
        write_gzip(names[i], "cut\nopen");
        f = fopen(rig_path(&r, names[i]), "r");
        len = fread(whole, 1, sizeof whole, f);
        fclose(f);
        rig_truncate(&r, names[i], 24);
    }
    write_gzip("b.log.gz", "whole\n");
    rig_open(&r, "*.gz");
    rig_run(&r, 5000);
    buffer_add_char(&r.out, '\0');
    cr_expect_eq(count(&r.out, "cut\n"), 6);
    cr_expect_eq(count(&r.out, "whole\n"), 1);
    cr_expect_eq(count(&r.out, "open"), 0, "it may go on");
    r.out.len = 0;
    f = fopen(rig_path(&r, names[0]), "a");
    fwrite(whole + 24, 1, len - 24, f);
    fclose(f);
    rig_run(&r, 3000);
    rig_expect(&r, "open\n", "one that was shut goes on where it was");
    for (int i = 1; i < 6; i++)
        rig_delete(&r, names[i]);
    rig_run(&r, 5000);
    buffer_add_char(&r.out, '\0');
    cr_expect_eq(count(&r.out, "open\n"), 5, "now it never will");
}
