#include <stdio.h>
#include <stdlib.h>

#include "shipper/verbs/trace/render_lines.h"
#include "shipper/verbs/trace/safe_text.h"

enum {
    LEVEL_COLUMNS = 5,
    PARAGRAPH_LINES = 40, /* a stack trace may be longer: --json has all of it */
    GAP_MIN_MS = 100,     /* shorter is not worth a line, */
    GAP_PART = 10,        /* nor what is less than a tenth of the whole */
};

/* What a row of the page stands for. At one time a run begins before its lines, and ends behind
 * them. */
enum row_kind { ROW_START, ROW_LINE, ROW_END };

struct row {
    int64_t time_ns;
    enum row_kind kind;
    size_t index; /* of the event, or of the invocation */
};

/* --- parts of a row --- */

/* Functions have their colours by the order in which they first appear. */
static enum colour function_colour(const struct story *s, int invocation)
{
    int first = 0;

    while (first < invocation &&
           !slice_eq(s->invocations[first].function, s->invocations[invocation].function))
        first++;
    return (enum colour)(COLOUR_FUNCTION + first);
}

void page_function(struct page *p, const struct story *s, int invocation)
{
    const struct story_invocation *inv = invocation < 0 ? NULL : &s->invocations[invocation];

    if (inv)
        page_colour(p, function_colour(s, invocation));
    page_column(p, inv ? inv->function : slice_str(""), p->function_columns);
    if (inv)
        page_colour(p, COLOUR_NONE);
    buffer_add_lit(p->out, "  ");
    page_colour(p, COLOUR_DIM);
    page_column(p, inv ? page_short_id(p, inv->request) : slice_str(""), p->id_len);
    page_colour(p, COLOUR_NONE);
    buffer_add_lit(p->out, "  ");
}

void page_level(struct page *p, struct slice level)
{
    char upper[LEVEL_COLUMNS + 1] = "";
    bool is_bad = slice_is(level, "error") || slice_is(level, "fatal");

    for (size_t i = 0; i < level.len && i < LEVEL_COLUMNS; i++)
        upper[i] =
            (char)(level.ptr[i] >= 'a' && level.ptr[i] <= 'z' ? level.ptr[i] - 32 : level.ptr[i]);
    if (is_bad)
        page_colour(p, COLOUR_RED);
    else if (slice_is(level, "warn"))
        page_colour(p, COLOUR_YELLOW);
    page_column(p, slice_str(upper), LEVEL_COLUMNS);
    if (is_bad || slice_is(level, "warn"))
        page_colour(p, COLOUR_NONE);
    buffer_add_lit(p->out, "  ");
}

void page_paragraph(struct page *p, struct slice text, size_t indent)
{
    size_t width = p->options.width;
    size_t columns = !width ? 0 : width > indent + 8 ? width - indent : 8;
    size_t n_lines = 0;

    text = slice_trim_end(text);
    do {
        struct slice line;

        if (!slice_cut(&text, '\n', &line)) {
            line = text;
            text.len = 0;
        }
        if (n_lines)
            page_column(p, slice_str(""), indent);
        if (n_lines++ == PARAGRAPH_LINES) {
            buffer_add_lit(p->out, "... (--json has all of it)\n");
            return;
        }
        safe_text_add(p->out, slice_trim_end(line), columns);
        buffer_add_char(p->out, '\n');
    } while (text.len);
}

static size_t row_begin(struct page *p, const struct story *s, int64_t time_ns, int invocation)
{
    char offset[PAGE_TEXT_MAX];

    snprintf(offset, sizeof offset, "%+.3f", (double)(time_ns - s->start_ns) / 1e9);
    page_colour(p, COLOUR_DIM);
    page_column_right(p, offset, 9);
    page_colour(p, COLOUR_NONE);
    buffer_add_lit(p->out, "  ");
    page_function(p, s, invocation);
    return 9 + 2 + p->function_columns + 2 + p->id_len + 2;
}

/* --- rows --- */

static void line_row(struct page *p, const struct story *s, const struct story_event *event)
{
    size_t indent = row_begin(p, s, event->time_ns, event->invocation) + LEVEL_COLUMNS + 2;
    struct slice stack = event->stack;
    struct slice head = slice_of(stack.ptr, stack.len < 40 ? stack.len : 40);
    bool is_platforms = event->action.len && event->error_message.len;
    /* The platform puts time and id before its words: they stand in their columns already. */
    struct slice message =
        is_platforms || !event->message.len ? event->error_message : event->message;

    page_level(p, event->level);
    page_paragraph(p, message, indent);
    /* Where a runtime writes it into the message it is there already. */
    if (stack.len && slice_find(message, head) < 0) {
        page_column(p, slice_str(""), indent);
        page_paragraph(p, stack, indent);
    }
}

static void mark_row(struct page *p, const struct story *s, const struct row *row)
{
    const struct story_invocation *inv = &s->invocations[row->index];
    char duration[PAGE_TEXT_MAX];
    bool is_end = row->kind == ROW_END;

    row_begin(p, s, row->time_ns, (int)row->index);
    page_colour(p, COLOUR_DIM);
    buffer_add_slice(p->out, slice_str(is_end ? "END    " : "START"));
    page_colour(p, COLOUR_NONE);
    if (is_end) {
        page_duration(inv->duration_ms, duration);
        if (slice_is(inv->outcome, "out_of_memory"))
            buffer_add_lit(p->out, "out of memory");
        else
            safe_text_add(p->out, inv->outcome, 24);
        buffer_printf(p->out, " after %s", duration);
    } else if (inv->coldstart > 0) {
        buffer_add_lit(p->out, "  cold start");
    }
    buffer_add_char(p->out, '\n');
}

static void gap_row(struct page *p, const struct story *s, int64_t gap_ns)
{
    char gap[PAGE_TEXT_MAX];
    int64_t total = s->end_ns - s->start_ns;

    if (gap_ns < GAP_MIN_MS * 1000000LL || gap_ns < total / GAP_PART)
        return;
    page_duration((double)gap_ns / 1e6, gap);
    page_colour(p, COLOUR_DIM);
    buffer_printf(p->out, "           ... %s without a line\n", gap);
    page_colour(p, COLOUR_NONE);
}

static int by_time(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    /* Who was called ends before its caller. */
    if (x->kind == ROW_END)
        return x->index > y->index ? -1 : x->index < y->index;
    return x->index < y->index ? -1 : x->index > y->index;
}

static size_t make_rows(const struct story *s, struct row *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_invocations; i++) {
        const struct story_invocation *inv = &s->invocations[i];

        rows[n++] = (struct row){inv->start_ns, ROW_START, i};
        if (!slice_is(inv->outcome, "unknown"))
            rows[n++] = (struct row){inv->end_ns, ROW_END, i};
    }
    for (size_t i = 0; i < s->n_events; i++)
        if (story_is_line(&s->events[i]))
            rows[n++] = (struct row){s->events[i].time_ns, ROW_LINE, i};
    if (n)
        qsort(rows, n, sizeof *rows, by_time);
    return n;
}

void render_lines(struct page *p, const struct story *s)
{
    struct row *rows = calloc(s->n_events + 2 * s->n_invocations + 1, sizeof *rows);
    size_t n = rows ? make_rows(s, rows) : 0;

    if (!rows)
        p->out->failed = true;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            gap_row(p, s, rows[i].time_ns - rows[i - 1].time_ns);
        if (rows[i].kind == ROW_LINE)
            line_row(p, s, &s->events[rows[i].index]);
        else
            mark_row(p, s, &rows[i]);
    }
    free(rows);
}
