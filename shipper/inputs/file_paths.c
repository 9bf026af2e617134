/* Paths as the configuration gives them, made absolute. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/inputs/file_input.h"
#include "shipper/inputs/glob.h"

/* Drops "." and empty segments, and ".." with the one before it, in place. */
static void simplify(char *path)
{
    char *out = path;
    const char *p = path;

    while (*p) {
        size_t len;

        p += strspn(p, "/");
        len = strcspn(p, "/");
        if (len == 2 && p[0] == '.' && p[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (len && !(len == 1 && p[0] == '.')) {
            *out++ = '/';
            memmove(out, p, len);
            out += len;
        }
        p += len;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

/* Ids grow from the path: it must not depend on how it was typed. */
static char *absolute(const char *path)
{
    char cwd[GLOB_PATH_MAX] = "";
    char *whole;
    size_t len;

    if (path[0] != '/' && !getcwd(cwd, sizeof cwd))
        return NULL;
    len = strlen(cwd) + strlen(path) + 2;
    whole = malloc(len);
    if (!whole)
        return NULL;
    memcpy(whole, cwd, strlen(cwd));
    whole[strlen(cwd)] = '/';
    memcpy(whole + strlen(cwd) + 1, path, strlen(path) + 1);
    simplify(whole);
    return whole;
}

char **file_paths(const struct option_list *list, bool keeps_names)
{
    char **paths = calloc(list->n_items + 1, sizeof(char *));

    for (size_t i = 0; paths && i < list->n_items; i++) {
        bool is_name = keeps_names && !strchr(list->items[i], '/');

        paths[i] = is_name ? strdup(list->items[i]) : absolute(list->items[i]);
        if (!paths[i]) {
            file_paths_free(paths);
            return NULL;
        }
    }
    return paths;
}

void file_paths_free(char **paths)
{
    for (size_t i = 0; paths && paths[i]; i++)
        free(paths[i]);
    free(paths);
}
