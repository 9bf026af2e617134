/* WHERE, as the command line says it: - | local:FILE |
 * http(s)://[USER:PASSWORD@]HOST[:PORT][/PREFIX]
 *
 * Thread: main's. */
#ifndef SHIP_VERBS_WHERE_H
#define SHIP_VERBS_WHERE_H

#include "config/config.h"
#include "shipper/base/error.h"

/* What goes with an http(s) WHERE; NULL: not given. */
struct where_options {
    const char *flag; /* that WHERE was given with, for messages; NULL: --to */
    const char *index;
    const char *user; /* "name:password" */
    const char *api_key;
    const char *ca_file;
};

/* What of a word may be shown: what is behind the "@" of a URL's user and password. */
const char *where_shown(const char *where);

/* Blots out the secrets where they stand, in our arguments and environment, which `ps` shows to
 * everybody. Call it when they have been copied. NULLs are fine. */
void where_hide(const struct where_options *options, const char *where);

/* Adds the output that WHERE names. -1 and *e (ERR_CONFIG). */
int where_add_output(struct config *c, const char *where, const struct where_options *options,
                     struct err *e);

#endif
