#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
