/* The application's own keys in a document: under `app` (and `app_long`), or at the root for a line
 * that is ECS.
 *
 * Thread: any; pure. */
#ifndef SHIP_PIPELINE_DOCUMENT_APP_H
#define SHIP_PIPELINE_DOCUMENT_APP_H

#include "parsers/record.h"
#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

/* Appends r->fields, each with a comma before it; nothing if there are none. */
void document_add_fields(const struct record *r, struct buffer *out);

/* Appends the stream's ready-made members (,"key":"value",...); of a line that is ECS, those that
 * it says itself are left out. */
void document_add_static(const struct record *r, struct slice members, struct buffer *out);

#endif
