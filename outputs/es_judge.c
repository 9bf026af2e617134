#include <stdio.h>
#include <string.h>

#include "outputs/es_judge.h"
#include "outputs/es_verdict.h"

/* --- words for a person ---------------------------------------------------------------------- */

static void at_bulk(const struct es_answer *a, struct err *e)
{
    err_at(e, "%s/%s/_bulk", a->host, a->index);
}

static void say_failure(const struct es_answer *a, struct err *e)
{
    static const char *const forms[] = {
        [HTTP_UNREACHED] = "not reached: %s",
        [HTTP_INTERRUPTED] = "interrupted: %s",
        [HTTP_TIMED_OUT] = "no answer in time: %s",
    };
    char text[sizeof e->what];

    snprintf(text, sizeof text, forms[a->http->failure], a->http->why);
    err_set(e, ERR_NET, "%s", text);
    err_at(e, "%s", a->host);
}

static bool is_json_type(const char *content_type)
{
    return content_type[0] == '\0' || strstr(content_type, "json");
}

/* What a status means to a person; the server's own word for it where it has one. */
static void say_status(const struct es_answer *a, struct err *e)
{
    int status = a->http->status;
    enum err_code code = status == 401 || status == 403 ? ERR_REFUSED : ERR_BUSY;
    char detail[256] = "";

    if (a->reply->request_type[0])
        snprintf(detail, sizeof detail, " %s", a->reply->request_type);
    else if (!is_json_type(a->http->content_type))
        snprintf(detail, sizeof detail, ", answered %.60s, not JSON", a->http->content_type);
    if (status == 401)
        err_set(e, code,
                "HTTP 401%s: the credentials were refused; check user and password, or api_key",
                detail);
    else if (status == 403)
        err_set(e, code, "HTTP 403%s: not allowed to write to %s", detail, a->index);
    else if (status == 413)
        err_set(e, code, "HTTP 413: the request is larger than the server takes");
    else if (status >= 300 && status < 400)
        err_set(e, code, "HTTP %d: redirected; put the address that it points to into hosts",
                status);
    else if (status == 400 && !a->reply->request_type[0])
        err_set(e, code, "HTTP 400%s: is this Elasticsearch, and is it http or https?", detail);
    else
        err_set(e, code, "HTTP %d%s", status, detail);
    at_bulk(a, e);
}

static void say_short(const struct es_answer *a, struct err *e)
{
    const char *type = a->http->content_type[0] ? a->http->content_type : "no content type";

    if (a->is_json && json_push_is_complete(&a->reply->json) && a->reply->n_items)
        err_set(e, ERR_BUSY, "HTTP %d: answered for %zu of %zu events", a->http->status,
                a->reply->n_items, a->reply->n_sent);
    else
        err_set(e, ERR_BUSY, "HTTP %d: the answer (%.60s) is no bulk reply", a->http->status, type);
    at_bulk(a, e);
}

/* The first failure stands for all of them in the log. */
static void say_items(const struct es_answer *a, struct err *e)
{
    const struct es_reply *r = a->reply;

    if (r->n_failures)
        err_set(e, ERR_REFUSED, "%zu of %zu events: %s (HTTP %d)%s", r->n_failures, r->n_sent,
                r->first.type[0] ? r->first.type : "refused", r->first.status,
                r->n_failures > 1 ? ", the first of them" : "");
    else if (r->n_in_failure_store)
        err_set(e, ERR_REFUSED,
                "%zu of %zu events do not fit the mapping and were put into the failure store "
                "(%s::failures)",
                r->n_in_failure_store, r->n_sent, a->index);
    else
        return;
    at_bulk(a, e);
}

/* --- the judgement --------------------------------------------------------------------------- */

static void judge_items(const struct es_answer *a, struct sink_reply *out)
{
    const struct es_reply *r = a->reply;

    if (r->n_sent && r->n_too_large == r->n_sent) {
        /* All are refused for the sake of one. */
        out->outcome = SINK_BISECT;
        out->status = r->first.status;
        err_set(&out->why, ERR_BUSY, "HTTP %d: an event is larger than the server takes",
                r->first.status);
        at_bulk(a, &out->why);
        return;
    }
    out->outcome = SINK_ITEMS;
    out->verdicts = r->verdicts;
    out->rejections = es_reply_rejections(r);
    out->n_rejections = out->rejections ? r->n_refusals : 0;
    say_items(a, &out->why);
}

void es_judge(const struct es_answer *a, struct sink_reply *out)
{
    const struct http_reply *http = a->http;
    const struct es_reply *r = a->reply;

    out->status = http->failure == HTTP_ANSWERED ? http->status : 0;
    out->retry_after_ms = http->retry_after_ms;
    out->was_reached = http->failure != HTTP_UNREACHED;
    if (http->failure != HTTP_ANSWERED) {
        out->outcome = SINK_RETRY;
        say_failure(a, &out->why);
        return;
    }
    if (http->status == 200 && a->is_json && es_reply_is_whole(r)) {
        judge_items(a, out);
        return;
    }
    out->outcome =
        es_request_outcome(http->status, slice_str(r->request_type), slice_str(r->request_reason));
    if (http->status >= 200 && http->status < 300)
        say_short(a, &out->why);
    else
        say_status(a, &out->why);
}

/* An empty bulk request, which is refused after the credentials were looked at. */
void es_judge_probe(const struct es_answer *a, struct err *why)
{
    const struct http_reply *http = a->http;
    bool is_refusal = http->status == 400 &&
                      es_request_outcome(400, slice_str(a->reply->request_type),
                                         slice_str(a->reply->request_reason)) == SINK_BISECT;

    if (http->failure != HTTP_ANSWERED)
        say_failure(a, why);
    else if (http->status == 200 && !(a->is_json && json_push_is_complete(&a->reply->json)))
        say_short(a, why);
    else if (http->status != 200 && !is_refusal)
        say_status(a, why);
}

bool es_is_host_ill(const struct http_reply *http)
{
    return http->failure != HTTP_ANSWERED || http->status > 500;
}
