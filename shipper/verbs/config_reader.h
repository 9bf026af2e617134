/* Reads the configuration again, on a thread of its own, while everything goes on: a file that
 * ${file:...} names may be a pipe that nobody writes to.
 *
 * The last start counts: what one before it reads is thrown away when it comes, if it ever does.
 * Owner:  the service. Thread: the loop's. */
#ifndef SHIP_VERBS_CONFIG_READER_H
#define SHIP_VERBS_CONFIG_READER_H

#include <ev.h>

#include "config/config.h"
#include "shipper/base/error.h"

struct config_reader;

/* Takes the configuration; NULL: it is bad, and *why says how. */
typedef void config_read_fn(void *ctx, struct config *config, const struct err *why);

/* Copies the path. NULL and *e. */
struct config_reader *config_reader_new(const char *path, struct ev_loop *loop,
                                        config_read_fn *on_read, void *ctx, struct err *e);
void config_reader_start(struct config_reader *r);
/* What is still being read is left to itself. NULL is fine. */
void config_reader_free(struct config_reader *r);

#endif
