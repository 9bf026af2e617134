/* Watching directories: inotify behind three calls.
 *
 * Names that changed are reported as directory and name, again and again while they change: the
 * caller keeps its own list of what to look at. What inotify cannot do (no watches left, a file
 * system that says nothing) the caller's own rescan makes up for.
 * Owner:  watch_free. Thread: the loop's; the callback comes from the loop. */
#ifndef SHIP_INPUTS_WATCH_H
#define SHIP_INPUTS_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "shipper/base/error.h"

struct ev_loop;
struct watch;

/* `name` in `directory` (as it was given to watch_add) appeared, changed or went away. Both
 * borrowed for the call. name NULL: anything may have happened there; directory NULL too: anywhere.
 */
typedef void watch_changed_fn(void *ctx, const char *directory, const char *name,
                              bool is_directory);

/* NULL and *e (ERR_BUSY: the limit of instances is reached). */
struct watch *watch_new(struct ev_loop *loop, watch_changed_fn *changed, void *ctx, struct err *e);
/* A directory, or a single file behind a symbolic link (its directory says nothing of it; `path` is
 * then reported as directory, with name NULL). Adding again is cheap. -1 and *e; ERR_BUSY: no
 * watches left. */
int watch_add(struct watch *w, const char *path, struct err *e);
int watch_add_link(struct watch *w, const char *path, struct err *e);
/* What is not watched is fine. Not from inside the callback. */
void watch_remove(struct watch *w, const char *path);
void watch_free(struct watch *w);

#endif
