/* DESIGN: no malloc per event or per field. Once the worker's buffers have their size, lines of
 * every form go from bytes to document without one. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "outputs/output.h"
#include "parsers/chain.h"
#include "parsers/csv.h"
#include "parsers/grok.h"
#include "parsers/regex.h"
#include "shipper/pipeline/line.h"
#include "shipper/pipeline/stream.h"
#include "tests/support/failing_malloc.h"

/* %u is another request for every turn. */
#define ID "3f0d9c9e-0b1d-4a52-9a3e-0f6d%08x"

static const char *const forms[] = {
    "INIT_START Runtime Version: nodejs:22.v122\tRuntime Version ARN: "
    "arn:aws:lambda:eu-west-1::runtime:00",
    "START RequestId: " ID " Version: $LATEST",
    "2026-10-09T08:53:20.123Z\t" ID "\tINFO\torder \"taken\" \xC3\xA9",
    "2026-10-09T08:53:20.124Z\t" ID "\tINFO\t{\"message\":\"m\",\"a\":{\"b\":[1,2]}}",
    "a print, with a CR\rinside",
    "2026-10-09T08:53:20.125Z\t" ID "\tERROR\tInvoke Error \t{\"errorType\":\"E\","
    "\"errorMessage\":\"m\\u00e9\",\"stack\":[\"E: m\",\"    at f (x.js:1:2)\"]}",
    "[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r  File \"a.py\", line 1",
    "[INFO]\t2026-10-09T08:53:20.126Z\t" ID "\tfrom Python",
    "{\"level\":\"INFO\",\"message\":\"m\",\"timestamp\":\"2026-10-09T08:53:20.127Z\",\"service\":"
    "\"s\","
    "\"function_request_id\":\"" ID "\",\"xray_trace_id\":\"1-68e77800-f3f0a4b172d118c80a5e7628\","
    "\"function_arn\":\"arn:aws:lambda:eu-west-1:123456789012:function:shop\",\"cold_start\":true,"
    "\"amount\":1.25,\"http\":{\"method\":\"GET\"},\"error\":{\"type\":\"E\",\"code\":7}}",
    "{\"ecs.version\":\"1.2.0\",\"@timestamp\":\"2026-10-09T08:53:20.128Z\",\"message\":\"m\","
    "\"log.level\":\"info\",\"process.pid\":7,\"labels\":{\"a\":\"b\"},\"other\":[]}",
    "{\"timestamp\":\"2026-10-09T08:53:20.129Z\",\"level\":\"INFO\",\"requestId\":\"" ID "\","
    "\"message\":\"{\\\"message\\\":\\\"inner\\\",\\\"n\\\":1}\"}",
    "{\"message\":\"not UTF-8: \xFF\",\"a\":1,\"a\":2}",
    "{\"cut",
    "END RequestId: " ID,
    "REPORT RequestId: " ID "\tDuration: 812.25 ms\tBilled Duration: 1210 ms\tMemory Size: 256 "
    "MB\tMax Memory Used: 91 MB\tInit Duration: 397.10 ms\t",
    "XRAY TraceId: 1-68e777c0-0123456789abcdef01234567\tSegmentId: 0123456789abcdef\tSampled: "
    "true\t",
    "level=info msg=\"say \\\"hi\\\"\" requestId=" ID " caf\xC3\xA9=1 source.ip=10.0.0.1",
    "10.0.0.1 - bob [09/Oct/2026:10:53:20 +0200] \"GET /a?b=c HTTP/1.1\" 200 17 \"-\" "
    "\"x \\\"y\\\"\" " ID " 0.005",
    "http 2026-10-09T08:53:20Z app/lb/50dc 10.0.0.1:2817 10.0.0.2:80 0.1 0.2 0.3 200 200 34 57 "
    "\"GET http://x.example:80/ HTTP/1.1\" \"curl\" - - arn:t "
    "\"Root=1-68e777c0-0123456789abcdef%08x\"",
    "<165>1 2026-10-09T08:53:20.003Z host app 17 ID47 [a@1 id=\"" ID "\" b=\"\\\"\" b=\"2\"] m",
    "Oct  9 08:53:20 host app[17]: it works, " ID,
    "order " ID " of 17 mugs",
    "nothing that any of them reads, " ID,
};

enum { N_FORMS = sizeof forms / sizeof forms[0], TURNS = 100, MAX_LINE = 1 << 20 };

