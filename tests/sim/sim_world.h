/* The functions that write logs, and what rotates them; what each line must become.
 *
 * Every line has a number of its own and is written once: "line-7 ..." as plain text, in JSON, or
 * in the node.js columns, between START and REPORT lines of numbered requests. Thread: one. */
#ifndef SHIP_TESTS_SIM_WORLD_H
#define SHIP_TESTS_SIM_WORLD_H

#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_server.h"

enum { SIM_FILES = 3, SIM_ROTATED_MAX = 9 };

struct sim_world {
    struct random *random;
    struct sim_disk *disk;
    const int64_t *now_ms;
    bool is_dated;    /* every line says its time */
    bool is_cut_back; /* files are copied and truncated, not renamed */
    bool sees_copies; /* ship looks at rotated names too */
    bool may_lose;    /* files are truncated and removed whether they were read or not */
    unsigned longest; /* of a line's padding */

    unsigned n_lines;
    unsigned n_requests;
    uint16_t request_of[SIM_EVENTS_MAX]; /* line: its request; 0 none */
    struct {
        unsigned request; /* the last that was started; 0 none */
        bool is_open;     /* between START and REPORT */
        bool has_open_line;
        unsigned n_rotated;
    } files[SIM_FILES];
};

/* Each file gets its first lines: a file that came and went before ship was first started, under a
 * name that it does not look at, is none of its. */
void sim_world_begin(struct sim_world *w);
/* Something happens to a file: what, to which. */
const char *sim_world_act(struct sim_world *w, unsigned *file);
/* Open lines get their ends: from now on nothing is written. */
void sim_world_end(struct sim_world *w);

/* Holds the servers against the disk: what is still on it must be there once, with its request: on
 * each server that every configuration had, and on one of them in any case. False: *why. */
bool sim_world_check(const struct sim_world *w, const struct sim_server *servers, size_t n,
                     const bool *is_dead, char *why, size_t cap);

#endif
