/* A rig for intake: that of the engine, and a disk queue on a disk in memory. Events have numbers;
 * it keeps count of how often each of them was delivered or set aside. */
#ifndef SHIP_TESTS_SUPPORT_INTAKE_RIG_H
#define SHIP_TESTS_SUPPORT_INTAKE_RIG_H

#include "shipper/delivery/intake.h"
#include "shipper/delivery/queue.h"
#include "tests/support/engine_rig.h"
#include "tests/support/memory_disk.h"

enum { INTAKE_RIG_EVENTS = 4000 };

struct intake_rig {
    struct engine_rig *world;
    struct intake *intake;
    struct memory_disk disk;
    struct queue *queue; /* the intake's; NULL: it has none */
    unsigned n_logged;
    char logged[1100]; /* the last of it */

    unsigned char seen[INTAKE_RIG_EVENTS]; /* by the number of the event: how often settled */
    int last;                              /* that was seen */
    bool is_in_order;                      /* each after the one before */
};

/* Of what the options say, on_full, memory_bytes and keeps_order count. max_bytes 0: no queue. */
void intake_rig_open(struct intake_rig *r, const struct intake_options *options, int64_t max_bytes);
/* The process ends; the disk stays. */
void intake_rig_close(struct intake_rig *r);
void intake_rig_fini(struct intake_rig *r);

/* n events from `first` on, read and offered; returns what their batch counts. */
int64_t intake_rig_offer(struct intake_rig *r, int first, int n);
/* Lets time pass, and what is due then happen. Returns when intake wants to be called again. */
int64_t intake_rig_tick(struct intake_rig *r, int64_t pass_ms);
/* Answers the oldest request; false: there is none. */
bool intake_rig_answer(struct intake_rig *r, enum verdict verdict);
/* The same with a verdict for each event, from `pick`. */
typedef enum verdict verdict_fn(void *ctx);
bool intake_rig_answer_each(struct intake_rig *r, verdict_fn *pick, void *ctx);
/* Answers until there is nothing more to send. */
void intake_rig_drain(struct intake_rig *r);

/* in = delivered + duplicates + dead + dropped + in flight */
void intake_rig_expect_balance(const struct intake_rig *r);
/* Events [from, to) were seen once each. */
void intake_rig_expect_once(const struct intake_rig *r, int from, int to);

#endif
