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
        [HTTP_UNTRUSTED] = "not trusted: %s; tls.ca_file names whom to trust",
        [HTTP_FOREIGN] = "answered, and not in HTTP (%s); want Elasticsearch or OpenSearch there",
    };
    char text[sizeof e->what];

    snprintf(text, sizeof text, forms[a->http->failure], a->http->why);
    if (strstr(a->http->why, "wrong version number")) /* OpenSSL's words for no TLS at all */
        strncat(text, ": that is no TLS; does it speak plain http?",
                sizeof text - strlen(text) - 1);
    err_set(e, a->http->failure == HTTP_UNTRUSTED ? ERR_REFUSED : ERR_NET, "%s", text);
    err_at(e, "%s", a->host);
}

static bool is_json_type(const char *content_type)
{
    return content_type[0] == '\0' || strstr(content_type, "json");
}

/* Somebody answered who is no Elasticsearch, and nothing in between that may be on its way there.
 */
static bool is_stranger(const struct es_answer *a)
{
    const struct http_reply *http = a->http;

    if (http->failure != HTTP_ANSWERED)
        return http->failure == HTTP_FOREIGN;
    if (http->status >= 200 && http->status < 300)
        return !a->reply->n_items && (!a->is_json || !is_json_type(http->content_type));
    return !a->reply->request_type[0] &&
           (http->status == 404 || http->status == 405 || http->status == 501);
}

static void say_stranger(const struct es_answer *a, struct err *e)
{
    const struct http_reply *http = a->http;

    err_set(e, ERR_REFUSED,
            "HTTP %d, answered %.60s%s%.60s: not what Elasticsearch or OpenSearch say; is this the "
            "address of one of them?",
            http->status, http->content_type[0] ? http->content_type : "without a type",
            http->server[0] ? " by " : "", http->server);
    at_bulk(a, e);
}

/* What somebody has to do, where the server's own word for it does not say. */
static const char *hint_for(const char *type)
{
    static const struct {
        const char *type;
        const char *hint;
    } hints[] = {
        {"cluster_block_exception", ": writes are blocked (index.blocks, or its disk is full)"},
        {"index_closed_exception", ": the index is closed"},
        {"index_not_found_exception",
         ": there is no such index, and none is made (template, action.auto_create_index)"},
        {"security_exception", ": give the user the right to create documents there"},
        {"validation_exception",
         ": is there room for another shard (cluster.max_shards_per_node)?"},
    };

    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcmp(type, hints[i].type) == 0)
            return hints[i].hint;
    return "";
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
    else if (status == 403 && strcmp(a->reply->request_type, "cluster_block_exception") != 0)
        err_set(e, code, "HTTP 403%s: not allowed to write to %s", detail, a->index);
    else if (status == 413)
        err_set(e, code, "HTTP 413: the request is larger than the server takes");
    else if (status >= 300 && status < 400)
        err_set(e, code, "HTTP %d: redirected; put the address that it points to into hosts",
                status);
    else if (status == 400 && !a->reply->request_type[0])
        err_set(e, code, "HTTP 400%s: is this Elasticsearch, and is it http or https?", detail);
    else
        err_set(e, code, "HTTP %d%s%s", status, detail, hint_for(a->reply->request_type));
    at_bulk(a, e);
}

static void say_short(const struct es_answer *a, struct err *e)
{
    const char *type = a->http->content_type[0] ? a->http->content_type : "no content type";

    if (a->reply->n_items > a->reply->n_sent)
        err_set(e, ERR_BUSY, "HTTP %d: answered for more than the %zu events that were sent",
                a->http->status, a->reply->n_sent);
    else if (a->is_json && json_push_is_complete(&a->reply->json) && a->reply->n_items)
        err_set(e, ERR_BUSY, "HTTP %d: answered for %zu of %zu events", a->http->status,
                a->reply->n_items, a->reply->n_sent);
    else
        err_set(e, ERR_BUSY, "HTTP %d: the answer (%.60s) is no bulk reply", a->http->status, type);
    at_bulk(a, e);
}

/* An answer that is no bulk reply. */
static void say_refusal(const struct es_answer *a, struct err *e)
{
    if (is_stranger(a))
        say_stranger(a, e);
    else if (a->http->status >= 200 && a->http->status < 300)
        say_short(a, e);
    else
        say_status(a, e);
}

/* The first failure stands for all of them in the log. */
static void say_items(const struct es_answer *a, struct err *e)
{
    const struct es_reply *r = a->reply;
    const char *type = r->first.type[0] ? r->first.type : "refused";

    if (r->n_failures && r->n_failures == r->n_sent)
        err_set(e, ERR_REFUSED, "no event was taken: %s (HTTP %d)%s", type, r->first.status,
                hint_for(type));
    else if (r->n_failures)
        err_set(e, ERR_REFUSED, "%zu of %zu events: %s (HTTP %d)%s%s", r->n_failures, r->n_sent,
                type, r->first.status, r->n_failures > 1 ? ", the first of them" : "",
                hint_for(type));
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

/* OpenSearch (2.19 was seen to) answers what a pipeline drops and what it refuses in another order
 * than it was sent: the verdicts are each other's. A part with only one of the two is right. */
static bool is_out_of_order(const struct es_reply *r)
{
    return r->n_sent > 1 && r->n_dropped && r->n_pipeline_bad;
}

static void judge_items(const struct es_answer *a, struct sink_reply *out)
{
    const struct es_reply *r = a->reply;

    if (is_out_of_order(r)) {
        out->outcome = SINK_BISECT;
        err_set(&out->why, ERR_REFUSED,
                "an ingest pipeline drops events and refuses others, and which of them is which is "
                "found by sending them again in parts");
        at_bulk(a, &out->why);
        return;
    }
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

static bool is_overload(const struct http_reply *http)
{
    if (http->failure != HTTP_ANSWERED)
        return http->failure == HTTP_TIMED_OUT;
    return http->status == 429 || http->status == 503 || http->status == 504;
}

void es_judge(const struct es_answer *a, struct sink_reply *out)
{
    const struct http_reply *http = a->http;
    const struct es_reply *r = a->reply;

    out->status = http->failure == HTTP_ANSWERED ? http->status : 0;
    out->retry_after_ms = http->retry_after_ms;
    out->was_reached = !http_is_unsent(http->failure) && !is_stranger(a);
    out->is_overload = is_overload(http);
    if (http->failure != HTTP_ANSWERED) {
        out->outcome = http->failure == HTTP_UNTRUSTED ? SINK_HOLD : SINK_RETRY;
        say_failure(a, &out->why);
        return;
    }
    if (http->status == 200 && a->is_json && es_reply_is_whole(r)) {
        judge_items(a, out);
        return;
    }
    out->outcome =
        es_request_outcome(http->status, slice_str(r->request_type), slice_str(r->request_reason));
    say_refusal(a, &out->why);
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
    else if (!is_refusal &&
             !(http->status == 200 && a->is_json && json_push_is_complete(&a->reply->json)))
        say_refusal(a, why);
}

bool es_is_host_ill(const struct http_reply *http)
{
    return http->failure != HTTP_ANSWERED || http->status > 500;
}
