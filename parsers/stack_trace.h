/* Which lines make one stack trace? Java, .NET, Python, Node, Ruby, Go, PHP, Rust, Dart, and the
 * pretty-printed JSON that Ruby's runtime prints for an error (aws.md 1.3).
 *
 * Decided by the lines alone, never by when they came: so the same lines make the same events,
 * however they were read. A line may be unsure: it belongs only if a later one does ("Error: x" is
 * a trace's head if frames follow). Lines come without their line ends. Thread: any; pure. */
#ifndef SHIP_PARSERS_STACK_TRACE_H
#define SHIP_PARSERS_STACK_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

enum trace_verdict {
    TRACE_ENDS,    /* the line is no part of it */
    TRACE_MAYBE,   /* it is, if a later line is */
    TRACE_GOES_ON, /* it is, and so are the unsure ones before it */
};

/* What is known behind the last line; a value, to be copied freely. */
struct stack_trace {
    uint8_t phase;
    uint8_t n_unsure; /* lines in a row that are */
};

/* False: nothing of `next` can belong to `head`; a quick test for every pair of lines, that lets
 * too much through. */
bool stack_trace_may_follow(struct slice head, struct slice next);

/* False: `head` is a record by itself, whatever follows. Platform lines and JSON are. */
bool stack_trace_begin(struct stack_trace *t, struct slice head);
enum trace_verdict stack_trace_next(struct stack_trace *t, struct slice line);

/* "java.lang.IllegalStateException: boom", "Error", "KeyError: 'id'": the name of a type of error,
 * at the line's start, perhaps behind "Exception in thread "main" " and its kin. Both slices point
 * into the line. */
bool stack_trace_is_error(struct slice line, struct slice *type, struct slice *message);

/* What any trace has, and little else: "    at f (x.js:3)", "  File "x.py", line 3", "\tfrom
 * x.rb:3:in",
 * "#0 main", "Caused by: ...". */
bool stack_trace_is_frame(struct slice line);

#endif
