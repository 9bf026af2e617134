#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/verbs/config_reader.h"

/* Threads that may hang at a file at the same time; a start beyond them waits for one to end. */
enum { READINGS_MAX = 8 };

/* What the threads see. It outlives the reader, if one of them still hangs at its file. */
struct shared {
    pthread_mutex_t lock;         /* over what follows */
    struct config_reader *reader; /* NULL: it is gone */
    unsigned n_readings;          /* threads */
    unsigned newest;              /* the number of the last start */
    bool is_wanted;               /* a start waits for a thread to end */
    struct config *config;        /* the newest's, until on_wake takes it */
    struct err why;
    bool has_result;
};

struct reading {
    struct shared *shared;
    unsigned number;
    char path[];
};

struct config_reader {
    struct shared *shared;
    char *path;
    struct ev_loop *loop;
    ev_async wake;
    config_read_fn *on_read;
    void *ctx;
};

static void shared_free(struct shared *s)
{
    config_free(s->config);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void *read_it(void *arg)
{
    struct reading *reading = arg;
    struct shared *s = reading->shared;
    struct err why = {0};
    struct config *config = config_load(reading->path, &why);
    bool is_last;

    pthread_mutex_lock(&s->lock);
    if (s->reader && reading->number == s->newest) {
        struct config *unread = s->config;

        s->config = config;
        s->why = why;
        s->has_result = true;
        config = unread;
    }
    s->n_readings--;
    if (s->reader)
        ev_async_send(s->reader->loop, &s->reader->wake);
    is_last = !s->reader && s->n_readings == 0;
    pthread_mutex_unlock(&s->lock);
    config_free(config);
    free(reading);
    if (is_last)
        shared_free(s);
    return NULL;
}

/* With all signals blocked: they are the loop's. */
static int start_thread(struct reading *reading)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &attributes, read_it, reading);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return rc;
}

/* With the lock held, and n_readings counting it already. */
static int start_reading(struct config_reader *r, struct err *e)
{
    size_t size = strlen(r->path) + 1;
    struct reading *reading = malloc(sizeof *reading + size);
    int rc;

    if (!reading)
        return err_set(e, ERR_NOMEM, "out of memory");
    reading->shared = r->shared;
    reading->number = r->shared->newest;
    memcpy(reading->path, r->path, size);
    rc = start_thread(reading);
    if (!rc)
        return 0;
    free(reading);
    return err_set(e, ERR_NOMEM, "cannot start a thread to read it: %s", strerror(rc));
}

void config_reader_start(struct config_reader *r)
{
    struct shared *s = r->shared;
    struct err e = {0};
    int rc = 0;

    pthread_mutex_lock(&s->lock);
    s->newest++;
    s->is_wanted = s->n_readings == READINGS_MAX;
    if (!s->is_wanted) {
        s->n_readings++;
        rc = start_reading(r, &e);
        s->n_readings -= rc < 0;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc == 0)
        return;
    err_at(&e, "%s", r->path);
    r->on_read(r->ctx, NULL, &e);
}

static void on_wake(struct ev_loop *loop, ev_async *w, int revents)
{
    struct config_reader *r = w->data;
    struct shared *s = r->shared;
    struct config *config;
    struct err why;
    bool has_result;
    bool is_wanted;

    (void)loop;
    (void)revents;
    pthread_mutex_lock(&s->lock);
    has_result = s->has_result;
    config = s->config;
    why = s->why;
    is_wanted = s->is_wanted;
    s->has_result = false;
    s->config = NULL;
    pthread_mutex_unlock(&s->lock);
    if (has_result)
        r->on_read(r->ctx, config, &why);
    if (is_wanted)
        config_reader_start(r);
}

struct config_reader *config_reader_new(const char *path, struct ev_loop *loop,
                                        config_read_fn *on_read, void *ctx, struct err *e)
{
    struct config_reader *r = calloc(1, sizeof *r);

    if (r) {
        r->shared = calloc(1, sizeof *r->shared);
        r->path = strdup(path);
    }
    if (!r || !r->shared || !r->path) {
        if (r) {
            free(r->shared);
            free(r->path);
        }
        free(r);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&r->shared->lock, NULL);
    r->shared->reader = r;
    r->loop = loop;
    r->on_read = on_read;
    r->ctx = ctx;
    ev_async_init(&r->wake, on_wake);
    r->wake.data = r;
    ev_async_start(loop, &r->wake);
    return r;
}

void config_reader_free(struct config_reader *r)
{
    struct shared *s;
    bool is_last;

    if (!r)
        return;
    s = r->shared;
    ev_async_stop(r->loop, &r->wake);
    pthread_mutex_lock(&s->lock);
    s->reader = NULL;
    is_last = s->n_readings == 0;
    pthread_mutex_unlock(&s->lock);
    if (is_last)
        shared_free(s);
    free(r->path);
    free(r);
}
