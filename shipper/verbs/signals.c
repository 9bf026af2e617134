#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "shipper/verbs/signals.h"

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct signals *s = io->data;
    struct signalfd_siginfo info;

    (void)loop;
    (void)revents;
    if (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->on_signal(s->ctx, (int)info.ssi_signo);
}

int signals_start(struct signals *s, struct ev_loop *loop, bool with_hangup, signals_fn *on_signal,
                  void *ctx, struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (with_hangup)
        sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->fd < 0)
        return err_set(e, ERR_BUSY, "signals cannot be listened to: %s", strerror(errno));
    s->loop = loop;
    s->on_signal = on_signal;
    s->ctx = ctx;
    ev_io_init(&s->readable, on_readable, s->fd, EV_READ);
    s->readable.data = s;
    ev_io_start(loop, &s->readable);
    return 0;
}

void signals_stop(struct signals *s)
{
    if (!s->loop)
        return;
    ev_io_stop(s->loop, &s->readable);
    close(s->fd);
    s->loop = NULL;
}
