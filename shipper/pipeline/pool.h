/* The workers: a few threads that run jobs, and bring them back to the loop.
 *
 * A job owns what it works on while it runs. `run` is called on a worker, `done` later on the loop
 * thread, from pool_reap. With no threads (n_workers 0: the simulator) pool_reap runs the jobs.
 * Owner:  the submitter owns the job's storage; it stays put until `done` was called.
 * Thread: pool_submit and pool_reap belong to the loop; job_urgent may also be submitted by a
 *         running job (pool_submit_from_worker). */
#ifndef SHIP_PIPELINE_POOL_H
#define SHIP_PIPELINE_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/parser.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"

enum { WORKER_KEEPS_BYTES = 4 * 1024 * 1024 }; /* of each buffer, from one job to the next */

/* What a worker thread owns, lent to the job that it runs. */
struct worker {
    unsigned index;
    struct parse_scratch parse;
    struct buffer chunk;  /* the bytes just read */
    struct buffer packed; /* compressor's output */
    struct buffer text;   /* free for the job */
    struct buffer plain;  /* the body of the batch packed last; for whoever can use its memory */
    void *igzip;          /* batch_pack's state; malloc'd */
};

/* Frees what a worker holds; for who has one without a pool. */
void worker_fini(struct worker *w);

struct job {
    void (*run)(struct job *job, struct worker *worker);
    void (*done)(struct job *job);
    void (*drop)(struct job *job); /* pool_free: it will not come back. May be NULL */
    struct job *next;              /* the pool's */
};

enum job_order { JOB_NORMAL, JOB_URGENT }; /* urgent ones (they free memory) go first */

/* Called on a worker, thread-safe, when pool_reap has something to do (ev_async_send). */
typedef void pool_wake_fn(void *ctx);

struct pool;

/* NULL and *e when threads or memory are out. */
struct pool *pool_new(unsigned n_workers, pool_wake_fn *wake, void *ctx, struct err *e);
void pool_submit(struct pool *pool, struct job *job, enum job_order order);
/* The same, called from a job that runs; `done` will come on the loop as always. */
void pool_submit_from_worker(struct pool *pool, struct job *job, enum job_order order);
/* From a job that runs: this one needs no run; `done` comes on the loop, in the order of these
 * calls, and before that of the job that runs. */
void pool_finish_from_worker(struct pool *pool, struct job *job);
/* Calls `done` of what has finished; returns how many. Loop thread. */
size_t pool_reap(struct pool *pool);
/* Jobs that wait for a worker (urgent ones included); any thread. */
size_t pool_waiting(const struct pool *pool);
unsigned pool_size(const struct pool *pool);
/* Lets running jobs end, and joins. Those that wait are not run any more, nor what is submitted
 * from now on; what has finished is still for pool_reap. Blocks. */
void pool_stop(struct pool *pool);
/* Stops it; `drop` instead of `done` for what has not come back. */
void pool_free(struct pool *pool);

#endif
