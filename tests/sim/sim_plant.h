/* Planted bugs: what proves that the simulator finds what it is for.
 *
 * The test binary is linked with --wrap for some of ship's functions (Makefile), and with one bug
 * chosen they do what a ship with that bug would do; the disks know the ones that are theirs. The
 * product has nothing of this. One at a time, for a whole process. Thread: the one that chose it
 * (the wrapped functions are also called by others, which see no bug). */
#ifndef SHIP_TESTS_SIM_PLANT_H
#define SHIP_TESTS_SIM_PLANT_H

enum sim_plant {
    PLANT_NONE,
    PLANT_POSITION_BEFORE_ACK,   /* it moves when a chunk is read */
    PLANT_CONFLICT_IS_FAILURE,   /* 409: rejected, not there already */
    PLANT_NO_RESUME,             /* a pause that nothing ends */
    PLANT_LOST_WAKE_UP,          /* the engine does not say when it wants to be called again */
    PLANT_NO_FSYNC_CHECKPOINTS,  /* ... */
    PLANT_NO_FSYNC_LETTERS,      /* ... */
    PLANT_NO_FSYNC_QUEUE,        /* the disk says that it did, and did not */
    PLANT_INODE_REUSE,           /* a new file under an old number is taken for the old one */
    PLANT_NO_CORRELATION,        /* the open request is not in the checkpoint */
    PLANT_SHORT_REPLY,           /* items that were not answered for count as delivered */
    PLANT_LETTER_ERROR_IGNORED,  /* a dead letter that was not written counts as written */
    PLANT_MEMORY_NOT_ASKED_FOR,  /* reading does not wait for room */
    PLANT_MEMORY_NOT_GIVEN_BACK, /* of some batches */
    PLANT_COUNT_WRONG,           /* duplicates are counted as delivered */
    PLANT_PARTIAL_RETRY_WHOLE,   /* a batch of which some was taken goes again with all of it */
    PLANTS
};

const char *sim_plant_name(enum sim_plant plant);
/* PLANTS: there is none of that name. */
enum sim_plant sim_plant_find(const char *name);
/* For the lives from now on. */
void sim_plant_choose(enum sim_plant plant);
enum sim_plant sim_plant_chosen(void);

#endif
