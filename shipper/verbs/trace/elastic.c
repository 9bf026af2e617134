#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <ev.h>

#include "outputs/es_auth.h"
#include "outputs/es_hosts.h"
#include "outputs/transport.h"
#include "shipper/base/buffer.h"
#include "shipper/verbs/trace/elastic.h"

enum { REPLY_MAX_BYTES = 64 * 1024 * 1024 };

struct elastic {
    const struct es_options *options;
    struct es_hosts hosts;
    struct http_options http;
    char *authorization;
    char *index; /* escaped for a URL */
    struct ev_loop *loop;
    struct transport *transport;
};

/* One question and its answer. */
struct exchange {
    struct ev_loop *loop;
    struct buffer reply;
    bool is_too_long;
    enum http_failure failure;
    int status;
    char why[256];
};

void elastic_free(struct elastic *el)
{
    if (!el)
        return;
    if (el->transport)
        transport_curl_free(el->transport);
    if (el->loop)
        ev_loop_destroy(el->loop);
    es_hosts_fini(&el->hosts);
    curl_free(el->index);
    free(el->authorization);
    free(el);
}

struct elastic *elastic_new(const struct es_options *options, struct err *e)
{
    struct elastic *el = calloc(1, sizeof *el);

    if (!el)
        goto nomem;
    el->options = options;
    if (es_hosts_init(&el->hosts, &options->hosts, e) < 0)
        goto fail;
    el->http = (struct http_options){.ca_file = options->ca_file,
                                     .skip_verify = !options->verify,
                                     .user_name = options->user,
                                     .password = options->password,
                                     .connect_ms = options->connect_ms,
                                     .timeout_ms = options->timeout_ms};
    el->authorization = options->api_key ? es_api_key_header(options->api_key) : NULL;
    el->index = curl_easy_escape(NULL, options->index, 0);
    el->loop = ev_loop_new(EVFLAG_AUTO);
    if (!el->index || !el->loop || (options->api_key && !el->authorization))
        goto nomem;
    el->transport = transport_curl_new(el->loop, e);
    if (!el->transport)
        goto fail;
    return el;

nomem:
    err_set(e, ERR_NOMEM, "out of memory");
fail:
    elastic_free(el);
    return NULL;
}

/* --- one request --- */

static bool on_body(void *ctx, struct slice bytes)
{
    struct exchange *x = ctx;

    x->is_too_long = x->reply.len + bytes.len > REPLY_MAX_BYTES;
    if (!x->is_too_long)
        buffer_add_slice(&x->reply, bytes);
    return !x->is_too_long && !x->reply.failed;
}

static void on_done(void *ctx, const struct http_reply *reply)
{
    struct exchange *x = ctx;

    x->failure = reply->failure;
    x->status = reply->status;
    snprintf(x->why, sizeof x->why, "%s", reply->why ? reply->why : "");
    ev_break(x->loop, EVBREAK_ALL);
}

static int post(struct elastic *el, const struct es_host *host, const char *endpoint,
                const char *body, struct exchange *x, struct err *e)
{
    const char *const headers[] = {"Content-Type: application/json", el->authorization, NULL};
    struct http_options http = el->http;
    struct buffer url = {0};
    struct http_request request = {
        .method = "POST",
        .headers = headers,
        .body = slice_str(body),
        .options = &http,
        .on_body = on_body,
        .on_done = on_done,
        .ctx = x,
    };
    struct http_call *call;

    if (host->user[0]) {
        http.user_name = host->user;
        http.password = host->password;
    }
    buffer_printf(&url, "%s/%s/%s", host->url, el->index, endpoint);
    buffer_add_char(&url, '\0');
    request.url = url.ptr;
    x->loop = el->loop;
    call = url.failed ? NULL : el->transport->start(el->transport->self, &request, e);
    if (call)
        ev_run(el->loop, 0);
    buffer_free(&url);
    return call ? 0 : -1;
}

/* --- what it came to --- */

static void say_no_answer(const struct exchange *x, struct err *e)
{
    static const char *const forms[] = {[HTTP_UNREACHED] = "not reached",
                                        [HTTP_INTERRUPTED] = "interrupted",
                                        [HTTP_TIMED_OUT] = "no answer in time",
                                        [HTTP_UNTRUSTED] = "not trusted",
                                        [HTTP_FOREIGN] = "answered, and not in HTTP"};

    if (x->is_too_long)
        err_set(e, ERR_REFUSED, "the answer is longer than %d MiB", REPLY_MAX_BYTES / 1024 / 1024);
    else
        err_set(e, ERR_NET, "%s: %s", forms[x->failure], x->why);
}

/* What the server gives as its reason; empty if it is a proxy's page. */
static const char *reason_of(const json_t *reply)
{
    const json_t *error = json_object_get(reply, "error");
    const json_t *first = json_array_get(json_object_get(error, "root_cause"), 0);
    const char *reason = json_string_value(json_object_get(first ? first : error, "reason"));

    return reason ? reason : "";
}

static void say_refused(const struct elastic *el, int status, const json_t *reply, struct err *e)
{
    if (status == 401 || status == 403)
        err_set(e, ERR_REFUSED,
                "HTTP %d: the credentials were refused, or may not read \"%s\"; check user and "
                "password, or the API key",
                status, el->options->index);
    else if (status == 404)
        err_set(e, ERR_REFUSED,
                "HTTP 404: there is no \"%s\"; nothing was sent to it yet, or another one is meant "
                "(--index)",
                el->options->index);
    else
        err_set(e, ERR_REFUSED, "HTTP %d: %.200s", status, reason_of(reply));
}

static json_t *read_answer(const struct elastic *el, const struct exchange *x, struct err *e)
{
    json_t *reply = NULL;

    if (x->failure != HTTP_ANSWERED) {
        say_no_answer(x, e);
        return NULL;
    }
    reply = json_loadb(x->reply.ptr ? x->reply.ptr : "", x->reply.len, JSON_ALLOW_NUL, NULL);
    if (x->status == 200 && json_is_object(reply))
        return reply;
    if (x->status == 200)
        err_set(e, ERR_REFUSED, "HTTP 200, but no JSON: this is no Elasticsearch or OpenSearch");
    else
        say_refused(el, x->status, reply, e);
    json_decref(reply);
    return NULL;
}

json_t *elastic_ask(struct elastic *el, const char *endpoint, json_t *body, struct err *e)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : strdup("");
    json_t *reply = NULL;
    bool goes_on = text;

    json_decref(body);
    if (!text)
        err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; goes_on && i < el->hosts.n_hosts; i++) {
        const struct es_host *host = &el->hosts.hosts[i];
        struct exchange x = {.failure = HTTP_UNREACHED};

        if (post(el, host, endpoint, text, &x, e) < 0)
            goes_on = false;
        else
            reply = read_answer(el, &x, e);
        /* Another host of the cluster may be there. */
        goes_on = goes_on && !reply && http_is_unsent(x.failure);
        buffer_free(&x.reply);
        if (!reply)
            err_at(e, "%s", host->url);
    }
    free(text);
    return reply;
}
