/* What ship knows of itself at one moment; what metrics, health and status pages are made of.
 *
 * Counters begin at 0 with the process. A reload makes a new agent, whose parts count from 0 again:
 * snapshot_carry adds what was counted before, so that no counter ever goes down.
 * Owner:  the caller's storage; snapshot_free. Names are copied: a snapshot outlives the
 *         configuration. Thread: one at a time. */
#ifndef SHIP_OBSERVE_SNAPSHOT_H
#define SHIP_OBSERVE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/error.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/engine_view.h"
#include "shipper/delivery/queue.h"
#include "shipper/inputs/input.h"
#include "shipper/observe/process.h"

struct snapshot_input {
    char *name;
    const char *type;
    struct input_stats stats;
    uint64_t lag_bytes; /* known to be there, and not settled */
};

/* Invariant: in == stats.delivered + stats.duplicates + in_flight + stats.dead + dropped. */
struct snapshot_output {
    char *name;
    const char *type;
    uint64_t in; /* events, in sealed batches */
    /* Of them, neither delivered nor set aside nor dropped; after a reload also what was under way
     * and is to be read (or fetched from the queue) again. */
    uint64_t in_flight;
    uint64_t dropped;
    int64_t held_bytes; /* of its batches, in memory */
    struct output_stats stats;
    struct engine_view view; /* its trouble is `trouble` here */
    struct err trouble;      /* ERR_NONE: there is none */
    bool has_queue;
    struct queue_stats queue;
};

struct snapshot {
    struct snapshot_input *inputs;
    size_t n_inputs;
    struct snapshot_output *outputs;
    size_t n_outputs;
    int64_t memory_held_bytes; /* of events; limits.memory is their ceiling */
    int64_t memory_limit_bytes;
    int64_t memory_peak_bytes;
    double start_s; /* of the process, since 1970 */
    struct process_stats process;
    uint64_t reloads_good;
    uint64_t reloads_bad;
};

/* Room for so many, all zero. False: out of memory. */
bool snapshot_init(struct snapshot *s, size_t n_inputs, size_t n_outputs);
void snapshot_free(struct snapshot *s);

/* Adds to the counters of `now`, by name, what `before` (already carried itself) had. What was in
 * flight then has been counted as come in: it comes again, and is not counted twice. */
void snapshot_carry(struct snapshot *now, const struct snapshot *before);

#endif
