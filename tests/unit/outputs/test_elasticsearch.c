/* The output over a transport that the test answers: what it asks, and what it makes of answers. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/es_options.h"
#include "outputs/output.h"
#include "shipper/pipeline/batch.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/fake_transport.h"

struct rig {
    struct fake_transport transport;
    int64_t now_ms;
    struct clock clock;
    struct sink_world world;
    struct es_options options;
    struct budget budget;
    struct sink *sink;

    /* Of the last done or probe. */
    struct batch *batch;
    struct sink_reply reply;
    struct err why;
    size_t n_rejections;
    unsigned n_done;
};

static int64_t rig_mono(void *ctx)
{
    return ((struct rig *)ctx)->now_ms;
}

static void rig_open(struct rig *r, const char *const *hosts, size_t n_hosts)
{
    struct err e = {0};

    r->now_ms = 1000;
    fake_transport_init(&r->transport);
    r->clock = (struct clock){rig_mono, NULL, r};
    r->world = (struct sink_world){.clock = &r->clock, .transport = &r->transport.base};
    r->options.hosts = (struct option_list){(const char **)hosts, n_hosts};
    r->options.timeout_ms = 90000;
    r->options.concurrency = 4;
    if (!r->options.index)
        r->options.index = "logs-x-default";
    budget_init(&r->budget, 1 << 20);
    cr_assert_eq(es_validate(&r->options, &e), 0, "%s: %s", e.where, e.what);
    r->sink = output_elasticsearch.open(&r->options, &r->world, &e);
    cr_assert_not_null(r->sink, "%s", e.what);
}

static void rig_fini(struct rig *r)
{
    output_elasticsearch.close(r->sink);
    batch_free(r->batch);
    fake_transport_fini(&r->transport);
    cr_expect_eq(budget_held(&r->budget), 0);
}

static struct batch *batch_of(struct rig *r, int n)
{
    struct batch *b = batch_new(0, &r->budget);

    for (int i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "{\"create\":{}}\n{\"n\":%d}\n", i);
        cr_assert(batch_commit(b, from, NULL, 0, 0));
    }
    batch_recount(b);
    return b;
}

static void on_done(void *ctx, struct batch *batch, const struct sink_reply *reply)
{
    struct rig *r = ctx;

    batch_free(r->batch);
    r->batch = batch;
    r->reply = *reply;
    r->why = reply->why;
    r->n_rejections = reply->n_rejections;
    r->n_done++;
}

static void on_probe(void *ctx, const struct err *why)
{
    struct rig *r = ctx;

    r->why = *why;
    r->n_done++;
}

static const char *const one[] = {"https://es:9200"};
static const char *const three[] = {"http://a", "http://b", "http://c"};

