/* Single lines of stack traces: what they look like, whoever wrote them. Internal to
 * parsers/stack_trace.c. Lines come without their line ends; none is changed.
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_STACK_LINES_H
#define SHIP_PARSERS_STACK_LINES_H

#include <stdbool.h>

#include "shipper/base/slice.h"

/* Less what indents it: blanks, tabs, and the U+00A0 of Python on Lambda. */
struct slice stack_unindent(struct slice line);
bool stack_is_indented(struct slice line);
/* Less what stands before an error's name: "Exception in thread "main" ", "Caused by: ". */
struct slice stack_less_announcement(struct slice line);
/* The word at the line's start, and what stands behind its colon. False: the word does not end in a
 * colon, nor is it all of the line. Node puts a code behind the name: "Error [ERR_X]: ...". */
bool stack_split_name(struct slice line, struct slice *name, struct slice *rest);
/* stack_trace_is_error, without the parts. */
bool stack_names_error(struct slice line);
/* Python's errors are named as one pleases; those that are not qualified, like a class. */
bool stack_names_python_error(struct slice line);
/* "Traceback (most recent call last):", also of an exception group. */
bool stack_is_traceback(struct slice line);
/* "goroutine 1 [running]:" */
bool stack_is_goroutine(struct slice line);
/* "/var/task/index.js:3", "file:///var/task/index.mjs:12", "node:internal/x:1" */
bool stack_is_place(struct slice line);
/* "app.rb:3:in `work': no such thing (KeyError)" */
bool stack_is_ruby_error(struct slice line);
/* How a log line begins, and hardly the message of an error. */
bool stack_is_log_line(struct slice line);
/* A word of trouble in it: behind such a line a trace would be no surprise. */
bool stack_tells_of_trouble(struct slice line);

#endif
