/* Lines through the pipeline: whose they are, when they were, what names them, whatever the chunks.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>

#include "tests/support/document_rig.h"

#define A "aaaaaaaa-1111-4222-8333-444444444444"
#define B "bbbbbbbb-1111-4222-8333-444444444444"
#define START(id) "START RequestId: " id " Version: 1\n"
#define END(id) "END RequestId: " id "\n"
#define REPORT(id) "REPORT RequestId: " id "\tDuration: 3.10 ms\tBilled Duration: 4 ms\t\n"
#define LOG(second, id, text) "2026-10-09T08:53:" second ".000Z\t" id "\tINFO\t" text "\n"

/* Of each document one word: the values under the keys ('.' where there is none), '/' between. */
static void say(const struct document_rig *rig, struct slice bytes, const char *const *keys,
                size_t n_keys, struct buffer *out)
{
    struct buffer text = {0};
    struct slice rest;
    struct slice line;

    documents_of(rig, bytes, &text);
    rest = buffer_slice(&text);
    while (slice_cut(&rest, '\n', &line)) {
        json_t *doc = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

        cr_assert(doc, "no JSON: %.*s", SLICE_ARG(line));
        for (size_t i = 0; i < n_keys; i++) {
            json_t *value = json_object_get(doc, keys[i]);
            char *said =
                value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

            buffer_printf(out, "%s%s", i ? "/" : "",
                          said                    ? said
                          : json_is_string(value) ? json_string_value(value)
                                                  : ".");
            free(said);
        }
        buffer_add_char(out, '\n');
        json_decref(doc);
    }
    cr_expect_eq(rest.len, 0, "the last document has its newline");
    buffer_free(&text);
}

static void check(const struct document_rig *rig, const char *bytes, const char *const *keys,
                  size_t n_keys, const char *want, const char *because)
{
    struct buffer got = {0};

    say(rig, slice_str(bytes), keys, n_keys, &got);
    cr_expect(slice_is(buffer_slice(&got), want), "%s:\nwant\n%sgot\n%.*s", because, want,
              (int)got.len, got.ptr);
    buffer_free(&got);
}

#define CHECK(rig, bytes, want, because, ...)                                                      \
    do {                                                                                           \
        static const char *const keys[] = {__VA_ARGS__};                                           \
        check((rig), (bytes), keys, sizeof keys / sizeof keys[0], (want), (because));              \
    } while (0)

/* ------------------------------------------------------------------ whose */

Test(line, requests)
{
    struct document_rig rig = {0};

    CHECK(&rig,
          "INIT_START Runtime Version: nodejs:22.v1\n" START(A) "print\n" LOG("20", A, "x") END(A)
              REPORT(A) START(B) "print\n",
          "init_start/./.\n"
          "start/" A "/line\n"
          "./" A "/stream\n"
          "./" A "/line\n"
          "end/" A "/line\n"
          "report/" A "/line\n"
          "start/" B "/line\n"
          "invocation/" A "/line\n"
          "./" B "/stream\n",
          "a cold start, two requests", "event.action", "faas.execution",
          "labels.request_id_source");
}

#define EVENT(type, record)                                                                        \
    "{\"time\":\"2026-10-09T08:53:20.000Z\",\"type\":\"platform." type "\",\"record\":" record "}" \
    "\n"

/* Many requests at once from the start: only what a line says counts. */
Test(line, managed_instances)
{
    struct document_rig rig = {0};

    CHECK(&rig,
          EVENT("initStart", "{\"initializationType\":\"lambda-managed-instances\"}") EVENT(
              "start",
              "{\"requestId\":\"" A
              "\"}") "print\n"
                     "{\"requestId\":\"" A "\",\"message\":\"x\"}\n" EVENT(
                         "start",
                         "{\"requestId\":\"" B
                         "\"}") "print\n" EVENT("report", "{\"requestId\":\"" A
                                                          "\",\"metrics\":{\"durationMs\":1}}"),
          "init_start/.\nstart/" A "\n./.\n./" A "\nstart/" B "\n./.\nreport/" A "\ninvocation/" A
          "\n",
          "no line is given a request", "event.action", "faas.execution");
}

