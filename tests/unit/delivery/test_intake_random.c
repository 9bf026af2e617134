/* V4: in = delivered + duplicates + dead + dropped + in flight, after each step of any schedule;
 * and once the faults end, each event came out. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/intake_rig.h"

enum { SEEDS = 15, STEPS = 400, EVENTS = 1500 };

struct life {
    struct intake_rig rig;
    struct intake_options options;
    int64_t max_bytes;
    uint64_t random;
    int next;         /* event that the source gives next */
    int n_made;       /* that it has given */
    int position;     /* as the last life knew it */
    uint64_t dropped; /* in lives before */
    bool has_died;
};

static unsigned pick(struct life *l, unsigned n)
{
    l->random ^= l->random << 13;
    l->random ^= l->random >> 7;
    l->random ^= l->random << 17;
    return (unsigned)(l->random >> 33) % n;
}

static enum verdict any_verdict(void *ctx)
{
    static const enum verdict mostly[] = {VERDICT_DELIVERED, VERDICT_DELIVERED, VERDICT_DELIVERED,
                                          VERDICT_DUPLICATE, VERDICT_RETRY,     VERDICT_REJECTED};

    return mostly[pick(ctx, sizeof mostly / sizeof mostly[0])];
}

static void change_disk(struct life *l)
{
    bool fails = pick(l, 3) == 0;

    l->rig.disk.calls = fails ? pick(l, DISK_CALL_ALL) : 0;
    l->rig.disk.error = pick(l, 2) ? -ENOSPC : -EIO;
    l->rig.disk.fail_at = fails ? 1 + pick(l, 4) : 0;
    l->rig.disk.fail_for = 1 + pick(l, 20);
}

static void heal_disk(struct life *l)
{
    l->rig.disk.calls = l->rig.disk.fail_at = l->rig.disk.fail_for = 0;
}

/* It ends between two steps. What was not safe is read again from the last position. */
static void die(struct life *l)
{
    l->dropped += intake_stats(l->rig.intake)->dropped;
    if (l->rig.world->moved_to)
        l->position = (int)(l->rig.world->moved_to / 10);
    l->next = l->position;
    heal_disk(l);
    intake_rig_close(&l->rig);
    intake_rig_open(&l->rig, &l->options, l->max_bytes);
    l->has_died = true;
}

static void give(struct life *l, int n)
{
    if (n == 0 || !intake_is_open(l->rig.intake) || l->next + n > EVENTS)
        return;
    intake_rig_offer(&l->rig, l->next, n);
    l->next += n;
    if (l->next > l->n_made)
        l->n_made = l->next;
}

static void step(struct life *l, unsigned deaths)
{
    switch (pick(l, 10 + deaths)) {
    case 0:
    case 1:
        intake_rig_answer_each(&l->rig, any_verdict, l);
        break;
    case 2:
        if (l->rig.world->fake.n_held)
            engine_rig_answer(l->rig.world, reply_whole(SINK_RETRY));
        break;
    case 3:
        change_disk(l);
        break;
    case 4:
    case 5:
        intake_rig_tick(&l->rig, pick(l, 300));
        break;
    case 10:
        if (pick(l, 5) == 0)
            die(l);
        break;
    default:
        give(l, 1 + (int)pick(l, 5));
    }
    intake_rig_expect_balance(&l->rig);
}

static void check_end(struct life *l, uint64_t seed)
{
    uint64_t missing = 0;

    heal_disk(l);
    do { /* what a death lost is read again */
        give(l, l->n_made - l->next < 5 ? l->n_made - l->next : 5);
        intake_rig_tick(&l->rig, 5000);
        intake_rig_drain(&l->rig);
    } while (l->next < l->n_made);
    intake_rig_expect_balance(&l->rig);
    l->dropped += intake_stats(l->rig.intake)->dropped;
    for (int i = 0; i < l->n_made; i++) {
        missing += l->rig.seen[i] == 0;
        cr_expect(l->has_died || l->rig.seen[i] <= 1, "seed %llu: event %d came %d times",
                  (unsigned long long)seed, i, l->rig.seen[i]);
    }
    cr_expect_leq(missing, l->dropped, "seed %llu: %llu of %d events are nowhere, %llu dropped",
                  (unsigned long long)seed, (unsigned long long)missing, l->n_made,
                  (unsigned long long)l->dropped);
    if (!l->has_died)
        cr_expect_eq(missing, l->dropped, "seed %llu", (unsigned long long)seed);
    cr_expect_eq(intake_stats(l->rig.intake)->queued_events, 0);
    cr_expect_eq(engine_stats(l->rig.world->engine, 0)->in_flight_events, 0);
}

static void live(enum on_full on_full, int64_t max_bytes, unsigned deaths)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct life l = {.options = {.on_full = on_full, .memory_bytes = 20000},
                         .max_bytes = max_bytes,
                         .random = seed * 0x9E3779B97F4A7C15};

        memory_disk_init(&l.rig.disk);
        intake_rig_open(&l.rig, &l.options, max_bytes);
        for (int i = 0; i < STEPS; i++)
            step(&l, deaths);
        check_end(&l, seed);
        intake_rig_fini(&l.rig);
    }
}

Test(intake_random, blocking)
{
    live(ON_FULL_BLOCK, 0, 1);
}

Test(intake_random, dropping)
{
    live(ON_FULL_DROP, 0, 0);
}

Test(intake_random, spilling)
{
    live(ON_FULL_SPILL, 128 * 1024, 0);
}

Test(intake_random, spilling_and_dying)
{
    live(ON_FULL_SPILL, 1 << 20, 1);
}

Test(intake_random, dropping_with_a_queue)
{
    live(ON_FULL_DROP, 128 * 1024, 0);
}
