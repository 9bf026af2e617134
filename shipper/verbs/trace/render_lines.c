#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

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
enum row_kind { ROW_INIT, ROW_START, ROW_LINE, ROW_END };

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

void page_outcome(struct page *p, const struct story_invocation *inv)
{
    bool is_unknown = slice_is(inv->outcome, "unknown");
    bool is_bad = !is_unknown && !slice_is(inv->outcome, "success");

    if (is_bad)
        page_colour(p, COLOUR_RED);
    if (slice_is(inv->outcome, "out_of_memory"))
        buffer_add_lit(p->out, "out of memory");
    else if (is_unknown)
        buffer_add_lit(p->out, "not reported");
    else
        safe_text_add(p->out, inv->outcome, 24);
    if (is_bad)
        page_colour(p, COLOUR_NONE);
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

/* One line, and what stands behind it, in so many columns; 0: as many as it takes. */
static void add_line(struct page *p, struct slice line, struct slice behind, size_t columns)
{
    size_t used = safe_text_add(p->out, slice_trim_end(line), columns);

    if (behind.len && (!columns || used + 8 < columns)) {
        page_colour(p, COLOUR_DIM);
        buffer_add_lit(p->out, "  ");
        safe_text_add(p->out, behind, columns ? columns - used - 2 : 0);
        page_colour(p, COLOUR_NONE);
    }
    buffer_add_char(p->out, '\n');
}

void page_paragraph(struct page *p, struct slice text, struct slice behind, size_t indent)
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
        if (n_lines == PARAGRAPH_LINES) {
            buffer_add_lit(p->out, "... (--json has all of it)\n");
            return;
        }
        add_line(p, line, n_lines ? slice_str("") : behind, columns);
        n_lines++;
    } while (text.len);
}

/* The application's own keys: `item=kettle left=36`. */
static void add_keys(struct slice app, struct buffer *out)
{
    json_t *object = json_loadb(app.ptr, app.len, JSON_ALLOW_NUL, NULL);
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        char *text = NULL;

        /* What a library says of the function on each line is known already. */
        if (strncmp(key, "function_", 9) == 0)
            continue;
        buffer_add_slice(out, slice_str(out->len ? " " : ""));
        buffer_add_slice(out, slice_str(key));
        buffer_add_char(out, '=');
        if (json_is_string(value) && !strpbrk(json_string_value(value), " \"=\n"))
            buffer_add_slice(out, slice_str(json_string_value(value)));
        else
            text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        buffer_add_slice(out, slice_str(text));
        free(text);
    }
    json_decref(object);
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
    struct buffer keys = {0};
    bool is_platforms = event->action.len && event->error_message.len;
    /* The platform puts time and id before its words: they stand in their columns already. */
    struct slice message =
        is_platforms || !event->message.len ? event->error_message : event->message;

    page_level(p, event->level);
    if (event->app.len)
        add_keys(event->app, &keys);
    page_paragraph(p, message, buffer_slice(&keys), indent);
    buffer_free(&keys);
    /* Where a runtime writes it into the message it is there already. */
    if (stack.len && slice_find(message, head) < 0) {
        page_column(p, slice_str(""), indent);
        page_paragraph(p, stack, slice_str(""), indent);
    }
}

static void add_end(struct page *p, const struct story_invocation *inv)
{
    char duration[PAGE_TEXT_MAX];

    page_outcome(p, inv);
    page_duration(inv->duration_ms, duration);
    buffer_printf(p->out, " after %s", duration);
}

static void add_init(struct page *p, const struct story_invocation *inv)
{
    char duration[PAGE_TEXT_MAX];

    page_duration(inv->init_ms, duration);
    buffer_printf(p->out, "cold start, %s", duration);
}

/* Where a run begins or ends. */
static void mark_row(struct page *p, const struct story *s, const struct row *row)
{
    static const char *const words[] = {
        [ROW_INIT] = "INIT", [ROW_START] = "START", [ROW_END] = "END"};
    const struct story_invocation *inv = &s->invocations[row->index];
    bool has_init = !isnan(inv->init_ms);
    bool is_bare = row->kind == ROW_START && (has_init || inv->coldstart <= 0);

    row_begin(p, s, row->time_ns, (int)row->index);
    page_colour(p, COLOUR_DIM);
    page_column(p, slice_str(words[row->kind]), is_bare ? strlen("START") : LEVEL_COLUMNS + 2);
    page_colour(p, COLOUR_NONE);
    if (row->kind == ROW_INIT)
        add_init(p, inv);
    else if (row->kind == ROW_END)
        add_end(p, inv);
    else if (!is_bare)
        buffer_add_lit(p->out, "cold start");
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

        if (!isnan(inv->init_ms))
            rows[n++] = (struct row){inv->start_ns - llround(inv->init_ms * 1e6), ROW_INIT, i};
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
    struct row *rows = calloc(s->n_events + 3 * s->n_invocations + 1, sizeof *rows);
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
