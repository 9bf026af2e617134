/* The application's own keys in a document: under `app`, or at the root for a line that is ECS.
 *
 * Thread: any; pure. */
#ifndef SHIP_PIPELINE_DOCUMENT_APP_H
#define SHIP_PIPELINE_DOCUMENT_APP_H

#include "parsers/record.h"
#include "shipper/base/buffer.h"
#include "shipper/pipeline/event.h"

/* Appends r->fields, each with a comma before it; nothing if there are none. */
void document_add_fields(const struct record *r, const struct stream_profile *stream,
                         struct buffer *out);

#endif
