#include <stdio.h>

#include "shipper/base/plural.h"
#include "shipper/verbs/agent.h"
#include "shipper/verbs/progress.h"

static void show(const struct agent *agent)
{
    struct agent_totals t;
    double mb;
    double rate;

    agent_totals(agent, &t);
    mb = (double)t.bytes / 1e6;
    rate = t.seconds > 0 ? mb / t.seconds : 0;
    fprintf(stderr, "\r\033[K%.1f MB, %llu event%s, %.1f MB/s", mb, (unsigned long long)t.events,
            plural_s(t.events), rate);
    if (t.total_bytes > 0 && rate > 0) {
        double left = (double)t.total_bytes / 1e6 - mb;

        fprintf(stderr, ", %.0f %%, %.0f s left", 100 * mb / ((double)t.total_bytes / 1e6),
                left > 0 ? left / rate : 0);
    }
    fflush(stderr);
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct progress *p = w->data;

    (void)loop;
    (void)revents;
    show(p->agent);
}

void progress_start(struct progress *p, struct ev_loop *loop, const struct agent *agent)
{
    p->loop = loop;
    p->agent = agent;
    ev_timer_init(&p->timer, on_timer, 0.2, 0.2);
    p->timer.data = p;
    ev_timer_start(loop, &p->timer);
}

void progress_stop(struct progress *p)
{
    ev_timer_stop(p->loop, &p->timer);
    fprintf(stderr, "\r\033[K");
}
