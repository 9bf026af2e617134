/* The page that `ship trace` prints: what it was, who took how long, every line, the error. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/verbs/trace/page.h"
#include "shipper/verbs/trace/render_lines.h"
#include "shipper/verbs/trace/safe_text.h"

enum { BAR_MAX = 30, BAR_MIN = 15, TABLE_REST = 62 };

static double ms_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e6;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void header(struct page *p, const struct story *s)
{
    char time[PAGE_TEXT_MAX];
    char duration[PAGE_TEXT_MAX];

    page_colour(p, COLOUR_BOLD);
    if (s->trace.len) {
        buffer_add_lit(p->out, "trace ");
        safe_text_add(p->out, s->trace, 0);
    } else if (s->n_invocations) {
        buffer_add_lit(p->out, "request ");
        safe_text_add(p->out, s->invocations[0].request, 0);
    }
    page_colour(p, COLOUR_NONE);
    page_time(s->start_ns, time);
    page_duration(ms_between(s->start_ns, s->end_ns), duration);
    buffer_printf(p->out, "\n%s UTC, %s: %zu function%s, %zu invocation%s, ", time, duration,
                  s->n_functions, plural(s->n_functions), s->n_invocations,
                  plural(s->n_invocations));
    if (s->n_failed) {
        page_colour(p, COLOUR_RED);
        buffer_printf(p->out, "%zu failed", s->n_failed);
        page_colour(p, COLOUR_NONE);
    } else if (slice_is(story_outcome(s), "success")) {
        buffer_add_lit(p->out, "all succeeded");
    } else {
        buffer_add_lit(p->out, "none reported a failure, not all reported");
    }
    buffer_add_lit(p->out, "\n\n");
}

/* --- the table of invocations --- */

static size_t bar_columns(const struct page *p)
{
    size_t rest = TABLE_REST + p->function_columns + p->id_len;

    if (!p->options.width || p->options.width >= rest + BAR_MAX)
        return BAR_MAX;
    return p->options.width < rest + BAR_MIN ? 0 : p->options.width - rest;
}

/* The cell of a bar in which this time falls. */
static size_t cell_of(const struct story *s, int64_t ns, size_t columns)
{
    double length = (double)(s->end_ns - s->start_ns);
    double part = length > 0 ? (double)(ns - s->start_ns) / length : 0;

    return part <= 0 ? 0 : (size_t)(part * (double)columns);
}

/* When it ran, within the whole, its initialisation before it: "[  ..===   ]". */
static void add_bar(struct page *p, const struct story *s, const struct story_invocation *inv,
                    size_t columns)
{
    int64_t init_ns = isnan(inv->init_ms) ? 0 : llround(inv->init_ms * 1e6);
    size_t init = cell_of(s, inv->start_ns - init_ns, columns);
    size_t from = cell_of(s, inv->start_ns, columns);
    size_t to = cell_of(s, inv->end_ns - 1, columns) + 1;

    if (!columns)
        return;
    from = from < columns ? from : columns - 1;
    to = to > from ? to : from + 1;
    buffer_add_char(p->out, '[');
    for (size_t i = 0; i < columns; i++)
        buffer_add_char(p->out, i >= from && i < to ? '=' : i >= init && i < from ? '.' : ' ');
    buffer_add_lit(p->out, "]  ");
}

static void add_cold_start(struct page *p, const struct story_invocation *inv)
{
    char init[PAGE_TEXT_MAX];

    if (!isnan(inv->init_ms)) {
        page_duration(inv->init_ms, init);
        buffer_printf(p->out, ", cold start %s", init);
    } else if (inv->coldstart > 0) {
        buffer_add_lit(p->out, ", cold start");
    }
}

static void add_memory(struct page *p, const struct story_invocation *inv)
{
    char text[PAGE_TEXT_MAX] = "-";

    if (!isnan(inv->used_mb) && !isnan(inv->memory_mb))
        snprintf(text, sizeof text, "%.0f/%.0f MB", inv->used_mb, inv->memory_mb);
    page_column_right(p, text, 13);
}

static void table_row(struct page *p, const struct story *s, size_t index, size_t bar)
{
    const struct story_invocation *inv = &s->invocations[index];
    char text[PAGE_TEXT_MAX];

    buffer_add_lit(p->out, "  ");
    page_function(p, s, (int)index);
    add_bar(p, s, inv, bar);
    page_duration(inv->duration_ms, text);
    page_column_right(p, text, 9);
    page_duration(inv->billed_ms, text);
    page_column_right(p, text, 11);
    add_memory(p, inv);
    buffer_add_lit(p->out, "  ");
    page_outcome(p, inv);
    add_cold_start(p, inv);
    buffer_add_char(p->out, '\n');
}

