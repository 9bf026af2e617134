/* The elasticsearch output: one POST _bulk a batch, one verdict an item. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "outputs/es_auth.h"
#include "outputs/es_hosts.h"
#include "outputs/es_judge.h"
#include "outputs/es_options.h"
#include "outputs/es_reply.h"
#include "outputs/output.h"
#include "outputs/transport.h"

/* What is asked back: positions stay, since every item keeps its status. */
static const char filter[] = "filter_path=error,status,errors,items.*.status,items.*.error.type,"
                             "items.*.error.reason,items.*.error.caused_by.reason,"
                             "items.*.failure_store";

/* What a reply may hold: for each event its status and a reason, which may quote the event. */
enum { REPLY_BYTES = 4 * 1024 * 1024, REPLY_BYTES_PER_EVENT = 4096, REPLY_QUOTES = 4 };

struct elastic {
    const struct es_options *options;
    struct sink_world world;
    struct es_hosts hosts;
    struct http_options http;
    char *authorization; /* "Authorization: ApiKey ..." or NULL */
    char *path;          /* "/logs-x/_bulk?..." */
    char where[ES_URL_MAX + 300];
    struct post *posts; /* under way; doubly linked */
};

/* One question, put to each host; ends with its last answer. */
struct probe {
    sink_probe_fn *done;
    void *ctx;
    size_t n_open;
    size_t n_hosts;
    size_t n_bad;
    struct err why; /* of the first bad one */
};

/* One request under way. */
struct post {
    struct elastic *es;
    struct post *next, *prev;
    struct http_call *call;
    struct es_host *host;
    struct http_options http;
    struct batch *batch; /* NULL for a probe */
    struct probe *probe; /* NULL for a batch */
    sink_done_fn *on_done;
    void *ctx;
    struct es_reply reply;
    bool is_json;       /* so far */
    size_t n_unreached; /* hosts that it met before this one */
    struct err detour;  /* why it did not get to the first of them */
};

/* --- opening --- */

static char *make_path(const struct es_options *o)
{
    char *index = curl_easy_escape(NULL, o->index, 0);
    char *pipeline = o->pipeline ? curl_easy_escape(NULL, o->pipeline, 0) : NULL;
    struct buffer path = {0};

    if (index && (!o->pipeline || pipeline)) {
        buffer_printf(&path, "/%s/_bulk?%s", index, filter);
        if (pipeline)
            buffer_printf(&path, "&pipeline=%s", pipeline);
        buffer_add_char(&path, '\0');
    }
    curl_free(index);
    curl_free(pipeline);
    if (path.failed)
        buffer_free(&path);
    return path.ptr;
}

static void es_close(struct sink *sink);

static struct sink *es_open(const void *options, const struct sink_world *world, struct err *e)
{
    const struct es_options *o = options;
    struct elastic *es = calloc(1, sizeof *es);

    if (!es)
        goto nomem;
    es->options = o;
    es->world = *world;
    if (es_hosts_init(&es->hosts, &o->hosts, e) < 0) {
        free(es);
        return NULL;
    }
    es->http = (struct http_options){.ca_file = o->ca_file,
                                     .skip_verify = !o->verify,
                                     .user_name = o->user,
                                     .password = o->password,
                                     .connect_ms = o->connect_ms,
                                     .timeout_ms = o->timeout_ms};
    es->path = make_path(o);
    if (o->api_key)
        es->authorization = es_api_key_header(o->api_key);
    if (!es->path || (o->api_key && !es->authorization))
        goto nomem;
    snprintf(es->where, sizeof es->where, "%s/%s", es->hosts.hosts[0].url, o->index);
    return (struct sink *)es;

nomem:
    es_close((struct sink *)es);
    err_set(e, ERR_NOMEM, "out of memory");
    return NULL;
}

static const char *es_where(const struct sink *sink)
{
    return ((const struct elastic *)sink)->where;
}

static unsigned es_max_in_flight(const struct sink *sink)
{
    return (unsigned)((const struct elastic *)sink)->options->concurrency;
}

/* --- a request's end --- */

static void post_unlink(struct post *p)
{
    if (p->prev)
        p->prev->next = p->next;
    else
        p->es->posts = p->next;
    if (p->next)
        p->next->prev = p->prev;
}

