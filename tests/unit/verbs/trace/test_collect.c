#include <criterion/criterion.h>
#include <stdio.h>

#include "shipper/verbs/trace/collect.h"

/* An archive of a few rows. */
struct row {
    const char *keys[ARCHIVE_N_KEYS]; /* request, trace, init; NULL: none */
    const char *message;
};

struct shelf {
    struct archive base; /* first */
    const struct row *rows;
    size_t n_rows;
    int fails_at; /* the question that fails; 0: none */
    int n_questions;
};

static int ask(struct shelf *s, struct err *e)
{
    s->n_questions++;
    return s->n_questions == s->fails_at ? err_set(e, ERR_NET, "question %d", s->n_questions) : 0;
}

static int find(struct archive *a, enum archive_key key, const char *prefix, size_t max,
                struct names *out, struct err *e)
{
    struct shelf *s = (struct shelf *)a;

    if (ask(s, e) < 0)
        return -1;
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].keys[key] && strncmp(s->rows[i].keys[key], prefix, strlen(prefix)) == 0 &&
            out->n_items < max)
            names_add(out, slice_str(s->rows[i].keys[key]));
    return 0;
}

static bool is_among(const char *key, const struct names *in)
{
    return key && names_have(in, slice_str(key));
}

static int values(struct archive *a, enum archive_key key, enum archive_key given,
                  const struct names *in, struct names *out, struct err *e)
{
    struct shelf *s = (struct shelf *)a;

    if (ask(s, e) < 0)
        return -1;
    for (size_t i = 0; i < s->n_rows; i++)
        if (is_among(s->rows[i].keys[given], in))
            names_add(out, slice_str(s->rows[i].keys[key]));
    return 0;
}

static int events(struct archive *a, const struct names in[ARCHIVE_N_KEYS],
                  archive_event_fn *on_event, void *ctx, bool *is_cut, struct err *e)
{
    struct shelf *s = (struct shelf *)a;
    char text[256];

    if (ask(s, e) < 0)
        return -1;
    *is_cut = false;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct row *r = &s->rows[i];

        if (!is_among(r->keys[0], &in[0]) && !is_among(r->keys[1], &in[1]) &&
            !is_among(r->keys[2], &in[2]))
            continue;
        snprintf(text, sizeof text,
                 "{\"@timestamp\":\"2026-10-09T08:00:%02zuZ\",\"message\":\"%s\"}", i, r->message);
        on_event(ctx, slice_str(text));
    }
    return 0;
}

static const struct archive_ops ops = {.find = find, .values = values, .events = events};

static const char trace_a[] = "6ac8ab4fae5826b066ea5a523671a7c4";
static const char trace_b[] = "6ac8ab4fffffffffffffffffffffffff";

static const struct row rows[] = {
    {{"c3a671a2-f923", trace_a, NULL}, "one"},
    {{"c3a671a2-f923", NULL, NULL}, "one without a trace"},
    {{"10c560d1-46ae", trace_a, NULL}, "two"},
    {{"10c560d1-46ae", NULL, "0000000000000007"}, "its START"},
    {{NULL, NULL, "0000000000000007"}, "its INIT"},
    {{NULL, trace_a, NULL}, "no function"},
    {{"c3a671a2", trace_b, NULL}, "an id that begins another"},
    {{"beef", NULL, NULL}, "alone"},
    {{"77777777-0000", NULL, NULL}, "elsewhere"},
};

static struct shelf shelf_of(void)
{
    return (struct shelf){.base = {&ops}, .rows = rows, .n_rows = sizeof rows / sizeof rows[0]};
}

Test(collect, from_what_was_typed)
{
    static const struct {
        const char *id;
        enum collect_result want;
        const char *messages; /* or candidates */
        const char *because;
    } rows_of[] = {
        {"10c560d1-46ae", COLLECT_FOUND,
         "one,one without a trace,two,its START,its INIT,no function",
         "a request leads to its trace, that to its requests, those to their initialisation"},
        {"10c5", COLLECT_FOUND, "one,one without a trace,two,its START,its INIT,no function",
         "how it begins"},
        {"6ac8ab4fae5826b066ea5a523671a7c4", COLLECT_FOUND,
         "one,one without a trace,two,its START,its INIT,no function", "a trace"},
        {"6AC8AB4FAE58", COLLECT_FOUND,
         "one,one without a trace,two,its START,its INIT,no function", "in capitals"},
        {"1-6ac8ab4f-ae5826b066ea5a523671a7c4", COLLECT_FOUND,
         "one,one without a trace,two,its START,its INIT,no function", "as X-Ray writes it"},
        {"1-6ac8ab4f-ae", COLLECT_FOUND,
         "one,one without a trace,two,its START,its INIT,no function", "its beginning"},
        {"6ac8ab4f", COLLECT_AMBIGUOUS,
         "6ac8ab4fae5826b066ea5a523671a7c4,6ac8ab4fffffffffffffffffffffffff", "two traces"},
        {"c3a6", COLLECT_AMBIGUOUS, "c3a671a2,c3a671a2-f923", "two requests"},
        {"c3a671a2", COLLECT_FOUND, "an id that begins another", "spelled out, it stands alone"},
        {"beef", COLLECT_FOUND, "alone", "without a trace"},
        {"zzz", COLLECT_NONE, "", "nothing begins so"},
        {"0000000000000007", COLLECT_NONE, "", "an initialisation has no name for users"},
    };

    for (size_t i = 0; i < sizeof rows_of / sizeof rows_of[0]; i++) {
        struct shelf shelf = shelf_of();
        struct story story = {0};
        struct names candidates = {0};
        char got[512] = "";
        enum collect_result result = collect(&shelf.base, rows_of[i].id, &story, &candidates, NULL);

        cr_expect_eq(result, rows_of[i].want, "%s", rows_of[i].because);
        for (size_t k = 0; k < story.n_events; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", k ? "," : "",
                     SLICE_ARG(story.events[k].message));
        for (size_t k = 0; k < candidates.n_items; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k ? "," : "",
                     candidates.items[k]);
        cr_expect_str_eq(got, rows_of[i].messages, "%s: %s", rows_of[i].because, got);
        names_free(&candidates);
        story_free(&story);
    }
}

Test(collect, says_which_question_failed)
{
    for (int at = 1; at <= 6; at++) {
        struct shelf shelf = shelf_of();
        struct story story = {0};
        struct names candidates = {0};
        struct err e = {0};
        char want[32];

        shelf.fails_at = at;
        cr_expect_eq(collect(&shelf.base, "10c5", &story, &candidates, &e), COLLECT_FAILED, "%d",
                     at);
        snprintf(want, sizeof want, "question %d", at);
        cr_expect_str_eq(e.what, want);
        cr_expect_eq(story.n_events, 0);
        names_free(&candidates);
        story_free(&story);
    }
}

Test(names, are_sorted_and_once)
{
    struct names s = {0};
    static const char *const words[] = {"b", "a", "ab", "b", "", "abc", "a"};
    char got[64] = "";

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cr_expect(names_add(&s, slice_str(words[i])));
    for (size_t i = 0; i < s.n_items; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s ", s.items[i]);
    cr_expect_str_eq(got, "a ab abc b ");
    cr_expect(names_have(&s, slice_str("ab")));
    cr_expect_not(names_have(&s, slice_str("abcd")));
    names_free(&s);
}
