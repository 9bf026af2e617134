/* Paths: joining them, and making the directories that they need.
 *
 * Owner:  strings returned are malloc'd and the caller's. Thread: any; these calls block. */
#ifndef SHIP_BASE_PATH_H
#define SHIP_BASE_PATH_H

#include "shipper/base/error.h"

/* "directory/name"; NULL when memory is out. */
char *path_join(const char *directory, const char *name);

/* mkdir -p; the last one for its owner only (0700). What is there already is fine, unless another
 * user made it where everybody may (/tmp). 0, or -1 and *e (ERR_STORE, with the path). */
int path_make_directories(const char *path, struct err *e);

/* A directory that is there and that nobody was asked about (./ship-state): -1 and *e (ERR_STORE,
 * with the path) if another user made it where everybody may. 0 also if there is none. */
int path_check_place(const char *path, struct err *e);

/* The directory is there and can be written, or could be made; nothing is. 0, or -1 and *e
 * (ERR_STORE). */
int path_check_directory(const char *path, struct err *e);

#endif
