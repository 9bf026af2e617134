#include "shipper/observe/status_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <ev.h>
#include <microhttpd.h>

#include "shipper/base/clock.h"
#include "shipper/observe/status_listen.h"

struct held {
    int fd;           /* -1: none */
    int64_t since_ms; /* it was opened, or last answered */
};

struct status_server {
    struct status_listen listen;
    struct MHD_Daemon *daemon;
    struct ev_loop *loop; /* NULL: stopped */
    ev_io news;
    ev_timer due;      /* what libmicrohttpd wants to do by time; or the rest after too many runs */
    int64_t second_ms; /* when the second that n_runs counts began */
    unsigned n_runs;
    unsigned n_connections;
    struct held held[STATUS_CONNECTIONS];
    status_ask_fn *ask;
    void *ctx;
};

/* --- who is connected --- */

/* libmicrohttpd only knows silence: who says a byte now and then would stay for ever, and sixteen
 * of those would keep everybody else out. */
static void on_connection(void *ctx, struct MHD_Connection *c, void **place,
                          enum MHD_ConnectionNotificationCode what)
{
    struct status_server *s = ctx;
    struct held *h = *place;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (h)
            h->fd = -1;
        return;
    }
    for (h = s->held; h < s->held + STATUS_CONNECTIONS && h->fd >= 0; h++)
        ;
    if (h == s->held + STATUS_CONNECTIONS)
        return; /* more than it was told it may have */
    h->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    h->since_ms = clock_mono_ms(&clock_real);
    *place = h;
}

static void note_answer(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct held *h = info ? info->socket_context : NULL;

    if (h)
        h->since_ms = clock_mono_ms(&clock_real);
}

/* Ends those whose time is over; libmicrohttpd finds them at their end and closes them. Returns in
 * how many ms the next one's is; -1: there is none. */
static int64_t end_those_that_are_due(struct status_server *s, int64_t now_ms)
{
    bool is_full = s->n_connections >= STATUS_CONNECTIONS;
    int64_t most_ms = 1000 * (is_full ? STATUS_TURN_S : STATUS_REQUEST_S);
    int64_t next_ms = -1;

    for (struct held *h = s->held; h < s->held + STATUS_CONNECTIONS; h++) {
        int64_t left_ms = h->since_ms + most_ms - now_ms;

        if (h->fd < 0)
            continue;
        if (left_ms <= 0)
            shutdown(h->fd, SHUT_RDWR);
        else if (next_ms < 0 || left_ms < next_ms)
            next_ms = left_ms;
    }
    return next_ms;
}

/* --- one request --- */

static enum MHD_Result reply(struct MHD_Connection *c, struct status_answer *a)
{
    struct MHD_Response *r;
    enum MHD_Result rc;

