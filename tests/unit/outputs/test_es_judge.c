/* Whole answers, as servers and what stands before them were seen to give, and what is said of
 * them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/es_judge.h"

#define JSON "application/json"
#define HTML "text/html; charset=UTF-8"
#define ALL_TOO_LARGE                                                                              \
    "{\"create\":{\"status\":429,\"error\":{\"type\":\"es_rejected_execution_exception\","         \
    "\"reason\":\"Request contains an operation of size [204874] bytes, which exceeds the "        \
    "maximum allowed limit of [102400] bytes\"}}}"
#define OK "{\"create\":{\"status\":201}}"
#define FULL                                                                                       \
    "{\"create\":{\"status\":429,\"error\":{\"type\":\"es_rejected_execution_exception\","         \
    "\"reason\":\"about my topsecret line\"}}}"
#define BAD                                                                                        \
    "{\"create\":{\"status\":400,\"error\":{\"type\":\"document_parsing_exception\","              \
    "\"reason\":\"failed on topsecret\"}}}"
#define STRANGER ": not what Elasticsearch or OpenSearch say; is this the address of one of them?"
#define DROPPED "{\"create\":{\"status\":200}}"
#define FAILED "{\"create\":{\"status\":500,\"error\":{\"type\":\"fail_processor_exception\"}}}"
#define SET_ASIDE "{\"create\":{\"status\":201,\"failure_store\":\"used\"}}"

struct row {
    struct http_reply http;
    const char *body;
    enum sink_outcome want;
    const char *said; /* "where: what" */
};