static void post_free(struct post *p)
{
    es_reply_fini(&p->reply);
    free(p);
}

static bool on_body(void *ctx, struct slice bytes)
{
    struct post *p = ctx;

    /* An answer that is no JSON (a proxy's page) is read on, and judged by its status. */
    p->is_json = p->is_json && es_reply_push(&p->reply, bytes);
    return true;
}

static struct es_answer answer_of(const struct post *p, const struct http_reply *http)
{
    return (struct es_answer){http, &p->reply, p->is_json, p->host->url, p->es->options->index};
}

static void note_host(const struct post *p, const struct http_reply *http)
{
    if (es_is_host_ill(http))
        es_host_failed(p->host, clock_mono_ms(p->es->world.clock));
    else
        es_host_good(p->host);
}

static int post_batch(struct post *p, struct err *e);
static void post_use_host(struct post *p, struct es_host *host);

/* What never left goes to the next host at once: one that is dead holds nothing up, and one that
 * comes back is found by the first try. Each is tried once. */
static bool goes_elsewhere(struct post *p, const struct http_reply *http, const struct err *why)
{
    struct elastic *es = p->es;

    if (!http_is_unsent(http->failure) || ++p->n_unreached >= es->hosts.n_hosts)
        return false;
    if (p->detour.code == ERR_NONE) {
        p->detour = *why;
        strncat(p->detour.what, "; trying the next host",
                sizeof p->detour.what - strlen(p->detour.what) - 1);
    }
    post_use_host(p, es_hosts_choose(&es->hosts, clock_mono_ms(es->world.clock)));
    return post_batch(p, NULL) == 0;
}

static void on_done(void *ctx, const struct http_reply *http)
{
    struct post *p = ctx;
    struct es_answer answer = answer_of(p, http);
    struct sink_reply reply = {.retry_after_ms = -1};

    note_host(p, http);
    es_judge(&answer, &reply);
    if (goes_elsewhere(p, http, &reply.why))
        return;
    if (reply.why.code == ERR_NONE)
        reply.why = p->detour;
    post_unlink(p); /* first, so that a close from inside does not meet it */
    p->on_done(p->ctx, p->batch, &reply);
    free(reply.rejections);
    post_free(p);
}

static void probe_note(struct probe *probe, const struct err *why)
{
    if (why->code != ERR_NONE && probe->n_bad++ == 0)
        probe->why = *why;
}

/* A host that does not answer is worth a word, also where the others do. */
static void probe_release(struct probe *probe)
{
    if (--probe->n_open)
        return;
    if (probe->n_bad && probe->n_hosts > 1)
        err_at(&probe->why, "%zu of %zu hosts", probe->n_bad, probe->n_hosts);
    probe->done(probe->ctx, &probe->why);
    free(probe);
}

static void on_probed(void *ctx, const struct http_reply *http)
{
    struct post *p = ctx;
    struct probe *probe = p->probe;
    struct es_answer answer = answer_of(p, http);
    struct err why = {0};

    es_judge_probe(&answer, &why);
    post_unlink(p);
    post_free(p);
    probe_note(probe, &why);
    probe_release(probe);
}

/* --- a request's beginning --- */

static void post_use_host(struct post *p, struct es_host *host)
{
    p->host = host;
    p->http = p->es->http;
    if (host->user[0]) {
        p->http.user_name = host->user;
        p->http.password = host->password;
    }
}

static struct post *post_new(struct elastic *es, struct es_host *host, size_t n_items)
{
    struct post *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->es = es;
    p->is_json = true;
    if (!es_reply_init(&p->reply, n_items)) {
        free(p);
        return NULL;
    }
    post_use_host(p, host);
    p->next = es->posts;
    if (es->posts)
        es->posts->prev = p;
    es->posts = p;
    return p;
}

static size_t max_reply_bytes(const struct batch *b)
{
    return REPLY_BYTES +
           (b ? b->n_items * REPLY_BYTES_PER_EVENT + b->plain_bytes * REPLY_QUOTES : 0);
}

