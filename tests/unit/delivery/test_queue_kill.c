/* FB7: a process is killed at any moment while it writes; what it said to be durable is there.
 *
 * SHIP_QUEUE_KILLS=10000 kills so many. What fsync is for is test_queue_power's; here the system
 * lives on, so it is left out, and there are more kills. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "tests/support/queue_rig.h"
#include "tests/support/temp_dir.h"

enum { KILLS = 200, WAITS_EVERY = 4, CHILD_TAGS = 3000, LIFE_MOST_US = 3000 };

static struct queue_rig r;
static struct disk no_fsync;
static bool is_durable[QUEUE_RIG_TAGS];
static bool is_settled[QUEUE_RIG_TAGS];

static int no_sync(void *ctx, int handle)
{
    (void)ctx;
    (void)handle;
    return 0;
}

static void use_directory(const char *directory)
{
    no_fsync = disk_posix;
    no_fsync.sync = no_sync;
    no_fsync.sync_dir = no_sync;
    queue_rig_init(&r);
    r.options.directory = directory;
    r.options.disk = &no_fsync;
    r.options.max_bytes = 16 << 20;
}

/* What the child says, before it is true of a settled one, after it of a durable one. */
struct word {
    unsigned tag;
    char what; /* 'd', 's' */
};

static void say(int to, char what, unsigned tag)
{
    struct word word = {.tag = tag, .what = what};

    if (write(to, &word, sizeof word) != sizeof word)
        _exit(3);
}

static void child_puts(int to, unsigned tag, unsigned *told)
{
    queue_rig_put(&r, tag, tag % 8 ? 500 : 200 * 1024);
    if (tag % 3)
        return;
    queue_rig_reap(&r);
    for (; *told <= tag; ++*told)
        say(to, 'd', *told);
}

static void child_settles(int to)
{
    if (!queue_rig_get(&r))
        return;
    say(to, 's', r.got_tag);
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 100);
}

static void live_until_killed(int to)
{
    unsigned told = 1;

    if (!queue_rig_open(&r))
        _exit(2);
    for (unsigned tag = 1; tag < CHILD_TAGS; tag++) {
        child_puts(to, tag, &told);
        if (tag % 5 == 0)
            child_settles(to);
    }
    for (;;)
        pause();
}

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* False: it is dead, and will say no more. */
static bool hear(int from)
{
    struct word word;

    if (read(from, &word, sizeof word) != sizeof word)
        return false;
    (word.what == 'd' ? is_durable : is_settled)[word.tag] = true;
    return true;
}

/* `waits`: it is not killed before something was durable. */
static void one_life(const char *directory, long life_us, bool waits)
{
    int ends[2];
    int status;
    pid_t child;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20); /* it never waits for us */
    use_directory(directory);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        live_until_killed(ends[1]);
    close(ends[1]);
    memset(is_durable, 0, sizeof is_durable);
    memset(is_settled, 0, sizeof is_settled);
    if (waits)
        cr_assert(hear(ends[0]));
    sleep_us(life_us);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status), "the child ended by itself: %d", status);
    while (hear(ends[0]))
        ;
    close(ends[0]);
}

/* The next life finds it all; how many. */
static unsigned check(const char *directory, unsigned life)
{
    unsigned n = 0;

    use_directory(directory);
    cr_assert(queue_rig_open(&r), "life %u: %s: %s", life, r.why.where, r.why.what);
    queue_rig_drain(&r);
    for (unsigned tag = 0; tag < QUEUE_RIG_TAGS; tag++) {
        n += is_durable[tag];
        cr_expect_leq(r.n_got[tag], 1, "life %u: %u comes twice", life, tag);
        cr_expect(!is_durable[tag] || is_settled[tag] || r.n_got[tag] == 1,
                  "life %u: batch %u was durable, and is lost; %.*s", life, tag, (int)r.log.len,
                  r.log.ptr);
    }
    cr_assert(queue_rig_close(&r));
    queue_rig_fini(&r);
    return n;
}

Test(queue_kill, at_any_moment, .timeout = 3600)
{
    const char *wanted = getenv("SHIP_QUEUE_KILLS");
    unsigned kills = wanted ? (unsigned)atoi(wanted) : KILLS;
    unsigned n_durable = 0;
    uint64_t state = 88172645463325252u;
    char directory[TEMP_DIR_MAX];

    temp_dir_make(directory);
    for (unsigned life = 0; life < kills; life++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        one_life(directory, (long)((state >> 33) % LIFE_MOST_US), life % WAITS_EVERY == 0);
        n_durable += check(directory, life);
    }
    temp_dir_remove(directory);
    cr_expect_geq(n_durable, kills / WAITS_EVERY, "%u: some lived long enough", n_durable);
}
