/* A story, written: for a person, or as JSON.
 *
 * Thread: any; pure. */
#ifndef SHIP_VERBS_TRACE_RENDER_H
#define SHIP_VERBS_TRACE_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/verbs/trace/story.h"

struct render_options {
    bool has_colours;
    size_t width; /* of the terminal; 0: lines are not cut */
};

/* The story of one trace. */
void render_text(const struct story *s, const struct render_options *options, struct buffer *out);
/* The same as one JSON document, whole. -1 and *e when memory is out. */
int render_json(const struct story *s, bool is_ascii, struct buffer *out, struct err *e);

/* A list of matches, newest first: a request once, with its newest match. */
void render_list(const struct story_event *events, size_t n_events,
                 const struct render_options *options, struct buffer *out);
int render_list_json(const struct story_event *events, size_t n_events, bool is_ascii,
                     struct buffer *out, struct err *e);

#endif
