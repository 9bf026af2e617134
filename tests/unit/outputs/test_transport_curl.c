/* libcurl on the loop, against peers that do what real ones do to a request. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <ev.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "outputs/transport.h"
#include "shipper/base/buffer.h"
#include "tests/support/http_peer.h"

enum { PATIENCE_S = 100, PATIENCE_MS = PATIENCE_S * 1000 };

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static atomic_bool dns_answers;
static atomic_int n_lookups; /* under way */

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Stands before the C library's, for libcurl too: a name server that does not answer until it is
 * told. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");
    getaddrinfo_fn *real;

    memcpy(&real, &found, sizeof real); /* ISO C has no cast for it */
    if (node && strcmp(node, "slow.test") == 0) {
        atomic_fetch_add(&n_lookups, 1);
        while (!atomic_load(&dns_answers))
            pause_ms(1);
        atomic_fetch_sub(&n_lookups, 1);
    }
    if (node && strstr(node, ".test"))
        return EAI_NONAME;
    return real(node, service, hints, out);
}

struct rig {
    struct ev_loop *loop;
    struct transport *transport;
    ev_timer beat; /* that the loop turns */
    unsigned n_beats;
    struct http_options options;
    struct http_call *call;
    struct buffer body;
    size_t most_body; /* on_body stops there; 0: never */
    size_t max_reply_bytes;
    struct http_reply reply;
    char why[256];
    unsigned n_done;
};

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void on_beat(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct rig *r = w->data;

    (void)loop;
    (void)revents;
    r->n_beats++;
}

static bool on_body(void *ctx, struct slice bytes)
{
    struct rig *r = ctx;

    buffer_add_slice(&r->body, bytes);
    return !r->most_body || r->body.len < r->most_body;
}

static void on_done(void *ctx, const struct http_reply *reply)
{
    struct rig *r = ctx;

    r->reply = *reply;
    snprintf(r->why, sizeof r->why, "%s", reply->why);
    r->n_done++;
}

static void rig_init(struct rig *r)
{
    struct err e = {0};

    *r = (struct rig){.options = {.connect_ms = PATIENCE_MS, .timeout_ms = PATIENCE_MS}};
    r->loop = ev_loop_new(EVFLAG_AUTO);
    r->transport = transport_curl_new(r->loop, &e);
    cr_assert_not_null(r->transport, "%s", e.what);
    ev_timer_init(&r->beat, on_beat, 0.01, 0.01);
    r->beat.data = r;
}

static void rig_fini(struct rig *r)
{
    transport_curl_free(r->transport);
    ev_loop_destroy(r->loop);
    buffer_free(&r->body);
}

static void post(struct rig *r, const char *url, struct slice body)
{
    static const char *const headers[] = {"Content-Type: application/x-ndjson", NULL};
    struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = body,
        .options = &r->options,
        .max_reply_bytes = r->max_reply_bytes,
        .on_body = on_body,
        .on_done = on_done,
        .ctx = r,
    };
    struct err e = {0};

    r->n_done = 0;
    r->body.len = 0;
    r->call = r->transport->start(r->transport->self, &request, &e);
    cr_assert_not_null(r->call, "%s", e.what);
    cr_expect_eq(r->n_done, 0, "never from inside");
}

static void run(struct rig *r, double seconds)
{
    double until = now_s() + seconds;

    r->n_beats = 0;
    ev_timer_start(r->loop, &r->beat);
    while (!r->n_done && now_s() < until)
        ev_run(r->loop, EVRUN_ONCE);
    ev_timer_stop(r->loop, &r->beat);
}

static const char *url_of(const char *scheme, int port)
{
    static char url[64];

    snprintf(url, sizeof url, "%s://127.0.0.1:%d/_bulk", scheme, port);
    return url;
}

