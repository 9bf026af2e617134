#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/verbs/trace/story.h"

#define T "\"@timestamp\":\"2026-10-09T08:00:"
#define LINE(request, path, at)                                                                    \
    "\"faas.execution\":\"" request "\",\"log.file.path\":\"" path "\",\"log.offset\":" at

static struct story story_of(const char *const *documents, size_t n)
{
    struct story s = {0};

    for (size_t i = 0; i < n; i++)
        story_add(&s, slice_str(documents[i]));
    cr_assert(story_finish(&s));
    return s;
}

#define STORY(documents) story_of(documents, sizeof(documents) / sizeof *(documents))

static void expect_text(struct slice got, const char *want)
{
    cr_expect(slice_is(got, want), "\"%.*s\" is not \"%s\"", SLICE_ARG(got), want);
}

/* The messages in their order, with a dash between. */
static void expect_order(const struct story *s, const char *want)
{
    char got[512] = "";

    for (size_t i = 0; i < s->n_events; i++) {
        size_t len = strlen(got);

        snprintf(got + len, sizeof got - len, "%s%.*s", i ? " - " : "",
                 SLICE_ARG(s->events[i].message));
    }
    cr_expect_str_eq(got, want);
}

Test(story, dotted_and_nested_names_say_the_same)
{
    static const char *const documents[] = {
        "{" T "01Z\",\"message\":\"a\",\"log.level\":\"warn\",\"faas.name\":\"pay\","
        "\"faas.execution\":\"r\",\"trace.id\":\"t\",\"log.file.path\":\"/p\",\"log.offset\":7}",
        "{" T "01Z\",\"message\":\"a\",\"log\":{\"level\":\"warn\",\"offset\":7,\"file\":{\"path\":"
        "\"/p\"}},\"faas\":{\"name\":\"pay\",\"execution\":\"r\"},\"trace\":{\"id\":\"t\"}}",
        "{" T "01Z\",\"message\":\"a\",\"log\":{\"level\":\"warn\",\"offset\":7,\"file.path\":"
        "\"/p\"},\"faas\":{\"name\":\"pay\"},\"faas.execution\":\"r\",\"trace\":{\"id\":\"t\"}}",
    };

    for (size_t i = 0; i < 3; i++) {
        struct arena arena = {0};
        struct story_event event;
        struct story_invocation summary;

        cr_assert(story_read(&arena, slice_str(documents[i]), &event, &summary));
        expect_text(event.level, "warn");
        expect_text(event.function, "pay");
        expect_text(event.request, "r");
        expect_text(event.trace, "t");
        expect_text(event.path, "/p");
        cr_expect_eq(event.offset, 7);
        cr_expect_eq(event.time_ns, 1791532801000000000);
        arena_free(&arena);
    }
}

Test(story, what_is_no_event_is_left_out)
{
    static const char *const documents[] = {
        "",
        "{",
        "[]",
        "\"text\"",
        "{\"message\":\"no time\"}",
        "{\"@timestamp\":\"yesterday\",\"message\":\"no time either\"}",
        "{\"@timestamp\":5,\"message\":\"nor this\"}",
        "{" T "01Z\",\"message\":5,\"log\":\"text\",\"faas\":[],\"log.offset\":\"x\"}",
    };
    struct story s = STORY(documents);

    cr_expect_eq(s.n_events, 1, "the last one has a time");
    cr_expect_eq(s.events[0].message.len, 0);
    cr_expect_eq(s.n_invocations, 0);
    expect_text(story_outcome(&s), "unknown");
    story_free(&s);
}

/* A story of two functions: `front` calls `back`, which fails. START of back has the time of the
 * line before it in its file, which is of an earlier request. */
static const char *const two_functions[] = {
    "{" T "01.000Z\",\"message\":\"front in\",\"faas.name\":\"front\",\"trace.id\":\"t\"," LINE(
        "r1", "/front", "100") "}",
    "{" T "00.100Z\",\"message\":\"START\",\"event.action\":\"start\",\"faas.name\":\"back\"," LINE(
        "r2", "/back", "50") "}",
    "{" T "00.100Z\",\"message\":\"undated\",\"faas.name\":\"back\"," LINE("r2", "/back", "60") "}",
    "{" T "01.200Z\",\"message\":\"back in\",\"faas.name\":\"back\",\"trace.id\":\"t\"," LINE(
        "r2", "/back", "70") "}",
    "{" T "01.400Z\",\"message\":\"KeyError: 'x'\\nTraceback\",\"log.level\":\"error\","
    "\"error.type\":\"KeyError\",\"error.message\":\"'x'\",\"error.stack_trace\":\"Traceback\\n  "
    "File \\\"/var/task/app.py\\\", line 3, in handler\\n    x\",\"faas.name\":\"back\"," LINE(
        "r2", "/back", "80") "}",
    "{" T "01.400Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
    "\"error\",\"event.start\":\"2026-10-09T08:00:01.200Z\",\"event.end\":"
    "\"2026-10-09T08:00:01.400Z\",\"aws.lambda.metrics.duration_ms\":210.5,"
    "\"error.type\":\"KeyError\",\"faas.name\":\"back\"," LINE("r2", "/back", "90") "}",
    "{" T
    "01.500Z\",\"message\":\"front out\",\"log.level\":\"error\",\"faas.name\":\"front\"," LINE(
        "r1", "/front", "200") "}",
    "{" T "01.500Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
    "\"success\",\"event.start\":\"2026-10-09T08:00:01Z\",\"event.end\":"
    "\"2026-10-09T08:00:01.5Z\",\"aws.lambda.metrics.duration_ms\":501,\"faas.name\":"
    "\"front\"," LINE("r1", "/front", "300") "}",
};

