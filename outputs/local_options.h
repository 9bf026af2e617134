/* What can be configured of the local output.
 *
 * Thread: read-only. */
#ifndef SHIP_OUTPUTS_LOCAL_OPTIONS_H
#define SHIP_OUTPUTS_LOCAL_OPTIONS_H

struct local_options {
    const char *path;
};

#endif
