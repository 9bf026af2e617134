#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outputs/es_reply.h"
#include "outputs/es_verdict.h"
#include "tests/support/failing_malloc.h"

#define STREAM ".ds-logs-serverless.lambda-default-2026.11.24-000001"

/* As Elasticsearch 8.19 answered, whole: taken, there already, a wrong action, no time, taken. */
static const char from_elasticsearch[] =
    "{\"errors\":true,\"took\":400,\"items\":["
    "{\"create\":{\"_index\":\"" STREAM
    "\",\"_id\":\"a\",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,"
    "\"successful\":1,\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,\"status\":201}},"
    "{\"create\":{\"_index\":\"" STREAM
    "\",\"_id\":\"a\",\"status\":409,\"failure_store\":\"not_enabled\",\"error\":{\"type\":"
    "\"version_conflict_engine_exception\",\"reason\":\"[a]: version conflict, document already "
    "exists (current version [1])\",\"index_uuid\":\"pKDSH0TbTPOs4inwXYhcWw\",\"shard\":\"0\","
    "\"index\":\"" STREAM "\"}}},"
    "{\"index\":{\"_index\":\"logs-serverless.lambda-default\",\"_id\":\"b\",\"status\":400,"
    "\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"only write ops with an "
    "op_type "
    "of create are allowed in data streams\"}}},"
    "{\"create\":{\"_index\":\"" STREAM
    "\",\"_id\":\"c\",\"status\":400,\"failure_store\":\"not_enabled\",\"error\":{\"type\":"
    "\"document_parsing_exception\",\"reason\":\"[1:21] failed to parse: data stream timestamp "
    "field [@timestamp] is missing\",\"caused_by\":{\"type\":\"illegal_argument_exception\","
    "\"reason\":\"data stream timestamp field [@timestamp] is missing\"}}}},"
    "{\"create\":{\"_index\":\"" STREAM
    "\",\"_id\":\"d\",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,"
    "\"successful\":1,\"failed\":0},\"_seq_no\":1,\"_primary_term\":1,\"status\":201}}]}";

/* As OpenSearch 2.19 answered, reduced by filter_path: the true reason is the cause's. */
static const char from_opensearch[] =
    "{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},"
    "{\"create\":{\"status\":409,\"error\":{\"type\":\"version_conflict_engine_exception\","
    "\"reason\":\"[a]: version conflict, document already exists (current version [1])\"}}},"
    "{\"index\":{\"status\":400,\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":"
    "\"only write ops with an op_type of create are allowed in data streams\"}}},"
    "{\"create\":{\"status\":400,\"error\":{\"type\":\"mapper_parsing_exception\",\"reason\":"
    "\"failed to parse\",\"caused_by\":{\"reason\":\"documents must contain a single-valued "
    "timestamp field '@timestamp' of date type\"}}}},"
    "{\"create\":{\"status\":201}}]}";

static bool push_by(struct es_reply *r, const char *text, size_t bite)
{
    struct slice rest = slice_str(text);

    while (rest.len) {
        struct slice part = slice_of(rest.ptr, bite < rest.len ? bite : rest.len);

        if (!es_reply_push(r, part))
            return false;
        rest = slice_from(rest, part.len);
    }
    return true;
}

static void expect_real(const char *text, const char *type, const char *reason)
{
    static const enum verdict want[] = {VERDICT_DELIVERED, VERDICT_DUPLICATE, VERDICT_REJECTED,
                                        VERDICT_REJECTED, VERDICT_DELIVERED};

    for (size_t bite = 1; bite < strlen(text) + 30; bite += bite < 4 ? 1 : 29) {
        struct es_reply r;
        struct rejection *rejections;

        cr_assert(es_reply_init(&r, 5));
        cr_expect(push_by(&r, text, bite));
        cr_assert(es_reply_is_whole(&r), "in bites of %zu", bite);
        for (size_t i = 0; i < 5; i++)
            cr_expect_eq(r.verdicts[i], want[i], "item %zu in bites of %zu", i, bite);
        cr_expect_eq(r.n_failures, 2);
        cr_expect_str_eq(r.first.type, "illegal_argument_exception");
        cr_assert_eq(r.n_refusals, 2);
        rejections = es_reply_rejections(&r);
        cr_expect_eq(rejections[1].index, 3);
        cr_expect_eq(rejections[1].status, 400);
        cr_expect_str_eq(rejections[1].type, type);
        cr_expect_str_eq(rejections[1].reason, reason);
        free(rejections);
        es_reply_fini(&r);
    }
}

