/* The application's own keys in a document: under `app` (and `app_long`), or at the root for a line
 * that is ECS.
 *
 * Thread: any; pure. */
#ifndef SHIP_PIPELINE_DOCUMENT_APP_H
#define SHIP_PIPELINE_DOCUMENT_APP_H

#include <stdbool.h>

#include "parsers/record.h"
#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/event.h"

/* Appends r->fields, each with a comma before it; nothing if there are none. */
void document_add_fields(const struct record *r, const struct stream_profile *stream,
                         struct buffer *out);

/* Appends r->root, each with a comma before it; but for what a configuration lifts another key to:
 * that is the configuration's. */
void document_add_root(const struct record *r, const struct stream_profile *stream,
                       struct buffer *out);

/* Appends the stream's ready-made members (,"key":"value",...); of a line that is ECS, those that
 * it says itself are left out. */
void document_add_static(const struct record *r, struct slice members, struct buffer *out);

/* A field's name that a configuration may choose: ship does not write it itself, as a field or as
 * the object around one. */
bool document_name_is_free(struct slice name);

#endif