static void table(struct page *p, const struct story *s)
{
    size_t bar = bar_columns(p);

    page_colour(p, COLOUR_DIM);
    buffer_add_lit(p->out, "  ");
    page_column(p, slice_str("function"), p->function_columns + 2);
    page_column(p, slice_str("request"), p->id_len + 2);
    if (bar)
        page_column(p, slice_str("when (. cold start)"), bar + 4);
    buffer_add_lit(p->out, "     took     billed       memory  outcome\n");
    page_colour(p, COLOUR_NONE);
    for (size_t i = 0; i < s->n_invocations; i++)
        table_row(p, s, i, bar);
    buffer_add_char(p->out, '\n');
}

/* --- the end --- */

static void error_row(struct page *p, const struct story *s, const struct story_error *error)
{
    size_t indent = 2 + p->function_columns + 2 + p->id_len + 2;
    struct buffer text = {0};

    buffer_add_lit(p->out, "  ");
    page_function(p, s, error->invocation);
    if (slice_is(error->outcome, "logged"))
        buffer_add_lit(&text, "went on after ");
    if (error->type.len) {
        buffer_add_slice(&text, error->type);
        buffer_add_lit(&text, ": ");
    }
    if (error->message.len)
        buffer_add_slice(&text, error->message);
    else
        buffer_add_lit(&text, "(it left no word of why)");
    page_colour(p, COLOUR_RED);
    page_paragraph(p, buffer_slice(&text), slice_str(""), indent);
    page_colour(p, COLOUR_NONE);
    buffer_free(&text);
    if (error->where.len) {
        page_column(p, slice_str(""), indent);
        buffer_add_lit(p->out, "at ");
        page_paragraph(p, error->where, slice_str(""), indent + 3);
    }
}

static void errors(struct page *p, const struct story *s)
{
    if (!s->n_errors)
        return;
    page_colour(p, COLOUR_BOLD);
    buffer_add_slice(p->out, slice_str(s->n_errors == 1 ? "\nthe error\n"
                                                        : "\nthe errors, the first one first\n"));
    page_colour(p, COLOUR_NONE);
    for (size_t i = 0; i < s->n_errors; i++)
        error_row(p, s, &s->errors[i]);
}

/* --- all of it --- */

/* Two requests of one story may begin alike. */
static size_t id_length(const struct story *s)
{
    size_t len = PAGE_ID_MIN;

    for (size_t i = 0; i < s->n_invocations; i++)
        for (size_t k = 0; k < i && len < PAGE_ID_MAX; k++) {
            struct slice a = s->invocations[i].request;
            struct slice b = s->invocations[k].request;

            while (len < PAGE_ID_MAX && !slice_eq(a, b) && a.len > len && b.len > len &&
                   memcmp(a.ptr, b.ptr, len) == 0)
                len++;
        }
    return len;
}

void render_text(const struct story *s, const struct render_options *options, struct buffer *out)
{
    struct page p = {.options = *options, .out = out, .id_len = id_length(s)};

    p.function_columns = strlen("function");
    for (size_t i = 0; i < s->n_invocations; i++)
        page_measure(&p, &s->invocations[i].function, 1);
    header(&p, s);
    if (s->n_invocations)
        table(&p, s);
    render_lines(&p, s);
    errors(&p, s);
    if (s->is_cut)
        buffer_printf(out, "\nThere is more: only the earliest %zu events were read.\n",
                      s->n_events);
}

void render_list(const struct story_event *events, size_t n_events,
                 const struct render_options *options, struct buffer *out)
{
    struct page p = {.options = *options, .out = out, .id_len = PAGE_ID_MIN};
    char time[PAGE_TEXT_MAX];

    for (size_t i = 0; i < n_events; i++)
        page_measure(&p, &events[i].function, 1);
    for (size_t i = 0; i < n_events; i++) {
        const struct story_event *event = &events[i];
        size_t indent = 23 + 2 + PAGE_ID_MAX + 2 + p.function_columns + 2;

        page_time(event->time_ns, time);
        page_colour(&p, COLOUR_DIM);
        buffer_printf(out, "%s  ", time);
        page_colour(&p, COLOUR_NONE);
        page_column(&p, event->request.len ? event->request : slice_str("-"), PAGE_ID_MAX + 2);
        page_column(&p, event->function, p.function_columns + 2);
        page_level(&p, event->level);
        page_paragraph(&p, story_first_line(event->message), slice_str(""), indent + 7);
    }
}