Test(line, an_invocation_is_summed_up)
{
    struct document_rig rig = {.function = "orders"};

    CHECK(&rig,
          START(A) "print\n" LOG("20", A, "x") LOG("21", A, "y") END(
              A) "REPORT RequestId: " A
                 "\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\tMemory Size: "
                 "128 MB\tMax Memory Used: 90 MB\tInit Duration: 100.00 ms\t\n"
                 "XRAY TraceId: 1-68e777c0-0123456789abcdef01234567\tSegmentId: 0123456789abcdef\n",
          "./././././.\n./././././.\n./././././.\n./././././.\n./././././.\n"
          "./././1000000000/./1000.0\n"
          "././68e777c00123456789abcdef01234567/././.\n"
          "success/3/68e777c00123456789abcdef01234567/1000000000/./1000.0\n",
          "the last word", "labels.outcome", "faas.invocation.lines", "trace.id", "event.duration",
          "labels.none", "aws.lambda.metrics.duration_ms");
}

Test(line, a_summary_that_waits_comes_at_the_end)
{
    struct document_rig rig = {0};

    CHECK(&rig, START(A) REPORT(A), "start\nreport\ninvocation\n", "nothing follows",
          "event.action");
    rig.without_invocations = true;
    CHECK(&rig, START(A) REPORT(A), "start\nreport\n", "not wanted", "event.action");
}

/* ------------------------------------------------------------------ when */

Test(line, times)
{
    struct document_rig rig = {.mtime_ns = INT64_C(1791540000) * 1000000000};

    CHECK(&rig,
          "INIT_START Runtime Version: nodejs:22.v1\nloading\n" START(A) "print\n" LOG(
              "20", A, "x") "print\n" END(A) REPORT(A) START(B) "print\n" LOG("40", B, "y"),
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n"
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n"
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n2026-10-09T08:53:40.000Z\n"
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n2026-10-09T08:53:40.000Z\n",
          "before the first time, that; then the last; what begins, the next", "@timestamp");
    CHECK(&rig, START(A) "print\n" END(A) START(B) LOG("40", B, "y"),
          "2026-10-09T08:53:40.000Z\n2026-10-09T08:53:40.000Z\n2026-10-09T08:53:40.000Z\n"
          "2026-10-09T08:53:40.000Z\n2026-10-09T08:53:40.000Z\n",
          "none of its own", "@timestamp");
    CHECK(&rig, "print\n", "2026-10-09T10:00:00.000Z\n", "nothing but the file's", "@timestamp");
    rig.mtime_ns = 0;
    rig.now_ns = INT64_C(1791543600) * 1000000000 + 1234;
    CHECK(&rig, "print\n", "2026-10-09T11:00:00.000001234Z\n", "not even that", "@timestamp");
}

Test(line, times_of_a_live_file)
{
    struct document_rig rig = {.is_live = true, .mtime_ns = INT64_C(1791536060) * 1000000000};

    CHECK(&rig, LOG("20", A, "x") "print\n", "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.000Z\n",
          "the last one is near", "@timestamp");
    CHECK(&rig, LOG("20", A, "x") END(A) START(B),
          "2026-10-09T08:53:20.000Z\n"
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:54:20.000Z\n",
          "a request that begins does so now", "@timestamp");
    rig.mtime_ns = INT64_C(1791540000) * 1000000000;
    CHECK(&rig, LOG("20", A, "x") "print\n", "2026-10-09T08:53:20.000Z\n2026-10-09T10:00:00.000Z\n",
          "no invocation lasts so long", "@timestamp");
}

Test(line, as_fine_as_the_source)
{
    struct document_rig rig = {0};

    CHECK(&rig,
          "{\"time\":\"2026-10-09T08:53:20Z\"}\n{\"time\":\"2026-10-09T08:53:20.123456789Z\"}\n"
          "{\"time\":1791536000123}\n{\"time\":\"2026-10-09T08:53:20.123456Z\"}\n",
          "2026-10-09T08:53:20.000Z\n2026-10-09T08:53:20.123456789Z\n2026-10-09T08:53:20.123Z\n"
          "2026-10-09T08:53:20.123456Z\n",
          "(F13)", "@timestamp");
}