Test(elasticsearch, what_it_asks)
{
    static const struct {
        struct es_options o;
        const char *host;
        const char *url;
        const char *headers;
        const char *user;
    } rows[] = {
        {{.index = "logs-x-default"},
         "https://es:9200",
         "https://es:9200/logs-x-default/_bulk?filter_path=error,status,errors,items.*.status,"
         "items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,"
         "items.*.failure_store",
         "Content-Type: application/x-ndjson\n",
         NULL},
        {{.index = "\xc3\xa4", .pipeline = "a/b?c&d", .api_key = "id:topsecret"},
         "https://es:9200/prefix/",
         "https://es:9200/prefix/%C3%A4/_bulk?filter_path=error,status,errors,items.*.status,"
         "items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason,"
         "items.*.failure_store&pipeline=a%2Fb%3Fc%26d",
         "Content-Type: application/x-ndjson\nAuthorization: ApiKey aWQ6dG9wc2VjcmV0\n",
         NULL},
        {{.index = "x", .api_key = "aWQ6dG9wc2VjcmV0"},
         "http://127.0.0.1:1",
         NULL,
         "Content-Type: application/x-ndjson\nAuthorization: ApiKey aWQ6dG9wc2VjcmV0\n",
         NULL},
        {{.index = "x", .user = "me", .password = "topsecret"},
         "https://es:9200",
         NULL,
         "Content-Type: application/x-ndjson\n",
         "me"},
        {{.index = "x"},
         "https://you:topsecret@es",
         NULL,
         "Content-Type: application/x-ndjson\n",
         "you"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r = {.options = rows[i].o};
        struct http_call *c;

        rig_open(&r, &rows[i].host, 1);
        cr_expect_null(strstr(output_elasticsearch.where(r.sink), "topsecret"));
        output_elasticsearch.send(r.sink, batch_of(&r, 1), on_done, &r);
        c = fake_transport_call(&r.transport);
        cr_assert(c);
        if (rows[i].url)
            cr_expect_str_eq(c->url, rows[i].url);
        cr_expect(slice_is(buffer_slice(&c->headers), rows[i].headers), "%.*s",
                  SLICE_ARG(buffer_slice(&c->headers)));
        cr_expect_str_eq(c->request.method, "POST");
        cr_expect(slice_is(c->request.body, "{\"create\":{}}\n{\"n\":0}\n"));
        if (rows[i].user) {
            cr_expect_str_eq(c->request.options->user_name, rows[i].user);
            cr_expect_str_eq(c->request.options->password, "topsecret");
        } else {
            cr_expect_null(c->request.options->user_name);
        }
        rig_fini(&r);
    }
}

Test(elasticsearch, a_packed_body_says_so)
{
    struct rig r = {0};
    struct batch *b;

    rig_open(&r, one, 1);
    b = batch_of(&r, 1);
    b->is_packed = true;
    output_elasticsearch.send(r.sink, b, on_done, &r);
    cr_expect(slice_is(buffer_slice(&fake_transport_call(&r.transport)->headers),
                       "Content-Type: application/x-ndjson\nContent-Encoding: gzip\n"));
    rig_fini(&r);
}

Test(elasticsearch, verdicts_come_back_with_the_batch)
{
    static const char body[] =
        "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":409}},"
        "{\"create\":{\"status\":400,\"error\":{\"type\":\"t\",\"reason\":\"r\"}}}]}";

    for (size_t bite = 1; bite < sizeof body; bite += 13) {
        struct rig r = {0};
        struct batch *b;

        rig_open(&r, one, 1);
        b = batch_of(&r, 3);
        output_elasticsearch.send(r.sink, b, on_done, &r);
        cr_expect_eq(r.n_done, 0, "never from inside");
        fake_transport_answer(&r.transport, fake_transport_call(&r.transport),
                              (struct http_reply){.status = 200, .retry_after_ms = -1}, body, bite);
        cr_expect_eq(r.n_done, 1);
        cr_expect_eq(r.batch, b);
        cr_expect_eq(r.reply.outcome, SINK_ITEMS);
        cr_expect_eq(r.n_rejections, 1);
        rig_fini(&r);
    }
}

/* The first half of a good reply, and then a failure: nothing of it counts. */
Test(elasticsearch, half_a_reply)
{
    struct rig r = {0};

    rig_open(&r, one, 1);
    output_elasticsearch.send(r.sink, batch_of(&r, 1), on_done, &r);
    fake_transport_answer(
        &r.transport, fake_transport_call(&r.transport),
        (struct http_reply){
            .failure = HTTP_INTERRUPTED, .status = 200, .retry_after_ms = -1, .why = "end of file"},
        "{\"items\":[{\"create\":{\"status\":201}}]}", 1000);
    cr_expect_eq(r.reply.outcome, SINK_RETRY);
    cr_expect(r.reply.was_reached);
    rig_fini(&r);
}

static char host_of(struct rig *r)
{
    struct http_call *c;

    output_elasticsearch.send(r->sink, batch_of(r, 1), on_done, r);
    c = fake_transport_call(&r->transport);
    cr_assert(c);
    return c->url[strlen("http://")];
}

