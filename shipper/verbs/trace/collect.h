/* From what a user typed to the story it is about.
 *
 * Thread: the verb's; blocks. */
#ifndef SHIP_VERBS_TRACE_COLLECT_H
#define SHIP_VERBS_TRACE_COLLECT_H

#include "shipper/verbs/trace/archive.h"
#include "shipper/verbs/trace/names.h"
#include "shipper/verbs/trace/story.h"

enum { COLLECT_MAX_CANDIDATES = 20 };

enum collect_result {
    COLLECT_FOUND,     /* the story is told in *story */
    COLLECT_NONE,      /* no request and no trace begins like this */
    COLLECT_AMBIGUOUS, /* several do: *candidates, the first COLLECT_MAX_CANDIDATES */
    COLLECT_FAILED,    /* *e */
};

/* `id`: a request id, a trace id (32 hex digits, or X-Ray's 1-5759e988-bd862e3fe1be46a994272793),
 * or how one of them begins, in either case; or a traceparent or X-Amzn-Trace-Id header. The story
 * is of the whole trace: all events with its id, and all events of the requests that take part,
 * also those that do not say the trace. */
enum collect_result collect(struct archive *archive, const char *id, struct story *story,
                            struct names *candidates, struct err *e);

#endif