/* ------------------------------------------------------------------ what names it */

/* The ids of the lines, the rig as it is. */
static void ids(const struct document_rig *rig, const char *bytes, struct buffer *out)
{
    static const char *const keys[] = {"event.id"};

    out->len = 0;
    say(rig, slice_str(bytes), keys, 1, out);
    for (size_t at = 0; at < out->len; at += 23)
        cr_expect_eq(out->ptr[at + 22], '\n', "22 characters each");
}

Test(line, ids)
{
    static const char dated[] = LOG("20", A, "x") LOG("20", A, "x") LOG("20", A, "x");
    static const char undated[] = "x\nx\nx\n";
    struct document_rig replay = {.path = "/l/app.log"};
    struct document_rig live = {.path = "/l/app.log", .is_live = true, .inode = 7};
    struct document_rig rotated = {.path = "/l/app.log.3.gz", .inode = 9};
    struct document_rig again = {.path = "/l/app.log", .is_live = true, .inode = 8};
    struct document_rig other = {.path = "/l/app.log", .host = "other"};
    struct buffer a = {0};
    struct buffer b = {0};

    ids(&replay, dated, &a);
    cr_expect(memcmp(a.ptr, a.ptr + 23, 22) && memcmp(a.ptr, a.ptr + 46, 22),
              "E1: the same words, another line");
    ids(&live, dated, &b);
    cr_expect(slice_eq(buffer_slice(&a), buffer_slice(&b)), "live and replayed");
    ids(&rotated, dated, &b);
    cr_expect(slice_eq(buffer_slice(&a), buffer_slice(&b)), "rotated and compressed");
    ids(&other, dated, &b);
    cr_expect_not(slice_eq(buffer_slice(&a), buffer_slice(&b)), "another host");

    ids(&live, undated, &a);
    ids(&again, undated, &b);
    cr_expect_not(slice_eq(buffer_slice(&a), buffer_slice(&b)), "a file written anew");
    ids(&replay, undated, &a);
    ids(&rotated, undated, &b);
    cr_expect(slice_eq(buffer_slice(&a), buffer_slice(&b)), "replays of it");

    ids(&live, START(A) END(A) REPORT(A), &a);
    ids(&rotated, START(A) END(A) REPORT(A), &b);
    cr_expect(slice_eq(buffer_slice(&a), buffer_slice(&b)), "a request names its platform lines");
    ids(&replay, "first\n" LOG("20", A, "x"), &a);
    ids(&replay, "other\n" LOG("20", A, "x"), &b);
    cr_expect_not(slice_eq(slice_from(buffer_slice(&a), 23), slice_from(buffer_slice(&b), 23)),
                  "another first line: another file");
    buffer_free(&a);
    buffer_free(&b);
}

/* ------------------------------------------------------------------ whatever the chunks */

static const char corpus[] =
    "loading\nINIT_START Runtime Version: nodejs:22.v1\n" START(A) "print\r\n" LOG(
        "20", A,
        "x") "[ERROR] KeyError: 'id'\rTraceback (most recent call last):\r  File\n\n" END(A)
        REPORT(A) "XRAY TraceId: 1-68e777c0-0123456789abcdef01234567\tSegmentId: 0123456789abcdef\n"
                  "late\n" START(
                      B) "{\"level\":\"warn\",\"message\":\"y\",\"requestId\":\"" B "\"}\n"
                         "a line that is longer than the others, so that small chunks have to grow "
                         "for it, and "
                         "cut\n" LOG("40", B,
                                     "y") "2026-10-09T08:53:43.120Z " B
                                          " Task timed out after 3.00 seconds\n" END(
                                              B) "REPORT RequestId: " B
                                                 "\tDuration: 3000.00 ms\tStatus: timeout\n"
                                                 "RequestId: " B
                                                 " Error: Runtime exited with error: signal: "
                                                 "killed\nRuntime.ExitError\n"
                                                 "INIT_START Runtime Version: nodejs:22.v1\nno end";

