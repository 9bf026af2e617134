/* The pipeline by itself, from a text in memory to batches that a sink takes at once: no files, no
 * network, no loop.
 *
 * Owner:  the caller's storage and text; nothing outlives the call.
 * Thread: the caller's, with n_workers threads beside it. */
#ifndef TESTS_BENCH_RIG_H
#define TESTS_BENCH_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/parser.h"
#include "shipper/base/slice.h"

enum { RIG_STREAMS_MAX = 64 };

struct rig_options {
    struct slice text;
    const struct parser *parser;
    size_t n_streams;   /* the text is cut into as many, at line ends */
    unsigned n_workers; /* 0: everything happens in the caller's thread */
    bool wants_gzip;
};

struct rig_result {
    uint64_t n_events;
    uint64_t plain_bytes; /* of all batches */
    uint64_t sent_bytes;  /* the same, if packed */
};

void rig_run(const struct rig_options *options, struct rig_result *result);

#endif