static int post_start(struct post *p, struct slice body, bool is_packed,
                      void (*done)(void *, const struct http_reply *), struct err *e)
{
    struct elastic *es = p->es;
    const char *headers[4] = {"Content-Type: application/x-ndjson"};
    size_t n = 1;
    char url[ES_URL_MAX + 3 * (ES_NAME_MAX + ES_NAME_MAX) + 256]; /* names may be escaped */
    struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = body,
        .options = &p->http,
        .max_reply_bytes = max_reply_bytes(p->batch),
        .on_body = on_body,
        .on_done = done,
        .ctx = p,
    };

    if (is_packed)
        headers[n++] = "Content-Encoding: gzip";
    if (es->authorization)
        headers[n++] = es->authorization;
    headers[n] = NULL;
    snprintf(url, sizeof url, "%s%s", p->host->url, es->path);
    p->call = es->world.transport->start(es->world.transport->self, &request, e);
    return p->call ? 0 : -1;
}

static int post_batch(struct post *p, struct err *e)
{
    return post_start(p, buffer_slice(&p->batch->body), p->batch->is_packed, on_done, e);
}

static void es_send(struct sink *sink, struct batch *batch, sink_done_fn *done, void *ctx)
{
    struct elastic *es = (struct elastic *)sink;
    struct es_host *host = es_hosts_choose(&es->hosts, clock_mono_ms(es->world.clock));
    struct post *p = post_new(es, host, batch->n_items);
    struct sink_reply reply = {.outcome = SINK_RETRY, .retry_after_ms = 1000};

    if (p) {
        p->batch = batch;
        p->on_done = done;
        p->ctx = ctx;
        if (post_batch(p, &reply.why) == 0)
            return;
        post_unlink(p);
        post_free(p);
    } else {
        err_set(&reply.why, ERR_NOMEM, "out of memory for a request");
    }
    done(ctx, batch, &reply);
}

/* An empty bulk request is refused by both servers, after they have looked at the credentials. */
static void probe_host(struct probe *probe, struct elastic *es, struct es_host *host)
{
    struct post *p = post_new(es, host, 0);
    struct err why = {0};

    if (!p) {
        err_set(&why, ERR_NOMEM, "out of memory for a request");
        probe_note(probe, &why);
        return;
    }
    p->probe = probe;
    if (post_start(p, slice_str("\n"), false, on_probed, &why) == 0) {
        probe->n_open++;
        return;
    }
    post_unlink(p);
    post_free(p);
    probe_note(probe, &why);
}

static void es_probe(struct sink *sink, sink_probe_fn *done, void *ctx)
{
    struct elastic *es = (struct elastic *)sink;
    struct probe *probe = calloc(1, sizeof *probe);
    struct err why = {0};

    if (!probe) {
        err_set(&why, ERR_NOMEM, "out of memory for a request");
        done(ctx, &why);
        return;
    }
    *probe = (struct probe){.done = done, .ctx = ctx, .n_open = 1, .n_hosts = es->hosts.n_hosts};
    for (size_t i = 0; i < es->hosts.n_hosts; i++)
        probe_host(probe, es, &es->hosts.hosts[i]);
    probe_release(probe);
}

static void es_close(struct sink *sink)
{
    struct elastic *es = (struct elastic *)sink;
    struct post *next;

    if (!es)
        return;
    for (struct post *p = es->posts; p; p = next) {
        next = p->next;
        es->world.transport->cancel(es->world.transport->self, p->call);
        batch_free(p->batch);
        if (p->probe && --p->probe->n_open == 0)
            free(p->probe);
        post_free(p);
    }
    es_hosts_fini(&es->hosts);
    free(es->authorization);
    free(es->path);
    free(es);
}

const struct output_ops output_elasticsearch = {
    .name = "elasticsearch",
    .help = "Elasticsearch 7.17, 8, 9 and OpenSearch 1, 2, 3, over _bulk",
    .options = {es_option_list, ES_N_OPTIONS, sizeof(struct es_options)},
    .wants_gzip = true,
    .validate = es_validate,
    .warn = es_warn,
    .encode = es_encode,
    .open = es_open,
    .max_in_flight = es_max_in_flight,
    .send = es_send,
    .probe = es_probe,
    .where = es_where,
    .close = es_close,
};
