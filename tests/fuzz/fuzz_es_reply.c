/* The answer of a server that may say anything: in one piece, or byte for byte, it is the same
 * answer; what it says of events is for each that was sent, or for none. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/es_judge.h"
#include "outputs/es_reply.h"
#include "tests/fuzz/targets.h"

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* False: it is no bulk reply, as far as it was read. */
static bool push(struct es_reply *r, struct slice bytes, size_t piece)
{
    bool is_json = true;

    while (is_json && bytes.len) {
        size_t n = piece < bytes.len ? piece : bytes.len;

        is_json = es_reply_push(r, slice_of(bytes.ptr, n));
        bytes = slice_from(bytes, n);
    }
    return is_json;
}

static void check_same(const struct es_reply *a, const struct es_reply *b)
{
    must(a->n_items == b->n_items && a->n_failures == b->n_failures, "as many items");
    must(a->n_refusals == b->n_refusals && a->n_dropped == b->n_dropped, "as many refusals");
    must(memcmp(a->verdicts, b->verdicts, a->n_sent * sizeof *a->verdicts) == 0, "same verdicts");
    must(strcmp(a->request_type, b->request_type) == 0 &&
             strcmp(a->request_reason, b->request_reason) == 0,
         "the same error");
}

/* As many items as jansson finds, if it takes it. */
static void check_items(const struct es_reply *r, struct slice bytes)
{
    json_t *root = json_loadb(bytes.ptr, bytes.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *items = root ? json_object_get(root, "items") : NULL;
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(items); i++)
        n += json_is_object(json_array_get(items, i));
    if (root && json_is_object(root) && n <= r->n_sent)
        must(r->n_items == n && es_reply_is_whole(r) == (n == r->n_sent), "so many items");
    json_decref(root);
}

static void check_judgement(const struct es_reply *r, bool is_json, int status)
{
    struct http_reply http = {.status = status, .retry_after_ms = -1, .why = ""};
    struct es_answer answer = {&http, r, is_json, "http://es:9200", "logs"};
    struct sink_reply out = {.retry_after_ms = -1};
    struct err why = {0};

    es_judge(&answer, &out);
    es_judge_probe(&answer, &why);
    must(out.outcome != SINK_ITEMS || (status == 200 && is_json && r->n_items == r->n_sent),
         "verdicts for each that was sent");
    must(out.outcome == SINK_ITEMS || out.why.code != ERR_NONE, "it says why");
    for (size_t i = 0; i < out.n_rejections; i++) {
        must(out.rejections[i].index < r->n_sent, "one that was sent");
        must(i == 0 || out.rejections[i - 1].index < out.rejections[i].index, "in their order");
        must(strlen(out.rejections[i].type) < ES_TYPE_MAX &&
                 strlen(out.rejections[i].reason) < ES_REASON_MAX + 64,
             "texts that end");
    }
    free(out.rejections);
}

int fuzz_es_reply(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 301, 400, 401, 404, 413, 429, 500, 503};
    struct es_reply whole;
    struct es_reply pieces;
    struct slice bytes;
    size_t n_sent;
    bool is_json;

    if (size < 2)
        return 0;
    n_sent = data[0] % 8;
    bytes = slice_of((const char *)data + 2, size - 2);
    must(es_reply_init(&whole, n_sent) && es_reply_init(&pieces, n_sent), "there is memory");
    is_json = push(&whole, bytes, bytes.len);
    must(push(&pieces, bytes, 1 + data[1] % 16) == is_json, "the same in pieces");
    if (is_json) {
        check_same(&whole, &pieces);
        check_items(&whole, bytes);
    }
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        check_judgement(&whole, is_json, statuses[i]);
    es_reply_fini(&whole);
    es_reply_fini(&pieces);
    return 0;
}
