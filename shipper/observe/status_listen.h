/* The descriptor that the status server listens on.
 *
 * A Unix socket is its owner's alone (0600). One that a killed ship left is replaced; one behind
 * which somebody listens is not. Owner:  the status server. Thread: the loop's; blocks no longer
 * than the file system does. */
#ifndef SHIP_OBSERVE_STATUS_LISTEN_H
#define SHIP_OBSERVE_STATUS_LISTEN_H

#include <sys/types.h>

#include "shipper/base/error.h"
#include "shipper/observe/status_address.h"

struct status_listen {
    int fd;
    char *path; /* of the Unix socket; NULL: TCP */
    dev_t device;
    ino_t inode;
    char where[160]; /* "unix:/var/lib/ship/ship.sock", "127.0.0.1:9598": the port that it got */
};

enum { STATUS_BACKLOG = 64 };

/* Not for STATUS_NONE. 0, or -1 and *e (ERR_CONFIG, ERR_BUSY: somebody listens there, ERR_INPUT).
 */
int status_listen_open(struct status_listen *l, const struct status_address *address,
                       struct err *e);
/* Closes it, and removes the socket if it is still this one. Twice is fine. */
void status_listen_close(struct status_listen *l);

#endif
