/* A story: all that is known of one trace, in order.
 *
 * Made from the documents that an output stored, so it is the same wherever they are.
 * Owner:  the caller's storage; zero it to begin, story_free gives everything back.
 * Memory: all slices live in the story's arena.
 * Thread: one at a time; pure. */
#ifndef SHIP_VERBS_TRACE_STORY_H
#define SHIP_VERBS_TRACE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/arena.h"
#include "shipper/base/slice.h"

/* One stored event; absent texts are empty. */
struct story_event {
    int64_t time_ns; /* never before its invocation began, see story_finish */
    uint64_t offset; /* log.offset */
    struct slice id, path, function, request, trace, init;
    struct slice level, action, message;
    struct slice error_type, error_message, stack;
    struct slice app; /* the application's own keys: a JSON object */
    int invocation;   /* index into the story's, or -1 */
};

/* One run of a function. A request that was tried again has several. */
struct story_invocation {
    struct slice request, function, version, init;
    struct slice path;      /* of its report: a line before report_offset there is its own */
    uint64_t report_offset; /* UINT64_MAX: no report was stored */
    int64_t start_ns;       /* the first time that is known in it */
    int64_t end_ns;         /* the last; at least start and duration */
    double duration_ms, billed_ms, memory_mb, used_mb, init_ms; /* NAN unknown */
    int coldstart;                                              /* -1 unknown */
    struct slice outcome; /* success, error, timeout, out_of_memory; unknown: no report yet */
    struct slice error_type, error_message;
    size_t n_lines; /* the function's own */
};

/* What went wrong, in the order in which it did. */
struct story_error {
    int invocation;
    int64_t time_ns;
    struct slice outcome; /* the invocation's, or "logged": it said so and went on */
    struct slice type, message;
    struct slice where; /* "/var/task/app.py:27 in charge"; empty unknown */
};

struct story {
    struct arena arena;
    struct story_event *events;
    size_t n_events, events_cap;
    struct story_invocation *invocations; /* by their start */
    size_t n_invocations, invocations_cap;
    struct story_error *errors;
    size_t n_errors;
    size_t n_functions, n_failed;
    struct slice trace; /* the first that was seen; empty: none */
    int64_t start_ns, end_ns;
    bool is_cut; /* there are more events than were asked for */
    bool failed; /* memory was out: nothing here is to be believed */
};

/* Adds one document. What is no JSON object with a time is left out. */
void story_add(struct story *s, struct slice document);
/* Finds the invocations, gives each event its own, and puts all in order. Lines without a time of
 * their own were stored with the time of the line before them, which may be of an earlier request:
 * here none is older than its invocation. False when memory is out. */
bool story_finish(struct story *s);
void story_free(struct story *s);

/* success, failure, unknown: of all of it. */
struct slice story_outcome(const struct story *s);
/* Of the functions' own words, and what the platform says of an end; not START, END and their kin.
 */
bool story_is_line(const struct story_event *event);

/* "PaymentTimeout: no answer", without the stack trace that a runtime writes behind it. */
struct slice story_first_line(struct slice text);

/* For whoever wants a single document in the same form (lists of matches). False as story_add. */
bool story_read(struct arena *arena, struct slice document, struct story_event *event,
                struct story_invocation *summary);

#endif
