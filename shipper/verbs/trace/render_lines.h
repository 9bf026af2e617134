/* The lines of a story on a page, and the small parts that its other sections use too.
 *
 * Thread: any; pure. */
#ifndef SHIP_VERBS_TRACE_RENDER_LINES_H
#define SHIP_VERBS_TRACE_RENDER_LINES_H

#include "shipper/verbs/trace/page.h"

/* Every line in order, where each invocation begins and ends, and the notable gaps. */
void render_lines(struct page *p, const struct story *s);

/* Function and short request id, each in its column; -1: blanks. */
void page_function(struct page *p, const struct story *s, int invocation);
/* "success", "timeout", "out of memory", "not reported" */
void page_outcome(struct page *p, const struct story_invocation *inv);
/* "ERROR  " */
void page_level(struct page *p, struct slice level);
/* Text of one line or more: the first from here, the others indented; each cut to the terminal.
 * `behind` follows the first, dim. */
void page_paragraph(struct page *p, struct slice text, struct slice behind, size_t indent);

#endif
