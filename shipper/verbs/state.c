#include "shipper/verbs/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shipper/base/path.h"

char *state_directory(const char *configured, bool is_replay)
{
    const char *base = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (configured)
        return strdup(configured);
    if (is_replay)
        return strdup("ship-state");
    if (getuid() == 0)
        return strdup("/var/lib/ship");
    if (base && *base)
        return path_join(base, "ship");
    return path_join(home && *home ? home : "/tmp", ".local/state/ship");
}

char *state_dead_letters(const char *configured, const char *state)
{
    return configured ? strdup(configured) : path_join(state, "dead");
}

char *state_status_address(const char *configured, const char *state)
{
    size_t len = sizeof "unix:/ship.sock" + strlen(state);
    char *text = configured ? strdup(configured) : malloc(len);

    if (text && !configured)
        snprintf(text, len, "unix:%s/ship.sock", state);
    return text;
}