    if (a->body.failed) {
        buffer_free(&a->body);
        a->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    r = MHD_create_response_from_buffer(a->body.len, a->body.ptr, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        buffer_free(&a->body);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type",
                            a->content_type ? a->content_type : "text/plain; charset=utf-8");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    if (a->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    rc = MHD_queue_response(c, a->status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result refuse_method(struct MHD_Connection *c)
{
    struct status_answer a = {.status = MHD_HTTP_METHOD_NOT_ALLOWED};

    buffer_add_lit(&a.body, "want GET or HEAD\n");
    return reply(c, &a);
}

/* Called when the head is read, and again when all of it is: a body is refused unread. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    struct status_server *s = ctx;
    struct status_answer a = {0};

    (void)version;
    (void)upload;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return *upload_len ? MHD_NO : refuse_method(c);
    if (*upload_len)
        return MHD_NO;
    if (!*state) {
        *state = s; /* anything that is not NULL */
        return MHD_YES;
    }
    s->ask(s->ctx, url, &a);
    note_answer(c);
    return reply(c, &a);
}

/* --- on the loop --- */

static void rest(struct status_server *s, int64_t ms)
{
    ev_io_stop(s->loop, &s->news);
    ev_timer_stop(s->loop, &s->due);
    ev_timer_set(&s->due, (double)ms / 1000, 0);
    ev_timer_start(s->loop, &s->due);
}

/* False: it ran too often in this second (a flood; or no descriptors are left, and who waits to be
 * accepted keeps the epoll descriptor readable), and rests. */
static bool may_run(struct status_server *s)
{
    int64_t now_ms = clock_mono_ms(&clock_real);

    if (now_ms - s->second_ms >= 1000) {
        s->second_ms = now_ms;
        s->n_runs = 0;
    }
    if (s->n_runs++ < STATUS_RUNS_PER_S)
        return true;
    rest(s, s->second_ms + 1000 - now_ms);
    return false;
}

/* After a connection has ended libmicrohttpd wants to be run once more, and does not say so: at its
 * limit it does not listen, and only a run begins that again. */
static bool has_fewer_connections(struct status_server *s)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    unsigned n_before = s->n_connections;

    s->n_connections = info->num_connections;
    return s->n_connections < n_before;
}

/* In how many ms it wants to run again, whatever comes; -1: never. */
static int64_t next_run_ms(struct status_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    bool is_due = MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES;
    int64_t next_ms;

    if (has_fewer_connections(s))
        return 0;
    next_ms = end_those_that_are_due(s, clock_mono_ms(&clock_real));
    if (is_due && (next_ms < 0 || (int64_t)wait_ms < next_ms))
        return (int64_t)wait_ms;
    return next_ms;
}

static void run(struct status_server *s)
{
    int64_t next_ms;

    if (!may_run(s))
        return;
    MHD_run(s->daemon);
    ev_io_start(s->loop, &s->news);
    ev_timer_stop(s->loop, &s->due);
    next_ms = next_run_ms(s);
    if (next_ms < 0)
        return;
    ev_timer_set(&s->due, (double)next_ms / 1000, 0);
    ev_timer_start(s->loop, &s->due);
}

static void on_news(struct ev_loop *loop, ev_io *w, int revents)
{
    (void)loop;
    (void)revents;
    run(w->data);
}

static void on_due(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    run(w->data);
}

/* --- its life --- */

static int start_daemon(struct status_server *s, struct err *e)
{
    const union MHD_DaemonInfo *info;

    s->daemon =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
                         s->listen.fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)STATUS_CONNECTIONS,
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)STATUS_CONNECTIONS_EACH,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)STATUS_HEAD_BYTES,
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    info = s->daemon ? MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return err_set(e, ERR_NOMEM, "libmicrohttpd cannot be started");
    ev_io_init(&s->news, on_news, info->epoll_fd, EV_READ);
    ev_timer_init(&s->due, on_due, 0, 0);
    s->news.data = s->due.data = s;
    return 0;
}

struct status_server *status_server_new(const struct status_address *address, status_ask_fn *ask,
                                        void *ctx, struct err *e)
{
    struct status_server *s = calloc(1, sizeof *s);

    if (!s) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->ask = ask;
    s->ctx = ctx;
    s->listen.fd = -1;
    for (int i = 0; i < STATUS_CONNECTIONS; i++)
        s->held[i].fd = -1;
    if (status_listen_open(&s->listen, address, e) == 0 && start_daemon(s, e) == 0)
        return s;
    status_server_free(s);
    return NULL;
}

void status_server_start(struct status_server *s, struct ev_loop *loop)
{
    status_server_stop(s);
    s->loop = loop;
    run(s);
}

void status_server_stop(struct status_server *s)
{
    if (!s->loop)
        return;
    ev_io_stop(s->loop, &s->news);
    ev_timer_stop(s->loop, &s->due);
    s->loop = NULL;
}

const char *status_server_where(const struct status_server *s)
{
    return s->listen.where;
}

void status_server_free(struct status_server *s)
{
    if (!s)
        return;
    status_server_stop(s);
    if (s->daemon) {
        MHD_stop_daemon(s->daemon); /* closes the descriptor too */
        s->listen.fd = -1;
    }
    status_listen_close(&s->listen);
    free(s);
}
