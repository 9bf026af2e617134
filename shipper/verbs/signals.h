/* Being told by signals: SIGTERM, SIGINT, and SIGHUP if it is wanted, as events of the loop.
 *
 * They are blocked and read from a descriptor. After signals_stop they stay blocked: one that comes
 * between two agents (a reload) waits in the kernel for the next signals_start; none is lost, and
 * none ends the process.
 * Owner:  the caller's storage. Thread: the loop's; workers have all signals blocked anyway. */
#ifndef SHIP_VERBS_SIGNALS_H
#define SHIP_VERBS_SIGNALS_H

#include <stdbool.h>

#include <ev.h>

#include "shipper/base/error.h"

typedef void signals_fn(void *ctx, int number);

struct signals {
    ev_io readable;
    struct ev_loop *loop; /* NULL: not started */
    int fd;
    signals_fn *on_signal;
    void *ctx;
};

/* Without `with_hangup` SIGHUP keeps its default: it ends us. -1 and *e. */
int signals_start(struct signals *s, struct ev_loop *loop, bool with_hangup, signals_fn *on_signal,
                  void *ctx, struct err *e);
/* One that never was started is fine, if it is zeroed. */
void signals_stop(struct signals *s);

#endif