static const struct row rows[] = {
    {{.status = 200, .content_type = JSON}, "{\"items\":[" OK "," OK "]}", SINK_ITEMS, ""},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK "," BAD "]}",
     SINK_ITEMS,
     "http://es/x/_bulk: 1 of 2 events: document_parsing_exception (HTTP 400)"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" FULL "," BAD "]}",
     SINK_ITEMS,
     "http://es/x/_bulk: no event was taken: es_rejected_execution_exception (HTTP 429)"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK "," SET_ASIDE "]}",
     SINK_ITEMS,
     "http://es/x/_bulk: 1 of 2 events do not fit the mapping and were put into the failure store "
     "(x::failures)"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" ALL_TOO_LARGE "," ALL_TOO_LARGE "]}",
     SINK_BISECT,
     "http://es/x/_bulk: HTTP 429: an event is larger than the server takes"},
    {{.status = 200, .content_type = JSON}, "{\"items\":[" DROPPED "," OK "]}", SINK_ITEMS, ""},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" DROPPED "," BAD "]}",
     SINK_ITEMS,
     "http://es/x/_bulk: 1 of 2 events: document_parsing_exception (HTTP 400)"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" DROPPED "," FAILED "]}",
     SINK_BISECT,
     "http://es/x/_bulk: an ingest pipeline drops events and refuses others, and which of them is "
     "which is found by sending them again in parts"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK "]}",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 200: answered for 1 of 2 events"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK "," OK,
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 200: the answer (application/json) is no bulk reply"},
    {{.status = 200, .content_type = HTML},
     "<html>It works!</html>",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 200, answered text/html; charset=UTF-8" STRANGER},
    {{.status = 200},
     "",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 200: the answer (no content type) "
     "is no bulk reply"},
    {{.status = 429, .content_type = JSON, .retry_after_ms = 7000},
     "{\"error\":{\"type\":\"circuit_breaking_exception\",\"reason\":\"topsecret\"},\"status\":"
     "429}",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 429 circuit_breaking_exception"},
    {{.status = 502, .content_type = HTML},
     "<html><center><h1>502 Bad Gateway</h1></center></html>",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 502, answered text/html; charset=UTF-8, not JSON"},
    {{.status = 503, .content_type = "text/plain"},
     "OpenSearch Security not initialized.",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 503, answered text/plain, not JSON"},
    {{.status = 413},
     "",
     SINK_SPLIT,
     "http://es/x/_bulk: HTTP 413: the request is larger than the "
     "server takes"},
    {{.status = 401, .content_type = "text/plain"},
     "Unauthorized",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 401, answered text/plain, not JSON: the credentials were refused; "
     "check user and password, or api_key"},
    {{.status = 403, .content_type = JSON},
     "{\"error\":{\"type\":\"security_exception\",\"reason\":\"topsecret\"},\"status\":403}",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 403 security_exception: not allowed to write to x"},
    {{.status = 301, .content_type = HTML},
     "<html>",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 301: redirected; put the address that it points to into hosts"},
    {{.status = 406, .content_type = JSON},
     "{\"error\":\"Content-Type header [text/plain] is not supported\",\"status\":406}",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 406"},
    {{.status = 400, .content_type = JSON},
     "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"Malformed action\"}}",
     SINK_BISECT,
     "http://es/x/_bulk: HTTP 400 illegal_argument_exception"},
    {{.status = 400, .content_type = HTML},
     "<html>The plain HTTP request was sent to HTTPS port</html>",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 400, answered text/html; charset=UTF-8, not JSON: is this "
     "Elasticsearch, and is it http or https?"},
    {{.failure = HTTP_UNREACHED, .why = "Connection refused"},
     "",
     SINK_RETRY,
     "http://es: not reached: Connection refused"},
    {{.failure = HTTP_INTERRUPTED, .status = 200, .why = "the reply was cut off"},
     "{\"items\":[" OK "," OK "]}",
     SINK_RETRY,
     "http://es: interrupted: the reply was cut off"},
    {{.failure = HTTP_TIMED_OUT, .why = "Operation timed out"},
     "",
     SINK_RETRY,
     "http://es: no answer in time: Operation timed out"},
    {{.failure = HTTP_UNTRUSTED, .why = "certificate has expired"},
     "",
     SINK_HOLD,
     "http://es: not trusted: certificate has expired; tls.ca_file names whom to trust"},
    {{.failure = HTTP_FOREIGN, .why = "Received HTTP/0.9 when not allowed"},
     "",
     SINK_RETRY,
     "http://es: answered, and not in HTTP (Received HTTP/0.9 when not allowed); want "
     "Elasticsearch or OpenSearch there"},
    {{.status = 501, .content_type = "text/html;charset=utf-8", .server = "SimpleHTTP/0.6"},
     "<html>Unsupported method ('POST')",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 501, answered text/html;charset=utf-8 by SimpleHTTP/0.6" STRANGER},
    {{.status = 404, .content_type = HTML, .server = "nginx"},
     "<html>Not Found",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 404, answered text/html; charset=UTF-8 by nginx" STRANGER},
    {{.status = 404, .content_type = JSON},
     "{\"statusCode\":404,\"error\":\"Not Found\",\"message\":\"Not Found\"}", /* Kibana */
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 404, answered application/json" STRANGER},
    {{.status = 405},
     "",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 405, answered without a type" STRANGER},
    {{.status = 404, .content_type = JSON},
     "{\"error\":{\"type\":\"index_not_found_exception\",\"reason\":\"topsecret\"},\"status\":404}",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 404 index_not_found_exception: there is no such index, and none is "
     "made (template, action.auto_create_index)"},
    {{.status = 403, .content_type = JSON},
     "{\"error\":{\"type\":\"cluster_block_exception\",\"reason\":\"x\"},\"status\":403}",
     SINK_HOLD,
     "http://es/x/_bulk: HTTP 403 cluster_block_exception: writes are blocked (index.blocks, or "
     "its disk is full)"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK ",{\"create\":{\"status\":400,\"error\":{\"type\":"
     "\"index_closed_exception\",\"reason\":\"x\"}}}]}",
     SINK_ITEMS,
     "http://es/x/_bulk: 1 of 2 events: index_closed_exception (HTTP 400): the index is closed"},
    {{.status = 504, .content_type = HTML},
     "<html><center><h1>504 Gateway Time-out</h1></center></html>",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 504, answered text/html; charset=UTF-8, not JSON"},
    {{.status = 200, .content_type = JSON},
     "{\"items\":[" OK "," OK "," OK "]}",
     SINK_RETRY,
     "http://es/x/_bulk: HTTP 200: answered for more than the 2 events that were sent"},
};

static void read_body(struct es_reply *r, const char *body, struct es_answer *a)
{
    cr_assert(es_reply_init(r, 2));
    a->is_json = es_reply_push(r, slice_str(body));
}

Test(es_judge, answers)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct es_reply r;
        struct es_answer a = {&row->http, &r, false, "http://es", "x"};
        struct sink_reply out = {.retry_after_ms = -1};
        char said[1200];
        bool is_stranger = strstr(row->said, "Elasticsearch or OpenSearch");

        read_body(&r, row->body, &a);
        es_judge(&a, &out);
        cr_expect_eq(out.outcome, row->want, "row %zu: HTTP %d", i, row->http.status);
        cr_expect_str_eq(err_text(&out.why, said, sizeof said), row->said);
        cr_expect_eq(out.was_reached, !http_is_unsent(row->http.failure) && !is_stranger, "row %zu",
                     i);
        cr_expect_eq(out.retry_after_ms, row->http.retry_after_ms);
        cr_expect_null(strstr(said, "topsecret"), "a reason may quote an event: %s", said);
        cr_expect_eq(out.outcome == SINK_ITEMS, out.verdicts != NULL);
        free(out.rejections);
        es_reply_fini(&r);
    }
}

/* What makes the engine send less at once. */
Test(es_judge, too_much_for_it)
{
    static const struct {
        struct http_reply http;
        bool want;
    } answers[] = {
        {{.status = 429}, true},
        {{.status = 503}, true},
        {{.status = 504}, true},
        {{.failure = HTTP_TIMED_OUT, .why = ""}, true},
        {{.status = 200}, false},
        {{.status = 500}, false},
        {{.status = 413}, false},
        {{.failure = HTTP_UNREACHED, .why = ""}, false},
        {{.failure = HTTP_INTERRUPTED, .status = 429, .why = ""}, false},
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct es_reply r;
        struct es_answer a = {&answers[i].http, &r, false, "http://es", "x"};
        struct sink_reply out = {0};

        read_body(&r, "", &a);
        es_judge(&a, &out);
        cr_expect_eq(out.is_overload, answers[i].want, "row %zu", i);
        es_reply_fini(&r);
    }
}

Test(es_judge, a_rejection_has_its_place_and_its_words)
{
    struct http_reply http = {.status = 200, .retry_after_ms = -1};
    struct es_reply r;
    struct es_answer a = {&http, &r, false, "http://es", "x"};
    struct sink_reply out = {0};

    read_body(&r, "{\"items\":[" FULL "," BAD "]}", &a);
    es_judge(&a, &out);
    cr_assert_eq(out.n_rejections, 1);
    cr_expect_eq(out.rejections[0].index, 1);
    cr_expect_eq(out.rejections[0].status, 400);
    cr_expect_str_eq(out.rejections[0].type, "document_parsing_exception");
    cr_expect_str_eq(out.rejections[0].reason, "failed on topsecret");
    free(out.rejections);
    es_reply_fini(&r);
}

Test(es_judge, probes)
{
    static const struct {
        struct http_reply http;
        const char *body;
        const char *said;
    } probes[] = {
        {{.status = 400, .content_type = JSON},
         "{\"error\":{\"type\":\"action_request_validation_exception\",\"reason\":\"Validation "
         "Failed: 1: no requests added;\"},\"status\":400}",
         ""},
        {{.status = 200, .content_type = JSON}, "{\"took\":0,\"errors\":false,\"items\":[]}", ""},
        {{.status = 200, .content_type = HTML},
         "<html>It works!</html>",
         "http://es/x/_bulk: HTTP 200, answered text/html; charset=UTF-8" STRANGER},
        {{.status = 400, .content_type = HTML},
         "<html>The plain HTTP request was sent to HTTPS port</html>",
         "http://es/x/_bulk: HTTP 400, answered text/html; charset=UTF-8, not JSON: is this "
         "Elasticsearch, and is it http or https?"},
        {{.status = 401},
         "",
         "http://es/x/_bulk: HTTP 401: the credentials were refused; check "
         "user and password, or api_key"},
        {{.status = 404, .content_type = JSON},
         "{\"message\":\"no route\"}",
         "http://es/x/_bulk: HTTP 404, answered application/json" STRANGER},
        {{.status = 301},
         "",
         "http://es/x/_bulk: HTTP 301: redirected; put the address that it "
         "points to into hosts"},
        {{.failure = HTTP_UNREACHED, .why = "Connection refused"},
         "",
         "http://es: not reached: Connection refused"},
    };

    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        struct es_reply r;
        struct es_answer a = {&probes[i].http, &r, false, "http://es", "x"};
        struct err why = {0};
        char said[1200];

        read_body(&r, probes[i].body, &a);
        es_judge_probe(&a, &why);
        cr_expect_str_eq(err_text(&why, said, sizeof said), probes[i].said);
        es_reply_fini(&r);
    }
}

Test(es_judge, hosts_that_are_ill)
{
    cr_expect(es_is_host_ill(&(struct http_reply){.failure = HTTP_UNREACHED}));
    cr_expect(es_is_host_ill(&(struct http_reply){.failure = HTTP_TIMED_OUT, .status = 200}));
    cr_expect(es_is_host_ill(&(struct http_reply){.status = 502}));
    cr_expect(es_is_host_ill(&(struct http_reply){.status = 503}));
    cr_expect_not(es_is_host_ill(&(struct http_reply){.status = 500}));
    cr_expect_not(es_is_host_ill(&(struct http_reply){.status = 429}));
    cr_expect_not(es_is_host_ill(&(struct http_reply){.status = 200}));
}
