/* The status server: HTTP on a socket, driven by the loop. It answers what it is asked, and takes
 * nothing: GET and HEAD only.
 *
 * It never blocks: libmicrohttpd runs when its epoll descriptor has news. Bounded: connections
 * (STATUS_CONNECTIONS; more wait in the kernel's backlog), how many of them one address may have,
 * the head of a request and the time that it may take, and how often it may run in a second, so
 * that nobody who connects takes the loop from the events, or the answers from others.
 * Owner:  the service; it outlives a loop, so that a reload keeps socket and connections. Thread:
 *         the loop's. */
#ifndef SHIP_OBSERVE_STATUS_SERVER_H
#define SHIP_OBSERVE_STATUS_SERVER_H

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/observe/status_address.h"

enum {
    STATUS_CONNECTIONS = 16,
    STATUS_CONNECTIONS_EACH = 8, /* of one IP address */
    STATUS_REQUEST_S = 5, /* after it was opened, or last answered, a connection is closed ... */
    STATUS_TURN_S = 1,    /* ... or after so long already, when there are as many as may be */
    STATUS_HEAD_BYTES = 16 * 1024, /* of memory for each connection */
    STATUS_RUNS_PER_S = 2000,
};

struct status_answer {
    unsigned status;          /* HTTP's */
    const char *content_type; /* static */
    struct buffer body;       /* taken */
};

/* What is at `path` ("/metrics"; what follows a "?" is cut off)? Fills *answer, which is zero. */
typedef void status_ask_fn(void *ctx, const char *path, struct status_answer *answer);

struct ev_loop;
struct status_server;

/* Listens from now on; whoever connects waits until it is started. NULL and *e (as
 * status_listen_open, ERR_NOMEM). */
struct status_server *status_server_new(const struct status_address *address, status_ask_fn *ask,
                                        void *ctx, struct err *e);
void status_server_start(struct status_server *s, struct ev_loop *loop);
/* Before its loop ends; it can be started on another. Twice is fine. */
void status_server_stop(struct status_server *s);
/* "unix:/var/lib/ship/ship.sock", "127.0.0.1:9598" */
const char *status_server_where(const struct status_server *s);
/* Closes all connections, removes the socket. NULL is fine. */
void status_server_free(struct status_server *s);

#endif
