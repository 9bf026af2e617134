#define _GNU_SOURCE /* O_PATH, syscall */
#include "shipper/base/open_trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { LINKS_MAX = 40, REST_MAX = 4096 };

/* A path on its way, one name at a time; each step stands on the descriptor before it, so that
 * nobody can exchange what was looked at. */
struct walk {
    int dir; /* where `rest` begins; -1: nowhere */
    char rest[REST_MAX];
    char name[256]; /* the last one that was taken off `rest` */
    unsigned n_links;
    bool has_stranger;
    uid_t stranger; /* whose links were followed on the way, if they are neither root's nor ours */
    struct link_refusal *refusal;
};

/* Most paths have no link in them: the kernel says so in one call. */
static int open_without_links(const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_SYMLINKS};

    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* Owns fd. */
static void step_into(struct walk *w, int fd)
{
    if (w->dir >= 0)
        close(w->dir);
    w->dir = fd;
}

static int start(struct walk *w, bool is_absolute)
{
    step_into(w, open(is_absolute ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return w->dir < 0 ? -1 : 0;
}

/* Takes the first name off `rest`; a path that ends in a slash ends in ".". */
static int take_name(struct walk *w)
{
    size_t slashes = strspn(w->rest, "/");
    size_t len = strcspn(w->rest + slashes, "/");

    if (len >= sizeof w->name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    snprintf(w->name, sizeof w->name, "%.*s", len ? (int)len : 1, len ? w->rest + slashes : ".");
    memmove(w->rest, w->rest + slashes + len, strlen(w->rest + slashes + len) + 1);
    return 0;
}

static int refuse(const struct walk *w, uid_t link_owner, uid_t file_owner)
{
    *w->refusal = (struct link_refusal){link_owner, file_owner};
    errno = EPERM;
    return -1;
}

static int note_owner(struct walk *w, uid_t owner)
{
    if (owner == 0 || owner == geteuid())
        return 0;
    if (w->has_stranger && w->stranger != owner)
        return refuse(w, owner, w->stranger); /* what it leads to cannot be both's */
    w->has_stranger = true;
    w->stranger = owner;
    return 0;
}

/* What the link says is put in front of the rest. */
static int follow(struct walk *w, int link)
{
    char target[REST_MAX];
    ssize_t n = readlinkat(link, "", target, sizeof target - 1);
    size_t rest = strlen(w->rest);

    if (n < 0)
        return -1;
    if (++w->n_links > LINKS_MAX || (size_t)n + 1 + rest >= sizeof w->rest) {
        errno = w->n_links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
        return -1;
    }
    memmove(w->rest + n, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)n);
    return target[0] == '/' ? start(w, true) : 0;
}

/* The text of /proc's links is not always where they lead (/dev/stdin): the kernel knows. */
static bool is_of_proc(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_last(struct walk *w, int flags)
{
    struct stat st = {0};
    int fd = openat(w->dir, w->name, flags);

    if (fd < 0 || !w->has_stranger)
        return fd;
    if (fstat(fd, &st) == 0 && st.st_uid == w->stranger)
        return fd;
    close(fd);
    return refuse(w, w->stranger, st.st_uid);
}

/* One name further. 1: *out is what was to be opened; 0: there is more; -1 and errno. */
static int step(struct walk *w, int flags, int *out)
{
    struct stat st;
    bool is_link;
    int here;
    int rc = -1;

    if (take_name(w) < 0)
        return -1;
    here = openat(w->dir, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (here < 0)
        return -1;
    if (fstat(here, &st) < 0)
        goto done;
    is_link = S_ISLNK(st.st_mode);
    if (is_link && note_owner(w, st.st_uid) < 0)
        goto done;
    if (is_link && !is_of_proc(here)) {
        rc = follow(w, here);
    } else if (!w->rest[0]) {
        *out = open_last(w, is_link ? flags : flags | O_NOFOLLOW);
        rc = *out < 0 ? -1 : 1;
    } else if (is_link) {
        step_into(w, openat(w->dir, w->name, O_PATH | O_CLOEXEC));
        rc = w->dir < 0 ? -1 : 0;
    } else {
        step_into(w, here);
        return 0;
    }
done:
    close(here);
    return rc;
}

static int open_by_steps(const char *path, int flags, struct link_refusal *refusal)
{
    struct walk w = {.dir = -1, .refusal = refusal};
    int fd = -1;
    int rc;

    if (snprintf(w.rest, sizeof w.rest, "%s", path) >= (int)sizeof w.rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    rc = start(&w, path[0] == '/');
    while (rc == 0)
        rc = step(&w, flags, &fd);
    step_into(&w, -1);
    return rc < 0 ? -1 : fd;
}

int open_trusted(const char *path, int flags, struct link_refusal *refusal)
{
    int fd = open_without_links(path, flags);

    /* A kernel or a sandbox that does not know the call says ENOSYS or EPERM. */
    if (fd >= 0 || (errno != ELOOP && errno != ENOSYS && errno != EPERM))
        return fd;
    return open_by_steps(path, flags, refusal);
}
