#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shipper/base/buffer.h"
#include "tests/support/http_peer.h"

struct http_peer {
    struct http_peer_script script;
    int listener;
    int port;
    int wake[2]; /* closed for writing: the end */
    pthread_t thread;
    atomic_uint n_connections;
    atomic_uint n_requests;
    struct buffer heard;
};

/* False: it is the end of the peer's life. */
static bool wait_readable(const struct http_peer *p, int fd)
{
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {p->wake[0], POLLIN, 0}};

    poll(fds, 2, -1);
    return !fds[1].revents;
}

/* Bytes from `from` on that the first request takes, or 0 when it is not whole. */
static size_t request_len(const struct buffer *b, size_t from, bool is_head_enough)
{
    const char *head = b->ptr ? b->ptr + from : "";
    const char *end = memmem(head, b->len - from, "\r\n\r\n", 4);
    size_t head_len = end ? (size_t)(end - head) + 4 : 0;
    size_t body_len = 0;

    for (const char *p = head; end && p < end; p++)
        if (p[0] == '\n' && strncasecmp(p + 1, "content-length:", 15) == 0)
            body_len = strtoul(p + 16, NULL, 10);
    if (!end || (!is_head_enough && b->len - from < head_len + body_len))
        return 0;
    return is_head_enough ? b->len - from : head_len + body_len;
}

static bool hear_request(struct http_peer *p, int fd, size_t *from)
{
    for (;;) {
        size_t len = request_len(&p->heard, *from, p->script.leaves_body);
        char bytes[4096];
        ssize_t n;

        if (len) {
            *from += len;
            return true;
        }
        if (!wait_readable(p, fd))
            return false;
        n = recv(fd, bytes, sizeof bytes, 0);
        if (n <= 0)
            return false;
        buffer_add(&p->heard, bytes, (size_t)n);
    }
}

static void reset(int fd)
{
    struct linger none = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

static void serve(struct http_peer *p, int fd)
{
    size_t from = p->heard.len;

    while (hear_request(p, fd, &from)) {
        const char *rest = p->script.reply;
        size_t len = p->script.reply_len ? p->script.reply_len : strlen(rest);

        atomic_fetch_add(&p->n_requests, 1);
        while (len) {
            ssize_t n = send(fd, rest, len, MSG_NOSIGNAL);

            if (n <= 0)
                return;
            rest += n;
            len -= (size_t)n;
        }
        if (p->script.after == PEER_RESET)
            reset(fd);
        if (p->script.after == PEER_STALL)
            wait_readable(p, fd);
        if (p->script.after != PEER_KEEP)
            return;
    }
}

static void *run(void *arg)
{
    struct http_peer *p = arg;

    while (wait_readable(p, p->listener)) {
        int fd = accept(p->listener, NULL, NULL);

        if (fd < 0)
            break;
        atomic_fetch_add(&p->n_connections, 1);
        serve(p, fd);
        close(fd);
    }
    return NULL;
}

struct http_peer *http_peer_new(const struct http_peer_script *script)
{
    struct http_peer *p = calloc(1, sizeof *p);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    cr_assert_not_null(p);
    p->script = *script;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(p->listener, (struct sockaddr *)&at, len), 0);
    cr_assert_eq(listen(p->listener, 8), 0);
    cr_assert_eq(getsockname(p->listener, (struct sockaddr *)&at, &len), 0);
    p->port = ntohs(at.sin_port);
    cr_assert_eq(pipe(p->wake), 0);
    cr_assert_eq(pthread_create(&p->thread, NULL, run, p), 0);
    return p;
}

int http_peer_port(const struct http_peer *p)
{
    return p->port;
}

unsigned http_peer_connections(struct http_peer *p)
{
    return atomic_load(&p->n_connections);
}

unsigned http_peer_requests(struct http_peer *p)
{
    return atomic_load(&p->n_requests);
}

static void stop(struct http_peer *p)
{
    if (p->wake[1] < 0)
        return;
    close(p->wake[1]);
    p->wake[1] = -1;
    pthread_join(p->thread, NULL);
}

const char *http_peer_heard(struct http_peer *p)
{
    stop(p);
    buffer_add_char(&p->heard, '\0');
    return p->heard.ptr;
}

void http_peer_free(struct http_peer *p)
{
    stop(p);
    close(p->wake[0]);
    close(p->listener);
    buffer_free(&p->heard);
    free(p);
}
