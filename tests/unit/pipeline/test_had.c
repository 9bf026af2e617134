/* What each output has had of a stream, and how the next life gets to know. */
#include <criterion/criterion.h>
#include <string.h>

#include "outputs/output.h"
#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/stream.h"

/* A line at `offset` of the chunk; len 0: a summary whose REPORT is there. */
static struct batch_item item(struct chunk *c, uint32_t offset, uint32_t len)
{
    return (struct batch_item){.chunk = c, .line_offset = offset, .line_len = len};
}

static struct lanes *lanes_of(const char *const identities[], size_t n)
{
    struct lane_options options[4] = {{0}};
    struct lanes *lanes;

    for (size_t i = 0; i < n; i++)
        options[i] = (struct lane_options){.ops = &output_stdout, .identity = identities[i]};
    lanes = lanes_new(options, n, NULL, NULL, NULL, NULL, NULL, NULL);
    cr_assert_not_null(lanes);
    return lanes;
}

Test(had, places)
{
    struct chunk c = {.start = 1000};
    const struct {
        struct batch_item item;
        uint64_t want;
        const char *because;
    } rows[] = {
        {item(&c, 5, 10), 1005, "a line"},
        {item(&c, 7, 0), 1007, "a summary"},
        {item(&c, (uint32_t)-300, 0), 700, "of a REPORT in the chunk before"},
        {item(&c, BATCH_REPORT_BEFORE, 0), HAD_PLACE_BEFORE, "in the file before"},
        {item(&c, BATCH_REPORT_UNKNOWN, 0), HAD_PLACE_UNKNOWN, "further away than can be said"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(chunk_item_place(&rows[i].item), rows[i].want, "%s", rows[i].because);
}

/* What is missing between two events of a batch was settled before. */
Test(had, what_a_batch_has_are_ranges)
{
    struct chunk c = {.start = 1000};
    const struct batch_item items[] = {item(&c, 100, 10), item(&c, 150, 0), item(&c, 200, 10)};
    struct had_list had = {0};

    had_note(&had, 2, items, 3);
    cr_expect_eq(had.n_outputs, 3);
    cr_expect(had_has(&had, 2, false, 1100));
    cr_expect(had_has(&had, 2, false, 1199));
    cr_expect(had_has(&had, 2, false, 1200));
    cr_expect_not(had_has(&had, 2, false, 1099));
    cr_expect_not(had_has(&had, 2, false, 1201), "the next line");
    cr_expect(had_has(&had, 2, true, 1150));
    cr_expect_not(had_has(&had, 2, true, 1100), "a line is no summary");
    cr_expect_not(had_has(&had, 1, false, 1100), "another output");
    cr_expect_not(had_has(&had, 3, false, 1100));
    had_free(&had);
    cr_expect_not(had_has(&had, 2, false, 1100));
}

/* By identity: outputs change places, come and go. */
Test(had, outputs_are_known_again)
{
    static const char *const before[] = {"elasticsearch es", "stdout 1 \n2", NULL, "local l"};
    static const char *const after[] = {"stdout 1 \n2", NULL, "elasticsearch other"};
    struct lanes *old = lanes_of(before, 4);
    struct lanes *new = lanes_of(after, 3);
    struct stream s = {.settled_position = 1100};
    struct stream next = {0};
    struct chunk second = {.start = 2000, .stream = &s};
    struct chunk first = {.start = 1000, .stream = &s, .next = &second};
    struct buffer saved = {0};
    const struct batch_item in_first[] = {item(&first, 0, 10), item(&first, 500, 10)};
    const struct batch_item in_second = item(&second, 7, 10);

    s.oldest = &first;
    for (unsigned i = 0; i < 4; i++)
        had_note(&first.had, i, in_first, 2);
    had_note(&second.had, 1, &in_second, 1);
    had_save(&s, old, &saved);
    had_load(&next, new, buffer_slice(&saved));
    cr_expect_eq(next.had.n_outputs, 1, "of the others it is not known who they are");
    cr_expect_not(had_has(&next.had, 0, false, 1099), "settled by all: never asked for");
    cr_expect(had_has(&next.had, 0, false, 1100));
    cr_expect(had_has(&next.had, 0, false, 1500));
    cr_expect_not(had_has(&next.had, 0, false, 1501));
    cr_expect(had_has(&next.had, 0, false, 2007));

    /* It ends before it has read any of that again: the next one gets it from there. */
    saved.len = 0;
    next.settled_position = 1100;
    had_save(&next, new, &saved);
    had_free(&s.had);
    had_load(&s, old, buffer_slice(&saved));
    cr_expect(had_has(&s.had, 1, false, 2007));
    cr_expect_not(had_has(&s.had, 0, false, 2007));

    buffer_free(&saved);
    had_free(&s.had);
    had_free(&next.had);
    had_free(&first.had);
    had_free(&second.had);
    lanes_free(old);
    lanes_free(new);
}

/* At a position one summary may be held back, whose REPORT is before it. */
Test(had, a_summary_that_is_held_back_is_known_too)
{
    static const char *const identities[] = {"stdout stdout"};
    struct lanes *lanes = lanes_of(identities, 1);
    struct stream s = {.settled_position = 1000};
    struct stream next = {0};
    struct chunk c = {.start = 1000, .stream = &s};
    struct buffer saved = {0};
    const struct batch_item items[] = {item(&c, (uint32_t)-700, 0), item(&c, (uint32_t)-90, 0),
                                       item(&c, BATCH_REPORT_BEFORE, 0), item(&c, 20, 0),
                                       item(&c, BATCH_REPORT_UNKNOWN, 0)};

    s.oldest = &c;
    had_note(&c.had, 0, items, 5);
    had_save(&s, lanes, &saved);
    had_load(&next, lanes, buffer_slice(&saved));
    cr_expect(had_has(&next.had, 0, true, 910));
    cr_expect(had_has(&next.had, 0, true, 1020));
    cr_expect(had_has(&next.had, 0, true, HAD_PLACE_BEFORE));
    cr_expect_not(had_has(&next.had, 0, true, HAD_PLACE_UNKNOWN));
    cr_expect_not(had_has(&next.had, 0, true, 300), "that one cannot come any more");
    buffer_free(&saved);
    had_free(&next.had);
    had_free(&c.had);
    lanes_free(lanes);
}

Test(had, nothing_had_is_nothing_to_say)
{
    static const char *const identities[] = {"stdout stdout"};
    struct lanes *lanes = lanes_of(identities, 1);
    struct stream s = {.settled_position = 5000};
    struct chunk c = {.start = 1000, .stream = &s};
    const struct batch_item items[] = {item(&c, 0, 10), item(&c, 3000, 10)};
    struct buffer saved = {0};

    s.oldest = &c;
    had_note(&c.had, 0, items, 2);
    had_save(&s, lanes, &saved);
    cr_expect_eq(saved.len, 0);
    had_free(&c.had);
    lanes_free(lanes);
}

/* In doubt it comes twice: a store that says something else is no reason to leave out a line. */
Test(had, what_is_no_such_text_says_nothing)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "13 stdout stdout",
                                        "13 stdout stdout 1 5",
                                        "13 stdout stdout 1 5 18446744073709551615 0\n",
                                        "99 stdout stdout 1 5 5 0\n",
                                        "13 stdout stdout 2 5 5\n"};
    static const char *const identities[] = {"stdout stdout"};
    struct lanes *lanes = lanes_of(identities, 1);

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct stream s = {0};

        had_load(&s, lanes, slice_str(texts[i]));
        cr_expect_not(had_has(&s.had, 0, false, 5), "\"%s\"", texts[i]);
        had_free(&s.had);
    }
    lanes_free(lanes);
}
