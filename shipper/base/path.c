#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/open_trusted.h"
#include "shipper/base/path.h"

char *path_join(const char *directory, const char *name)
{
    size_t len = strlen(directory) + strlen(name) + 2;
    char *path = malloc(len);

    if (path)
        snprintf(path, len, "%s/%s", directory, name);
    return path;
}

/* Whether one of the directories above, or this one, is another's and stands where everybody may
 * put one (/tmp): made for us to fall into. What stands elsewhere was put there by who may. */
static bool is_planted(int directory, uid_t *owner)
{
    struct stat here;
    struct stat above;
    bool is_found = false;
    int fd = dup(directory);

    if (fd < 0 || fstat(fd, &here) < 0)
        goto end;
    for (;;) {
        int parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        close(fd);
        fd = parent;
        if (fd < 0 || fstat(fd, &above) < 0 ||
            (above.st_ino == here.st_ino && above.st_dev == here.st_dev))
            break;
        is_found = here.st_uid != 0 && here.st_uid != geteuid() && (above.st_mode & S_IWOTH) != 0;
        *owner = here.st_uid;
        if (is_found)
            break;
        here = above;
    }
end:
    if (fd >= 0)
        close(fd);
    return is_found;
}

static int look_at_place(const char *path, struct err *e)
{
    struct link_refusal refusal = {0, 0};
    int fd = open_trusted(path, O_PATH | O_DIRECTORY | O_CLOEXEC, &refusal);
    uid_t owner = 0;
    int rc = 0;

    if (fd < 0 && refusal.link_owner)
        return err_set(e, ERR_STORE, "a symbolic link of user %u is in the way; not followed",
                       (unsigned)refusal.link_owner);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(e, ERR_STORE, "%s", strerror(errno));
    if (is_planted(fd, &owner))
        rc = err_set(e, ERR_STORE,
                     "made by user %u where everybody may make one, who could read or exchange "
                     "what ship keeps there; name another directory",
                     (unsigned)owner);
    close(fd);
    return rc;
}

int path_check_place(const char *path, struct err *e)
{
    return look_at_place(path, e) < 0 ? err_at(e, "%s", path) : 0;
}

int path_make_directories(const char *path, struct err *e)
{
    char *part = strdup(path);

    if (!part)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0755); /* what goes wrong here goes wrong below too, and is told there */
        *slash = '/';
    }
    free(part);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        err_set(e, ERR_STORE, "cannot make the directory: %s", strerror(errno));
        return err_at(e, "%s", path);
    }
    return path_check_place(path, e);
}

static int check_existing(const char *path, const struct stat *st, bool is_parent, struct err *e)
{
    if (!S_ISDIR(st->st_mode))
        return err_set(e, ERR_STORE, "%s is no directory", path);
    if (access(path, W_OK | X_OK) == 0)
        return 0;
    return err_set(e, ERR_STORE,
                   is_parent ? "cannot be made in %s: %s" : "%s cannot be written: %s", path,
                   strerror(errno));
}

int path_check_directory(const char *path, struct err *e)
{
    char *nearest = strdup(path);
    struct stat st;
    bool is_parent = false;
    int rc;

    if (!nearest)
        return err_set(e, ERR_NOMEM, "out of memory");
    while (stat(nearest, &st) < 0 && errno == ENOENT && strcmp(nearest, "/") != 0 &&
           strcmp(nearest, ".") != 0) {
        char *parent = strdup(dirname(nearest)); /* dirname may answer with a place of its own */

        free(nearest);
        nearest = parent;
        is_parent = true;
        if (!nearest)
            return err_set(e, ERR_NOMEM, "out of memory");
    }
    if (stat(nearest, &st) < 0)
        rc = err_set(e, ERR_STORE, "%s: %s", nearest, strerror(errno));
    else
        rc = check_existing(nearest, &st, is_parent, e);
    free(nearest);
    return rc;
}
