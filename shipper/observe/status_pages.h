/* What the status server says at which path.
 *
 * Thread: the loop's. */
#ifndef SHIP_OBSERVE_STATUS_PAGES_H
#define SHIP_OBSERVE_STATUS_PAGES_H

#include "shipper/observe/snapshot.h"
#include "shipper/observe/status_server.h"

/* /metrics, /healthz, /readyz; 404 for the rest. */
void status_page(const char *path, const struct snapshot *s, struct status_answer *answer);

#endif
