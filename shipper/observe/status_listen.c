#include "shipper/observe/status_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SOCK_NONBLOCK is no POSIX. */
static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- Unix --- */

/* Connects: whoever is killed listens no more, whoever is stopped still does. */
static bool is_listened_to(const struct sockaddr_un *address)
{
    int fd = open_socket(AF_UNIX);
    bool is_alive = fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                    errno != ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return is_alive;
}

/* What stands in the way goes only if it is a socket that nobody listens to. */
static int make_way(const struct sockaddr_un *address, struct err *e)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : err_set(e, ERR_INPUT, "%s", strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, ERR_INPUT, "what is there is no socket; left as it is");
    if (is_listened_to(address))
        return err_set(e, ERR_BUSY, "another process listens there");
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return err_set(e, ERR_INPUT, "a dead socket cannot be removed: %s", strerror(errno));
    return 0;
}

static int listen_unix(struct status_listen *l, const char *path, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (status_address_check_path(path, e) < 0)
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (make_way(&address, e) < 0)
        return -1;
    l->path = strdup(path);
    l->fd = open_socket(AF_UNIX);
    /* On Linux the file gets the socket's own mode: nobody can connect before it is set. */
    if (!l->path || l->fd < 0 || fchmod(l->fd, 0600) < 0 ||
        bind(l->fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_set(e, ERR_INPUT, "%s", strerror(errno));
    if (stat(path, &st) == 0) {
        l->device = st.st_dev;
        l->inode = st.st_ino;
    }
    snprintf(l->where, sizeof l->where, "unix:%s", path);
    return 0;
}

/* --- TCP --- */

static void say_where(struct status_listen *l)
{
    struct sockaddr_storage got;
    socklen_t len = sizeof got;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&got;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&got;
    char host[INET6_ADDRSTRLEN] = "?";

    memset(&got, 0, sizeof got);
    getsockname(l->fd, (struct sockaddr *)&got, &len);
    if (got.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        snprintf(l->where, sizeof l->where, "[%s]:%u", host, (unsigned)ntohs(v6->sin6_port));
    } else {
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(l->where, sizeof l->where, "%s:%u", host, (unsigned)ntohs(v4->sin_port));
    }
}

static int listen_tcp(struct status_listen *l, const struct status_address *a, struct err *e)
{
    int on = 1;

    l->fd = open_socket(a->tcp.ss_family);
    if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(l->fd, (const struct sockaddr *)&a->tcp, a->tcp_len) < 0)
        return err_set(e, errno == EADDRINUSE ? ERR_BUSY : ERR_INPUT, "%s", strerror(errno));
    say_where(l);
    return 0;
}

/* --- both --- */

int status_listen_open(struct status_listen *l, const struct status_address *address, struct err *e)
{
    int rc;

    *l = (struct status_listen){.fd = -1};
    rc =
        address->kind == STATUS_UNIX ? listen_unix(l, address->path, e) : listen_tcp(l, address, e);
    if (rc == 0 && listen(l->fd, STATUS_BACKLOG) < 0)
        rc = err_set(e, errno == EADDRINUSE ? ERR_BUSY : ERR_INPUT, "%s", strerror(errno));
    if (rc < 0)
        status_listen_close(l);
    return rc;
}

static void remove_socket(const struct status_listen *l)
{
    struct stat st;

    if (l->path && l->inode && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
        st.st_ino == l->inode)
        unlink(l->path);
}

void status_listen_close(struct status_listen *l)
{
    remove_socket(l);
    if (l->fd >= 0)
        close(l->fd);
    free(l->path);
    *l = (struct status_listen){.fd = -1};
}
