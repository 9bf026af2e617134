#include <criterion/criterion.h>
#include <string.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/siblings.h"

/* One directory, by its names; every file has its place in the list as inode. */
static const char *const names[] = {"a.log", "b.log.2", "a.log.10",  "a.log.2.gz",    "a.log.9",
                                    "sub",   "b.log",   "a.log.old", "a.log-20260101"};
enum { N_NAMES = sizeof names / sizeof names[0] };

static int n_listed;
static bool is_denied;

static int fake_list(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                     struct err *e)
{
    (void)ctx;
    n_listed++;
    *missing = strcmp(dir, "/gone") == 0;
    if (is_denied || *missing)
        return err_set(e, ERR_INPUT, "%s", is_denied ? "Permission denied" : "No such file");
    for (size_t i = 0; i < N_NAMES && !strstr(dir, "/sub"); i++)
        if (!fn(arg, names[i], strcmp(names[i], "sub") == 0 ? FILE_DIRECTORY : FILE_REGULAR))
            break;
    return 0;
}

static int fake_stat(void *ctx, const char *path, struct file_stat *out, bool *missing,
                     struct err *e)
{
    (void)ctx;
    (void)e;
    *out = (struct file_stat){.type = FILE_REGULAR};
    *missing = false;
    for (size_t i = 0; i < N_NAMES; i++)
        if (strcmp(strrchr(path, '/') + 1, names[i]) == 0)
            out->inode = i + 1;
    return 0;
}

static const struct files fake = {.list = fake_list, .stat = fake_stat};
static const struct input_world world = {.files = &fake};
static char *no_patterns[] = {NULL};
static const struct input input = {
    .world = &world, .patterns = no_patterns, .excludes = no_patterns};

static void expect(struct siblings_round *round, const char *like, const char *want)
{
    struct siblings s;
    struct buffer got = {0};

    cr_expect(siblings_find(round, like, &s), "%s", like);
    for (size_t i = 0; i < s.n_items; i++)
        buffer_printf(&got, "%s%s:%d", i ? " " : "", s.items[i].path, (int)s.items[i].id.inode);
    cr_expect(slice_is(buffer_slice(&got), want), "of %s: %.*s", like, (int)got.len, got.ptr);
    buffer_free(&got);
    siblings_free(&s);
}

static void expect_all(struct siblings_round *round)
{
    expect(
        round, "/logs/a.log",
        "/logs/a.log-20260101:9 /logs/a.log.10:3 /logs/a.log.9:5 /logs/a.log.2.gz:4 /logs/a.log:1");
    expect(
        round, "/logs/a.log.7",
        "/logs/a.log-20260101:9 /logs/a.log.10:3 /logs/a.log.9:5 /logs/a.log.2.gz:4 /logs/a.log:1");
    expect(round, "/logs/b.log", "/logs/b.log.2:2 /logs/b.log:7");
    expect(round, "/logs/c.log", "");
}

Test(siblings, one_listing_for_all)
{
    struct siblings_round round;

    siblings_begin(&round, &input);
    expect_all(&round);
    cr_expect_eq(n_listed, 2, "the directory, and the one in it");
    expect(&round, "/b.log.1", "/b.log.2:2 /b.log:7");
    expect(&round, "/other/b.log.1", "/other/b.log.2:2 /other/b.log:7");
    expect(&round, "/gone/b.log.1", "");
    cr_expect_eq(n_listed, 7, "the root, another, and one that is not there");
    siblings_end(&round);
}

Test(siblings, a_directory_that_is_too_large)
{
    struct siblings_round round;

    siblings_begin(&round, &input);
    round.here.most = 5; /* of a.log there are as many */
    expect_all(&round);
    expect_all(&round);
    siblings_end(&round);
}

Test(siblings, what_cannot_be_listed_says_nothing)
{
    struct siblings_round round;
    struct siblings s;

    siblings_begin(&round, &input);
    is_denied = true;
    cr_expect_not(siblings_find(&round, "/logs/a.log", &s));
    siblings_free(&s);
    is_denied = false;
    expect_all(&round);
    siblings_end(&round);
}
