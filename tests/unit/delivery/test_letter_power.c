/* The power goes after any step of writing dead letters, and what was not synced is lost, torn or
 * kept: no letter that was said to be there is missing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shipper/delivery/letter_files.h"
#include "tests/support/memory_disk.h"

enum { ROUNDS = 12, LETTERS = 3, ROTATE_BYTES = 100 };

static const char directory[] = "/dead";

/* So many letters were acknowledged when so many steps were done. */
struct history {
    size_t n_steps[ROUNDS];
};

static void write_rounds(struct memory_disk *d, struct history *h)
{
    for (int round = 0; round < ROUNDS; round++) {
        char lines[256] = "";
        struct err e = {0};

        for (int i = 0; i < LETTERS; i++)
            snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "{\"n\":%d}\n",
                     round * LETTERS + i);
        cr_assert_eq(letter_files_append(&d->disk, directory, slice_str(lines), ROTATE_BYTES,
                                         INT64_C(1767225600000000000) + round, &e),
                     0, "%s", e.what);
        h->n_steps[round] = d->n_steps;
    }
}

static bool is_whole(struct slice line)
{
    int n;
    int end = -1;
    char text[64];

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(line));
    return sscanf(text, "{\"n\":%d}%n", &n, &end) == 1 && end == (int)line.len;
}

/* How often the line is there; *n_torn: lines that are none, and do not end their file. */
static int count_line(struct memory_disk *d, const char *want, int *n_torn)
{
    const char *name;
    int n_found = 0;

    for (size_t i = 0; (name = memory_disk_find(d, ".ndjson", i)); i++) {
        struct slice rest = buffer_slice(memory_disk_file(d, name));
        struct slice line;

        while (slice_cut(&rest, '\n', &line)) {
            n_found += slice_is(line, want);
            *n_torn += !is_whole(line);
        }
    }
    return n_found;
}

static void expect_rounds(struct memory_disk *d, int n_rounds, size_t step, const char *how)
{
    for (int n = 0; n < n_rounds * LETTERS; n++) {
        char want[32];
        int n_torn = 0;

        snprintf(want, sizeof want, "{\"n\":%d}", n);
        cr_assert_eq(count_line(d, want, &n_torn), 1, "after step %zu, %s: letter %d of %d", step,
                     how, n, n_rounds * LETTERS);
        cr_assert_eq(n_torn, 0, "after step %zu, %s", step, how);
    }
}

static enum step_fate always(void *ctx, size_t step)
{
    (void)step;
    return *(const enum step_fate *)ctx;
}

/* Each second one, from this one or from the next on. */
static enum step_fate mixed(void *ctx, size_t step)
{
    return (step + *(const unsigned *)ctx) % 2 ? STEP_DROPPED : STEP_TORN;
}

/* The next life goes on with what is there. */
static void expect_next_life(struct memory_disk *d, size_t step, const char *how)
{
    int n_torn = 0;

    cr_assert_eq(letter_files_append(&d->disk, directory, slice_str("{\"n\":4711}\n"), ROTATE_BYTES,
                                     INT64_C(1767312000000000000), NULL),
                 0);
    cr_assert_eq(count_line(d, "{\"n\":4711}", &n_torn), 1, "after step %zu, %s", step, how);
    cr_assert_leq(n_torn, 1, "one line may be torn, and ended now");
}

static void cut(const struct memory_disk *d, const struct history *h, size_t step,
                step_fate_fn *fate, void *ctx, const char *how)
{
    struct memory_disk empty;
    struct memory_disk left;
    int n_rounds = 0;

    while (n_rounds < ROUNDS && h->n_steps[n_rounds] <= step)
        n_rounds++;
    memory_disk_init(&empty);
    memory_disk_after_power_cut(&empty, d, step, fate, ctx, &left);
    expect_rounds(&left, n_rounds, step, how);
    expect_next_life(&left, step, how);
    expect_rounds(&left, 0, step, how);
    memory_disk_fini(&left);
    memory_disk_fini(&empty);
}

Test(letter_power, what_was_acknowledged_is_there)
{
    static enum step_fate fates[] = {STEP_DROPPED, STEP_TORN, STEP_KEPT};
    struct memory_disk d;
    struct history h;

    memory_disk_init(&d);
    d.is_recording = true;
    write_rounds(&d, &h);
    cr_assert_not_null(memory_disk_find(&d, ".ndjson", 2), "some were put aside");
    for (size_t step = 0; step <= d.n_steps; step++) {
        for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++)
            cut(&d, &h, step, always, &fates[i], i == 0 ? "lost" : i == 1 ? "torn" : "kept");
        for (unsigned i = 0; i < 2; i++)
            cut(&d, &h, step, mixed, &i, "torn and lost");
    }
    memory_disk_fini(&d);
}

/* A sync that failed leaves it to chance what is on the disk, and the end of the line perhaps is
 * not, though it is read back. Where it cannot be cut off either, letters go on in another file. */
