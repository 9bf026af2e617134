#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/path.h"

char *path_join(const char *directory, const char *name)
{
    size_t len = strlen(directory) + strlen(name) + 2;
    char *path = malloc(len);

    if (path)
        snprintf(path, len, "%s/%s", directory, name);
    return path;
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
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    err_set(e, ERR_STORE, "cannot make the directory: %s", strerror(errno));
    return err_at(e, "%s", path);
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
