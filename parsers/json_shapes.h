/* What the logs of other clouds than AWS look like in JSON (clouds.md 1 to 3): where in them the
 * request, the function, the HTTP request, the error stand.
 *
 * Thread: a worker's. Internal to parsers/json.c. */
#ifndef SHIP_PARSERS_JSON_SHAPES_H
#define SHIP_PARSERS_JSON_SHAPES_H

#include "parsers/json_reading.h"

/* Takes what the line's shape (r->shape) says; members that went whole are marked as taken, the
 * others stay the application's. Uses scratch->nested and ->third. Returns the member whose object
 * is a line of its own (Google's jsonPayload), or NULL. */
struct json_member *json_shape_read(struct reading *r);

/* After the line and its payload were read: a message for those that have none but a request. */
void json_shape_end(struct reading *r);

#endif
