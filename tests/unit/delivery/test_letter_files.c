/* The files of dead letters: appended to, put aside, made anew, and nothing lost on the way. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "shipper/delivery/letter_files.h"
#include "tests/support/temp_dir.h"

struct rig {
    char directory[TEMP_DIR_MAX];
    struct letter_files files;
    char text[8192];
};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    temp_dir_make(r->directory);
}

static void rig_fini(struct rig *r)
{
    letter_files_free(&r->files);
    temp_dir_remove(r->directory);
}

static void append(struct rig *r, const char *lines, int64_t rotate_bytes)
{
    struct err e = {0};

    cr_assert_eq(letter_files_append(&disk_posix, r->directory, slice_str(lines), rotate_bytes,
                                     clock_wall_ns(&clock_real), &e),
                 0, "%s: %s", e.where, e.what);
}

static size_t list(struct rig *r)
{
    struct err e = {0};

    letter_files_free(&r->files);
    cr_assert_eq(letter_files_list(r->directory, &r->files, &e), 0, "%s", e.what);
    return r->files.n;
}

static void on_line(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    struct rig *r = ctx;
    size_t len = strlen(r->text);

    cr_expect_null(out);
    snprintf(r->text + len, sizeof r->text - len, "%d:%.*s ", (int)offset, SLICE_ARG(line));
}

/* "0:a 2:b |0:c ": the lines of each file. */
static const char *all_text(struct rig *r, bool with_open_line)
{
    struct err e = {0};

    r->text[0] = '\0';
    list(r);
    for (size_t i = 0; i < r->files.n; i++) {
        if (i)
            strcat(r->text, "|");
        cr_assert_eq(letter_file_each(r->files.paths[i], with_open_line, on_line, r, &e), 0);
    }
    return r->text;
}

Test(letter_files, none_where_nothing_is)
{
    struct rig r;

    rig_init(&r);
    cr_expect_eq(list(&r), 0);
    cr_assert_eq(rmdir(r.directory), 0);
    cr_expect_eq(list(&r), 0, "nor where there is no directory");
    cr_expect_eq(letter_files_put_aside(r.directory, NULL), 0);
    mkdir(r.directory, 0700);
    rig_fini(&r);
}

Test(letter_files, put_aside_by_size)
{
    struct rig r;

    rig_init(&r);
    append(&r, "a\n", 5);
    append(&r, "b\n", 5);
    append(&r, "c\n", 5);
    append(&r, "larger than a file may be\n", 5);
    append(&r, "d\n", 5);
    cr_expect_str_eq(all_text(&r, true), "0:a 2:b |0:c |0:larger than a file may be |0:d ");
    cr_expect(slice_ends(slice_str(r.files.paths[3]), slice_str("/" LETTER_FILE)));
    cr_expect_eq(letter_files_put_aside(r.directory, NULL), 0);
    append(&r, "e\n", 5);
    cr_expect_str_eq(all_text(&r, true), "0:a 2:b |0:c |0:larger than a file may be |0:d |0:e ");
    rig_fini(&r);
}

Test(letter_files, what_is_none_of_them)
{
    static const char *const names[] = {"dead.ndjson.new", "dead.txt", "other.ndjson",
                                        "dead-1.ndjson.new"};
    struct rig r;

    rig_init(&r);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[TEMP_DIR_MAX + 32];
        FILE *f;

        snprintf(path, sizeof path, "%s/%s", r.directory, names[i]);
        f = fopen(path, "w");
        cr_assert_not_null(f);
        fclose(f);
    }
    cr_expect_eq(list(&r), 0);
    rig_fini(&r);
}

/* Eight processes that append and put aside at once: each line is there once, and whole. */
Test(letter_files, many_at_once)
{
    enum { PROCESSES = 8, LINES = 100 };
    struct rig r;
    int counts[PROCESSES * LINES] = {0};

    rig_init(&r);
    for (int p = 0; p < PROCESSES; p++)
        if (fork() == 0) {
            for (int i = 0; i < LINES; i++) {
                char line[32];

                snprintf(line, sizeof line, "%d\n", p * LINES + i);
                if (letter_files_append(&disk_posix, r.directory, slice_str(line), 60,
                                        clock_wall_ns(&clock_real), NULL) < 0 ||
                    (i % 10 == 0 && letter_files_put_aside(r.directory, NULL) < 0))
                    _exit(1);
            }
            _exit(0);
        }
    for (int p = 0; p < PROCESSES; p++) {
        int status;

        wait(&status);
        cr_expect_eq(status, 0);
    }
    list(&r);
    for (size_t i = 0; i < r.files.n; i++) {
        FILE *f = fopen(r.files.paths[i], "r");
        int n;

        while (fscanf(f, "%d\n", &n) == 1)
            counts[n]++;
        cr_expect(feof(f));
        fclose(f);
    }
    for (int i = 0; i < PROCESSES * LINES; i++)
        cr_expect_eq(counts[i], 1, "%d: %d times", i, counts[i]);
    rig_fini(&r);
}

static void keep_all_but_b(void *ctx, uint64_t offset, struct slice line, struct buffer *out)
{
    (void)ctx;
    (void)offset;
    if (line.ptr[0] == 'b')
        return;
    buffer_add_slice(out, line);
    buffer_add_char(out, '\n');
}

Test(letter_files, made_anew)
{
    struct rig r;
    struct err e = {0};
    struct stat st;

    rig_init(&r);
    append(&r, "a\nb\nc", 100); /* torn: it gets its end */
    letter_files_put_aside(r.directory, NULL);
    append(&r, "b\nb\n", 100);
    letter_files_put_aside(r.directory, NULL);
    cr_expect_str_eq(all_text(&r, false), "0:a 2:b |0:b 2:b ");
    cr_expect_eq(letter_file_make_anew(&disk_posix, r.files.paths[0], keep_all_but_b, NULL, &e), 0);
    cr_assert_eq(stat(r.files.paths[0], &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_expect_eq(letter_file_make_anew(&disk_posix, r.files.paths[1], keep_all_but_b, NULL, &e), 0);
    cr_expect_str_eq(all_text(&r, false), "0:a 2:c ", "an empty one is gone");
    rig_fini(&r);
}

/* Its place is taken by something: the file stays as it was. */
Test(letter_files, not_made_anew)
{
    struct rig r;
    struct err e = {0};
    char beside[TEMP_DIR_MAX + 128];

    rig_init(&r);
    append(&r, "a\nb\n", 100);
    letter_files_put_aside(r.directory, NULL);
    list(&r);
    snprintf(beside, sizeof beside, "%s.new", r.files.paths[0]);
    cr_assert_eq(mkdir(beside, 0700), 0);
    cr_expect_eq(letter_file_make_anew(&disk_posix, r.files.paths[0], keep_all_but_b, NULL, &e),
                 -1);
    cr_expect_eq(e.code, ERR_STORE);
    cr_expect_str_eq(e.where, r.files.paths[0]);
    cr_expect_str_eq(all_text(&r, true), "0:a 2:b ");
    rig_fini(&r);
}

Test(letter_files, one_at_a_time)
{
    struct rig r;
    struct err e = {0};
    int fd;

    rig_init(&r);
    fd = letter_files_lock(r.directory, &e);
    cr_assert_geq(fd, 0);
    cr_expect_eq(letter_files_lock(r.directory, &e), -1);
    cr_expect_eq(e.code, ERR_BUSY);
    close(fd);
    fd = letter_files_lock(r.directory, &e);
    cr_expect_geq(fd, 0);
    close(fd);
    rig_fini(&r);
}
