/* One life of ship, out of one seed: files that grow, rotate, are cut and vanish; servers that
 * refuse, stall, answer twice or half; a disk that fills; kills between any two steps, power cuts,
 * restarts, reloads. After it the promises are held against what the servers have.
 *
 * The same seed and options live the same life, to the byte of its story. Thread: one; one life at
 * a time in a process, since SQLite has one disk (sim_vfs.h). */
#ifndef SHIP_TESTS_SIM_LIFE_H
#define SHIP_TESTS_SIM_LIFE_H

#include "tests/sim/sim_plant.h"
#include "tests/sim/sim_ship.h"
#include "tests/sim/sim_world.h"

/* Under a sanitizer a life takes ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SIM_IS_SLOW = 1 };
#else
enum { SIM_IS_SLOW = 0 };
#endif

enum { SIM_STORY_MAX = 64 * 1024, SIM_WHY_MAX = 1200 };

struct sim_life_options {
    enum sim_plant plant; /* a bug */
    const char *state;    /* a directory for the lock */
    unsigned most_steps;  /* 0: the usual */
    unsigned cut_at;      /* ends it after so many steps; 0: it says itself */
    bool is_told;         /* its story goes to standard error while it happens, ... */
    bool is_dumped;       /* ... and at its end what is in the files */
};

struct sim_life {
    uint64_t seed;
    struct random random;
    struct sim_life_options options;
    struct sim_ship ship;
    struct sim_world world;
    bool has_queue[SIM_OUTPUTS_MAX]; /* the output with this id */
    bool is_dead[SIM_EVENTS_MAX];    /* lines in the dead letters */
    char story[SIM_STORY_MAX];
    size_t story_len;
    char why[SIM_WHY_MAX]; /* the promise that was broken; "" none */
};

/* False: ->why and ->story. The caller's storage; nothing is left over to free. */
void sim_life_make_state(char path[TEMP_DIR_MAX]); /* such a directory */
bool sim_life_live(struct sim_life *l, uint64_t seed, const struct sim_life_options *options);

/* --- for the files that make it: sim_draw.c, sim_life.c, sim_judge.c --- */

void sim_life_draw(struct sim_life *l);
/* What its configuration says at the next start; what is new in it. */
const char *sim_life_draw_again(struct sim_life *l);
/* What happens, at this time. */
void sim_life_tell(struct sim_life *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The first that fails is what is said. */
void sim_life_fail(struct sim_life *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The life stands still; all is settled. */
void sim_life_judge(struct sim_life *l);
void sim_life_dump(const struct sim_life *l);

#endif
