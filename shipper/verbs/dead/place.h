/* Which dead letters are meant, and by which configuration they are sent again.
 *
 * Owner:  the caller's storage, zeroed; place_fini frees what it holds. Thread: main's. */
#ifndef SHIP_VERBS_DEAD_PLACE_H
#define SHIP_VERBS_DEAD_PLACE_H

#include <stdbool.h>

#include "config/config.h"
#include "shipper/base/error.h"

struct place {
    char *directory;
    struct config *config; /* NULL: there is none */
};

/* The directory: `directory`; else of the configuration; without one that was named, where a replay
 * leaves its letters (ship-state/dead, if there is one here); else of the default configuration, if
 * it can be read; else where a service without one would. `config_path` and `directory` may be
 * NULL. The default configuration is only read if the directory, or wants_config, asks for it. 0;
 * -1 and *e (ERR_CONFIG: what the configuration has wrong; ERR_STORE: a directory that was not
 * named, and that another user made where everybody may). */
int place_find(struct place *p, const char *directory, const char *config_path, bool wants_config,
               struct err *e);
void place_fini(struct place *p);

#endif
