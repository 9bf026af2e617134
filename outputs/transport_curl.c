/* HTTP through libcurl's multi interface, on the loop: one ev_io a socket, one ev_timer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <ev.h>

#include "outputs/transport.h"

/* libcurl 7.88 keeps all trailers of a reply, however many there are, and Debian's ends the headers
 * at 300 KB. */
enum { HEAD_BYTES_MAX = 256 * 1024 };

struct curl_transport {
    struct transport base; /* first */
    struct ev_loop *loop;
    CURLM *multi;
    ev_timer timer;
    struct http_call *calls; /* under way; doubly linked */
};

struct http_call {
    struct curl_transport *t;
    struct http_call *next, *prev;
    CURL *easy;
    struct curl_slist *headers;
    bool (*on_body)(void *ctx, struct slice bytes);
    void (*on_done)(void *ctx, const struct http_reply *reply);
    void *ctx;
    struct http_reply reply;
    size_t max_reply_bytes; /* 0: none */
    size_t n_reply_bytes;
    size_t n_head_bytes; /* of its headers, and of the trailers behind its body */
    unsigned n_codings;  /* that the reply's body is packed with */
    const char *refusal; /* why we read no further; NULL: we do */
    char error[CURL_ERROR_SIZE];
    bool has_sent;        /* request bytes have left: from then on it may have been taken */
    bool has_end_of_head; /* the blank line behind the reply's headers was seen */
};

/* One watched socket; curl keeps it for us (curl_multi_assign). */
struct watch {
    ev_io io;
    struct curl_transport *t;
};

/* --- a call's end --- */

static void unlink_call(struct http_call *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        c->t->calls = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

static void call_free(struct http_call *c)
{
    curl_multi_remove_handle(c->t->multi, c->easy);
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    unlink_call(c);
    free(c);
}

/* Whether the connection was ever made; a time-out before that sent nothing. */
static bool was_connected(CURL *easy)
{
    curl_off_t took = 0;

    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &took) == CURLE_OK && took > 0;
}

static enum http_failure judge(const struct http_call *c, CURLcode code)
{
    bool may_be_taken = c->has_sent || was_connected(c->easy);

    switch (code) {
    case CURLE_OK:
        /* A reply cut off inside its headers ends well for libcurl 7.88. */
        return c->has_end_of_head ? HTTP_ANSWERED : HTTP_INTERRUPTED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return HTTP_UNTRUSTED;
    case CURLE_UNSUPPORTED_PROTOCOL: /* no status line */
    case CURLE_WEIRD_SERVER_REPLY:
        return c->has_sent ? HTTP_FOREIGN : HTTP_UNREACHED;
    case CURLE_OPERATION_TIMEDOUT:
        return may_be_taken ? HTTP_TIMED_OUT : HTTP_UNREACHED;
    default:
        return may_be_taken ? HTTP_INTERRUPTED : HTTP_UNREACHED;
    }
}

static const char *why_of(const struct http_call *c, CURLcode code)
{
    long os_errno = 0;

    /* "Connection refused" says more than that there was none. */
    if (code == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(c->easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK && os_errno)
        return strerror((int)os_errno);
    if (code == CURLE_OK)
        return "the reply was cut off inside its headers";
    if (code == CURLE_WRITE_ERROR)
        return c->refusal ? c->refusal : "the reply is not what it should be";
    return c->error[0] ? c->error : curl_easy_strerror(code);
}

static void finish(struct http_call *c, CURLcode code)
{
    long status = 0;
    curl_off_t wait = 0;

    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    c->reply.status = (int)status;
    c->reply.failure = judge(c, code);
    c->reply.retry_after_ms = -1;
    if (curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        c->reply.retry_after_ms = wait > 86400 ? 86400000 : (int64_t)wait * 1000;
    c->reply.why = c->reply.failure == HTTP_ANSWERED ? "" : why_of(c, code);
    /* Out of the list first: the callee may start, cancel, or free the transport's other calls. */
    unlink_call(c);
    curl_multi_remove_handle(c->t->multi, c->easy);
    c->on_done(c->ctx, &c->reply);
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    free(c);
}

static void reap(struct curl_transport *t)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(t->multi, &left)))
        if (m->msg == CURLMSG_DONE) {
            struct http_call *c;

            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
            finish(c, m->data.result);
        }
}