/* One request to a peer with this script. */
static void ask(struct rig *r, const struct http_peer_script *script)
{
    struct http_peer *p = http_peer_new(script);

    post(r, url_of("http", http_peer_port(p)), slice_str("{}\n"));
    run(r, 2 * PATIENCE_S);
    cr_expect_eq(r->n_done, 1);
    http_peer_free(p);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"

Test(transport_curl, a_request_and_its_answer, .timeout = 300)
{
    struct http_peer *p = http_peer_new(&(struct http_peer_script){
        .reply = OK_HEAD "Server: a/1\r\nContent-Length: 5\r\n\r\nhello"});
    struct rig r;
    const char *heard;

    rig_init(&r);
    r.options.user_name = "me";
    r.options.password = "pass:word";
    for (int i = 0; i < 3; i++) {
        post(&r, url_of("http", http_peer_port(p)), slice_str("{}\n"));
        run(&r, 2 * PATIENCE_S);
        cr_expect_eq(r.n_done, 1);
        cr_expect_eq(r.reply.failure, HTTP_ANSWERED);
        cr_expect_eq(r.reply.status, 200);
        cr_expect_eq(r.reply.retry_after_ms, -1);
        cr_expect_str_eq(r.reply.content_type, "application/json; charset=UTF-8");
        cr_expect_str_eq(r.reply.server, "a/1");
        cr_expect(slice_is(buffer_slice(&r.body), "hello"));
    }
    cr_expect_eq(http_peer_connections(p), 1, "kept alive");
    cr_expect_eq(http_peer_requests(p), 3);
    rig_fini(&r);
    heard = http_peer_heard(p);
    cr_expect_not_null(strstr(heard, "POST /_bulk HTTP/1.1\r\n"));
    cr_expect_not_null(strstr(heard, "Authorization: Basic bWU6cGFzczp3b3Jk\r\n"));
    cr_expect_not_null(strstr(heard, "Content-Length: 3\r\n"));
    cr_expect_not_null(strstr(heard, "Accept-Encoding: gzip\r\n"));
    cr_expect_null(strstr(heard, "Expect:"), "bodies go at once");
    http_peer_free(p);
}

Test(transport_curl, a_packed_answer, .timeout = 300)
{
    static char reply[1024];
    unsigned char packed[256];
    z_stream z = {.next_in = (unsigned char *)"hello hello hello",
                  .avail_in = 17,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    struct rig r;
    int n;

    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    n = snprintf(reply, sizeof reply, "%sContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
                 OK_HEAD, z.total_out);
    memcpy(reply + n, packed, z.total_out);
    rig_init(&r);
    ask(&r, &(struct http_peer_script){reply, (size_t)n + z.total_out, PEER_KEEP, false});
    cr_expect_eq(r.reply.failure, HTTP_ANSWERED);
    cr_expect(slice_is(buffer_slice(&r.body), "hello hello hello"));
    reply[n + 12] ^= 0x55;
    ask(&r, &(struct http_peer_script){reply, (size_t)n + z.total_out, PEER_KEEP, false});
    cr_expect_eq(r.reply.failure, HTTP_INTERRUPTED, "damaged: it is no answer");
    deflateEnd(&z);
    rig_fini(&r);
}

Test(transport_curl, replies_that_are_none, .timeout = 300)
{
    static const struct {
        struct http_peer_script script;
        enum http_failure want;
        const char *because;
    } rows[] = {
        {{"", 0, PEER_CLOSE, false}, HTTP_INTERRUPTED, "closed without a word"},
        {{"", 0, PEER_RESET, false}, HTTP_INTERRUPTED, "R1: reset after the request was read"},
        {{OK_HEAD, 0, PEER_CLOSE, false},
         HTTP_INTERRUPTED,
         "cut inside its headers: libcurl 7.88 says 200, and all is well"},
        {{"HTTP/1.1 200 OK\r\n", 0, PEER_CLOSE, false}, HTTP_INTERRUPTED, "the same"},
        {{"HTTP/1.1 200 OK\r\n\r", 0, PEER_CLOSE, false}, HTTP_INTERRUPTED, "the same"},
        {{"HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD, 0, PEER_CLOSE, false},
         HTTP_INTERRUPTED,
         "the same behind a 100, whose headers were whole"},
        {{"HTTP/1.1 100 Continue\r\n\r\n", 0, PEER_CLOSE, false}, HTTP_INTERRUPTED, "only a 100"},
        {{OK_HEAD "Content-Length: 10\r\n\r\nhello", 0, PEER_CLOSE, false},
         HTTP_INTERRUPTED,
         "cut inside its body"},
        {{OK_HEAD "Content-Length: 10\r\n\r\nhello", 0, PEER_RESET, false},
         HTTP_INTERRUPTED,
         "cut inside its body by a reset"},
        {{OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 0, PEER_CLOSE, false},
         HTTP_INTERRUPTED,
         "cut between chunks"},
        {{OK_HEAD "Content-Length: 10\r\n\r\nhello", 0, PEER_STALL, false},
         HTTP_TIMED_OUT,
         "half a body, and silence"},
        {{"", 0, PEER_STALL, false}, HTTP_TIMED_OUT, "silence"},
        {{"SSH-2.0-OpenSSH_9.2\r\n", 0, PEER_CLOSE, false}, HTTP_FOREIGN, "not HTTP"},
        {{"<html>\r\n", 0, PEER_CLOSE, false}, HTTP_FOREIGN, "the same"},
        {{OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 0, PEER_KEEP, false},
         HTTP_ANSWERED,
         "whole"},
        {{"HTTP/1.1 200 OK\r\n\r\nhello", 0, PEER_CLOSE, false},
         HTTP_ANSWERED,
         "its end is the connection's"},
        {{"HTTP/1.1 102 Processing\r\n\r\n" OK_HEAD "Content-Length: 0\r\n\r\n", 0, PEER_KEEP,
          false},
         HTTP_ANSWERED,
         "whole behind a 102"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;

        rig_init(&r);
        if (rows[i].script.after == PEER_STALL)
            r.options.timeout_ms = 700;
        ask(&r, &rows[i].script);
        cr_expect_eq(r.reply.failure, rows[i].want, "%s (%s)", rows[i].because, r.why);
        cr_expect(r.reply.failure == HTTP_ANSWERED || r.why[0], "%s", rows[i].because);
        rig_fini(&r);
    }
}

static void http_date(char *out, size_t cap, int from_now_s)
{
    time_t at = time(NULL) + from_now_s;
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(out, cap, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

Test(transport_curl, retry_after, .timeout = 300)
{
    static char soon[64], past[64], far[64];
    const struct {
        const char *value;
        int64_t least_ms;
        int64_t most_ms;
    } rows[] = {
        {"7", 7000, 7000},
        {"120", 120000, 120000},
        {"0", -1, -1},
        {"-5", -1, -1},
        {"soon", -1, -1},
        {"", -1, -1},
        {"99999999999999999999", -1, 86400000},
        {"172800", 86400000, 86400000},
        {soon, 2900000, 3000000},
        {past, -1, -1},
        {far, 86400000, 86400000},
    };

    http_date(soon, sizeof soon, 3000);
    http_date(past, sizeof past, -30);
    http_date(far, sizeof far, 200000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static char reply[256];
        struct rig r;

        snprintf(reply, sizeof reply,
                 "HTTP/1.1 429 Too Many\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
                 rows[i].value);
        rig_init(&r);
        ask(&r, &(struct http_peer_script){.reply = reply});
        cr_expect_eq(r.reply.status, 429);
        cr_expect_geq(r.reply.retry_after_ms, rows[i].least_ms, "Retry-After: %s", rows[i].value);
        cr_expect_leq(r.reply.retry_after_ms, rows[i].most_ms, "Retry-After: %s", rows[i].value);
        rig_fini(&r);
    }
}

/* Whoever can answer for the host could have the credentials sent anywhere. */
Test(transport_curl, redirects_are_not_followed, .timeout = 300)
{
    struct http_peer *other =
        http_peer_new(&(struct http_peer_script){.reply = OK_HEAD "Content-Length: 0\r\n\r\n"});
    static char reply[256];
    struct rig r;

    snprintf(reply, sizeof reply,
             "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: "
             "0\r\n\r\n",
             http_peer_port(other));
    rig_init(&r);
    r.options.user_name = "me";
    r.options.password = "topsecret";
    ask(&r, &(struct http_peer_script){.reply = reply});
    cr_expect_eq(r.reply.failure, HTTP_ANSWERED);
    cr_expect_eq(r.reply.status, 307);
    cr_expect_eq(http_peer_connections(other), 0);
    rig_fini(&r);
    http_peer_free(other);
}

Test(transport_curl, nobody_there, .timeout = 300)
{
    struct http_peer *p = http_peer_new(&(struct http_peer_script){.reply = "not TLS"});
    int port = http_peer_port(p);
    const struct {
        const char *url;
        const char *why;
    } rows[] = {
        {"http://nobody.test:9200/", "Could not resolve host: nobody.test"},
        {"http://127.0.0.1:1/", "Connection refused"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;

        rig_init(&r);
        post(&r, rows[i].url, slice_str("{}\n"));
        run(&r, 2 * PATIENCE_S);
        cr_expect_eq(r.reply.failure, HTTP_UNREACHED);
        cr_expect_str_eq(r.why, rows[i].why);
        rig_fini(&r);
    }
    for (int skips = 0; skips < 2; skips++) {
        struct rig r;

        rig_init(&r);
        r.options.skip_verify = skips;
        r.options.connect_ms = 1000; /* it waits for a line's end, which a handshake has not */
        post(&r, url_of("https", port), slice_str("{}\n"));
        run(&r, 2 * PATIENCE_S);
        cr_expect_eq(r.reply.failure, HTTP_UNREACHED, "no TLS: nothing was sent (%s)", r.why);
        cr_expect(r.why[0]);
        rig_fini(&r);
    }
    http_peer_free(p);
}

/* A name server that does not answer: the loop turns, the time-out holds, and neither it nor a
 * cancelled request waits for the look-up to end; for it does not, until both are through. */
Test(transport_curl, a_slow_name_does_not_hold_the_loop, .timeout = 300)
{
    struct rig r;

    rig_init(&r);
    r.options.connect_ms = 300;
    post(&r, "http://slow.test:9200/", slice_str("{}\n"));
    run(&r, 2 * PATIENCE_S);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.reply.failure, HTTP_UNREACHED);
    cr_expect_geq(r.n_beats, 3, "the loop stood still");
    r.options.connect_ms = PATIENCE_MS;
    post(&r, "http://slow.test:9200/", slice_str("{}\n"));
    while (atomic_load(&n_lookups) < 2)
        run(&r, 0.01);
    cr_expect_eq(r.n_done, 0);
    rig_fini(&r);
    cr_expect_eq(atomic_load(&n_lookups), 2);
    atomic_store(&dns_answers, true);
    while (atomic_load(&n_lookups)) /* they end before the test does */
        pause_ms(1);
    pause_ms(100);
}

Test(transport_curl, after_cancel_nothing_comes, .timeout = 300)
{
    struct http_peer *p =
        http_peer_new(&(struct http_peer_script){.reply = "", .after = PEER_STALL});
    struct rig r;

    rig_init(&r);
    post(&r, url_of("http", http_peer_port(p)), slice_str("{}\n"));
    run(&r, 0.1);
    r.transport->cancel(r.transport->self, r.call);
    run(&r, 0.1);
    cr_expect_eq(r.n_done, 0);
    rig_fini(&r);
    http_peer_free(p);
}

Test(transport_curl, a_reply_without_an_end_can_be_stopped, .timeout = 300)
{
    static char reply[1 << 20];
    struct rig r;

    memset(reply, 'x', sizeof reply);
    memcpy(reply, "HTTP/1.1 200 OK\r\n\r\n", 19);
    rig_init(&r);
    r.most_body = 100000;
    ask(&r, &(struct http_peer_script){reply, sizeof reply, PEER_STALL, false});
    cr_expect_eq(r.reply.failure, HTTP_INTERRUPTED);
    cr_expect_lt(r.body.len, 200000);
    rig_fini(&r);
}

/* A few kilobytes of gzip in gzip are terabytes, which libcurl would unpack without coming up. */
Test(transport_curl, a_reply_packed_twice_is_none, .timeout = 300)
{
    static const struct {
        const char *headers;
        enum http_failure want;
    } rows[] = {
        {"Content-Encoding: gzip, gzip\r\n", HTTP_INTERRUPTED},
        {"Content-Encoding: deflate\r\nContent-encoding: x-gzip\r\n", HTTP_INTERRUPTED},
        {"Content-Encoding: gzip\r\nTransfer-Encoding: gzip, chunked\r\n", HTTP_INTERRUPTED},
        {"Content-Encoding: identity\r\n", HTTP_ANSWERED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static char reply[256];
        struct rig r;

        snprintf(reply, sizeof reply, "%s%sContent-Length: 5\r\n\r\nhello", OK_HEAD,
                 rows[i].headers);
        rig_init(&r);
        ask(&r, &(struct http_peer_script){.reply = reply});
        cr_expect_eq(r.reply.failure, rows[i].want, "%s (%s)", rows[i].headers, r.why);
        if (rows[i].want == HTTP_INTERRUPTED)
            cr_expect_str_eq(r.why, "the reply is packed more than once");
        rig_fini(&r);
    }
}

Test(transport_curl, a_reply_has_a_ceiling, .timeout = 300)
{
    static char reply[1 << 20];
    struct rig r;

    memset(reply, 'x', sizeof reply);
    memcpy(reply, "HTTP/1.1 200 OK\r\n\r\n", 19);
    rig_init(&r);
    r.max_reply_bytes = 100000;
    ask(&r, &(struct http_peer_script){reply, sizeof reply, PEER_STALL, false});
    cr_expect_eq(r.reply.failure, HTTP_INTERRUPTED);
    cr_expect_str_eq(r.why, "the reply is longer than any answer to this request");
    cr_expect_leq(r.body.len, 100000);
    rig_fini(&r);
}

/* Each is kept by libcurl, the trailers of a chunked reply without an end. */
Test(transport_curl, headers_and_trailers_have_a_ceiling, .timeout = 300)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"};
    struct buffer reply = {0};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct rig r;

        reply.len = 0;
        buffer_add_slice(&reply, slice_str(heads[i]));
        for (int n = 0; reply.len < 2 << 20; n++)
            buffer_printf(&reply, "X-%d: %01000d\r\n", n, n);
        rig_init(&r);
        ask(&r, &(struct http_peer_script){reply.ptr, reply.len, PEER_STALL, false});
        cr_expect_eq(r.reply.failure, HTTP_INTERRUPTED);
        cr_expect_str_eq(r.why, "the headers or trailers of the reply have no end");
        rig_fini(&r);
    }
    buffer_free(&reply);
}

/* FB6: 413 before the body is read, and the connection closed with a reset. */
Test(transport_curl, an_answer_in_the_middle_of_the_request, .timeout = 300)
{
    size_t len = 8 << 20;
    char *body = calloc(1, len);
    unsigned n_seen = 0;

    for (int i = 0; i < 20; i++) {
        struct http_peer *p = http_peer_new(&(struct http_peer_script){
            .reply = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            .after = PEER_CLOSE,
            .leaves_body = true});
        struct rig r;

        rig_init(&r);
        post(&r, url_of("http", http_peer_port(p)), slice_of(body, len));
        run(&r, 2 * PATIENCE_S);
        cr_expect_eq(r.n_done, 1);
        n_seen += r.reply.failure == HTTP_ANSWERED && r.reply.status == 413;
        cr_expect_neq(r.reply.failure, HTTP_UNREACHED);
        rig_fini(&r);
        http_peer_free(p);
    }
    cr_expect_geq(n_seen, 10, "the 413 was seen %u times", n_seen);
    free(body);
}
