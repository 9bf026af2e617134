#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/pipeline/pool.h"

/* A list that is appended to at its end. */
struct queue {
    struct job *first;
    struct job **end;
    size_t len;
};

struct thread {
    pthread_t id;
    struct pool *pool;
    struct worker worker;
};

/* Invariant: a job is in exactly one of urgent, normal, finished, or being run. */
struct pool {
    pthread_mutex_t lock; /* over everything below */
    pthread_cond_t work;
    struct queue urgent;
    struct queue normal;
    struct queue finished;
    bool is_stopping;

    pool_wake_fn *wake;
    void *ctx;
    struct thread *threads;
    unsigned n_threads;          /* that run */
    struct worker inline_worker; /* n_threads == 0 */
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->len = 0;
}

static void queue_push(struct queue *q, struct job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
    q->len++;
}

static struct job *queue_pop(struct queue *q)
{
    struct job *job = q->first;

    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->end = &q->first;
    q->len--;
    return job;
}

static struct job *next_job(struct pool *p)
{
    struct job *job = queue_pop(&p->urgent);

    return job ? job : queue_pop(&p->normal);
}

/* With the lock held. */
static void finish(struct pool *p, struct job *job)
{
    bool was_empty = p->finished.len == 0;

    queue_push(&p->finished, job);
    if (was_empty && p->n_threads)
        p->wake(p->ctx);
}

void pool_finish_from_worker(struct pool *p, struct job *job)
{
    pthread_mutex_lock(&p->lock);
    finish(p, job);
    pthread_mutex_unlock(&p->lock);
}

/* A huge line made it huge; what most jobs need is kept. */
static void trim(struct buffer *b)
{
    if (b->cap > WORKER_KEEPS_BYTES)
        buffer_free(b);
}

static void run(struct job *job, struct worker *w)
{
    job->run(job, w);
    trim(&w->chunk);
    trim(&w->packed);
    trim(&w->text);
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    struct pool *p = t->pool;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct job *job = p->is_stopping ? NULL : next_job(p);
        if (p->is_stopping)
            break;
        if (!job) {
            pthread_cond_wait(&p->work, &p->lock);
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        run(job, &t->worker);
        pthread_mutex_lock(&p->lock);
        finish(p, job);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void worker_fini(struct worker *w)
{
    parse_scratch_free(&w->parse);
    buffer_free(&w->chunk);
    buffer_free(&w->packed);
    buffer_free(&w->plain);
    buffer_free(&w->text);
    free(w->igzip);
}

/* Signals belong to the loop's thread: workers start with all of them blocked. */
static int start_thread(struct thread *t)
{
    sigset_t all;
    sigset_t before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&t->id, NULL, thread_main, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

struct pool *pool_new(unsigned n_workers, pool_wake_fn *wake, void *ctx, struct err *e)
{
    struct pool *p = calloc(1, sizeof *p);

    if (!p)
        goto nomem;
    p->wake = wake;
    p->ctx = ctx;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    queue_init(&p->urgent);
    queue_init(&p->normal);
    queue_init(&p->finished);
    if (n_workers == 0)
        return p;
    p->threads = calloc(n_workers, sizeof *p->threads);
    if (!p->threads)
        goto nomem;
    for (unsigned i = 0; i < n_workers; i++) {
        int rc;

        p->threads[i].pool = p;
        p->threads[i].worker.index = i;
        rc = start_thread(&p->threads[i]);
        if (rc) {
            err_set(e, ERR_NOMEM, "cannot start a worker thread: %s", strerror(rc));
            pool_free(p);
            return NULL;
        }
        p->n_threads++;
    }
    return p;

nomem:
    err_set(e, ERR_NOMEM, "out of memory for %u workers", n_workers);
    pool_free(p);
    return NULL;
}

void pool_submit_from_worker(struct pool *p, struct job *job, enum job_order order)
{
    pthread_mutex_lock(&p->lock);
    queue_push(order == JOB_URGENT ? &p->urgent : &p->normal, job);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void pool_submit(struct pool *p, struct job *job, enum job_order order)
{
    pool_submit_from_worker(p, job, order);
    if (p->n_threads == 0)
        p->wake(p->ctx);
}

static void run_inline(struct pool *p)
{
    struct job *job;

    while ((job = next_job(p))) {
        run(job, &p->inline_worker);
        queue_push(&p->finished, job);
    }
}

size_t pool_reap(struct pool *p)
{
    size_t n = 0;
    struct job *job;

    if (p->n_threads == 0 && !p->is_stopping)
        run_inline(p);
    pthread_mutex_lock(&p->lock);
    job = p->finished.first;
    queue_init(&p->finished);
    pthread_mutex_unlock(&p->lock);
    while (job) {
        struct job *next = job->next; /* done may free the job */

        job->done(job);
        job = next;
        n++;
    }
    return n;
}

size_t pool_waiting(const struct pool *p)
{
    struct pool *open = (struct pool *)p; /* the lock is not part of what the caller sees */
    size_t n;

    pthread_mutex_lock(&open->lock);
    n = p->urgent.len + p->normal.len;
    pthread_mutex_unlock(&open->lock);
    return n;
}

unsigned pool_size(const struct pool *p)
{
    return p->n_threads;
}

static void drop_all(struct queue *q)
{
    struct job *job;

    while ((job = queue_pop(q)))
        if (job->drop)
            job->drop(job);
}

void pool_stop(struct pool *p)
{
    bool is_first;

    pthread_mutex_lock(&p->lock);
    is_first = !p->is_stopping;
    p->is_stopping = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; is_first && i < p->n_threads; i++)
        pthread_join(p->threads[i].id, NULL);
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pool_stop(p);
    for (unsigned i = 0; i < p->n_threads; i++)
        worker_fini(&p->threads[i].worker);
    drop_all(&p->urgent);
    drop_all(&p->normal);
    drop_all(&p->finished);
    worker_fini(&p->inline_worker);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p);
}
