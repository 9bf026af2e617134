#include <criterion/criterion.h>
#include <stdatomic.h>
#include <time.h>

#include "shipper/pipeline/pool.h"

struct count_job {
    struct job job;
    atomic_int *runs;
    int *dones;
};

static void count_run(struct job *job, struct worker *w)
{
    (void)w;
    atomic_fetch_add(((struct count_job *)job)->runs, 1);
}

static void count_done(struct job *job)
{
    (*((struct count_job *)job)->dones)++;
}

static void on_wake(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

enum { N_JOBS = 2000 };

Test(pool, every_job_runs_once_and_comes_back_once, .timeout = 300)
{
    static struct count_job jobs[N_JOBS];
    static atomic_int runs;
    static atomic_int wakes;
    int dones = 0;
    struct pool *pool = pool_new(3, on_wake, &wakes, NULL);
    struct timespec pause = {0, 1000000};

    cr_assert(pool);
    for (int i = 0; i < N_JOBS; i++) {
        jobs[i] = (struct count_job){{count_run, count_done, NULL, NULL}, &runs, &dones};
        pool_submit(pool, &jobs[i].job, i % 3 ? JOB_NORMAL : JOB_URGENT);
    }
    while (dones < N_JOBS)
        if (pool_reap(pool) == 0)
            nanosleep(&pause, NULL);
    cr_expect_eq(runs, N_JOBS);
    cr_expect_gt(wakes, 0);
    cr_expect_eq(pool_waiting(pool), 0);
    pool_free(pool);
}

static int n_dropped;

static void count_drop(struct job *job)
{
    (void)job;
    n_dropped++;
}

Test(pool, what_never_ran_is_dropped)
{
    static atomic_int runs;
    static atomic_int wakes;
    int dones = 0;
    struct count_job job = {{count_run, count_done, count_drop, NULL}, &runs, &dones};
    struct pool *pool = pool_new(0, on_wake, &wakes, NULL);

    pool_submit(pool, &job.job, JOB_NORMAL);
    cr_expect_eq(wakes, 1);
    pool_free(pool);
    cr_expect_eq(n_dropped, 1);
    cr_expect_eq(dones, 0);
}

/* One job has run and is not reaped, the other waits behind it. */
Test(pool, once_stopped_what_has_finished_comes_back_and_nothing_runs, .timeout = 300)
{
    static atomic_int runs;
    static atomic_int wakes;
    int dones = 0;
    struct count_job jobs[3];
    struct pool *pool = pool_new(1, on_wake, &wakes, NULL);
    struct timespec pause = {0, 1000000};

    cr_assert(pool);
    for (int i = 0; i < 3; i++)
        jobs[i] = (struct count_job){{count_run, count_done, count_drop, NULL}, &runs, &dones};
    pool_submit(pool, &jobs[0].job, JOB_NORMAL);
    while (wakes == 0)
        nanosleep(&pause, NULL);
    pool_stop(pool);
    pool_submit(pool, &jobs[1].job, JOB_NORMAL);
    pool_stop(pool); /* again: nothing happens */
    cr_expect_eq(pool_reap(pool), 1);
    cr_expect_eq(dones, 1);
    pool_submit(pool, &jobs[2].job, JOB_URGENT);
    cr_expect_eq(pool_reap(pool), 0);
    pool_free(pool);
    cr_expect_eq(runs, 1);
    cr_expect_eq(n_dropped, 2);
}

Test(pool, one_without_threads_runs_nothing_once_stopped)
{
    static atomic_int runs;
    static atomic_int wakes;
    int dones = 0;
    struct count_job job = {{count_run, count_done, count_drop, NULL}, &runs, &dones};
    struct pool *pool = pool_new(0, on_wake, &wakes, NULL);

    pool_submit(pool, &job.job, JOB_NORMAL);
    pool_stop(pool);
    cr_expect_eq(pool_reap(pool), 0);
    pool_free(pool);
    cr_expect_eq(runs, 0);
    cr_expect_eq(n_dropped, 1);
}
