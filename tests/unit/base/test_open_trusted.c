/* Links of others, which only root can make for a test. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "shipper/base/open_trusted.h"
#include "tests/support/file_rig.h"

enum { MALLORY = 65534, BOB = 65533 };

static struct rig r;

static void set_up(void)
{
    rig_init(&r);
    rig_write(&r, "secret", "s");
    rig_write(&r, "mallorys", "m");
    cr_assert_eq(mkdir(rig_path(&r, "private"), 0700), 0);
    rig_write(&r, "private/secret", "s");
    cr_assert_eq(mkdir(rig_path(&r, "logs"), 0777), 0);
    if (geteuid() != 0)
        cr_skip("only root can give a link to somebody else");
    cr_assert_eq(chown(rig_path(&r, "mallorys"), MALLORY, MALLORY), 0);
}

static void tear_down(void)
{
    rig_fini(&r);
}

TestSuite(open_trusted, .init = set_up, .fini = tear_down);

static void make_link(const char *name, const char *target, uid_t owner)
{
    cr_assert_eq(symlink(target, rig_path(&r, name)), 0, "%s", name);
    cr_assert_eq(lchown(rig_path(&r, name), owner, owner), 0);
}

static int try_open(const char *name, int flags)
{
    struct link_refusal refusal = {0, 0};
    int fd = open_trusted(rig_path(&r, name), O_RDONLY | O_CLOEXEC | flags, &refusal);

    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

Test(open_trusted, links_of_others_lead_only_to_their_own)
{
    static const struct {
        const char *name;
        const char *target;
        uid_t owner;
        int want; /* errno, 0: opened */
        const char *because;
    } rows[] = {
        {"logs/ours", "../secret", 0, 0, "root's, as those of Kubernetes"},
        {"logs/theft", "../secret", MALLORY, EPERM, "another's, to ours"},
        {"logs/own", "../mallorys", MALLORY, 0, "another's, to his own"},
        {"logs/chain", "theft", 0, EPERM, "ours, by way of another's"},
        {"logs/over", "chain", MALLORY, EPERM, "his, by way of ours"},
        {"logs/by-two", "own", BOB, EPERM, "two others'"},
        {"logs/dir", "../private", MALLORY, EPERM, "a directory, itself"},
        {"logs/absolute", "/proc/self/environ", MALLORY, EPERM, "our own environment"},
        {"logs/cwd", "/proc/self/cwd/Makefile", MALLORY, EPERM, "through a link of /proc"},
        {"logs/gone", "nowhere", MALLORY, ENOENT, "to nothing"},
        {"logs/round", "round", 0, ELOOP, "to itself"},
        {"logs/up", "../logs/../mallorys", MALLORY, 0, "with dots in it"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_link(rows[i].name, rows[i].target, rows[i].owner);
        cr_expect_eq(try_open(rows[i].name, 0), rows[i].want, "%s", rows[i].because);
    }
    cr_expect_eq(try_open("logs/dir/secret", 0), EPERM, "what is in the directory");
    cr_expect_eq(try_open("logs/dir", O_DIRECTORY), EPERM, "to be listed");
    cr_expect_eq(try_open("private/../logs/ours", 0), 0);
    cr_expect_eq(try_open("logs/own/below", 0), ENOTDIR);
}

Test(open_trusted, paths_without_links)
{
    cr_expect_eq(try_open("secret", 0), 0);
    cr_expect_eq(try_open("logs/", O_DIRECTORY), 0);
    cr_expect_eq(try_open("none", 0), ENOENT);
    cr_expect_eq(try_open("secret/below", 0), ENOTDIR);
}

/* The words of /proc's own links are no path: a pipe, a deleted file. */
Test(open_trusted, proc_knows_better_than_its_text)
{
    struct link_refusal refusal;
    char path[64];
    int fd = open(rig_path(&r, "secret"), O_RDONLY | O_CLOEXEC);
    int again;

    cr_assert_geq(fd, 0);
    cr_assert_eq(unlink(rig_path(&r, "secret")), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    again = open_trusted(path, O_RDONLY | O_CLOEXEC, &refusal);
    cr_expect_geq(again, 0);
    close(again);
    close(fd);
}