Test(es_reply, as_the_servers_answer, .timeout = 300)
{
    expect_real(from_elasticsearch, "document_parsing_exception",
                "[1:21] failed to parse: data stream timestamp field [@timestamp] is missing");
    expect_real(from_opensearch, "mapper_parsing_exception",
                "failed to parse: documents must contain a single-valued timestamp field "
                "'@timestamp' of date type");
}

/* Runs of items that are all the same are counted by a way of their own: each keeps its place. */
Test(es_reply, runs_of_created_items, .timeout = 300)
{
    enum { N = 400 };
    static const char *const forms[] = {
        "{\"create\":{\"status\":201}}",     "{\"create\":{\"status\":201}}",
        "{\"create\":{\"status\":201}}",     "{\"create\":{\"status\":429}}",
        "{ \"create\" : {\"status\":201 }}", "{\"create\":{\"status\":409}}",
        "{\"create\":{\"status\":2010}}",    "{\"create\":{\"status\":201,\"x\":[{}]}}",
    };
    enum { N_FORMS = sizeof forms / sizeof forms[0] };
    struct buffer text = {0};
    uint8_t which[N];
    uint64_t random = 7;

    buffer_add_lit(&text, "{\"errors\":true,\"items\":[");
    for (size_t i = 0; i < N; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        which[i] = (random >> 60) < 12 ? 0 : (random >> 40) % N_FORMS;
        buffer_printf(&text, "%s%s", i ? "," : "", forms[which[i]]);
    }
    buffer_add(&text, "]}", 3);
    for (size_t bite = 1; bite < 700; bite += bite < 60 ? 1 : 61) {
        struct es_reply r;

        cr_assert(es_reply_init(&r, N));
        cr_expect(push_by(&r, text.ptr, bite));
        cr_assert(es_reply_is_whole(&r), "in bites of %zu", bite);
        for (size_t i = 0; i < N; i++) {
            enum verdict want = which[i] == 3   ? VERDICT_RETRY
                                : which[i] == 5 ? VERDICT_DUPLICATE
                                : which[i] == 6 ? es_item_verdict(0, slice_str(""), slice_str(""))
                                                : VERDICT_DELIVERED;

            cr_expect_eq(r.verdicts[i], want, "item %zu in bites of %zu", i, bite);
        }
        es_reply_fini(&r);
    }
    buffer_free(&text);
}

/* S2: a 200 counts with all of its items only. Cut off anywhere, the reply is none. */
Test(es_reply, cut_off_it_is_not_whole)
{
    size_t len = strlen(from_elasticsearch);

    for (size_t n = 0; n < len; n++) {
        struct es_reply r;

        cr_assert(es_reply_init(&r, 5));
        cr_expect(es_reply_push(&r, slice_of(from_elasticsearch, n)));
        cr_expect_not(es_reply_is_whole(&r), "after %zu bytes", n);
        es_reply_fini(&r);
    }
}

