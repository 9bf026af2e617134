/* Files that were packed before they were read to their end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/support/file_rig.h"

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    r.wall_ns = clock_wall_ns(&clock_real); /* births and times of writing are the file system's */
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(tail_copy, .init = set_up, .fini = tear_down);

#define REQUEST "8f507cfc-0000-4697-b07a-ac58fc914c95"
#define START "START RequestId: " REQUEST " Version: $LATEST\n"

static size_t slurp(const char *name, char *text, size_t cap)
{
    FILE *f = fopen(rig_path(&r, name), "r");
    size_t n;

    cr_assert_not_null(f, "%s", name);
    n = fread(text, 1, cap, f);
    fclose(f);
    return n;
}

static void write_zstd(const char *name, const char *text, size_t len)
{
    char packed[8192];
    size_t n = ZSTD_compress(packed, sizeof packed, text, len, 1);
    FILE *f = fopen(rig_path(&r, name), "w");

    cr_assert_not_null(f);
    cr_assert_eq(fwrite(packed, 1, n, f), n);
    fclose(f);
}

static void write_gzip(const char *name, const char *text, size_t len)
{
    gzFile f = gzopen(rig_path(&r, name), "wb");

    cr_assert_not_null(f);
    cr_assert_eq(gzwrite(f, text, (unsigned)len), (int)len);
    gzclose(f);
}

/* As gzip and zstd --rm do it. */
static void pack(const char *from, const char *to)
{
    char text[4096];
    size_t len = slurp(from, text, sizeof text);

    if (strstr(to, ".zst"))
        write_zstd(to, text, len);
    else
        write_gzip(to, text, len);
    rig_delete(&r, from);
}

static void expect_log(const char *part)
{
    buffer_add_char(&r.log, '\0');
    cr_expect_not_null(strstr(r.log.ptr, part), "\"%s\" is not in: %s", part, r.log.ptr);
    r.log.len = 0;
}

static void restart(const char *pattern)
{
    rig_close(&r);
    rig_open(&r, pattern);
    rig_run(&r, 20000);
}

static void packed_while_down(const char *pattern, const char *packed)
{
    rig_append(&r, "a.log", "1\n2\n");
    rig_open(&r, pattern);
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "3\n");
    pack("a.log", packed);
    rig_append(&r, "a.log", "4\n");
    r.out.len = 0;
    rig_open(&r, pattern);
    rig_run(&r, 20000);
    rig_expect(&r, "3\n4\n", "from the position on, then the next");
    restart(pattern);
    rig_expect(&r, "", "and nothing twice");
    cr_expect_eq(r.log.len, 0, "nothing to say");
}

Test(tail_copy, gzip_while_ship_was_away) /* V5, O4 */
{
    packed_while_down("a.log", "a.log.1.gz");
}

Test(tail_copy, zstd_while_ship_was_away)
{
    packed_while_down("a.log", "a.log-20260101.zst");
}

Test(tail_copy, that_the_pattern_has_too)
{
    packed_while_down("a.log*", "a.log.1.gz");
}

/* Several days. */
Test(tail_copy, several_while_ship_was_away)
{
    r.wall_ns -= 20000000000; /* the others are written to long after the last look */
    rig_append(&r, "a.log", "head\n1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    pack("a.log", "a.log.3.gz");
    rig_append(&r, "a.log", "head\n3\n");
    pack("a.log", "a.log.2.gz");
    rig_append(&r, "a.log.1", "head\n4\n");
    rig_append(&r, "a.log", "head\n5\n");
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\nhead\n4\nhead\n5\n", "each from where it was, in order");
    restart("a.log");
    rig_expect(&r, "", "and nothing twice");
}

/* What was sent before the kill, and what its copy brings, are the same events. */
Test(tail_copy, under_the_ids_that_the_file_gave)
{
    size_t half;

    r.is_stalled = true;
    rig_append(&r, "a.log", "1\n2\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    half = r.ids.len;
    rig_drop_kept(&r);
    rig_close(&r);
    r.is_stalled = false;
    pack("a.log", "a.log.1.gz");
    rig_append(&r, "a.log", "");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n1\n2\n", "nothing was acknowledged");
    cr_assert_eq(r.ids.len, 2 * half);
    cr_expect_eq(memcmp(r.ids.ptr, r.ids.ptr + half, half), 0, "though these lines say no time");
}

Test(tail_copy, the_open_request_goes_on)
{
    static int none;

    r.parser = (struct parser){&parser_auto, &none};
    rig_append(&r, "a.log", START);
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "in the packed one\n");
    pack("a.log", "a.log.1.gz");
    rig_append(&r, "a.log", "in the next\n");
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "[" REQUEST "] in the packed one\n[" REQUEST "] in the next\n", "into both");
}

