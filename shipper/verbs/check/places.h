/* The files around a configuration: who may read them.
 *
 * Thread: any; blocks. */
#ifndef SHIP_VERBS_CHECK_PLACES_H
#define SHIP_VERBS_CHECK_PLACES_H

#include <stdbool.h>

/* Somebody besides its owner and group may read or write the file. */
bool place_is_public(const char *path);

#endif
