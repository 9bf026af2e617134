#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parsers/json_scan.h"
#include "parsers/timestamp.h"
#include "shipper/base/clock.h"
#include "shipper/base/ecs.h"
#include "shipper/base/plural.h"
#include "shipper/base/printable.h"
#include "shipper/observe/log.h"

enum {
    LINE_MAX_BYTES = 2048,
    PIPE_BITE = 4096, /* what a pipe takes without blocking once poll says it is writable */
    BITE_WAIT_MS = 100,
};

struct log {
    int fd;
    enum log_level least;
    bool as_json;
    pthread_mutex_t lock; /* over what follows */
    char last[LINE_MAX_BYTES];
    int64_t last_ms;
    unsigned n_held_back; /* repeats of `last` */
    unsigned n_dropped;   /* since the reader of the log does not read */
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

struct log *log_new(int fd, enum log_level least, bool as_json)
{
    struct log *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->fd = fd;
    l->least = least;
    l->as_json = as_json;
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

static bool is_writable(int fd, int wait_ms)
{
    struct pollfd p = {fd, POLLOUT, 0};

    return poll(&p, 1, wait_ms) == 1;
}

/* Never waits for a reader that does not read: the loop logs, and must not stop for it. False: the
 * line is lost. */
static bool put(int fd, const char *ptr, size_t len)
{
    int wait_ms = 0;

    while (len > 0) {
        ssize_t n;

        if (!is_writable(fd, wait_ms))
            return false;
        n = write(fd, ptr, len < PIPE_BITE ? len : PIPE_BITE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false; /* nowhere to say it */
        ptr += n;
        len -= (size_t)n;
        wait_ms = BITE_WAIT_MS; /* half a line is worse than a moment */
    }
    return true;
}

static bool put_json(struct log *l, enum log_level level, const char *text)
{
    struct buffer out = {0};
    char now[TIMESTAMP_TEXT_MAX];
    bool is_put;

    buffer_add_lit(&out, "{\"@timestamp\":\"");
    buffer_add(&out, now, timestamp_format(clock_wall_ns(&clock_real), now));
    buffer_add_lit(&out, "\",\"log.level\":\"");
    buffer_add_slice(&out, slice_str(level_names[level]));
    buffer_add_lit(&out, "\",\"message\":\"");
    json_escape(slice_str(text), &out);
    buffer_add_lit(&out, "\",\"ecs.version\":\"" ECS_VERSION "\",\"service.name\":\"ship\"}\n");
    is_put = !out.failed && put(l->fd, out.ptr, out.len);
    buffer_free(&out);
    return is_put;
}

static bool put_text(struct log *l, enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES + 32];
    int n =
        snprintf(line, sizeof line, "ship: %s%s%s\n", level == LOG_INFO ? "" : level_names[level],
                 level == LOG_INFO ? "" : ": ", text);

    return put(l->fd, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static bool emit(struct log *l, enum log_level level, const char *text)
{
    return l->as_json ? put_json(l, level, text) : put_text(l, level, text);
}

/* What could not be told in its time. */
static void emit_counts(struct log *l)
{
    char text[96];

    if (l->n_dropped) {
        snprintf(text, sizeof text, "(%u lines of this log are missing: nobody read it)",
                 l->n_dropped);
        l->n_dropped = emit(l, LOG_WARN, text) ? 0 : l->n_dropped;
    }
    if (l->n_held_back) {
        snprintf(text, sizeof text, "(the last message came %u time%s more)", l->n_held_back,
                 plural_s(l->n_held_back));
        emit(l, LOG_INFO, text);
    }
    l->n_held_back = 0;
}

static bool is_repeat(struct log *l, const char *text, int64_t now_ms)
{
    return strcmp(l->last, text) == 0 && now_ms - l->last_ms < LOG_REPEAT_MS;
}

static void tell(struct log *l, enum log_level level, char *text)
{
    int64_t now_ms = clock_mono_ms(&clock_real);

    make_printable(text); /* it comes from files and servers */
    pthread_mutex_lock(&l->lock);
    if (is_repeat(l, text, now_ms)) {
        l->n_held_back++;
    } else {
        emit_counts(l);
        l->last_ms = now_ms;
        snprintf(l->last, sizeof l->last, "%s", text);
        l->n_dropped += !emit(l, level, text);
    }
    pthread_mutex_unlock(&l->lock);
}

void log_free(struct log *l)
{
    if (!l)
        return;
    emit_counts(l);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void log_err(struct log *l, enum log_level level, const struct err *e)
{
    char text[LINE_MAX_BYTES];

    if (!l || level > l->least)
        return;
    err_text(e, text, sizeof text);
    tell(l, level, text);
}

void log_line(struct log *l, enum log_level level, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES];
    va_list ap;

    if (!l || level > l->least)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    tell(l, level, text);
}