Test(tail_copy, killed_while_it_is_read)
{
    char text[4096] = "head\n";

    rig_append(&r, "a.log", "head\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    for (int i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%d\n", i % 10);
    rig_append(&r, "a.log", text + 5);
    pack("a.log", "a.log.1.gz");
    r.common.chunk_bytes = 64;
    r.out.len = 0;
    rig_open(&r, "a.log");
    for (int i = 0; i < 3; i++) { /* some chunks are acknowledged, others not */
        input_file.tick(r.input, r.now_ms += 50);
        pool_reap(r.pool);
        lanes_tick(r.lanes, r.now_ms, true);
        pool_reap(r.pool);
    }
    r.is_stalled = true;
    rig_run(&r, 100);
    rig_drop_kept(&r);
    r.is_stalled = false;
    rig_close(&r);
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    cr_assert_gt(r.out.len, 0);
    cr_assert_leq(r.out.len, 600);
    buffer_add_char(&r.out, '\0');
    cr_expect_str_eq(r.out.ptr, text + strlen(text) - (r.out.len - 1), "goes on to its end");
}

/* A first line proves nothing: each file of a function may begin with INIT_START. */
Test(tail_copy, another_text_with_the_same_first_line) /* O4 */
{
    rig_append(&r, "a.log", "head\n1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_delete(&r, "a.log");
    write_gzip("a.log.1.gz", "head\n9\n8\n", 9);
    rig_append(&r, "a.log", "head\n2\n");
    r.wall_ns += 3600000000000; /* it was not written to since the last look */
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "head\n2\n", "is another file's");
    expect_log("no packed file beside it has its text");
}

Test(tail_copy, of_several_with_the_same_first_line_the_one_that_fits)
{
    rig_append(&r, "a.log", "head\n1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    rig_close(&r);
    rig_append(&r, "a.log", "2\n");
    write_gzip("a.log.3.gz", "head\n9\n8\n", 9);
    pack("a.log", "a.log.2.gz");
    rig_append(&r, "a.log", "head\n3\n");
    r.wall_ns += 3600000000000;
    r.out.len = 0;
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "2\nhead\n3\n", "its rest, and the next");
}

Test(tail_copy, at_once_before_anyone_looked)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    cr_assert_eq(r.n_opened, 0, "it is closed meanwhile");
    rig_append(&r, "a.log", "2\n");
    pack("a.log", "a.log.1.gz");
    rig_append(&r, "a.log", "3\n");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "read on from the copy");
    cr_expect_eq(input_file.stats(r.input)->lost_bytes, 0);
    cr_expect_eq(r.log.len, 0);
    restart("a.log");
    rig_expect(&r, "", "and nothing twice");
}

/* A copy of what was read is not even unpacked. */
Test(tail_copy, of_what_was_read_gives_nothing) /* V5 */
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 8000);
    for (char c = '2'; c < '5'; c++) {
        char line[] = {c, '\n', '\0'};
        char packed[] = {'a', '.', 'l', 'o', 'g', '.', (char)('9' - c + '0'), '.', 'g', 'z', '\0'};

        pack("a.log", packed);
        rig_append(&r, "a.log", line);
        rig_run(&r, 10000);
    }
    rig_expect(&r, "1\n2\n3\n4\n", "each once");
    restart("a.log");
    rig_expect(&r, "", "nor after a restart");
    rig_close(&r);
    pack("a.log", "a.log.0.gz");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "", "nor what was packed while ship was away");
    cr_expect_eq(r.log.len, 0);
}

Test(tail_copy, of_a_file_of_which_nothing_was_read)
{
    rig_append(&r, "a.log", "1\n");
    rig_open(&r, "a.log");
    rig_run(&r, 1000);
    budget_add(&r.budget, 8 << 20);
    rig_rename(&r, "a.log", "a.log.2");
    rig_append(&r, "a.log", "2\n");
    rig_run(&r, 1500);
    budget_add(&r.budget, -(8 << 20));
    rig_close(&r);
    pack("a.log", "a.log.1.gz");
    rig_append(&r, "a.log", "3\n");
    rig_open(&r, "a.log");
    rig_run(&r, 20000);
    rig_expect(&r, "1\n2\n3\n", "by its times");
    restart("a.log");
    rig_expect(&r, "", "and nothing twice");
}
