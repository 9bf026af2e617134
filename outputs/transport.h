/* HTTP requests, as an argument: what talks to a server goes through this table.
 *
 * There are two: transport_curl (libcurl multi on the loop; outputs/transport_curl.c), and the
 * simulated one in tests/sim. TLS is verified unless the options say otherwise.
 * Thread: the loop's only. */
#ifndef SHIP_OUTPUTS_TRANSPORT_H
#define SHIP_OUTPUTS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"

struct ev_loop;

enum http_failure {
    HTTP_ANSWERED,    /* a whole reply: status is valid */
    HTTP_UNREACHED,   /* no connection, DNS, TLS: the request was not taken */
    HTTP_INTERRUPTED, /* sent, at least in part, and no whole reply: it may have been taken */
    HTTP_TIMED_OUT,   /* the same, because time ran out */
    HTTP_UNTRUSTED,   /* its certificate is none for us: the request was not taken */
    HTTP_FOREIGN,     /* whoever listens there speaks no HTTP */
};

/* Nothing of the request was taken: it may go elsewhere. */
static inline bool http_is_unsent(enum http_failure failure)
{
    return failure == HTTP_UNREACHED || failure == HTTP_UNTRUSTED;
}

struct http_reply {
    enum http_failure failure;
    int status;
    int64_t retry_after_ms; /* from Retry-After (seconds or date); -1 if absent */
    char content_type[64];
    char server[64]; /* what it calls itself; "" if it does not */
    const char *why; /* for failure: the library's text */
};

struct http_options {
    const char *ca_file; /* NULL: the system's */
    bool skip_verify;
    const char *user_name; /* basic auth; NULL: none */
    const char *password;
    int64_t connect_ms;
    int64_t timeout_ms; /* for the whole request */
};

struct http_request {
    const char *method; /* "POST", "GET", ... */
    const char *url;
    const char *const *headers;         /* "Name: value", NULL-terminated; copied */
    struct slice body;                  /* borrowed until on_done or cancel */
    const struct http_options *options; /* borrowed until on_done or cancel */
    /* Of the reply, decompressed; with more of them, or packed more than once, the request ends as
     * HTTP_INTERRUPTED. 0: no ceiling. */
    size_t max_reply_bytes;
    /* Reply bytes as they come (decompressed). Return false to stop reading: the request then ends
     * as HTTP_INTERRUPTED. May be NULL. */
    bool (*on_body)(void *ctx, struct slice bytes);
    void (*on_done)(void *ctx, const struct http_reply *reply);
    void *ctx;
};

struct http_call; /* one request under way */

struct transport {
    /* Never calls back from inside. NULL and *e when it cannot even begin. */
    struct http_call *(*start)(void *self, const struct http_request *request, struct err *e);
    /* After this, no callback. NULL is fine. */
    void (*cancel)(void *self, struct http_call *call);
    void *self;
};

/* NULL and *e. keep_alive connections are shared by all calls. */
struct transport *transport_curl_new(struct ev_loop *loop, struct err *e);
void transport_curl_free(struct transport *t);

#endif
