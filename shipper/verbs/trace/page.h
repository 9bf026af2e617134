/* What the parts of a text page share: columns, colours, short ids.
 *
 * Owner:  the caller's storage. Thread: any; pure. */
#ifndef SHIP_VERBS_TRACE_PAGE_H
#define SHIP_VERBS_TRACE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/verbs/trace/render.h"
#include "shipper/verbs/trace/story.h"

enum colour {
    COLOUR_NONE,
    COLOUR_DIM,
    COLOUR_BOLD,
    COLOUR_RED,
    COLOUR_YELLOW,
    COLOUR_FUNCTION, /* and those behind it: one for each function, in turn */
};

struct page {
    struct render_options options;
    struct buffer *out;
    size_t function_columns; /* the widest name, at most PAGE_FUNCTION_MAX */
    size_t id_len;           /* of a short id: as long as it takes to tell them apart */
};

enum { PAGE_FUNCTION_MAX = 24, PAGE_ID_MIN = 8, PAGE_ID_MAX = 36 };

void page_colour(struct page *p, enum colour colour); /* COLOUR_NONE ends it */
/* Text in so many columns: cut, or filled up with blanks behind it. */
void page_column(struct page *p, struct slice text, size_t columns);
/* The same, blanks before it. */
void page_column_right(struct page *p, const char *text, size_t columns);
/* Widens function_columns and id_len for what is to come. */
void page_measure(struct page *p, const struct slice *functions, size_t n_functions);
struct slice page_short_id(const struct page *p, struct slice request);

/* "12.3 ms", "3.067 s", "-" for NAN. */
enum { PAGE_TEXT_MAX = 32 };
void page_duration(double ms, char out[PAGE_TEXT_MAX]);
/* "2026-10-09 08:52:31.603" */
void page_time(int64_t ns, char out[PAGE_TEXT_MAX]);

#endif
