/* How an agent comes to its end: all is done, it is told to stop, or to make way for the next.
 *
 *   STOP_RELOAD  nothing is lost by not waiting: what is not settled is read again. So only what
 *                settles soon is waited for, and what would be there twice.
 *   STOP_DRAIN   as long as something may still settle, at most limits.drain. An output that fails
 *                gets one more try, of a second. What is in a disk queue is not waited for.
 *   STOP_NOW     told twice: only what workers have in hand.
 *
 * What no source has any more (standard input) is worth all of limits.drain. Facts go in and a
 * decision comes out: the agent and the simulator decide by the same code. Thread: any; pure. */
#ifndef SHIP_VERBS_ENDING_H
#define SHIP_VERBS_ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/delivery/engine.h"

/* STOP_RELOAD may become STOP_DRAIN, and that STOP_NOW; never the other way. */
enum stopping { STOP_NO, STOP_RELOAD, STOP_DRAIN, STOP_NOW };

struct ending {
    enum stopping how;
    int64_t since_ms; /* when it was told; 0 never */
    int64_t by_ms;    /* it ends then, whatever is left */
};

struct ending_facts {
    enum engine_state engine;
    bool is_replay;
    bool inputs_are_finished;
    uint64_t n_reading;   /* chunks that workers have in hand */
    bool is_rest_durable; /* nothing is being read, open, or on its way to where it is safe: a disk
                             queue has it all */
    bool is_all_settled;  /* nor is anything in a queue */
    bool is_engine_idle;
    bool is_moving;    /* something may come to its end within ending_patience; not asked for before
                          it is told */
    bool would_double; /* what is under way would be there twice; as is_moving */
    bool would_lose;   /* something is only here, and nobody goes on with it */
};

enum ending_decision {
    ENDING_NOT_YET,
    ENDING_CLOSED,    /* the reader of standard output has gone */
    ENDING_GAVE_UP,   /* an output did not take it */
    ENDING_SETTLED,   /* nothing is left */
    ENDING_UNSETTLED, /* the rest is not waited for */
};

/* Told again: what it becomes. */
enum stopping ending_after_signal(const struct ending *e, bool is_replay);
/* Told, at now_ms. */
void ending_begin(struct ending *e, enum stopping how, int64_t drain_ms, int64_t now_ms);
struct engine_patience ending_patience(const struct ending *e);
enum ending_decision ending_decide(const struct ending *e, const struct ending_facts *f,
                                   int64_t now_ms);
/* When the decision may be another one just for the time; INT64_MAX: never. */
int64_t ending_due_ms(const struct ending *e, int64_t now_ms);

#endif
