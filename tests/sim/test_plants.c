/* The simulator finds what it is for: bugs that are planted one at a time (sim_plant.h), each
 * within so many lives. A life counts that goes wrong with the bug, in the same way when it is
 * lived again, and not without it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_life.h"
#include "tests/sim/sim_plant.h"

static bool is_well(struct sim_life *life, enum sim_plant plant, unsigned seed, const char *state)
{
    struct sim_life_options options = {.state = state, .plant = plant};

    return sim_life_live(life, seed, &options);
}

/* Found by the life of this seed, for what it is. */
static bool is_found(struct sim_life *life, enum sim_plant plant, unsigned seed, const char *state,
                     const char *as)
{
    char why[SIM_WHY_MAX];

    if (is_well(life, plant, seed, state) || !strstr(life->why, as))
        return false;
    strcpy(why, life->why);
    if (!is_well(life, PLANT_NONE, seed, state))
        return false; /* it is another bug that this life found */
    cr_expect(!is_well(life, plant, seed, state));
    cr_expect_str_eq(life->why, why, "SHIP_SIM_PLANT=%s make sim SEED=%u lives the same life again",
                     sim_plant_name(plant), seed);
    return true;
}

static void find_as(enum sim_plant plant, unsigned most_lives, const char *as)
{
    static struct sim_life life;
    char state[TEMP_DIR_MAX];
    unsigned seed = 1;

    if (SIM_IS_SLOW)
        cr_skip("the lives without bugs are enough under a sanitizer");
    sim_life_make_state(state);
    while (seed <= most_lives && !is_found(&life, plant, seed, state, as))
        seed++;
    cr_expect_leq(seed, most_lives, "%s is not found in %u lives", sim_plant_name(plant),
                  most_lives);
    if (getenv("SHIP_SIM_TELL"))
        fprintf(stderr, "%s: seed %u: %s\n", sim_plant_name(plant), seed, life.why);
    temp_dir_remove(state);
}

static void find(enum sim_plant plant, unsigned most_lives)
{
    find_as(plant, most_lives, "");
}

Test(plants, position_before_ack)
{
    find(PLANT_POSITION_BEFORE_ACK, 100);
}

Test(plants, conflict_is_failure)
{
    find(PLANT_CONFLICT_IS_FAILURE, 100);
}

Test(plants, no_resume)
{
    find(PLANT_NO_RESUME, 100);
}

Test(plants, lost_wake_up)
{
    find(PLANT_LOST_WAKE_UP, 100);
}

Test(plants, no_fsync_checkpoints)
{
    find(PLANT_NO_FSYNC_CHECKPOINTS, 300);
}

Test(plants, no_fsync_letters)
{
    find(PLANT_NO_FSYNC_LETTERS, 300);
}

Test(plants, no_fsync_queue)
{
    find(PLANT_NO_FSYNC_QUEUE, 300);
}

Test(plants, inode_reuse)
{
    find(PLANT_INODE_REUSE, 300);
}

Test(plants, no_correlation)
{
    find(PLANT_NO_CORRELATION, 100);
}

Test(plants, short_reply)
{
    find(PLANT_SHORT_REPLY, 300);
}

Test(plants, letter_error_ignored)
{
    find(PLANT_LETTER_ERROR_IGNORED, 300);
}

Test(plants, memory_not_asked_for)
{
    find(PLANT_MEMORY_NOT_ASKED_FOR, 300);
}

Test(plants, memory_not_given_back)
{
    find(PLANT_MEMORY_NOT_GIVEN_BACK, 100);
}

Test(plants, count_wrong)
{
    find(PLANT_COUNT_WRONG, 100);
}

Test(plants, partial_retry_whole)
{
    find_as(PLANT_PARTIAL_RETRY_WHOLE, 300, "sent again without an id");
}
