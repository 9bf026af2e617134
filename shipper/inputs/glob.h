/* Globs: which paths match, and which are there.
 *
 * Segments between slashes: * any bytes, ? one byte, [a-z] [!a-z] a set, \x the byte x; ** as a
 * whole segment stands for any number of directories, none included. As in a shell, a name that
 * begins with a dot is only matched by a pattern that begins with one. No braces.
 * Thread: any; there is no state. */
#ifndef SHIP_INPUTS_GLOB_H
#define SHIP_INPUTS_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/error.h"
#include "shipper/base/files.h"

enum {
    GLOB_PATH_MAX = 4096, /* longer paths are not entered */
    GLOB_DEPTH_MAX = 64,  /* directories below each other */
};

/* Whole path against whole pattern. Time is at most the product of their lengths. */
bool glob_match(const char *pattern, const char *path);
/* For `exclude`: a pattern without a slash is held against the last segment alone, and there a
 * leading dot is nothing special. */
bool glob_excludes(const char *pattern, const char *path);
bool glob_has_wildcard(const char *pattern);
/* -1 and *e: a set without its end, a backslash at the end, longer than GLOB_PATH_MAX. */
int glob_check(const char *pattern, struct err *e);

/* What a walk tells. Paths are borrowed for the call. */
struct glob_walk {
    const struct files *files;
    /* A path that matches; `hint` as files->list gave it (FILE_OTHER: unknown, or a link). */
    void (*on_match)(void *ctx, const char *path, enum file_type hint);
    /* A directory in which a match may appear. May be NULL. */
    void (*on_directory)(void *ctx, const char *path);
    /* A directory that could not be listed. */
    void (*on_trouble)(void *ctx, const struct err *e);
    void *ctx;
};

/* Finds what matches now: absolute or relative, as the pattern is. A directory is entered once for
 * each ** however many links lead to it, so loops end. False: the directory that the pattern begins
 * with is not there (a pattern without wildcards: the file itself). */
bool glob_expand(const struct glob_walk *walk, const char *pattern);
/* Everything below a directory whose name and whose parents' names do not begin with a dot. */
void glob_below(const struct glob_walk *walk, const char *directory);

#endif