static void refuse(struct rig *r, enum http_failure failure, int status)
{
    fake_transport_answer(
        &r->transport, fake_transport_call(&r->transport),
        (struct http_reply){
            .failure = failure, .status = status, .retry_after_ms = -1, .why = "why"},
        "", 1);
}

/* A host that is ill is passed by, longer each time: a 503 is as bad as none at all. */
Test(elasticsearch, hosts_take_turns_and_rest)
{
    static const char *const hosts[] = {"http://a", "http://b"};
    struct rig r = {0};

    rig_open(&r, hosts, 2);
    cr_expect_eq(host_of(&r), 'a');
    refuse(&r, HTTP_ANSWERED, 429);
    cr_expect_eq(host_of(&r), 'b');
    refuse(&r, HTTP_TIMED_OUT, 0);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(host_of(&r), 'a', "b rests");
        refuse(&r, HTTP_ANSWERED, 429);
    }
    r.now_ms += 1000;
    cr_expect_eq(host_of(&r), 'b');
    refuse(&r, HTTP_ANSWERED, 503);
    r.now_ms += 1999;
    cr_expect_eq(host_of(&r), 'a');
    refuse(&r, HTTP_ANSWERED, 429);
    cr_expect_eq(host_of(&r), 'a', "two seconds this time");
    refuse(&r, HTTP_ANSWERED, 429);
    r.now_ms += 1;
    cr_expect_eq(host_of(&r), 'b');
    refuse(&r, HTTP_ANSWERED, 429);
    rig_fini(&r);
}

static char host_asked(struct rig *r)
{
    struct http_call *c = fake_transport_call(&r->transport);

    return c ? c->url[strlen("http://")] : '-';
}

/* What never left is sent to the next host at once, to each of them once. */
Test(elasticsearch, a_dead_host_holds_nothing_up)
{
    struct rig r = {0};

    rig_open(&r, three, 3);
    cr_expect_eq(host_of(&r), 'a');
    refuse(&r, HTTP_UNREACHED, 0);
    cr_expect_eq(host_asked(&r), 'b');
    cr_expect_eq(r.n_done, 0);
    fake_transport_answer(&r.transport, fake_transport_call(&r.transport),
                          (struct http_reply){.status = 200, .retry_after_ms = -1},
                          "{\"items\":[{\"create\":{\"status\":201}}]}", 100);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.reply.outcome, SINK_ITEMS);
    cr_expect_str_eq(r.why.where, "http://a:9200");
    cr_expect_str_eq(r.why.what, "not reached: why; trying the next host", "and it is told");

    /* Whatever may have been taken is the engine's to send again. */
    cr_expect_eq(host_of(&r), 'c');
    refuse(&r, HTTP_INTERRUPTED, 0);
    cr_expect_eq(r.n_done, 2);
    cr_expect_eq(host_asked(&r), '-');

    /* All are away: one round, and then it is said. The one that comes back is found at once. */
    cr_expect_eq(host_of(&r), 'b');
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(r.n_done, 2);
        refuse(&r, HTTP_UNREACHED, 0);
    }
    cr_expect_eq(r.n_done, 3);
    cr_expect_eq(r.reply.outcome, SINK_RETRY);
    cr_expect_not(r.reply.was_reached);
    cr_expect_str_eq(r.why.what, "not reached: why");
    rig_fini(&r);
}

/* For the second host there is no memory: then it failed. */
Test(elasticsearch, no_memory_for_the_next_host)
{
    struct rig r = {0};

    rig_open(&r, three, 3);
    cr_expect_eq(host_of(&r), 'a');
    r.transport.is_out_of_memory = true;
    refuse(&r, HTTP_UNREACHED, 0);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.reply.outcome, SINK_RETRY);
    rig_fini(&r);
}