Test(es_reply, what_is_no_answer_to_the_request)
{
    static const struct {
        const char *text;
        bool is_json;
        const char *because;
    } rows[] = {
        {"", true, "nothing at all"},
        {"{}", true, "an object"},
        {"[]", true, "an array"},
        {"{\"errors\":false}", true, "no items"},
        {"{\"errors\":false,\"items\":[]}", true, "no item"},
        {"{\"errors\":false,\"items\":[{\"create\":{\"status\":201}}]}", true, "too few"},
        {"{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":201}},"
         "{\"create\":{\"status\":201}}]}",
         false, "too many"},
        {"{\"items\":{\"a\":{\"create\":{\"status\":201}},\"b\":{\"create\":{\"status\":201}}}}",
         true, "items is no array"},
        {"{\"items\":[[{\"status\":201}],[{\"status\":201}]]}", true, "items of another kind"},
        {"{\"items\":[201,201]}", true, "the same"},
        {"{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":201}}]} x", false,
         "something behind it"},
        {"<html><body>502 Bad Gateway</body></html>", false, "a proxy's page"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct es_reply r;

        cr_assert(es_reply_init(&r, 2));
        cr_expect_eq(es_reply_push(&r, slice_str(rows[i].text)), rows[i].is_json, "%s",
                     rows[i].because);
        cr_expect_not(es_reply_is_whole(&r), "%s", rows[i].because);
        es_reply_fini(&r);
    }
}

