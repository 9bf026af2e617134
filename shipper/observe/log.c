#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parsers/json_scan.h"
#include "parsers/timestamp.h"
#include "shipper/base/clock.h"
#include "shipper/observe/log.h"

enum { LINE_MAX_BYTES = 2048 };

struct log {
    int fd;
    enum log_level least;
    bool as_json;
    pthread_mutex_t lock; /* over what follows */
    char last[LINE_MAX_BYTES];
    int64_t last_ms;
    unsigned n_held_back;
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

void log_free(struct log *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Log text comes from files and servers: what would move a terminal's cursor is shown as '?'. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void put(int fd, const char *ptr, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, ptr, len);

        if (n <= 0)
            return; /* nowhere to say it */
        ptr += n;
        len -= (size_t)n;
    }
}

static void put_json(struct log *l, enum log_level level, const char *text)
{
    struct buffer out = {0};
    char now[TIMESTAMP_TEXT_MAX];

    buffer_add_lit(&out, "{\"@timestamp\":\"");
    buffer_add(&out, now, timestamp_format(clock_wall_ns(&clock_real), now));
    buffer_add_lit(&out, "\",\"log.level\":\"");
    buffer_add_slice(&out, slice_str(level_names[level]));
    buffer_add_lit(&out, "\",\"message\":\"");
    json_escape(slice_str(text), &out);
    buffer_add_lit(&out, "\",\"ecs.version\":\"8.17.0\",\"service.name\":\"ship\"}\n");
    if (!out.failed)
        put(l->fd, out.ptr, out.len);
    buffer_free(&out);
}

static void put_text(struct log *l, enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES + 32];
    int n =
        snprintf(line, sizeof line, "ship: %s%s%s\n", level == LOG_INFO ? "" : level_names[level],
                 level == LOG_INFO ? "" : ": ", text);

    put(l->fd, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static void emit(struct log *l, enum log_level level, const char *text)
{
    if (l->as_json)
        put_json(l, level, text);
    else
        put_text(l, level, text);
}

static bool is_repeat(struct log *l, const char *text, int64_t now_ms)
{
    return strcmp(l->last, text) == 0 && now_ms - l->last_ms < LOG_REPEAT_MS;
}

static void tell(struct log *l, enum log_level level, char *text)
{
    int64_t now_ms = clock_mono_ms(&clock_real);

    make_printable(text);
    pthread_mutex_lock(&l->lock);
    if (is_repeat(l, text, now_ms)) {
        l->n_held_back++;
    } else {
        char more[64];

        if (l->n_held_back) {
            snprintf(more, sizeof more, "(the last message came %u times more)", l->n_held_back);
            emit(l, LOG_INFO, more);
        }
        l->n_held_back = 0;
        l->last_ms = now_ms;
        snprintf(l->last, sizeof l->last, "%s", text);
        emit(l, level, text);
    }
    pthread_mutex_unlock(&l->lock);
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