Test(elasticsearch, close_cancels_what_is_under_way)
{
    struct rig r = {0};

    rig_open(&r, one, 1);
    for (int i = 0; i < 4; i++)
        output_elasticsearch.send(r.sink, batch_of(&r, 2), on_done, &r);
    output_elasticsearch.probe(r.sink, on_probe, &r);
    cr_expect_eq(r.transport.n_open, 5);
    output_elasticsearch.close(r.sink);
    r.sink = NULL;
    cr_expect_eq(r.transport.n_open, 0);
    cr_expect_eq(r.n_done, 0, "no callback after it");
    rig_fini(&r);
}

Test(elasticsearch, no_memory_for_a_request)
{
    struct rig r = {0};

    rig_open(&r, one, 1);
    r.transport.is_out_of_memory = true;
    output_elasticsearch.send(r.sink, batch_of(&r, 1), on_done, &r);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.reply.outcome, SINK_RETRY);
    cr_expect_not(r.reply.was_reached);
    cr_expect_str_eq(r.why.what, "out of memory for a request");
    r.transport.is_out_of_memory = false;
    for (unsigned n = 1; n <= 2; n++) {
        struct batch *b = batch_of(&r, 1);

        failing_malloc_at(n);
        output_elasticsearch.send(r.sink, b, on_done, &r);
        failing_malloc_at(0);
        cr_expect_eq(r.n_done, 1 + n);
    }
    rig_fini(&r);
}

Test(elasticsearch, probe)
{
    struct rig r = {0};

    rig_open(&r, one, 1);
    output_elasticsearch.probe(r.sink, on_probe, &r);
    cr_expect(slice_is(fake_transport_call(&r.transport)->request.body, "\n"), "it stores nothing");
    fake_transport_answer(&r.transport, fake_transport_call(&r.transport),
                          (struct http_reply){.status = 401, .retry_after_ms = -1}, "", 1);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.why.code, ERR_REFUSED);
    output_elasticsearch.probe(r.sink, on_probe, &r);
    fake_transport_answer(&r.transport, fake_transport_call(&r.transport),
                          (struct http_reply){.status = 400, .retry_after_ms = -1},
                          "{\"error\":{\"type\":\"action_request_validation_exception\"}}", 7);
    cr_expect_eq(r.n_done, 2);
    cr_expect_eq(r.why.code, ERR_NONE, "%s", r.why.what);
    rig_fini(&r);
}

/* Each host is asked; one that does not answer is told, also where the others do. */
Test(elasticsearch, a_probe_asks_every_host)
{
    struct rig r = {0};
    struct http_reply good = {.status = 400, .retry_after_ms = -1};
    static const char refusal[] = "{\"error\":{\"type\":\"action_request_validation_exception\"}}";
    struct http_reply away = {.failure = HTTP_UNREACHED, .retry_after_ms = -1, .why = "refused"};

    rig_open(&r, three, 3);
    output_elasticsearch.probe(r.sink, on_probe, &r);
    cr_assert_eq(r.transport.n_open, 3);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(r.n_done, 0);
        fake_transport_answer(&r.transport, fake_transport_call(&r.transport), i == 1 ? away : good,
                              i == 1 ? "" : refusal, 7);
    }
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.why.code, ERR_NET);
    cr_expect(strstr(r.why.where, "1 of 3 hosts: http://"), "%s: %s", r.why.where, r.why.what);

    output_elasticsearch.probe(r.sink, on_probe, &r);
    fake_transport_answer(&r.transport, fake_transport_call(&r.transport), good, refusal, 7);
    output_elasticsearch.close(r.sink);
    r.sink = NULL;
    cr_expect_eq(r.n_done, 1, "no callback after it");
    rig_fini(&r);

    rig_open(&r, three, 3);
    r.n_done = 0;
    r.transport.is_out_of_memory = true;
    output_elasticsearch.probe(r.sink, on_probe, &r);
    cr_expect_eq(r.n_done, 1);
    cr_expect(strstr(r.why.where, "3 of 3 hosts"), "%s", r.why.where);
    rig_fini(&r);
}
