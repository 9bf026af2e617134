#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "shipper/observe/status_server.h"
#include "tests/support/temp_dir.h"

/* A server on a socket in a folder of its own, and a loop that turns when the test says so. */
struct rig {
    char directory[TEMP_DIR_MAX];
    char path[TEMP_DIR_MAX + 16];
    struct status_address address;
    struct status_server *server;
    struct ev_loop *loop;
    unsigned n_asked;
};

enum { PATIENCE_MS = 200000 };

static void on_ask(void *ctx, const char *path, struct status_answer *answer)
{
    struct rig *r = ctx;

    r->n_asked++;
    answer->status = 200;
    buffer_printf(&answer->body, "you asked for %s", path);
}

static struct rig *rig_new(void)
{
    static struct rig r;
    struct err e = {0};

    temp_dir_make(r.directory);
    snprintf(r.path, sizeof r.path, "%s/s", r.directory);
    r.address = (struct status_address){.kind = STATUS_UNIX, .path = r.path};
    r.server = status_server_new(&r.address, on_ask, &r, &e);
    cr_assert(r.server, "%s", e.what);
    r.loop = ev_loop_new(EVFLAG_AUTO);
    status_server_start(r.server, r.loop);
    return &r;
}

static void rig_free(struct rig *r)
{
    status_server_free(r->server);
    ev_loop_destroy(r->loop);
    temp_dir_remove(r->directory);
}

static int dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0, "%s", path);
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void on_pause(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static void turn(struct rig *r)
{
    ev_timer pause;

    ev_timer_init(&pause, on_pause, 0.005, 0);
    ev_timer_start(r->loop, &pause);
    ev_run(r->loop, 0);
    ev_timer_stop(r->loop, &pause);
}

/* What comes until the other side closes, or `until` is in it; "" if nothing ever does. */
static const char *hear(struct rig *r, int fd, const char *until)
{
    static char text[8192];
    size_t len = 0;
    int64_t give_up = clock_mono_ms(&clock_real) + PATIENCE_MS;

    while (clock_mono_ms(&clock_real) < give_up) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);

        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
        if (until && strstr(text, until))
            break;
        turn(r);
    }
    text[len] = '\0';
    return text;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_status(struct rig *r, const char *request, const char *status)
{
    int fd = dial(r->path);
    const char *got;

    say(fd, request);
    got = hear(r, fd, "\r\n\r\n");
    cr_expect(strncmp(got + strlen("HTTP/1.1 "), status, 3) == 0, "%s\n%s", request, got);
    close(fd);
}

