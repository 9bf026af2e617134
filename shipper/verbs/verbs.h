/* The verbs: one file each. `ship` alone is `ship run`.
 *
 * A verb gets the words after it (argv[0] is its own name) and returns the exit code. Messages go
 * to standard error, results to standard output. Thread: main's. */
#ifndef SHIP_VERBS_VERBS_H
#define SHIP_VERBS_VERBS_H

#include "shipper/base/error.h"

/* Documented in `ship help` and ship(1). */
enum exit_code {
    EXIT_DONE = 0,        /* all settled */
    EXIT_FAILED = 1,      /* something is not: say what, and what stays where */
    EXIT_USAGE = 2,       /* command line or configuration */
    EXIT_DEAD_LETTERS = 3 /* all settled, but some in the dead letters */
};

struct verb {
    const char *name;
    const char *synopsis; /* "trace ID [--from WHERE] [--json]" */
    const char *summary;  /* one line for the list */
    const char *help;     /* what `ship help NAME` prints after the synopsis */
    int (*run)(int argc, char **argv);
};

extern const struct verb verb_run;
extern const struct verb verb_replay;
extern const struct verb verb_trace;
extern const struct verb verb_dead;
extern const struct verb verb_check;
extern const struct verb verb_help;
extern const struct verb verb_schema;

/* NULL-terminated, in the order of the help. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);
/* Usage and help on standard output; returns EXIT_DONE. */
int verb_show_help(const struct verb *v);
/* Tells, with the nearest that there is; returns EXIT_USAGE. */
int verb_unknown(const char *name);

/* "ship: <text>; see `ship help NAME`" on standard error; returns EXIT_USAGE. */
int usage_error(const char *verb, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "ship: error: ..." on standard error; returns the exit code that fits the error. */
int report_error(const struct err *e);

#endif
