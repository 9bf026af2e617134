/* bulk_sink [--port N] [--expect N] [--delay-ms N] [--verify]: an Elasticsearch that keeps nothing.
 *
 * It takes POST .../_bulk over HTTP/1.1 on 127.0.0.1 (keep-alive, several connections,
 * Content-Length or chunked, plain or gzip), counts the events and answers 201 for each; any other
 * request is answered as a healthy node would. One thread, no copy of a body is made, so that next
 * to what sends to it it costs little.
 *
 * On standard output: "port N" at once, a line of JSON when --expect events have come, and another
 * at its end, which is SIGTERM or the end of standard input. --delay-ms keeps each answer back.
 * --verify looks at every line, and that no _id comes twice. */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bulk_body.h"

enum { HEAD_MAX = 16 * 1024, READ_MAX = 256 * 1024 };

/* An item of the answer, as Elasticsearch 8 words it, and what filter_path leaves of it. */
#define WHOLE_ITEM                                                                                 \
    "\":{\"_index\":\".ds-logs-bench-default-2026.01.01-000001\",\"_id\":"                         \
    "\"AZmK3nQBx0G5s9kT2vXe\","                                                                    \
    "\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,\"successful\":1,\"failed\":"  \
    "0},"                                                                                          \
    "\"_seq_no\":1234567,\"_primary_term\":1,\"status\":201}}"
#define SHORT_ITEM "\":{\"status\":201}}"

static const char *const items[2][2] = {
    {"{\"index" WHOLE_ITEM, "{\"create" WHOLE_ITEM},
    {"{\"index" SHORT_ITEM, "{\"create" SHORT_ITEM},
};

/* What a request's body is read as, after its head. */
enum body { BODY_NONE, BODY_LENGTH, BODY_CHUNK_HEAD, BODY_CHUNK, BODY_CHUNK_END, BODY_TRAILER };

struct peer {
    int fd;
    char head[HEAD_MAX]; /* the request's head, then heads of chunks */
    size_t head_len;
    enum body body; /* BODY_NONE: the head is being read */
    uint64_t left;  /* of the body, or of its chunk */
    bool is_bulk;
    bool wants_status_only; /* it has a filter_path */
    struct bulk_body events;
    char *out;
    size_t out_len, out_at;
    int64_t answer_ms; /* when the answer may leave; 0: none is kept back */
    struct peer *next, **link;
};

struct sink {
    int epoll;
    int listener;
    int64_t delay_ms;
    uint64_t expected;
    bool is_stopping;
    struct peer *peers;
    char *buf; /* what was just read */

    uint64_t events, requests, connections;
    int64_t first_ns, last_ns; /* CLOCK_MONOTONIC: first bulk request; newest answer */
    struct bulk_totals totals;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void tell(const struct sink *s)
{
    const struct bulk_totals *t = &s->totals;

    printf("{\"events\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"connections\":%" PRIu64
           ",\"wire_bytes\":%" PRIu64 ",\"plain_bytes\":%" PRIu64 ",\"first_ns\":%" PRId64
           ",\"last_ns\":%" PRId64 ",\"bad_lines\":%" PRIu64 ",\"repeated\":%" PRIu64 "}\n",
           s->events, s->requests, s->connections, t->wire_bytes, t->plain_bytes, s->first_ns,
           s->last_ns, t->bad_lines, t->repeated);
    fflush(stdout);
}

/* --- the answer --- */

static void answer(struct peer *p, const char *body, size_t len)
{
    char head[160];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     len);

    p->out = bulk_grow(p->out, p->out_len + (size_t)n + len);
    memcpy(p->out + p->out_len, head, (size_t)n);
    memcpy(p->out + p->out_len + n, body, len);
    p->out_len += (size_t)n + len;
}

static void answer_bulk(struct sink *s, struct peer *p)
{
    static const char open[] = "{\"errors\":false,\"took\":1,\"items\":[";
    const char *item = items[p->wants_status_only][p->events.is_create];
    size_t item_len = strlen(item);
    uint64_t n = bulk_body_end(&p->events, &s->totals);
    bool was_waited_for = s->events < s->expected;
    char *body = bulk_grow(NULL, sizeof open + n * (item_len + 1) + 2);
    size_t len = sizeof open - 1;

    memcpy(body, open, len);
    for (uint64_t i = 0; i < n; i++) {
        memcpy(body + len, item, item_len);
        body[len + item_len] = ',';
        len += item_len + 1;
    }
    len -= n > 0;
    memcpy(body + len, "]}", 2);
    answer(p, body, len + 2);
    free(body);

    s->requests++;
    s->events += n;
    s->last_ns = now_ns();
    if (was_waited_for && s->events >= s->expected)
        tell(s);
}

