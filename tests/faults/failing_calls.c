/* A library to preload (LD_PRELOAD) under the built ship: system calls on files fail by a plan.
 *
 *   SHIP_FAULTS='calls=write,fdatasync path=/queue/ error=EIO while=/tmp/x/broken; calls=...'
 *
 *   calls   of open (for writing), write, fsync, rename, truncate, unlink; "fsync" is fdatasync,
 *           too, "write" is pwrite
 *   path    what the file's path must have in it; with a $ behind it: at its end
 *   error   an errno's name of the few below, or SHORT: a write takes half of what it was given;
 *           or WAIT: the call hangs as long as the file of `while` is there, and then works
 *   from    the first of these calls that fails, 1 if not said; each counts, failing or not
 *   count   how many of them fail from there on; all if not said
 *   every   of those only each n-th
 *   while   only as long as this file is there
 *
 * With SHIP_INOTIFY_LIES in the environment no watch says anything, as on a file system of another
 * machine.
 *
 * A write that fails has put nothing there, or, every second time, its first half.
 * Thread: any. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* the names with 64 in them are functions of their own here */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum call {
    CALL_OPEN = 1,
    CALL_WRITE = 2,
    CALL_FSYNC = 4,
    CALL_RENAME = 8,
    CALL_TRUNCATE = 16,
    CALL_UNLINK = 32,
};

enum { PLANS_MAX = 8, SHORT = -1, WAIT = -2, WAIT_TRIES = 6000 /* of 10 ms */ };

struct plan {
    unsigned calls;
    char path[128];
    char only_while[PATH_MAX];
    int error;
    unsigned from;
    unsigned count;
    unsigned every;
    _Atomic unsigned seen;
};

static struct plan plans[PLANS_MAX];
static size_t n_plans;

/* --- the plan -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int number;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
              {"EDQUOT", EDQUOT}, {"EROFS", EROFS},   {"EMFILE", EMFILE},
              {"EACCES", EACCES}, {"SHORT", SHORT},   {"WAIT", WAIT}},
  call_names[] = {{"open", CALL_OPEN},     {"write", CALL_WRITE},       {"fsync", CALL_FSYNC},
                  {"rename", CALL_RENAME}, {"truncate", CALL_TRUNCATE}, {"unlink", CALL_UNLINK}};

static void refuse(const char *what)
{
    fprintf(stderr, "failing_calls: no idea what \"%s\" is\n", what);
    abort();
}

static unsigned calls_of(const char *names)
{
    unsigned calls = 0;

    for (size_t i = 0; i < sizeof call_names / sizeof call_names[0]; i++)
        if (strstr(names, call_names[i].name))
            calls |= (unsigned)call_names[i].number;
    if (!calls)
        refuse(names);
    return calls;
}

static int error_of(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].number;
    refuse(name);
    return 0;
}

static void set(struct plan *p, const char *key, const char *value)
{
    if (strcmp(key, "calls") == 0)
        p->calls = calls_of(value);
    else if (strcmp(key, "path") == 0)
        snprintf(p->path, sizeof p->path, "%s", value);
    else if (strcmp(key, "while") == 0)
        snprintf(p->only_while, sizeof p->only_while, "%s", value);
    else if (strcmp(key, "error") == 0)
        p->error = error_of(value);
    else if (strcmp(key, "from") == 0)
        p->from = (unsigned)atoi(value);
    else if (strcmp(key, "count") == 0)
        p->count = (unsigned)atoi(value);
    else if (strcmp(key, "every") == 0)
        p->every = (unsigned)atoi(value);
    else
        refuse(key);
}

static void read_plan(char *text)
{
    struct plan *p = &plans[n_plans++];
    char *rest = NULL;

    p->from = 1;
    p->count = UINT_MAX;
    p->every = 1;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');

        if (!equals)
            refuse(word);
        *equals = '\0';
        set(p, word, equals + 1);
    }
}

__attribute__((constructor)) static void read_plans(void)
{
    const char *said = getenv("SHIP_FAULTS");
    char *text = said ? strdup(said) : NULL;
    char *rest = NULL;

    for (char *one = text ? strtok_r(text, ";", &rest) : NULL; one && n_plans < PLANS_MAX;
         one = strtok_r(NULL, ";", &rest))
        read_plan(one);
    free(text);
}

/* --- whether a call fails -------------------------------------------------------------------- */

static bool is_meant(const struct plan *p, const char *path)
{
    size_t len = strlen(p->path);
    size_t path_len = strlen(path);

    if (!len || p->path[len - 1] != '$')
        return strstr(path, p->path);
    len--;
    return path_len >= len && memcmp(path + path_len - len, p->path, len) == 0;
}