Test(story, of_two_functions)
{
    struct story s = STORY(two_functions);

    expect_order(&s, "front in - START - undated - back in - KeyError: 'x'\nTraceback - front out");
    expect_text(s.trace, "t");
    expect_text(story_outcome(&s), "failure");
    cr_assert_eq(s.n_invocations, 2);
    expect_text(s.invocations[0].function, "front");
    cr_expect_eq(s.n_functions, 2);
    cr_expect_eq(s.n_failed, 1);
    cr_expect_eq(s.end_ns - s.start_ns, 501000000, "the report knows better than the last line");
    cr_expect_eq(s.events[1].time_ns, s.invocations[1].start_ns, "START is no older than its run");
    cr_assert_eq(s.n_errors, 1, "front went on");
    cr_expect_eq(s.errors[0].invocation, 1);
    expect_text(s.errors[0].type, "KeyError");
    expect_text(s.errors[0].message, "'x'");
    expect_text(s.errors[0].where, "/var/task/app.py:3 in handler");
    story_free(&s);
}

/* However a server orders what it gives back. */
Test(story, is_the_same_in_whatever_order_it_comes)
{
    enum { N = sizeof two_functions / sizeof *two_functions };
    const char *shuffled[N];
    unsigned seed = 7;

    memcpy(shuffled, two_functions, sizeof shuffled);
    for (int round = 0; round < 200; round++) {
        struct story s;

        for (size_t i = N - 1; i > 0; i--) {
            size_t k = (seed = seed * 1103515245u + 12345u) / 65536u % (i + 1);
            const char *swap = shuffled[i];

            shuffled[i] = shuffled[k];
            shuffled[k] = swap;
        }
        s = STORY(shuffled);
        expect_order(&s,
                     "front in - START - undated - back in - KeyError: 'x'\nTraceback - front out");
        expect_text(s.invocations[1].request, "r2");
        expect_text(s.errors[0].type, "KeyError");
        story_free(&s);
    }
}

#define ATTEMPT(n, at, outcome)                                                                    \
    "{" T n                                                                                        \
    ".900Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":\"" outcome    \
    "\",\"event.start\":\"2026-10-09T08:00:" n ".100Z\",\"event.end\":"                            \
    "\"2026-10-09T08:00:" n ".900Z\"," LINE("r", "/f", at) "}"

/* Lambda tries an asynchronous request again under the same id. */
Test(story, attempts_of_one_request_are_told_apart)
{
    static const char *const documents[] = {
        "{" T "01.100Z\",\"message\":\"first\"," LINE("r", "/f", "10") "}",
        ATTEMPT("01", "20", "error"),
        /* Undated: its time is that of the line before it, but its place is behind the report. */
        "{" T "01.100Z\",\"message\":\"second\"," LINE("r", "/f", "30") "}",
        ATTEMPT("05", "40", "success"),
        "{" T
        "05.900Z\",\"message\":\"behind\",\"event.action\":\"xray\"," LINE("r", "/f", "50") "}",
    };
    struct story s = STORY(documents);

    cr_assert_eq(s.n_invocations, 2);
    expect_order(&s, "first - second - behind");
    cr_expect_eq(s.events[0].invocation, 0);
    cr_expect_eq(s.events[1].invocation, 1);
    cr_expect_eq(s.events[1].time_ns, s.invocations[1].start_ns);
    cr_expect_eq(s.events[2].invocation, 1, "what comes last is of the last");
    expect_text(s.invocations[0].outcome, "error");
    story_free(&s);
}

