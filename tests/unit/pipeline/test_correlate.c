#include <stdio.h>

#include <criterion/criterion.h>
#include <math.h>

#include "shipper/pipeline/correlate.h"
#include "tests/support/failing_malloc.h"

/* A script of lines, one word each:
 *   I INIT_START, N INIT_REPORT, S/E/R + id START/END/REPORT, T + id timeout, X an XRAY line, . a
 * print, L + id a line that says its id, U an unhandled error. Each answers with the id that it got
 * ('-' none, 'i' the initialisation), and a summary as
 * "(id outcome lines)". */
struct script {
    struct correlate c;
    char out[1024];
    size_t len;
    uint64_t offset;
};

static void say(struct script *s, const char *text, size_t len)
{
    cr_assert_lt(s->len + len, sizeof s->out);
    memcpy(s->out + s->len, text, len);
    s->len += len;
    s->out[s->len] = '\0';
}

static void say_done(struct script *s, const struct invocation *inv)
{
    char text[128];
    int n = snprintf(text, sizeof text, "(%.*s %.*s %u%s)", inv->id_len, inv->id,
                     SLICE_ARG(outcome_name(inv->outcome)), inv->n_lines,
                     inv->has_trace_id ? " traced" : "");

    say(s, text, (size_t)n);
}

static void line(struct script *s, const char *word)
{
    static const struct {
        char letter;
        enum record_kind kind;
    } kinds[] = {{'I', RECORD_INIT_START}, {'N', RECORD_INIT_REPORT}, {'S', RECORD_START},
                 {'E', RECORD_END},        {'R', RECORD_REPORT},      {'T', RECORD_TIMEOUT},
                 {'X', RECORD_XRAY}};
    struct record r;
    struct correlation found;
    struct invocation done[CORRELATE_MAX_DONE];
    struct line_ref at = {s->offset, {s->offset * 77 + 1, s->offset}, 0};
    size_t n;

    record_reset(&r);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].letter == word[0])
            r.kind = kinds[i].kind;
    r.request_id = slice_str(word + 1);
    if (word[0] == 'U')
        r.flags = RECORD_UNHANDLED;
    if (word[0] == 'X') {
        r.has_trace_id = true;
        memset(r.trace_id, 'a', sizeof r.trace_id);
    }
    if (r.kind == RECORD_REPORT)
        r.report.duration_ms = 12;
    n = correlate_line(&s->c, &r, &at, &found, done);
    if (found.is_init)
        say(s, "i", 1);
    else if (found.request_id.len)
        say(s, found.request_id.ptr, found.request_id.len);
    else
        say(s, "-", 1);
    for (size_t i = 0; i < n; i++)
        say_done(s, &done[i]);
    say(s, " ", 1);
    s->offset += 10;
}

/* With the state saved and loaded between any two lines, as a restart would. */
static const char *play(struct script *s, const char *words, bool restarts)
{
    char copy[512];
    char *save = NULL;
    struct invocation last;

    memset(s, 0, sizeof *s);
    correlate_init(&s->c);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        line(s, w);
        if (restarts) {
            struct buffer state = {0};

            correlate_save(&s->c, &state);
            correlate_fini(&s->c);
            cr_assert_eq(correlate_load(&s->c, buffer_slice(&state), NULL), 0);
            buffer_free(&state);
        }
    }
    if (correlate_flush(&s->c, &last))
        say_done(s, &last);
    correlate_fini(&s->c);
    return s->out;
}

