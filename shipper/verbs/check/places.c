#include "shipper/verbs/check/places.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool place_is_public(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH));
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

int place_check_directory(const char *path, struct err *e)
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