/* R2: all four action names; statuses that are none. */
Test(es_reply, items_of_every_form)
{
    static const struct {
        const char *item;
        enum verdict want;
        const char *because;
    } rows[] = {
        {"{\"create\":{\"status\":201}}", VERDICT_DELIVERED, ""},
        {"{\"index\":{\"status\":200}}", VERDICT_DELIVERED, ""},
        {"{\"update\":{\"status\":200}}", VERDICT_DELIVERED, ""},
        {"{\"delete\":{\"status\":200}}", VERDICT_DELIVERED, ""},
        {"{\"create\":{\"error\":{\"type\":\"x\",\"status\":201}}}", VERDICT_RETRY,
         "the status of something else"},
        {"{\"create\":{\"status\":\"201\"}}", VERDICT_DELIVERED, "as a text"},
        {"{\"create\":{\"status\":-1}}", VERDICT_RETRY, "no status"},
        {"{\"create\":{\"status\":99999999999999999999}}", VERDICT_RETRY, "no status"},
        {"{\"create\":{}}", VERDICT_RETRY, "none"},
        {"{}", VERDICT_RETRY, "none"},
        {"{\"create\":{\"status\":400,\"error\":\"MapperParsingException[failed]\"}}",
         VERDICT_REJECTED, "an old server's error, a text"},
        {"{\"create\":{\"error\":{\"root_cause\":[{\"type\":\"index_closed_exception\"}],\"type\":"
         "\"mapper_parsing_exception\"},\"status\":400}}",
         VERDICT_REJECTED, "the error's type, not its cause's; the status behind it"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct es_reply r;
        char text[512];

        snprintf(text, sizeof text, "{\"items\":[%s]}", rows[i].item);
        cr_assert(es_reply_init(&r, 1));
        cr_expect(es_reply_push(&r, slice_str(text)));
        cr_expect(es_reply_is_whole(&r), "%s", text);
        cr_expect_eq(r.verdicts[0], rows[i].want, "%s: %s", rows[i].item, rows[i].because);
        es_reply_fini(&r);
    }
}

Test(es_reply, one_item_s_words_are_not_the_next_one_s)
{
    static const char text[] =
        "{\"items\":[{\"create\":{\"status\":400,\"failure_store\":\"used\",\"error\":{\"type\":"
        "\"index_closed_exception\",\"reason\":\"first\",\"caused_by\":{\"reason\":\"deep\"}}}},"
        "{\"create\":{\"status\":400}}]}";
    struct es_reply r;
    struct rejection *list;

    cr_assert(es_reply_init(&r, 2));
    cr_expect(es_reply_push(&r, slice_str(text)));
    cr_expect(es_reply_is_whole(&r));
    cr_expect_eq(r.verdicts[0], VERDICT_HOLD);
    cr_expect_eq(r.verdicts[1], VERDICT_REJECTED);
    cr_expect_eq(r.n_in_failure_store, 1);
    cr_assert_eq(r.n_refusals, 1);
    list = es_reply_rejections(&r);
    cr_expect_str_eq(list[0].type, "");
    cr_expect_str_eq(list[0].reason, "");
    free(list);
    es_reply_fini(&r);
}

Test(es_reply, the_error_of_a_request)
{
    static const char text[] =
        "{\"error\":{\"root_cause\":[{\"type\":\"inner\",\"reason\":\"not this\"}],"
        "\"type\":\"illegal_argument_exception\",\"reason\":\"Malformed action/metadata line "
        "[1]\",\"caused_by\":{\"type\":\"deep\",\"reason\":\"nor this\"}},\"status\":400}";
    struct es_reply r;

    cr_assert(es_reply_init(&r, 1));
    cr_expect(push_by(&r, text, 1));
    cr_expect_not(es_reply_is_whole(&r));
    cr_expect_str_eq(r.request_type, "illegal_argument_exception");
    cr_expect_str_eq(r.request_reason, "Malformed action/metadata line [1]");
    es_reply_fini(&r);
    cr_assert(es_reply_init(&r, 1));
    cr_expect(es_reply_push(&r, slice_str("{\"error\":\"Content-Type header [text/plain] is not "
                                          "supported\",\"status\":406}")));
    cr_expect_str_eq(r.request_type, "");
    cr_expect_str_eq(r.request_reason, "Content-Type header [text/plain] is not supported");
    es_reply_fini(&r);
}

/* S2: 50 MB of refusals, each with words of its own. */
Test(es_reply, a_reply_of_50_mb_in_bounded_memory, .timeout = 300)
{
    enum { N = 50000 };
    static char item[1200];
    struct es_reply r;
    struct rejection *list;
    size_t total = 0;

    cr_assert(es_reply_init(&r, N));
    cr_expect(es_reply_push(&r, slice_str("{\"took\":1,\"errors\":true,\"items\":[")));
    for (int i = 0; i < N; i++) {
        int n = snprintf(item, sizeof item,
                         "%s{\"create\":{\"_id\":\"%d\",\"status\":400,\"error\":{\"type\":"
                         "\"document_parsing_exception\",\"reason\":\"document %d: %01000d\"}}}",
                         i ? "," : "", i, i, 0);

        total += (size_t)n;
        cr_assert(es_reply_push(&r, slice_of(item, (size_t)n)));
    }
    cr_expect(es_reply_push(&r, slice_str("]}")));
    cr_expect_gt(total, 50 * 1000 * 1000);
    cr_expect(es_reply_is_whole(&r));
    cr_expect_eq(r.n_refusals, N);
    cr_expect_lt(r.texts.cap + r.cap * sizeof *r.refusals, 5 * 1024 * 1024);
    list = es_reply_rejections(&r);
    cr_expect_eq(strncmp(list[0].reason, "document 0: 0000", 16), 0);
    cr_expect_eq(strlen(list[0].reason), ES_REASON_MAX - 1, "a long reason is cut");
    cr_expect_str_eq(list[N - 1].type, "document_parsing_exception", "the type is kept for all");
    cr_expect_str_eq(list[N - 1].reason, "(left out: too many events were refused at once)");
    free(list);
    es_reply_fini(&r);
}

/* One word without an end, where a status or a reason is expected. */
Test(es_reply, values_without_an_end, .timeout = 300)
{
    static char much[65536];
    struct es_reply r;

    memset(much, '7', sizeof much);
    cr_assert(es_reply_init(&r, 1));
    cr_expect(es_reply_push(&r, slice_str("{\"items\":[{\"create\":{\"status\":")));
    for (int i = 0; i < 500; i++)
        cr_expect(es_reply_push(&r, slice_of(much, sizeof much)));
    cr_expect(es_reply_push(&r, slice_str("}}]}")));
    cr_expect(es_reply_is_whole(&r));
    cr_expect_eq(r.verdicts[0], VERDICT_RETRY);
    es_reply_fini(&r);
}

/* Without memory for what it says the reply does not count; the batch goes again. */
Test(es_reply, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct es_reply r = {0};
        bool is_there;

        failing_malloc_at(n);
        is_there = es_reply_init(&r, 5);
        if (is_there)
            es_reply_push(&r, slice_str(from_elasticsearch));
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        cr_expect_eq(is_there && es_reply_is_whole(&r), !has_failed, "allocation %u", n);
        es_reply_fini(&r);
    }
}
