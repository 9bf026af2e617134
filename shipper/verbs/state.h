/* Where positions, dead letters and the status socket live.
 *
 * Owner:  what is returned is malloc'd and the caller's; NULL when memory is out. Thread: main's.
 */
#ifndef SHIP_VERBS_STATE_H
#define SHIP_VERBS_STATE_H

#include <stdbool.h>

/* As configured (may be NULL), or by the XDG rules; a replay remembers nothing, and keeps its dead
 * letters where it was started. */
char *state_directory(const char *configured, bool is_replay);
/* As configured (may be NULL), or "dead" in the state directory. */
char *state_dead_letters(const char *configured, const char *state);
/* status.listen as configured (may be NULL), or "ship.sock" in the state directory. */
char *state_status_address(const char *configured, const char *state);

#endif