Test(letter_power, behind_what_is_in_doubt_nothing_is_written)
{
    struct memory_disk d;
    struct err e = {0};

    memory_disk_init(&d);
    cr_assert_eq(letter_files_append(&d.disk, directory, slice_str("{\"n\":0}\n"), 1000, 1, &e), 0);
    memory_disk_fault(&d, DISK_CALL_SYNC | DISK_CALL_TRUNCATE, -EIO, 1, 2);
    cr_assert_lt(letter_files_append(&d.disk, directory, slice_str("{\"n\":1}\n"), 1000, 2, &e), 0);
    memory_disk_fault(&d, 0, 0, 0, 0);
    cr_assert_eq(letter_files_append(&d.disk, directory, slice_str("{\"n\":1}\n"), 1000, 3, &e), 0);
    cr_expect(slice_is(buffer_slice(memory_disk_file(&d, LETTER_FILE)), "{\"n\":1}\n"));
    cr_expect_not_null(memory_disk_find(&d, ".ndjson", 1), "the other one is kept, too");

    memory_disk_fault(&d, DISK_CALL_SYNC, -EIO, 1, 1);
    cr_assert_lt(letter_files_append(&d.disk, directory, slice_str("{\"n\":2}\n"), 1000, 4, &e), 0);
    memory_disk_fault(&d, 0, 0, 0, 0);
    cr_assert_eq(letter_files_append(&d.disk, directory, slice_str("{\"n\":2}\n"), 1000, 5, &e), 0);
    cr_expect(slice_is(buffer_slice(memory_disk_file(&d, LETTER_FILE)), "{\"n\":1}\n{\"n\":2}\n"),
              "what could be cut off is in nobody's way");
    memory_disk_fini(&d);
}

/* --- a file that is made anew ---------------------------------------------------------------- */

static const char aside[] = "dead-20260101T000000.000000000Z.ndjson";

static void keep_even(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    const bool *keeps_any = ctx;

    (void)offset;
    if (*keeps_any && (line.ptr[line.len - 2] - '0') % 2 == 0) {
        buffer_add_slice(out, line);
        buffer_add_char(out, '\n');
    }
}

/* All of the letters, or those that are to stay: never less, and never half a file. */
static void expect_old_or_new(struct memory_disk *d, bool keeps_any, bool is_done, size_t step)
{
    struct buffer *file = memory_disk_file(d, aside);
    struct slice text = file ? buffer_slice(file) : (struct slice){0};
    int n_lines = 0;

    for (size_t i = 0; i < text.len; i++)
        n_lines += text.ptr[i] == '\n';
    cr_expect(n_lines == (keeps_any ? 50 : 0) || (!is_done && n_lines == 100),
              "after step %zu: %d lines", step, n_lines);
}

static void make_anew(bool keeps_any)
{
    static enum step_fate fates[] = {STEP_DROPPED, STEP_TORN, STEP_KEPT};
    struct memory_disk before;
    struct memory_disk d;
    struct memory_disk left;

    memory_disk_init(&before);
    cr_assert_geq(before.disk.open(before.disk.ctx, 0, aside, DISK_WRITE | DISK_CREATE), 0);
    for (int i = 0; i < 100; i++)
        buffer_printf(memory_disk_file(&before, aside), "{\"n\":%d}\n", i);
    memory_disk_copy(&before, &d);
    d.is_recording = true;
    cr_assert_eq(letter_file_make_anew(&d.disk, "/dead/dead-20260101T000000.000000000Z.ndjson",
                                       keep_even, &keeps_any, NULL),
                 0);
    cr_assert_eq(memory_disk_find(&d, ".new", 0), NULL);
    for (size_t step = 0; step <= d.n_steps; step++) {
        for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++) {
            memory_disk_after_power_cut(&before, &d, step, always, &fates[i], &left);
            expect_old_or_new(&left, keeps_any, step == d.n_steps, step);
            memory_disk_fini(&left);
        }
    }
    memory_disk_fini(&d);
    memory_disk_fini(&before);
}

Test(letter_power, a_file_made_anew_is_the_old_one_or_the_new)
{
    make_anew(true);
    make_anew(false);
}

Test(letter_power, a_disk_that_fails_leaves_the_file_as_it_was)
{
    bool keeps_any = true;

    for (unsigned at = 1; at < 40; at++) {
        struct memory_disk d;
        struct err e = {0};
        int rc;

        memory_disk_init(&d);
        cr_assert_geq(d.disk.open(d.disk.ctx, 0, aside, DISK_WRITE | DISK_CREATE), 0);
        memory_disk_kill(&d);
        for (int i = 0; i < 100; i++)
            buffer_printf(memory_disk_file(&d, aside), "{\"n\":%d}\n", i);
        memory_disk_fault(&d, DISK_CALL_ALL & ~(unsigned)(DISK_CALL_REMOVE | DISK_CALL_SYNC_DIR),
                          -ENOSPC, at, 1);
        rc = letter_file_make_anew(&d.disk, "/dead/dead-20260101T000000.000000000Z.ndjson",
                                   keep_even, &keeps_any, &e);
        cr_expect_eq(rc, d.has_failed ? -1 : 0, "call %u", at);
        expect_old_or_new(&d, true, !d.has_failed, at);
        cr_expect_eq(memory_disk_find(&d, ".new", 0), NULL, "nothing is left beside it");
        memory_disk_fini(&d);
    }
}
