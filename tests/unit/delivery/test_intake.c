#include <criterion/criterion.h>

#include "tests/support/intake_rig.h"

static void open_with(struct intake_rig *r, enum on_full on_full, int64_t memory_bytes)
{
    *r = (struct intake_rig){0};
    intake_rig_open(r, &(struct intake_options){.on_full = on_full, .memory_bytes = memory_bytes},
                    0);
}

Test(intake, what_blocks_stops_reading_at_its_share)
{
    struct intake_rig r;
    int64_t one;

    open_with(&r, ON_FULL_BLOCK, 1);
    cr_expect(intake_is_open(r.intake));
    one = intake_rig_offer(&r, 0, 2);
    cr_expect_not(intake_is_open(r.intake));
    intake_rig_offer(&r, 2, 2); /* it was read already: nothing is lost */
    intake_rig_tick(&r, 0);
    cr_expect_eq(r.world->fake.n_held, 2);
    cr_expect_geq(intake_stats(r.intake)->held_bytes, 2 * one);
    cr_expect(intake_stats(r.intake)->is_full);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    cr_expect_not(intake_is_open(r.intake));
    intake_rig_answer(&r, VERDICT_DELIVERED);
    cr_expect(intake_is_open(r.intake), "a pause has a resume");
    cr_expect_eq(r.world->moved_to, 40);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

Test(intake, what_does_not_fit_is_dropped_and_counted)
{
    struct intake_rig r;

    open_with(&r, ON_FULL_DROP, 20000);
    intake_rig_offer(&r, 0, 4);
    intake_rig_offer(&r, 4, 20); /* does not fit behind the first */
    intake_rig_expect_balance(&r);
    intake_rig_tick(&r, 0);
    cr_expect(intake_is_open(r.intake), "what drops never stops reading");
    cr_expect_eq(intake_stats(r.intake)->events_in, 24);
    cr_expect_eq(intake_stats(r.intake)->dropped, 20);
    cr_expect_gt(intake_stats(r.intake)->dropped_bytes, 20 * 1000);
    cr_expect_eq(r.world->fake.n_held, 1);
    cr_expect_eq(r.world->moved_to, 0, "what is before it is still under way");
    intake_rig_answer(&r, VERDICT_DELIVERED);
    cr_expect_eq(r.world->moved_to, 240, "and then the position moves over what was dropped");
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

Test(intake, a_batch_alone_fits_however_large)
{
    struct intake_rig r;

    open_with(&r, ON_FULL_DROP, 10);
    intake_rig_offer(&r, 0, 4);
    intake_rig_tick(&r, 0);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    cr_expect_eq(r.world->fake.n_held, 1);
    intake_rig_answer(&r, VERDICT_DELIVERED);
    intake_rig_offer(&r, 4, 4);
    cr_expect_eq(intake_stats(r.intake)->dropped, 0);
    intake_rig_expect_balance(&r);
    intake_rig_fini(&r);
}

Test(intake, what_is_dropped_is_told_at_most_every_ten_seconds)
{
    struct intake_rig r;

    open_with(&r, ON_FULL_DROP, 10);
    intake_rig_offer(&r, 0, 1);
    intake_rig_offer(&r, 1, 3);
    cr_expect_eq(intake_rig_tick(&r, 0), INT64_MAX);
    cr_expect_eq(r.n_logged, 1);
    cr_expect_str_eq(r.logged,
                     "output es: 3 events dropped: it does not take them as fast as they come "
                     "(on_full: drop-and-count); 3 since the start");
    intake_rig_offer(&r, 4, 2);
    intake_rig_offer(&r, 6, 2);
    cr_expect_eq(intake_rig_tick(&r, 1000), r.world->now + 9000,
                 "it wants to be called when it may tell");
    cr_expect_eq(r.n_logged, 1);
    intake_rig_tick(&r, 9000);
    cr_expect_eq(r.n_logged, 2);
    cr_expect_str_eq(r.logged, "output es: 4 events dropped since this was last said: it does not "
                               "take them as fast as they come (on_full: drop-and-count); 7 since "
                               "the start");
    intake_rig_tick(&r, 20000);
    cr_expect_eq(r.n_logged, 2, "nothing new, nothing to tell");
    intake_rig_offer(&r, 8, 2);
    intake_rig_fini(&r);
    cr_expect_eq(r.n_logged, 3, "the last of them at the end");
}