Test(correlate, rules)
{
    static const struct {
        const char *words;
        const char *want;
        const char *because;
    } rows[] = {
        {". . .", "- - - ", "no request anywhere"},
        {"I . SA . . EA RA SB . EB RB", "i i A A A A A B(A success 2) B B B (B success 1)",
         "two invocations after a cold start"},
        {"SA . EA . RA . SB", "A A A A A A(A success 2) B ",
         "after END and REPORT still A, until the next START"},
        {"SA LB . EA RA", "A B A A A (A success 1)",
         "a line with an id of its own is believed and moves nothing"},
        {"SA TA EA RA", "A A A A (A timeout 0)", "the timeout line before REPORT"},
        {"SA . EA RA X TA SB", "A A A A A A(A timeout 1 traced) B ",
         "XRAY and the timeout line behind REPORT belong to it"},
        {"SA U EA RA SB", "A A A A B(A error 1) ", "an unhandled error"},
        {"SA SB . EA . EB . SC .", "A B - A - B - C - ",
         "two at a time: from then on no id without one on the line"},
        {"SA I . SB . EA . EB", "A - - B - A - B ",
         "an initialisation beside an open request: another environment"},
        {"SA SA . EA RA", "A A A A A (A success 1)", "the same request again is no second one"},
        {"SA . EA RA SA . . EA RA", "A A A A A(A success 1) A A A A (A success 2)",
         "an asynchronous event that is tried again keeps its id"},
        {"SA SB U EB RB EA RA SC EC RC",
         "A B - B B A(B unknown 0) A C(A unknown 0) C C (C success 0)",
         "an error of one of them, and nothing says which"},
        {"SA SB LA LB EB RB EA RA", "A B A B B B A(B success 1) A (A success 1)",
         "interleaved, each line by its own id"},
        {"RA SB . EB RB", "A B(A success 0) B B B (B success 1)",
         "a REPORT whose START was not seen"},
        {"SA . EA SB . RA . EB RB", "A A A B B A B(A success 1) B B (B success 2)",
         "a REPORT that comes after the next START finds its request"},
        {"EA .", "A - ", "an END alone opens nothing"},
        {"I I . SA .", "i i i A A ", "an initialisation that was begun again"},
        {"N . SA . EA RA N . N . SB .", "i i A A A A i(A success 1) i i i B B ",
         "INIT_REPORT alone begins an initialisation too"},
        {"SA N . EA RA", "A - A A A (A success 1)", "but not beside an open request"},
        {"SA . EA RA I . SB .", "A A A A i(A success 1) i B B ",
         "a new environment after a crash: its lines are not A's"},
    };
    struct script s;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_str_eq(play(&s, rows[i].words, false), rows[i].want, "%s: %s: %s", rows[i].words,
                         rows[i].because, s.out);
        cr_expect_str_eq(play(&s, rows[i].words, true), rows[i].want, "restarts: %s: %s",
                         rows[i].because, s.out);
    }
}

/* A million open requests in one stream cannot grow its memory. */
Test(correlate, what_it_remembers_is_bounded)
{
    struct script s = {0};
    char word[16];

    correlate_init(&s.c);
    for (int i = 0; i < 10000; i++) {
        snprintf(word, sizeof word, "S%d", i);
        s.len = 0;
        line(&s, word);
    }
    cr_expect_leq(s.c.n_requests, CORRELATE_MAX_REQUESTS);
    correlate_fini(&s.c);
}

Test(correlate, a_damaged_state_is_refused)
{
    struct script s = {0};
    struct buffer state = {0};

    correlate_init(&s.c);
    line(&s, "SA");
    line(&s, ".");
    correlate_save(&s.c, &state);
    for (size_t cut = 0; cut < state.len; cut++)
        cr_expect_eq(correlate_load(&s.c, slice_of(state.ptr, cut), NULL), -1);
    state.ptr[0] ^= 1;
    cr_expect_eq(correlate_load(&s.c, buffer_slice(&state), NULL), -1, "another version");
    cr_expect_eq(s.c.n_requests, 0, "as after init");
    buffer_free(&state);
    correlate_fini(&s.c);
}

/* D1: out of memory shows as a timeout, or as an error; used equals size tells it. */
Test(correlate, out_of_memory)
{
    struct correlate c;
    struct record r;
    struct correlation found;
    struct invocation done[CORRELATE_MAX_DONE];
    struct line_ref at = {0, {1, 1}, 0};

    correlate_init(&c);
    record_reset(&r);
    r.kind = RECORD_REPORT;
    r.request_id = slice_str("A");
    r.report.memory_mb = 128;
    r.report.max_memory_mb = 128;
    r.report.status = slice_str("timeout");
    cr_expect_eq(correlate_line(&c, &r, &at, &found, done), 0, "held for what may follow");
    cr_assert(correlate_flush(&c, &done[0]));
    cr_expect_eq(done[0].outcome, OUTCOME_OOM);
    cr_expect_str_eq(done[0].error_type, "Runtime.OutOfMemory");
    correlate_fini(&c);
}

Test(correlate, a_copy_goes_on_by_itself)
{
    struct correlate c;
    struct correlate copy;
    struct record r;
    struct correlation found;
    struct invocation done[CORRELATE_MAX_DONE];
    struct line_ref at = {0, {1, 1}, 1};

    correlate_init(&c);
    correlate_init(&copy);
    record_reset(&r);
    r.kind = RECORD_START;
    r.request_id = slice_str("A");
    correlate_line(&c, &r, &at, &found, done);
    cr_assert(correlate_copy(&copy, &c));
    r.request_id = slice_str("B");
    correlate_line(&c, &r, &at, &found, done);
    record_reset(&r);
    correlate_line(&copy, &r, &at, &found, done);
    cr_expect(slice_is(found.request_id, "A"));
    failing_malloc_at(1);
    cr_expect_not(correlate_copy(&copy, &c));
    failing_malloc_at(0);
    correlate_line(&copy, &r, &at, &found, done);
    cr_expect(slice_is(found.request_id, ""), "none rather than a wrong one");
    correlate_fini(&c);
    correlate_fini(&copy);
}