Test(line, chunks_change_nothing)
{
    static const char *const keys[] = {
        "event.id",  "faas.execution", "labels.request_id_source", "event.action", "message",
        "log.level", "labels.outcome", "faas.invocation.lines",    "trace.id",     "labels.init_id",
        "log.flags", "log.offset",     "faas.coldstart",           "error.type"};
    struct document_rig rig = {.max_line_bytes = 90};
    struct buffer whole = {0};
    struct buffer got = {0};

    say(&rig, slice_of(corpus, sizeof corpus - 1), keys, sizeof keys / sizeof keys[0], &whole);
    for (int size = 1; size < 400; size += size < 100 ? 1 : 13)
        for (int restarts = 0; restarts < 2; restarts++) {
            rig.chunk_bytes = size;
            rig.is_restarted = restarts;
            got.len = 0;
            say(&rig, slice_of(corpus, sizeof corpus - 1), keys, sizeof keys / sizeof keys[0],
                &got);
            cr_assert(slice_eq(buffer_slice(&got), buffer_slice(&whole)),
                      "chunks of %d%s:\nwant\n%.*sgot\n%.*s", size, restarts ? ", restarts" : "",
                      (int)whole.len, whole.ptr, (int)got.len, got.ptr);
        }
    buffer_free(&whole);
    buffer_free(&got);
}

/* ------------------------------------------------------------------ odd lines */

Test(line, odd_lines_and_their_neighbours)
{
    struct document_rig rig = {.max_line_bytes = 20};

    CHECK(&rig,
          "a\n\n\r\nb\r\nto\tbe\n012345678901234567890123456789\nc\n\x1b[31mred\x1b[0m\n\xFF\n",
          "a/.\nb/.\nto\tbe/.\n01234567890123456789/[\"truncated\"]\nc/.\n\x1b[31mred\x1b[0m/.\n"
          "\xEF\xBF\xBD/[\"repaired\"]\n",
          "empty, CR LF, tabs, too long, colours, no UTF-8", "message", "log.flags");
    rig.max_line_bytes = 0;
    CHECK(&rig,
          "{\"a\":1,\"a\":2,\"message\":\"x\"}\n{\"message\":\"\xFF\"}\n{\"message\":\"\\ud800\"}\n"
          "{\"message\":\"a\\u0000b\"}\n{\"message\":\"cut\nlast\n",
          "x/./{\"a\": 2}\n\xEF\xBF\xBD/[\"repaired\"]/.\n\xEF\xBF\xBD/[\"repaired\"]/.\n"
          "a/./.\n{\"message\":\"cut/[\"bad_json\"]/.\nlast/./.\n",
          "JSON that is not quite", "message", "log.flags", "app");
}

/* A line of brackets, a megabyte deep: text, and the next line is read as ever. */
Test(line, nesting_without_end)
{
    struct document_rig rig = {.max_line_bytes = 2 << 20};
    struct buffer bytes = {0};
    struct buffer got = {0};
    static const char *const keys[] = {"log.flags", "labels.none"};

    buffer_add_lit(&bytes, "{\"a\":");
    for (int i = 0; i < 1 << 20; i++)
        buffer_add_char(&bytes, '[');
    buffer_add_lit(&bytes, "\n{\"message\":\"x\"}\n{\"a\":");
    for (int i = 0; i < 1000; i++)
        buffer_add_lit(&bytes, "{\"k\":");
    buffer_add_char(&bytes, '1');
    for (int i = 0; i < 1001; i++)
        buffer_add_char(&bytes, '}');
    buffer_add_lit(&bytes, "\nlast\n");
    say(&rig, buffer_slice(&bytes), keys, 2, &got);
    cr_expect(slice_is(buffer_slice(&got), "[\"bad_json\"]/.\n./.\n./.\n./.\n"), "%.*s",
              (int)got.len, got.ptr);
    buffer_free(&bytes);
    buffer_free(&got);
}