static void end_request(struct sink *s, struct peer *p)
{
    static const char node[] = "{\"name\":\"bulk_sink\",\"cluster_name\":\"bulk_sink\","
                               "\"version\":{\"number\":\"8.19.0\"},\"status\":\"green\"}";

    if (p->is_bulk)
        answer_bulk(s, p);
    else
        answer(p, node, sizeof node - 1);
    if (s->delay_ms && p->is_bulk)
        p->answer_ms = now_ns() / 1000000 + s->delay_ms;
    p->body = BODY_NONE;
    p->head_len = 0;
}

/* --- the head --- */

/* The value of a header of the head, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = strstr(head, "\r\n"); at; at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, len) == 0 && at[2 + len] == ':')
            return at + 3 + len + strspn(at + 3 + len, " ");
    return NULL;
}

static bool says(const char *value, const char *word)
{
    return value && strncasecmp(value, word, strlen(word)) == 0;
}

static void begin_body(struct sink *s, struct peer *p)
{
    const char *target_end = strstr(p->head, " HTTP/");
    const char *bulk = strstr(p->head, "/_bulk");
    const char *length = header(p->head, "content-length");

    p->is_bulk = strncmp(p->head, "POST ", 5) == 0 && bulk && target_end && bulk < target_end;
    p->left = length ? strtoull(length, NULL, 10) : 0;
    p->body = BODY_LENGTH;
    if (says(header(p->head, "transfer-encoding"), "chunked"))
        p->body = BODY_CHUNK_HEAD;
    p->wants_status_only = strstr(p->head, "filter_path=");
    bulk_body_begin(&p->events, says(header(p->head, "content-encoding"), "gzip"));
    if (p->is_bulk && !s->first_ns)
        s->first_ns = now_ns();
    if (says(header(p->head, "expect"), "100-continue") &&
        write(p->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25) != 25)
        p->left = 0; /* it will be closed by its reader */
    p->head_len = 0;
}

/* Moves bytes into p->head up to and with `end`. False: too long. *is_whole: `end` has come. */
static bool take_head(struct peer *p, const char **bytes, const char *stop, const char *end,
                      bool *is_whole)
{
    size_t len = strlen(end);

    *is_whole = false;
    while (*bytes < stop && !*is_whole) {
        if (p->head_len + 1 == HEAD_MAX)
            return false;
        p->head[p->head_len++] = *(*bytes)++;
        *is_whole = p->head_len >= len && memcmp(p->head + p->head_len - len, end, len) == 0;
    }
    p->head[p->head_len] = '\0';
    return true;
}

/* A line of the chunked form: a chunk's length, the end of one, a trailer. */
static bool take_chunk_line(struct sink *s, struct peer *p, const char **bytes, const char *stop)
{
    bool is_whole;

    if (!take_head(p, bytes, stop, "\r\n", &is_whole))
        return false;
    if (!is_whole)
        return true;
    if (p->body == BODY_TRAILER) {
        if (p->head_len == 2)
            end_request(s, p);
    } else if (p->body == BODY_CHUNK_END) {
        p->body = BODY_CHUNK_HEAD;
    } else {
        p->left = strtoull(p->head, NULL, 16);
        p->body = p->left ? BODY_CHUNK : BODY_TRAILER;
    }
    p->head_len = 0;
    return true;
}

static void take_counted(struct sink *s, struct peer *p, const char **bytes, const char *stop)
{
    size_t n = (uint64_t)(stop - *bytes) < p->left ? (size_t)(stop - *bytes) : (size_t)p->left;

    if (p->is_bulk)
        bulk_body_add(&p->events, &s->totals, *bytes, n);
    *bytes += n;
    p->left -= n;
    if (p->left == 0 && p->body == BODY_LENGTH)
        end_request(s, p);
    else if (p->left == 0)
        p->body = BODY_CHUNK_END;
}