Test(story, without_a_report)
{
    static const char *const documents[] = {
        "{" T "00Z\",\"message\":\"START\",\"event.action\":\"start\",\"faas.name\":\"f\"," LINE(
            "r", "/f", "10") "}",
        "{" T "03Z\",\"message\":\"at work\"," LINE("r", "/f", "20") "}",
        "{" T "04Z\",\"message\":\"still\"," LINE("r", "/f", "30") "}",
    };
    struct story s = STORY(documents);

    cr_assert_eq(s.n_invocations, 1);
    expect_text(s.invocations[0].outcome, "unknown");
    expect_text(s.invocations[0].function, "f");
    cr_expect_eq(s.invocations[0].n_lines, 2);
    cr_expect(isnan(s.invocations[0].duration_ms));
    cr_expect_eq(s.end_ns - s.start_ns, 1000000000,
                 "from its first line: START's time is borrowed");
    expect_text(story_outcome(&s), "unknown");
    cr_expect_eq(s.n_errors, 0);
    story_free(&s);
}

Test(story, an_initialisation_belongs_to_its_first_request)
{
    static const char *const documents[] = {
        "{" T "01.700Z\",\"message\":\"table opened\",\"labels.init_id\":\"i\","
        "\"log.file.path\":\"/f\",\"log.offset\":10}",
        "{" T "00.000Z\",\"message\":\"undated\",\"labels.init_id\":\"i\","
        "\"log.file.path\":\"/f\",\"log.offset\":5}",
        "{" T "02.500Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
        "\"success\",\"labels.init_id\":\"i\",\"faas.coldstart\":true,\"event.start\":"
        "\"2026-10-09T08:00:02Z\",\"event.end\":\"2026-10-09T08:00:02.5Z\","
        "\"aws.lambda.metrics.init_duration_ms\":400," LINE("r", "/f", "99") "}",
    };
    struct story s = STORY(documents);

    expect_order(&s, "undated - table opened");
    cr_expect_eq(s.events[0].invocation, 0);
    cr_expect_eq(s.invocations[0].start_ns - s.events[0].time_ns, 400000000,
                 "where no time is known, it is when the initialisation began");
    cr_expect_eq(s.invocations[0].start_ns - s.events[1].time_ns, 300000000);
    cr_expect_eq(s.end_ns - s.start_ns, 500000000, "the request begins with its START");
    cr_expect_eq(s.invocations[0].coldstart, 1);
    story_free(&s);
}

Test(story, errors_come_in_their_order)
{
    static const char *const documents[] = {
        "{" T "05.000Z\",\"message\":\"t id Task timed out after 3.00 seconds\",\"event.action\":"
        "\"timeout\",\"error.message\":\"Task timed out after 3.00 seconds\"," LINE("r2", "/b",
                                                                                    "10") "}",
        "{" T "05.000Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
        "\"timeout\",\"error.type\":\"Sandbox.Timedout\"," LINE("r2", "/b", "20") "}",
        "{" T "05.100Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
        "\"out_of_memory\"," LINE("r1", "/a", "20") "}",
    };
    struct story s = STORY(documents);

    cr_assert_eq(s.n_errors, 2);
    expect_text(s.errors[0].outcome, "timeout");
    expect_text(s.errors[0].type, "Sandbox.Timedout");
    expect_text(s.errors[0].message, "Task timed out after 3.00 seconds");
    expect_text(s.errors[1].outcome, "out_of_memory");
    expect_text(s.errors[1].message, "");
    story_free(&s);
}

Test(story, where_nothing_failed_what_was_logged_counts)
{
    static const char *const documents[] = {
        "{" T "01Z\",\"message\":\"retrying\",\"log.level\":\"error\"," LINE("r", "/a", "10") "}",
        "{" T "02Z\",\"message\":\"sum\",\"event.action\":\"invocation\",\"labels.outcome\":"
        "\"success\"," LINE("r", "/a", "20") "}",
    };
    struct story s = STORY(documents);

    expect_text(story_outcome(&s), "success");
    cr_assert_eq(s.n_errors, 1);
    expect_text(s.errors[0].outcome, "logged");
    expect_text(s.errors[0].message, "retrying");
    story_free(&s);
}

/* Something that is no function takes part in the trace. */
Test(story, events_of_no_request)
{
    static const char *const documents[] = {
        "{" T "01Z\",\"message\":\"nginx\",\"trace.id\":\"t\",\"log.level\":\"error\"}",
        "{" T "02Z\",\"message\":\"in\"," LINE("r", "/a", "10") "}",
    };
    struct story s = STORY(documents);

    expect_order(&s, "nginx - in");
    cr_expect_eq(s.events[0].invocation, -1);
    cr_expect_eq(s.end_ns - s.start_ns, 1000000000);
    story_free(&s);
}

Test(story, of_nothing)
{
    struct story s = {0};

    cr_expect(story_finish(&s));
    cr_expect_eq(s.end_ns, s.start_ns);
    story_free(&s);
}