/* --- the loop's side --- */

static void on_socket(struct ev_loop *loop, ev_io *w, int revents)
{
    struct watch *watch = (struct watch *)w;
    struct curl_transport *t = watch->t;
    int ready =
        (revents & EV_READ ? CURL_CSELECT_IN : 0) | (revents & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    (void)loop;
    curl_multi_socket_action(t->multi, w->fd, ready, &running);
    reap(t);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct curl_transport *t = w->data;
    int running;

    (void)loop;
    (void)revents;
    curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    reap(t);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct curl_transport *t = arg;
    struct watch *w = known;

    (void)easy;
    if (w)
        ev_io_stop(t->loop, &w->io);
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(t->multi, fd, NULL);
        free(w);
        return 0;
    }
    if (!w) {
        w = calloc(1, sizeof *w);
        if (!w)
            return -1;
        w->t = t;
        curl_multi_assign(t->multi, fd, w);
    }
    ev_io_init(&w->io, on_socket, fd,
               (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
    ev_io_start(t->loop, &w->io);
    return 0;
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_transport *t = arg;

    (void)multi;
    ev_timer_stop(t->loop, &t->timer);
    if (timeout_ms < 0)
        return 0;
    /* Never from inside: a time-out of zero comes with the loop's next round. */
    ev_timer_set(&t->timer, (double)timeout_ms / 1000, 0.);
    ev_timer_start(t->loop, &t->timer);
    return 0;
}

/* --- a call's beginning --- */

static size_t on_bytes(char *ptr, size_t size, size_t n, void *arg)
{
    struct http_call *c = arg;

    c->n_reply_bytes += size * n;
    if (c->max_reply_bytes && c->n_reply_bytes > c->max_reply_bytes) {
        c->refusal = "the reply is longer than any answer to this request";
        return 0;
    }
    if (c->on_body && !c->on_body(c->ctx, slice_of(ptr, size * n)))
        return 0;
    return size * n;
}

/* The value of the header `name` ("name:"), if the line is one. */
static bool is_header(struct slice line, const char *name, struct slice *value)
{
    size_t len = strlen(name);

    if (line.len < len || strncasecmp(line.ptr, name, len) != 0)
        return false;
    *value = slice_trim(slice_from(line, len));
    return true;
}

/* libcurl unpacks whatever a reply says it is packed with, in one go: gzip in gzip makes hours of
 * work out of a few kilobytes, and the loop would stand still for it. */
static bool is_packed_too_often(struct http_call *c, struct slice line)
{
    struct slice codings;
    struct slice coding;
    bool is_transfer = is_header(line, "transfer-encoding:", &codings);

    if (!is_transfer && !is_header(line, "content-encoding:", &codings))
        return false;
    while (codings.len) {
        if (!slice_cut(&codings, ',', &coding)) {
            coding = codings;
            codings.len = 0;
        }
        coding = slice_trim(coding);
        c->n_codings += coding.len && !slice_eq_nocase(coding, slice_str("chunked")) &&
                        !slice_eq_nocase(coding, slice_str("identity"));
    }
    return c->n_codings > 1;
}

static size_t on_header(char *ptr, size_t size, size_t n, void *arg)
{
    struct http_call *c = arg;
    static const char status[] = "HTTP/";
    size_t len = size * n;
    struct slice value;

    c->n_head_bytes += len;
    if (c->n_head_bytes > HEAD_BYTES_MAX) {
        c->refusal = "the headers or trailers of the reply have no end";
        return 0;
    }
    if (is_packed_too_often(c, slice_of(ptr, len))) {
        c->refusal = "the reply is packed more than once";
        return 0;
    }
    if (len >= sizeof status - 1 && memcmp(ptr, status, sizeof status - 1) == 0) {
        /* Another one, after a 1xx that was no answer yet. */
        c->has_end_of_head = false;
        c->reply.content_type[0] = c->reply.server[0] = '\0';
    }
    if (len <= 2 && (len == 0 || ptr[0] == '\r' || ptr[0] == '\n'))
        c->has_end_of_head = true;
    if (is_header(slice_of(ptr, len), "content-type:", &value))
        snprintf(c->reply.content_type, sizeof c->reply.content_type, "%.*s", SLICE_ARG(value));
    if (is_header(slice_of(ptr, len), "server:", &value))
        snprintf(c->reply.server, sizeof c->reply.server, "%.*s", SLICE_ARG(value));
    return len;
}

static int on_info(CURL *easy, curl_infotype type, char *data, size_t size, void *arg)
{
    struct http_call *c = arg;

    (void)easy;
    (void)data;
    (void)size;
    if (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT)
        c->has_sent = true;
    return 0;
}

static bool add_headers(struct http_call *c, const char *const *headers)
{
    static const char no_expect[] = "Expect:"; /* bodies go at once, whatever their size */
    struct curl_slist *more = curl_slist_append(NULL, no_expect);

    c->headers = more;
    for (size_t i = 0; more && headers && headers[i]; i++) {
        more = curl_slist_append(c->headers, headers[i]);
        if (more)
            c->headers = more;
    }
    return more;
}

static void set_options(struct http_call *c, const struct http_request *r)
{
    const struct http_options *o = r->options;
    CURL *h = c->easy;

    curl_easy_setopt(h, CURLOPT_PRIVATE, c);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    /* Names are looked up by a thread of libcurl's; when time runs out, nobody waits for it. */
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's word is no answer */
    curl_easy_setopt(h, CURLOPT_URL, r->url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(h, CURLOPT_DEBUGFUNCTION, on_info);
    curl_easy_setopt(h, CURLOPT_DEBUGDATA, c);
    curl_easy_setopt(h, CURLOPT_VERBOSE, 1L); /* for on_info alone: nothing is printed */
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
    curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(h, CURLOPT_NOPROXY,
                     getenv("no_proxy") || getenv("NO_PROXY") ? NULL : "127.0.0.1,localhost,::1");
    if (strcmp(r->method, "POST") == 0) {
        curl_easy_setopt(h, CURLOPT_POST, 1L);
        /* Always with its length: a handle keeps the last that it was told. */
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
        curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    } else if (strcmp(r->method, "GET") != 0) {
        curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, r->method);
    }
    if (o->user_name) {
        curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(h, CURLOPT_USERNAME, o->user_name);
        curl_easy_setopt(h, CURLOPT_PASSWORD, o->password ? o->password : "");
    }
    if (o->ca_file)
        curl_easy_setopt(h, CURLOPT_CAINFO, o->ca_file);
    if (o->skip_verify) {
        curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static struct http_call *start(void *self, const struct http_request *request, struct err *e)
{
    struct curl_transport *t = self;
    struct http_call *c = calloc(1, sizeof *c);

    if (!c || !(c->easy = curl_easy_init()) || !add_headers(c, request->headers)) {
        if (c) {
            curl_easy_cleanup(c->easy);
            curl_slist_free_all(c->headers);
        }
        free(c);
        err_set(e, ERR_NOMEM, "out of memory for a request");
        return NULL;
    }
    c->t = t;
    c->max_reply_bytes = request->max_reply_bytes;
    c->on_body = request->on_body;
    c->on_done = request->on_done;
    c->ctx = request->ctx;
    set_options(c, request);
    c->next = t->calls;
    if (t->calls)
        t->calls->prev = c;
    t->calls = c;
    if (curl_multi_add_handle(t->multi, c->easy) != CURLM_OK) {
        call_free(c);
        err_set(e, ERR_NOMEM, "libcurl takes no request");
        return NULL;
    }
    return c;
}

static void cancel(void *self, struct http_call *call)
{
    (void)self;
    if (call)
        call_free(call);
}

struct transport *transport_curl_new(struct ev_loop *loop, struct err *e)
{
    struct curl_transport *t = calloc(1, sizeof *t);

    if (!t || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        !(t->multi = curl_multi_init())) {
        free(t);
        err_set(e, ERR_NOMEM, "libcurl cannot be started");
        return NULL;
    }
    t->base = (struct transport){start, cancel, t};
    t->loop = loop;
    ev_timer_init(&t->timer, on_timer, 0., 0.);
    t->timer.data = t;
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, 64L);
    return &t->base;
}

void transport_curl_free(struct transport *base)
{
    struct curl_transport *t = (struct curl_transport *)base;
    struct http_call *next;

    if (!t)
        return;
    for (struct http_call *call = t->calls; call; call = next) {
        next = call->next;
        call_free(call);
    }
    curl_multi_cleanup(t->multi);
    ev_timer_stop(t->loop, &t->timer);
    free(t);
}
