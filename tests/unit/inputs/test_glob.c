#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/inputs/glob.h"
#include "tests/support/file_rig.h"

Test(glob, match)
{
    static const struct {
        const char *pattern;
        const char *path;
        bool want;
    } rows[] = {
        {"/var/log/*.log", "/var/log/a.log", true},
        {"/var/log/*.log", "/var/log/a.log.1", false},
        {"/var/log/*.log", "/var/log/d/a.log", false},
        {"/var/log/*", "/var/log/.hidden", false},
        {"/var/log/.*", "/var/log/.hidden", true},
        {"/var/log/?.log", "/var/log/a.log", true},
        {"/var/log/?.log", "/var/log/.log", false},
        {"/a/**/*.log", "/a/x.log", true},
        {"/a/**/*.log", "/a/b/c/x.log", true},
        {"/a/**/*.log", "/a/.b/x.log", false},
        {"/a/**/*.log", "/b/x.log", false},
        {"/a/**/b/**/c", "/a/b/c", true},
        {"/a/**/b/**/c", "/a/x/b/y/z/c", true},
        {"/a/**/b/**/c", "/a/x/y/z/c", false},
        {"/a/**/b/c", "/a/b/b/c", true},
        {"/a/**", "/a/b/c", true},
        {"/a//b", "/a/b", true},
        {"/[a-c]x", "/bx", true},
        {"/[a-c]x", "/dx", false},
        {"/[!a-c]x", "/dx", true},
        {"/[^a-c]x", "/ax", false},
        {"/[]]", "/]", true},
        {"/[a-]", "/-", true},
        {"/[a\\]b]", "/]", true},
        {"/\\*", "/*", true},
        {"/\\*", "/a", false},
        {"/*a*a*a*b", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
        {"/a*b*c", "/aXbYc", true},
        {"/a*", "/a", true},
        {"a", "/a", false},
        {"/[a", "/[a", true},
        {"/\xc3\xa4*", "/\xc3\xa4x", true},
        {"/[\xff-\xff]", "/\xff", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(glob_match(rows[i].pattern, rows[i].path), rows[i].want, "%s on %s",
                     rows[i].pattern, rows[i].path);
}

/* A pattern made to go wrong: time must not explode. */
Test(glob, hostile_pattern, .timeout = 300)
{
    char pattern[2000] = "";
    char path[4000] = "/";

    for (int i = 0; i < 300; i++)
        strcat(pattern, "/**/*a");
    for (int i = 0; i < 1300; i++)
        strcat(path, "ab/");
    cr_expect_not(glob_match(pattern, path));
    memset(pattern, 0, sizeof pattern);
    for (int i = 0; i < 900; i++)
        strcat(pattern, "*a");
    memset(path, 'a', sizeof path);
    path[sizeof path - 2] = 'b';
    path[sizeof path - 1] = '\0';
    cr_expect_not(glob_match(pattern, path));
}

Test(glob, excludes)
{
    cr_expect(glob_excludes("*.gz", "/a/b/c.gz"));
    cr_expect(glob_excludes("debug*", "/a/debug.log"));
    cr_expect_not(glob_excludes("debug*", "/debug/a.log"));
    cr_expect(glob_excludes("*.log", "/a/.b.log"), "no name hides from being left out");
    cr_expect(glob_excludes("/debug/**", "/debug/x/a.log"));
}

Test(glob, check)
{
    struct err e;

    cr_expect_eq(glob_check("/var/log/**/[a-z]*.log", &e), 0);
    cr_expect_eq(glob_check("/var/\\[x", &e), 0);
    cr_expect_eq(glob_check("", &e), -1);
    cr_expect_eq(glob_check("/var/[a/b]", &e), -1, "a set does not reach over a slash");
    cr_expect_eq(glob_check("/var/x\\", &e), -1);
}

/* --- on a real tree -------------------------------------------------------------------------- */

struct found {
    struct buffer paths;
    unsigned n_directories;
    unsigned n_troubles;
    size_t skip;
};

static void on_match(void *ctx, const char *path, enum file_type hint)
{
    struct found *f = ctx;

    if (hint != FILE_DIRECTORY)
        buffer_printf(&f->paths, "%s ", path + f->skip);
}

static void on_directory(void *ctx, const char *path)
{
    (void)path;
    ((struct found *)ctx)->n_directories++;
}

static void on_trouble(void *ctx, const struct err *e)
{
    (void)e;
    ((struct found *)ctx)->n_troubles++;
}

static struct rig r;

static void make_tree(void)
{
    rig_init(&r);
    mkdir(rig_path(&r, "a"), 0700);
    mkdir(rig_path(&r, "a/b"), 0700);
    mkdir(rig_path(&r, "a/.git"), 0700);
    mkdir(rig_path(&r, "[x]"), 0700);
    rig_append(&r, "a/1.log", "");
    rig_append(&r, "a/b/2.log", "");
    rig_append(&r, "a/.git/3.log", "");
    rig_append(&r, "[x]/4.log", "");
}

static void drop_tree(void)
{
    rig_fini(&r);
}

TestSuite(glob_tree, .init = make_tree, .fini = drop_tree);

static bool expand(const char *pattern, struct found *f)
{
    struct glob_walk walk = {&files_posix, on_match, on_directory, on_trouble, f};
    bool is_there;

    f->skip = strlen(r.dir);
    is_there = glob_expand(&walk, rig_path(&r, pattern));
    buffer_add_char(&f->paths, '\0');
    return is_there;
}

Test(glob_tree, expand)
{
    static const struct {
        const char *pattern;
        const char *want;
    } rows[] = {
        {"a/*.log", "/a/1.log "},
        {"a/*/2.log", "/a/b/2.log "},
        {"*/b/*.log", "/a/b/2.log "},
        {"a/1.log", "/a/1.log "},
        {"a/9.log", ""},
        {"\\[x\\]/*.log", "/[x]/4.log "},
        {"*/\\4.log", "/[x]/4.log "},
        {"a/**/2*", "/a/b/2.log "},
        {"a/.git/*", "/a/.git/3.log "},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct found f = {0};

        expand(rows[i].pattern, &f);
        cr_expect_str_eq(f.paths.ptr, rows[i].want, "%s gave %s", rows[i].pattern, f.paths.ptr);
        buffer_free(&f.paths);
    }
}

Test(glob_tree, links_in_circles, .timeout = 300)
{
    struct found f = {0};
    char name[64];

    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "a/b/loop%d", i);
        cr_assert_eq(symlink("..", rig_path(&r, name)), 0);
    }
    expand("a/**/*.log", &f);
    cr_expect_not_null(strstr(f.paths.ptr, "1.log"));
    cr_expect_not_null(strstr(f.paths.ptr, "2.log"));
    cr_expect_lt(f.paths.len, 60, "each directory once: %s", f.paths.ptr);
    cr_expect_leq(f.n_directories, 4, "two directories, for the files and for what is below");
    buffer_free(&f.paths);
}

Test(glob_tree, where_it_begins)
{
    struct found f = {0};

    cr_expect(expand("a/*.log", &f));
    cr_expect_not(expand("gone/*.log", &f), "for the caller to look again soon");
    cr_expect_not(expand("a/9.log", &f));
    cr_expect_eq(f.n_troubles, 0, "what is not there is no trouble");
    buffer_free(&f.paths);
}