Test(status_server, answers_what_it_is_asked)
{
    struct rig *r = rig_new();
    int fd = dial(r->path);
    const char *got;

    say(fd, "GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    got = hear(r, fd, "/metrics");
    cr_expect(strstr(got, "\r\n\r\nyou asked for /metrics"), "%s", got);
    /* On the same connection, across two loops, as over a reload. */
    status_server_stop(r->server);
    ev_loop_destroy(r->loop);
    r->loop = ev_loop_new(EVFLAG_AUTO);
    say(fd, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    status_server_start(r->server, r->loop);
    got = hear(r, fd, "/again");
    cr_expect(strstr(got, "\r\n\r\nyou asked for /again"), "%s", got);
    close(fd);
    rig_free(r);
}

Test(status_server, takes_nothing)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "405"},
        {"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "405"},
        {"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
        {"GET / HTTP/1.1\r\nHost x\r\n\r\n", "400"},
    };
    struct rig *r = rig_new();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_status(r, rows[i].request, rows[i].status);
    cr_expect_eq(r->n_asked, 0);
    expect_status(r, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "200");
    cr_expect_eq(r->n_asked, 1);
    rig_free(r);
}

Test(status_server, a_head_without_end_is_refused)
{
    struct rig *r = rig_new();
    int fd = dial(r->path);
    char *line = malloc(STATUS_HEAD_BYTES * 2);

    memset(line, 'a', STATUS_HEAD_BYTES * 2);
    memcpy(line, "GET /", 5);
    /* More than the socket takes at once; what it takes is enough. */
    cr_assert_gt(write(fd, line, STATUS_HEAD_BYTES * 2), STATUS_HEAD_BYTES);
    cr_expect_eq(strncmp(hear(r, fd, NULL), "HTTP/1.1 4", 10), 0, "refused, and closed");
    free(line);
    close(fd);
    rig_free(r);
}

static void wait_asked(struct rig *r, unsigned n)
{
    int64_t give_up = clock_mono_ms(&clock_real) + PATIENCE_MS;

    while (r->n_asked < n && clock_mono_ms(&clock_real) < give_up)
        turn(r);
}

/* Those beyond the limit wait in the backlog, and are served when others go. */
Test(status_server, connections_are_bounded)
{
    enum { N = STATUS_CONNECTIONS + 8 };
    struct rig *r = rig_new();
    int64_t began_ms = clock_mono_ms(&clock_real);
    int fds[N];

    for (int i = 0; i < N; i++) {
        fds[i] = dial(r->path);
        say(fds[i], "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
        turn(r);
    }
    wait_asked(r, STATUS_CONNECTIONS);
    for (int i = 0; i < 20; i++)
        turn(r);
    cr_expect(r->n_asked == STATUS_CONNECTIONS ||
                  clock_mono_ms(&clock_real) - began_ms >= 1000 * STATUS_TURN_S,
              "%u were served", r->n_asked);
    for (int i = 0; i < STATUS_CONNECTIONS; i++)
        close(fds[i]);
    for (int i = STATUS_CONNECTIONS; i < N; i++)
        cr_expect(strstr(hear(r, fds[i], "/x"), "you asked for /x"), "the one at %d", i);
    for (int i = STATUS_CONNECTIONS; i < N; i++)
        close(fds[i]);
    rig_free(r);
}

/* As many as may be, of whom each says a byte now and then: who comes after them has his turn. */
Test(status_server, nobody_is_kept_out)
{
    struct rig *r = rig_new();
    int64_t give_up = clock_mono_ms(&clock_real) + PATIENCE_MS;
    int slow[2 * STATUS_CONNECTIONS];
    int fd;

    for (int i = 0; i < 2 * STATUS_CONNECTIONS; i++)
        slow[i] = dial(r->path);
    fd = dial(r->path);
    say(fd, "GET /mine HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!r->n_asked && clock_mono_ms(&clock_real) < give_up) {
        for (int i = 0; i < 2 * STATUS_CONNECTIONS; i++)
            send(slow[i], "x", 1, MSG_NOSIGNAL);
        turn(r);
    }
    cr_expect(strstr(hear(r, fd, "/mine"), "you asked for /mine"));
    for (int i = 0; i < 2 * STATUS_CONNECTIONS; i++)
        close(slow[i]);
    close(fd);
    rig_free(r);
}

/* Also where there is room for others: a request that takes longer than it may, however much is
 * said meanwhile, and whoever asks no more. */
Test(status_server, a_request_has_its_time)
{
    struct rig *r = rig_new();
    int64_t began_ms = clock_mono_ms(&clock_real);
    int slow = dial(r->path);
    int fd = dial(r->path);
    char byte;

    say(fd, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect(strstr(hear(r, fd, "/first"), "you asked for /first"));
    while (read(slow, &byte, 1) != 0 && clock_mono_ms(&clock_real) - began_ms < PATIENCE_MS) {
        send(slow, "x", 1, MSG_NOSIGNAL);
        turn(r);
    }
    cr_expect_geq(clock_mono_ms(&clock_real) - began_ms, 1000 * STATUS_REQUEST_S);
    cr_expect_lt(clock_mono_ms(&clock_real) - began_ms, PATIENCE_MS);
    cr_expect_eq(*hear(r, fd, NULL), '\0', "closed, too");
    close(slow);
    close(fd);
    rig_free(r);
}

static int dial_tcp(const char *from, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(inet_pton(AF_INET, from, &a.sin_addr), 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    a.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* One address cannot have all connections. */
Test(status_server, one_address_has_its_share)
{
    struct rig *r = rig_new();
    struct status_address address;
    struct err e = {0};
    int fds[STATUS_CONNECTIONS_EACH];
    unsigned port = 0;
    int fd;

    status_server_free(r->server);
    cr_assert_eq(status_address_parse("127.0.0.1:0", &address, &e), 0);
    r->server = status_server_new(&address, on_ask, r, &e);
    cr_assert(r->server, "%s", e.what);
    status_server_start(r->server, r->loop);
    cr_assert_eq(sscanf(status_server_where(r->server), "127.0.0.1:%u", &port), 1);
    for (int i = 0; i < STATUS_CONNECTIONS_EACH; i++) {
        fds[i] = dial_tcp("127.0.0.1", port);
        say(fds[i], "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_asked(r, STATUS_CONNECTIONS_EACH);
    fd = dial_tcp("127.0.0.1", port);
    cr_expect_str_eq(hear(r, fd, NULL), "", "one too many: closed at once");
    close(fd);
    fd = dial_tcp("127.0.0.2", port);
    say(fd, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect(strstr(hear(r, fd, "/other"), "you asked for /other"));
    close(fd);
    for (int i = 0; i < STATUS_CONNECTIONS_EACH; i++)
        close(fds[i]);
    rig_free(r);
}

/* --- the socket --- */

Test(status_server, the_socket_is_its_owners_alone_and_goes_with_it)
{
    struct rig *r = rig_new();
    char path[sizeof r->path];
    struct stat st;

    snprintf(path, sizeof path, "%s", r->path);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
    rig_free(r);
    cr_expect_eq(stat(path, &st), -1);
}

Test(status_server, one_that_lives_is_left_alone)
{
    struct rig *r = rig_new();
    struct err e = {0};
    struct stat st;

    cr_expect_null(status_server_new(&r->address, on_ask, r, &e));
    cr_expect_eq(e.code, ERR_BUSY);
    cr_expect_str_eq(e.what, "another process listens there");
    cr_expect_eq(stat(r->path, &st), 0, "it is still there");
    expect_status(r, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "200");
    rig_free(r);
}

/* What a killed ship leaves: the file, and nobody behind it. */
Test(status_server, one_that_is_dead_is_replaced)
{
    struct rig *r = rig_new();
    char dead[sizeof r->path];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct status_address address = {.kind = STATUS_UNIX, .path = dead};
    struct err e = {0};
    struct status_server *s;

    snprintf(dead, sizeof dead, "%s/dead", r->directory);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", dead);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
    s = status_server_new(&address, on_ask, r, &e);
    cr_expect(s, "%s", e.what);
    close(dial(dead));
    status_server_free(s);
    rig_free(r);
}

Test(status_server, what_is_no_socket_stays)
{
    struct rig *r = rig_new();
    char path[sizeof r->path];
    struct status_address address = {.kind = STATUS_UNIX, .path = path};
    struct err e = {0};
    FILE *f;

    snprintf(path, sizeof path, "%s/f", r->directory);
    f = fopen(path, "w");
    cr_assert(f);
    fclose(f);
    cr_expect_null(status_server_new(&address, on_ask, r, &e));
    cr_expect_str_eq(e.what, "what is there is no socket; left as it is");
    cr_expect_eq(access(path, F_OK), 0);
    rig_free(r);
}

/* Another one took the path while we ran: it is not ours to remove. */
Test(status_server, anothers_socket_is_not_removed)
{
    struct rig *r = rig_new();
    char path[sizeof r->path];
    struct status_server *other;
    struct err e = {0};

    snprintf(path, sizeof path, "%s", r->path);
    cr_assert_eq(unlink(path), 0);
    other = status_server_new(&r->address, on_ask, r, &e);
    cr_assert(other);
    status_server_free(r->server);
    r->server = NULL;
    cr_expect_eq(access(path, F_OK), 0);
    status_server_free(other);
    rig_free(r);
}

Test(status_server, tcp_says_which_port_it_got)
{
    struct rig *r = rig_new();
    struct status_address address;
    struct status_server *s;
    struct err e = {0};
    unsigned port = 0;

    cr_assert_eq(status_address_parse("127.0.0.1:0", &address, &e), 0);
    s = status_server_new(&address, on_ask, r, &e);
    cr_assert(s, "%s", e.what);
    cr_expect_eq(sscanf(status_server_where(s), "127.0.0.1:%u", &port), 1);
    cr_expect_gt(port, 0);
    status_server_free(s);
    rig_free(r);
}