static bool is_due(struct plan *p)
{
    unsigned n;

    if (p->only_while[0] && access(p->only_while, F_OK) < 0)
        return false;
    n = atomic_fetch_add(&p->seen, 1) + 1;
    return n >= p->from && n - p->from < p->count && (n - p->from) % p->every == 0;
}

static void wait_while(const char *path)
{
    for (int i = 0; i < WAIT_TRIES && access(path, F_OK) == 0; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
}

/* 0, an errno, or SHORT. */
static int fault_at(enum call call, const char *path)
{
    int saved = errno;
    int error = 0;

    for (size_t i = 0; i < n_plans && !error; i++)
        if (plans[i].calls & call && is_meant(&plans[i], path) && is_due(&plans[i]))
            error = plans[i].error;
    for (size_t i = 0; i < n_plans && error == WAIT; i++)
        if (plans[i].error == WAIT)
            wait_while(plans[i].only_while);
    errno = saved;
    return error == WAIT ? 0 : error;
}

static bool is_planned(enum call call)
{
    for (size_t i = 0; i < n_plans; i++)
        if (plans[i].calls & call)
            return true;
    return false;
}

static void path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    path[n < 0 ? 0 : n] = '\0';
}

static int fault_of(enum call call, int fd)
{
    char path[PATH_MAX];
    int saved = errno;

    if (!is_planned(call))
        return 0;
    path_of(fd, path);
    errno = saved;
    return fault_at(call, path);
}

static int fault_named(enum call call, int dir, const char *name)
{
    char path[2 * PATH_MAX] = "";
    int saved = errno;

    if (!is_planned(call))
        return 0;
    if (name[0] != '/' && dir != AT_FDCWD)
        path_of(dir, path);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", name);
    errno = saved;
    return fault_at(call, path);
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* --- writes ---------------------------------------------------------------------------------- */

/* How many of its bytes a write takes. *error: what it says then; 0: how many they were. */
static size_t share_of(int fd, size_t len, int *error)
{
    static _Atomic unsigned n_failed;

    *error = fault_of(CALL_WRITE, fd);
    if (*error == SHORT) {
        *error = 0;
        return len > 1 ? len / 2 : len;
    }
    if (*error && *error != EINTR)
        return atomic_fetch_add(&n_failed, 1) % 2 ? len / 2 : 0;
    return *error ? 0 : len;
}

ssize_t write(int fd, const void *buf, size_t len)
{
    int error;
    size_t share = share_of(fd, len, &error);

    if (share || !error)
        share = (size_t)syscall(SYS_write, fd, buf, share);
    return error ? fail(error) : (ssize_t)share;
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    int error;
    size_t share = share_of(fd, len, &error);

    if (share || !error)
        share = (size_t)syscall(SYS_pwrite64, fd, buf, share, offset);
    return error ? fail(error) : (ssize_t)share;
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
    return pwrite(fd, buf, len, offset);
}

int ftruncate(int fd, off_t len)
{
    int error = fault_of(CALL_TRUNCATE, fd);

    return error ? fail(error) : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off64_t len)
{
    return ftruncate(fd, len);
}

/* --- durability ------------------------------------------------------------------------------ */

int fsync(int fd)
{
    int error = fault_of(CALL_FSYNC, fd);

    return error ? fail(error) : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    int error = fault_of(CALL_FSYNC, fd);

    return error ? fail(error) : (int)syscall(SYS_fdatasync, fd);
}

/* --- names ----------------------------------------------------------------------------------- */

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int error = fault_named(CALL_RENAME, to_dir, to);

    return error ? fail(error) : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int dir, const char *name, int flags)
{
    int error = fault_named(CALL_UNLINK, dir, name);

    return error ? fail(error) : (int)syscall(SYS_unlinkat, dir, name, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

static int open_in(int dir, const char *name, int flags, mode_t mode)
{
    int error = flags & (O_WRONLY | O_RDWR) ? fault_named(CALL_OPEN, dir, name) : 0;

    return error ? fail(error) : (int)syscall(SYS_openat, dir, name, flags, mode);
}

/* It is there only if a file may be made. */
static mode_t mode_of(int flags, va_list args)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_in(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_in(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int dir, const char *name, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_in(dir, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_in(dir, name, flags | O_LARGEFILE, mode);
}

/* What _FORTIFY_SOURCE makes of an open without a mode. */
int __open64_2(const char *path, int flags);
int __openat64_2(int dir, const char *name, int flags);

int __open64_2(const char *path, int flags)
{
    return open_in(AT_FDCWD, path, flags | O_LARGEFILE, 0);
}

int __openat64_2(int dir, const char *name, int flags)
{
    return open_in(dir, name, flags | O_LARGEFILE, 0);
}

/* --- watches --------------------------------------------------------------------------------- */

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    bool is_silent = getenv("SHIP_INOTIFY_LIES");

    return (int)syscall(SYS_inotify_add_watch, fd, path, is_silent ? IN_DELETE_SELF : mask);
}