/* False: this is no HTTP. */
static bool take(struct sink *s, struct peer *p, const char *bytes, size_t len)
{
    const char *stop = bytes + len;
    bool is_whole;

    while (bytes < stop) {
        if (p->body == BODY_LENGTH || p->body == BODY_CHUNK) {
            take_counted(s, p, &bytes, stop);
        } else if (p->body != BODY_NONE) {
            if (!take_chunk_line(s, p, &bytes, stop))
                return false;
        } else {
            if (!take_head(p, &bytes, stop, "\r\n\r\n", &is_whole))
                return false;
            if (is_whole)
                begin_body(s, p);
            if (is_whole && p->body == BODY_LENGTH && p->left == 0)
                end_request(s, p);
        }
    }
    return true;
}

/* --- sockets --- */

static void hang_up(struct peer *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    close(p->fd);
    bulk_body_free(&p->events);
    free(p->out);
    free(p);
}

static void want(struct sink *s, struct peer *p, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = p};

    epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &e);
}

/* False: it is gone. */
static bool send_answer(struct sink *s, struct peer *p)
{
    if (p->answer_ms > now_ns() / 1000000)
        return true;
    p->answer_ms = 0;
    while (p->out_at < p->out_len) {
        ssize_t n = send(p->fd, p->out + p->out_at, p->out_len - p->out_at, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            want(s, p, EPOLLIN | EPOLLOUT);
            return true;
        }
        if (n < 0)
            return false;
        p->out_at += (size_t)n;
    }
    p->out_at = p->out_len = 0;
    return true;
}

static bool serve(struct sink *s, struct peer *p, uint32_t events)
{
    ssize_t n;

    if (events & EPOLLOUT)
        want(s, p, EPOLLIN);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        n = recv(p->fd, s->buf, READ_MAX, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0 && !take(s, p, s->buf, (size_t)n))
            return false;
    }
    return send_answer(s, p);
}

static void accept_all(struct sink *s)
{
    int fd;

    while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *p = calloc(1, sizeof *p);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};

        if (!p)
            die("bulk_sink");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        p->fd = fd;
        p->next = s->peers;
        p->link = &s->peers;
        if (p->next)
            p->next->link = &p->next;
        s->peers = p;
        s->connections++;
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

/* Sends what was kept back and is due; how long until the next is. */
static int tend_delayed(struct sink *s)
{
    int64_t now_ms = now_ns() / 1000000;
    int64_t wait = -1;

    for (struct peer *p = s->peers, *next; p; p = next) {
        next = p->next;
        if (!p->answer_ms)
            continue;
        if (p->answer_ms <= now_ms) {
            if (!send_answer(s, p))
                hang_up(p);
        } else if (wait < 0 || p->answer_ms - now_ms < wait) {
            wait = p->answer_ms - now_ms;
        }
    }
    return (int)wait;
}

static int open_listener(uint16_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        die("bulk_sink: listen");
    printf("port %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

/* SIGTERM, SIGINT and standard input, as descriptors of the loop. */
static void watch_for_end(struct sink *s)
{
    sigset_t set;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &s->is_stopping};
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC);
    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
    epoll_ctl(s->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e); /* refuses a plain file: never mind */
}

static void run(struct sink *s)
{
    struct epoll_event got[64];

    while (!s->is_stopping) {
        int n = epoll_wait(s->epoll, got, 64, tend_delayed(s));

        for (int i = 0; i < n; i++) {
            if (got[i].data.ptr == &s->is_stopping)
                s->is_stopping = true;
            else if (got[i].data.ptr == s)
                accept_all(s);
            else if (!serve(s, got[i].data.ptr, got[i].events))
                hang_up(got[i].data.ptr);
        }
    }
}

static int parse(struct sink *s, uint16_t *port, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";

        if (strcmp(argv[i], "--verify") == 0) {
            s->totals.verifies = true;
            continue;
        }
        if (strcmp(argv[i], "--port") == 0)
            *port = (uint16_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--expect") == 0)
            s->expected = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--delay-ms") == 0)
            s->delay_ms = strtoll(value, NULL, 10);
        else
            return -1;
        i++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct sink s;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &s};
    uint16_t port = 0;

    if (parse(&s, &port, argc, argv) < 0) {
        fputs("usage: bulk_sink [--port N] [--expect N] [--delay-ms N] [--verify]\n", stderr);
        return 2;
    }
    s.buf = bulk_grow(NULL, READ_MAX);
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    watch_for_end(&s);
    s.listener = open_listener(port);
    epoll_ctl(s.epoll, EPOLL_CTL_ADD, s.listener, &e);
    run(&s);
    tell(&s);
    while (s.peers)
        hang_up(s.peers);
    free(s.totals.ids);
    free(s.buf);
    return 0;
}
