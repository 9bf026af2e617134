/* Are the outputs there? One harmless question to each, all at once.
 *
 * Thread: main's; runs an event loop of its own until all have answered, or CHECK_SINKS_MS is over.
 */
#ifndef SHIP_VERBS_CHECK_SINKS_H
#define SHIP_VERBS_CHECK_SINKS_H

#include <stddef.h>

#include "config/config.h"
#include "shipper/base/error.h"

enum { CHECK_SINKS_MS = 20000 };

struct sink_answer {
    char where[512]; /* without secrets */
    struct err why;  /* code ERR_NONE: all is well */
};

/* Fills answers[i] for outputs[i]. -1 and *e: the questions could not even be asked. */
int check_sinks(const struct output_config *outputs, size_t n, struct sink_answer *answers,
                struct err *e);

#endif
