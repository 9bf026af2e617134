/* Some lives in each test run. `make sim` lives any number of them, and is what sets these:
 *
 *   SHIP_SIM_FIRST=1 SHIP_SIM_LIVES=100000   from this seed on, so many
 *   SHIP_SIM_SEED=4711      only this one, its story told while it happens; SHIP_SIM_DUMP=1: and
 *                           what is in the files at its end
 *   SHIP_SIM_STEPS=6        short lives, which are easier to understand
 *   SHIP_SIM_CUT=20         ends each life after so many steps: the first that fails is the one to
 *                           look at
 *   SHIP_SIM_PLANT=no-resume
 *                           with a bug in it (sim_plant.h)
 *   SHIP_SIM_AT=file        keeps there the seed that is being lived, for when it ends in a crash
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim_life.h"

enum { FIRST = 1, LIVES = SIM_IS_SLOW ? 60 : 300 };

static unsigned long number_of(const char *name, unsigned long fallback)
{
    const char *text = getenv(name);

    return text ? strtoul(text, NULL, 10) : fallback;
}

static void note_seed(FILE *at, unsigned long seed)
{
    if (!at)
        return;
    rewind(at);
    fprintf(at, "%-20lu\n", seed);
    fflush(at);
}

/* The command that lives it again. */
static void again(char *out, size_t cap, unsigned long seed)
{
    static const char *const names[] = {"SHIP_SIM_STEPS", "SHIP_SIM_CUT"};
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (getenv(names[i]))
            len +=
                (size_t)snprintf(out + len, cap - len, "%s=%lu ", names[i], number_of(names[i], 0));
    if (getenv("SHIP_SIM_PLANT"))
        len +=
            (size_t)snprintf(out + len, cap - len, "SHIP_SIM_PLANT=%s ", getenv("SHIP_SIM_PLANT"));
    snprintf(out + len, cap - len, "make sim SEED=%lu", seed);
}

static void live_many(unsigned long first, unsigned long n, struct sim_life_options *options)
{
    static struct sim_life life;
    const char *at_path = getenv("SHIP_SIM_AT");
    FILE *at = at_path ? fopen(at_path, "we") : NULL;

    for (unsigned long seed = first; seed < first + n; seed++) {
        char command[128];

        note_seed(at, seed);
        if (sim_life_live(&life, seed, options))
            continue;
        again(command, sizeof command, seed);
        if (!options->is_told)
            fprintf(stderr, "seed %lu: %s\nagain: %s\n%s\n", seed, life.why, command, life.story);
        cr_expect_fail("seed %lu: %s; again: %s", seed, life.why, command);
    }
    note_seed(at, first + n);
    if (at)
        fclose(at);
}

Test(life, of_many_seeds, .timeout = 100000)
{
    char state[TEMP_DIR_MAX];
    unsigned long only = number_of("SHIP_SIM_SEED", 0);
    struct sim_life_options options = {
        .state = state,
        .most_steps = (unsigned)number_of("SHIP_SIM_STEPS", 0),
        .cut_at = (unsigned)number_of("SHIP_SIM_CUT", 0),
        .is_told = only,
        .is_dumped = getenv("SHIP_SIM_DUMP"),
    };

    if (getenv("SHIP_SIM_PLANT"))
        options.plant = sim_plant_find(getenv("SHIP_SIM_PLANT"));
    cr_assert_neq(options.plant, PLANTS, "no such bug");
    sim_life_make_state(state);
    live_many(only ? only : number_of("SHIP_SIM_FIRST", FIRST),
              only ? 1 : number_of("SHIP_SIM_LIVES", LIVES), &options);
    temp_dir_remove(state);
}
