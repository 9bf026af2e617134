/* Files and directories around a configuration: who may read them, and whether ship may write.
 *
 * Nothing is made or changed. Thread: any; blocks. */
#ifndef SHIP_VERBS_CHECK_PLACES_H
#define SHIP_VERBS_CHECK_PLACES_H

#include <stdbool.h>

#include "shipper/base/error.h"

/* Somebody besides its owner and group may read or write the file. */
bool place_is_public(const char *path);

/* The directory is there and can be written, or can be made. -1 and *e (ERR_STORE, the reason). */
int place_check_directory(const char *path, struct err *e);

#endif