static void on_batch(void *ctx, struct batch *batch)
{
    (void)ctx;
    batch_free(batch);
}

static void on_wake(void *ctx)
{
    (void)ctx;
}

/* Every form, TURNS times; counts what was allocated meanwhile. */
static unsigned take_turns(struct line_work *work, unsigned from)
{
    unsigned before = failing_malloc_count();
    char line[1024];

    for (unsigned turn = from; turn < from + TURNS; turn++)
        for (size_t i = 0; i < N_FORMS; i++) {
            int n = snprintf(line, sizeof line, forms[i], turn);

            cr_assert(line_process(work, slice_of(line, (size_t)n), (uint64_t)turn * 1000 + i, 0));
        }
    return failing_malloc_count() - before;
}

static void check(const struct parser *parser, const char *because)
{
    struct stream_options options = {
        .parser = parser, .max_line_bytes = MAX_LINE, .with_invocations = true};
    struct profile_parts parts = {
        .host = slice_str("h"), .path = slice_str("/f.log"), .has_id = true};
    struct lane_options lane = {&output_elasticsearch, NULL, {1 << 30, 100000, 1000}, NULL};
    struct stream stream = {.options = &options};
    struct buffer profile = {0};
    struct budget budget;
    struct worker worker = {0};
    struct line_work work;
    struct chunk chunk = {.stream = &stream};
    struct pool *pool = pool_new(0, on_wake, NULL, NULL);

    budget_init(&budget, 1 << 30);
    chunk.lanes = lanes_new(&lane, 1, pool, &budget, &clock_real, on_batch, NULL, NULL);
    stream_profile_build(&stream.profile, &parts, &profile);
    stream_set_origin(&stream, parts.host, parts.path, 0, 0, 0);
    stream_set_head(&stream, 1);
    correlate_init(&stream.correlate);
    line_work_init(&work, &chunk, &worker);

    cr_expect_gt(take_turns(&work, 0), 0, "%s: the count works", because);
    work.open[0]->body.len = 0; /* the batch's own growth is not what is meant */
    work.open[0]->n_items = 0;
    cr_expect_eq(take_turns(&work, TURNS), 0, "%s", because);
    cr_expect_gt(work.open[0]->n_items, TURNS * N_FORMS, "%s: the lines and the summaries",
                 because);

    line_work_fini(&work);
    lanes_free(chunk.lanes);
    pool_free(pool);
    worker_fini(&worker);
    correlate_fini(&stream.correlate);
    buffer_free(&profile);
}

static void add_link(const struct parser *chain, size_t i, const struct parser_ops *ops,
                     const void *options)
{
    struct err e = {0};

    *chain_link(chain, i) = (struct parser){ops, ops->make ? ops->make(options, &e) : NULL};
    cr_assert(!ops->make || chain_link(chain, i)->self, "%s", e.what);
}

Test(allocations, none_per_line_of_a_chain)
{
    const char *match = "^order %{UUID:order} of %{INT:n:int} %{WORD:what}$";
    const struct grok_options grok = {.match = {&match, 1}, .match_limit = 100000};
    const char *columns[] = {"a", "b"};
    const struct csv_options csv = {.columns = {columns, 2}, .delimiter = ",", .quote = "\""};
    struct parser chain;

    cr_assert_eq(chain_new(6, &chain), 0);
    add_link(&chain, 0, &parser_json, NULL);
    add_link(&chain, 1, &parser_logfmt, NULL);
    add_link(&chain, 2, &parser_access, NULL);
    add_link(&chain, 3, &parser_syslog, NULL);
    add_link(&chain, 4, &parser_grok, &grok);
    add_link(&chain, 5, &parser_csv, &csv);
    check(&chain, "chain");
    parser_free(&chain);
}

Test(allocations, none_per_line)
{
    const struct parser parser = {.ops = &parser_auto};

    check(&parser, "auto");
}

Test(allocations, none_per_line_of_a_pattern)
{
    const char *pattern = "^(?<time>\\S+)\\t(?<request_id>\\S+)\\t(?<level>\\S+)\\t(?<message>.*)";
    const struct regex_options options = {.pattern = {&pattern, 1}, .match_limit = 100000};
    struct err e = {0};
    struct parser parser = {.ops = &parser_regex, .self = parser_regex.make(&options, &e)};

    cr_assert(parser.self, "%s", e.what);
    check(&parser, "regex");
    parser_regex.free(parser.self);
}
