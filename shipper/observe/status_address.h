/* Where the status server listens: status.listen, read.
 *
 * Thread: any; nothing is asked of the network. */
#ifndef SHIP_OBSERVE_STATUS_ADDRESS_H
#define SHIP_OBSERVE_STATUS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shipper/base/error.h"

enum status_kind { STATUS_NONE, STATUS_UNIX, STATUS_TCP };

struct status_address {
    enum status_kind kind;
    const char *path; /* STATUS_UNIX; a part of the text that was read */
    struct sockaddr_storage tcp;
    socklen_t tcp_len;
};

/* "none", "unix:PATH", "ADDRESS:PORT" with an IPv4 address, an IPv6 one in brackets, or
 * "localhost"; port 0: any that is free. -1 and *e (ERR_CONFIG): no name is looked up, so others
 * are refused. */
int status_address_parse(const char *text, struct status_address *out, struct err *e);
/* Nobody outside this machine gets there. */
bool status_address_is_local(const struct status_address *a);
/* A path that fits into the kernel's struct sockaddr_un. -1 and *e (ERR_CONFIG). */
int status_address_check_path(const char *path, struct err *e);

#endif
