#define _DEFAULT_SOURCE /* struct in6_addr's tests */
#include "shipper/observe/status_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 64 };

static int refuse(const char *text, struct err *e)
{
    return err_set(e, ERR_CONFIG,
                   "\"%.80s\" is no address; want unix:PATH, ADDRESS:PORT as 127.0.0.1:9598 or "
                   "[::1]:9598, or none",
                   text);
}

static int parse_port(const char *text, uint16_t *out)
{
    char *end;
    long port;

    if (*text < '0' || *text > '9')
        return -1;
    port = strtol(text, &end, 10);
    if (*end || port > UINT16_MAX)
        return -1;
    *out = (uint16_t)port;
    return 0;
}

static int set_v4(const char *host, uint16_t port, struct status_address *out)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&out->tcp;

    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    out->tcp_len = sizeof *in;
    return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &in->sin_addr) ==
                   1
               ? 0
               : -1;
}

static int set_v6(const char *host, uint16_t port, struct status_address *out)
{
    struct sockaddr_in6 *in = (struct sockaddr_in6 *)&out->tcp;

    in->sin6_family = AF_INET6;
    in->sin6_port = htons(port);
    out->tcp_len = sizeof *in;
    return inet_pton(AF_INET6, host, &in->sin6_addr) == 1 ? 0 : -1;
}

static int parse_tcp(const char *text, struct status_address *out)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool is_v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    char host[HOST_MAX];
    uint16_t port;

    if (len == 0 || len >= sizeof host || parse_port(colon + 1, &port) < 0)
        return -1;
    snprintf(host, sizeof host, "%.*s", (int)(is_v6 ? len - 2 : len), is_v6 ? text + 1 : text);
    out->kind = STATUS_TCP;
    return is_v6 ? set_v6(host, port, out) : set_v4(host, port, out);
}

int status_address_parse(const char *text, struct status_address *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    if (strcmp(text, "none") == 0)
        return 0;
    if (strncmp(text, "unix:", 5) == 0) {
        out->kind = STATUS_UNIX;
        out->path = text + 5;
        return *out->path ? status_address_check_path(out->path, e) : refuse(text, e);
    }
    return parse_tcp(text, out) < 0 ? refuse(text, e) : 0;
}

bool status_address_is_local(const struct status_address *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->tcp;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->tcp;

    if (a->kind != STATUS_TCP)
        return true;
    if (a->tcp.ss_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

int status_address_check_path(const char *path, struct err *e)
{
    size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

    if (strlen(path) <= most)
        return 0;
    return err_set(e, ERR_CONFIG,
                   "the socket's path has %zu bytes, and the system allows %zu; name a shorter one "
                   "as status.listen",
                   strlen(path), most);
}
