/* Which request does a line belong to? The state that a stream keeps between its lines.
 *
 * Rules (DESIGN.md, "Which request does a line belong to?"; aws.md section 2):
 *  - Only platform lines move the state. From START X to the next START (or a new initialisation)
 *    a line without an id belongs to X. A line with an id is believed, and moves nothing.
 *  - INIT_START, and what precedes the first START, belongs to the initialisation. It has an id of
 *    its own (init_id), which the first request's invocation carries too.
 *  - A START, INIT_START or RESTORE_START while another request is open shows that several
 *    environments share the stream: from then on lines without an id stay without one.
 *  - REPORT closes an invocation: one summary. It may come late, after the next START.
 * Owner:  the stream; travels with its chunk, so no lock. correlate_fini frees.
 * Thread: one at a time. Pure: no clock, no I/O; the same lines give the same answers however they
 *         are cut into chunks. */
#ifndef SHIP_PIPELINE_CORRELATE_H
#define SHIP_PIPELINE_CORRELATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/record.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/base/hash.h"
#include "shipper/base/slice.h"
#include "shipper/pipeline/event.h"

enum {
    REQUEST_ID_MAX = 64,
    CORRELATE_MAX_REQUESTS = 64, /* that a stream remembers until their REPORT */
    CORRELATE_ERROR_MAX = 128,
    CORRELATE_NAME_MAX = 140,
};

enum outcome { OUTCOME_UNKNOWN, OUTCOME_SUCCESS, OUTCOME_ERROR, OUTCOME_TIMEOUT, OUTCOME_OOM };

/* Which line it is: its place, and the hash that its event id is written from. */
struct line_ref {
    uint64_t offset;
    struct hash128 hash;
    uint64_t origin; /* of its stream; a summary may come out of the stream that follows it */
};

/* One request, from its START to its REPORT. */
struct invocation {
    char id[REQUEST_ID_MAX];
    uint8_t id_len;
    bool has_trace_id;
    char trace_id[32];
    bool has_ended;       /* END, runtimeDone, REPORT, a timeout or exit line was seen */
    bool has_reported;    /* its summary is out (or held): kept only while it is current */
    bool was_unhandled;   /* the runtime reported an unhandled error, or its own end */
    bool is_doubtful;     /* such an error was reported that may be this one's, or another's */
    int8_t coldstart;     /* -1 unknown (its START was not seen) */
    uint8_t highest;      /* enum level */
    uint8_t outcome;      /* enum outcome */
    uint32_t n_lines;     /* the function's own lines: platform lines are not counted */
    uint32_t n_errors;    /* of them at level error or fatal */
    int64_t start_ns;     /* first time seen in it; 0 unknown */
    int64_t end_ns;       /* last time seen in it; 0 unknown */
    uint64_t init_id;     /* of the initialisation before it; 0 none */
    struct line_ref at;   /* of its REPORT */
    double init_ms;       /* NAN unknown */
    struct report report; /* its slices are empty: the texts are below */
    char error_type[CORRELATE_ERROR_MAX];
    char error_message[CORRELATE_ERROR_MAX]; /* of the first error; cut */
};

struct correlate {
    struct invocation *requests; /* the last is the newest START; grows to CORRELATE_MAX_REQUESTS */
    uint32_t n_requests;
    uint32_t cap;
    bool has_current;     /* the newest START is what lines without an id belong to */
    bool is_mixed;        /* several environments: no line without an id is given one */
    bool is_initialising; /* after INIT_START, before the first START */
    uint64_t init_id;     /* of the initialisation that no request has taken yet; 0 none */
    double init_ms;
    bool has_seen_start; /* the next START is no cold one, unless an INIT comes before it */
    int64_t last_ns;     /* time of the last line that had one; 0 none */
    char function[CORRELATE_NAME_MAX]; /* as platform lines said it; "" unknown */
    char version[32];
    char region[32]; /* of the cloud, from an ARN in a platform line; "" unknown */
    char account[16];
    bool has_held; /* a summary waits for the XRAY or timeout line that may follow its REPORT */
    struct invocation held;
};

/* What correlation says of one line. The slices live until the next call with this state. */
struct correlation {
    struct slice request_id;
    enum request_id_source source;
    struct slice trace_id; /* the request's, for a line that says none */
    int8_t coldstart;      /* of the request; -1 unknown */
    bool is_init;
    uint64_t init_id; /* is_init, or the first START after it; else 0 */
};

void correlate_init(struct correlate *c);
void correlate_fini(struct correlate *c);
/* *to becomes as *from is. False, and *to as after init, when memory is out. */
bool correlate_copy(struct correlate *to, const struct correlate *from);

/* One line, in order; `at` names it (init_id and the summary's own id grow from it). When summaries
 * fall due, they are put into done[0..1] (copies) and their number returned: 0, 1 or 2. */
enum { CORRELATE_MAX_DONE = 2 };
size_t correlate_line(struct correlate *c, const struct record *r, const struct line_ref *at,
                      struct correlation *out, struct invocation done[CORRELATE_MAX_DONE]);

/* The stream is at its end, or has been idle for a while: a summary that was held comes out. True
 * if there was one. */
bool correlate_flush(struct correlate *c, struct invocation *done);

/* For the checkpoint: appended bytes, in this machine's own layout, with version and size. */
void correlate_save(const struct correlate *c, struct buffer *out);
/* -1 and *e when the bytes are not ours or of another version: the state is then as after init. */
int correlate_load(struct correlate *c, struct slice bytes, struct err *e);

struct slice outcome_name(enum outcome o); /* "success", "error", "timeout", "out_of_memory" */

#endif
