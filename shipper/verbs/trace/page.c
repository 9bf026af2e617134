#include <math.h>
#include <stdio.h>

#include "parsers/timestamp.h"
#include "shipper/verbs/trace/page.h"
#include "shipper/verbs/trace/safe_text.h"

void page_colour(struct page *p, enum colour colour)
{
    static const char *const codes[] = {"0", "2", "1", "1;31", "33"};
    static const char *const functions[] = {"36", "35", "32", "34", "96", "95", "92", "94"};

    if (!p->options.has_colours)
        return;
    buffer_add_lit(p->out, "\x1b[");
    buffer_add_slice(p->out, slice_str(colour < COLOUR_FUNCTION
                                           ? codes[colour]
                                           : functions[(colour - COLOUR_FUNCTION) % 8]));
    buffer_add_char(p->out, 'm');
}

static void add_blanks(struct page *p, size_t n)
{
    while (n--)
        buffer_add_char(p->out, ' ');
}

void page_column(struct page *p, struct slice text, size_t columns)
{
    size_t used = columns ? safe_text_add(p->out, text, columns) : 0;

    add_blanks(p, columns - used);
}

void page_column_right(struct page *p, const char *text, size_t columns)
{
    size_t len = strlen(text);

    add_blanks(p, columns > len ? columns - len : 0);
    buffer_add_slice(p->out, slice_str(text));
}

void page_measure(struct page *p, const struct slice *functions, size_t n_functions)
{
    struct buffer scratch = {0};

    for (size_t i = 0; i < n_functions; i++) {
        size_t columns = safe_text_add(&scratch, functions[i], PAGE_FUNCTION_MAX);

        if (columns > p->function_columns)
            p->function_columns = columns;
        scratch.len = 0;
    }
    buffer_free(&scratch);
}

struct slice page_short_id(const struct page *p, struct slice request)
{
    return slice_of(request.ptr, request.len < p->id_len ? request.len : p->id_len);
}

void page_duration(double ms, char out[PAGE_TEXT_MAX])
{
    if (isnan(ms))
        snprintf(out, PAGE_TEXT_MAX, "-");
    else if (ms < 1000)
        snprintf(out, PAGE_TEXT_MAX, "%.1f ms", ms);
    else
        snprintf(out, PAGE_TEXT_MAX, "%.3f s", ms < 1e15 ? ms / 1000 : 1e12);
}

void page_time(int64_t ns, char out[PAGE_TEXT_MAX])
{
    char text[TIMESTAMP_TEXT_MAX];

    timestamp_format(ns, text);
    snprintf(out, PAGE_TEXT_MAX, "%.10s %.12s", text, text + 11);
}
