/* Rotation: which of the files that once had the same name is older.
 *
 * Thread: any; pure. */
#ifndef SHIP_INPUTS_ROTATION_H
#define SHIP_INPUTS_ROTATION_H

#include <stdbool.h>

/* Orders paths by origin (stream_origin_path), then oldest first: app.log-20260101,
 * app.log-20260102, app.log.3.gz, app.log.2, app.log.1, app.log. As strcmp; 0 only for equal paths.
 */
int rotation_compare(const char *a, const char *b);
/* Both have the same origin. */
bool rotation_is_sibling(const char *a, const char *b);
/* `newer` comes right after `older` in that order, as far as the names can tell: of dated ones any
 * two may. */
bool rotation_is_next(const char *older, const char *newer);
/* It has a rotation's suffix: probably nobody writes to it any more. */
bool rotation_is_rotated(const char *path);
/* By its name: .gz or .zst. */
bool rotation_is_packed(const char *path);

#endif
