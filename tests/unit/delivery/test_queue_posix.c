/* The disk queue on a real disk: permissions, planted links, a large one, threads. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/clock.h"
#include "shipper/delivery/queue_format.h"
#include "tests/support/queue_rig.h"
#include "tests/support/temp_dir.h"

static struct queue_rig r;
static char top[TEMP_DIR_MAX];
static char directory[128];

/* disk_posix, and how much was read by it. */
static struct disk counting;
static uint64_t bytes_read;

static ssize_t count_pread(void *ctx, int file, void *buf, size_t len, uint64_t offset)
{
    ssize_t n = disk_posix.pread(ctx, file, buf, len, offset);

    bytes_read += n > 0 ? (uint64_t)n : 0;
    return n;
}

static void set_up(void)
{
    temp_dir_make(top);
    snprintf(directory, sizeof directory, "%s/queue/es", top);
    counting = disk_posix;
    counting.pread = count_pread;
    queue_rig_init(&r);
    r.options.directory = directory;
    r.options.disk = &counting;
}

static void tear_down(void)
{
    queue_rig_fini(&r);
    temp_dir_remove(top);
}

TestSuite(queue_posix, .init = set_up, .fini = tear_down);

static const char *below(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static unsigned mode_of(const char *path)
{
    struct stat st;

    cr_assert_eq(stat(path, &st), 0, "%s", path);
    return st.st_mode & 0777;
}

Test(queue_posix, only_its_owner_reads_it)
{
    umask(0);
    cr_assert(queue_rig_open(&r));
    for (unsigned tag = 1; tag <= 3; tag++) {
        queue_rig_put(&r, tag, 500);
        queue_rig_reap(&r);
    }
    cr_assert(queue_rig_get(&r));
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
    cr_expect_eq(mode_of(directory), 0700);
    cr_expect_eq(mode_of(below("0000000001.segment")), 0600);
    cr_expect_eq(mode_of(below("settled")), 0600);
    cr_expect_eq(mode_of(below("lock")), 0600);
    cr_assert(queue_rig_close(&r));
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 2);
    cr_assert(queue_rig_close(&r));
}

Test(queue_posix, links_are_not_followed)
{
    char victim[128];

    snprintf(victim, sizeof victim, "%s/victim", top);
    cr_assert(queue_rig_open(&r));
    cr_assert(queue_rig_close(&r));
    cr_assert_eq(close(open(victim, O_CREAT | O_WRONLY, 0600)), 0);
    cr_assert_eq(symlink(victim, below("0000000001.segment")), 0);
    cr_assert_eq(symlink(victim, below("settled.new")), 0);
    cr_assert(queue_rig_open(&r), "%s", r.why.what);
    cr_expect(queue_rig_said(&r, "0000000001.segment: is no segment, but something else"));
    queue_rig_put(&r, 1, 500);
    queue_rig_reap(&r);
    cr_expect_eq(r.number[1], 1, "%s", r.why.what);
    queue_rig_put(&r, 2, 500);
    queue_rig_reap(&r);
    cr_assert(queue_rig_get(&r));
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
    cr_assert(queue_rig_close(&r));
    cr_assert_eq(truncate(victim, 0), 0);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 1, "nothing of it was in the other's file");
    cr_assert(queue_rig_close(&r));
}

/* --- large ----------------------------------------------------------------------------------- */

enum { BODY = 100 * 1024, RECORDS_EACH = 660, SEGMENTS = 16 };

/* A segment as the queue writes it, but for the bodies, which are holes. */
static void make_sparse(uint64_t segment)
{
    struct queue_head head = {
        .segment = segment, .first = 1 + (segment - 1) * RECORDS_EACH, .type = "elasticsearch"};
    char bytes[QUEUE_ENTRY_LEN];
    char name[QUEUE_NAME_MAX];
    uint64_t at = QUEUE_HEAD_LEN;
    int fd;

    queue_segment_name(segment, name);
    fd = open(below(name), O_CREAT | O_RDWR, 0600);
    cr_assert_geq(fd, 0);
    queue_head_write(&head, bytes);
    cr_assert_eq(pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
    for (uint64_t i = 0; i < RECORDS_EACH; i++) {
        struct queue_entry entry = {.number = head.first + i,
                                    .segment = segment,
                                    .offset = at,
                                    .meta_len = 1000,
                                    .body_len = BODY,
                                    .n_items = 200};

        queue_entry_write(&entry, bytes);
        cr_assert_eq(pwrite(fd, bytes, sizeof bytes, (off_t)at), sizeof bytes);
        at = queue_entry_end(&entry);
    }
    cr_assert_eq(ftruncate(fd, (off_t)at), 0);
    close(fd);
}

/* A gigabyte: what is read to open it is its headers. */
Test(queue_posix, a_large_one_opens_by_its_headers)
{
    int64_t before;

    r.options.max_bytes = (int64_t)2 << 30;
    cr_assert(queue_rig_open(&r));
    cr_assert(queue_rig_close(&r));
    for (uint64_t segment = 1; segment <= SEGMENTS; segment++)
        make_sparse(segment);
    bytes_read = 0;
    before = clock_mono_ms(&clock_real);
    cr_assert(queue_rig_open(&r), "%s", r.why.what);
    cr_log_info("opened in %lld ms", (long long)(clock_mono_ms(&clock_real) - before));
    cr_expect_eq(queue_stats(r.queue)->records, RECORDS_EACH * SEGMENTS);
    cr_expect_eq(queue_stats(r.queue)->events, RECORDS_EACH * SEGMENTS * 200);
    cr_expect_gt(queue_stats(r.queue)->bytes, 1 << 30);
    cr_expect_lt(bytes_read, 1 << 20, "%llu", (unsigned long long)bytes_read);
    cr_expect_eq(r.log.len, 0, "%.*s", (int)r.log.len, r.log.ptr);
    cr_assert(queue_rig_close(&r));
}

/* --- threads --------------------------------------------------------------------------------- */

/* With a writer of its own, as in the agent: puts and gets at once. */
Test(queue_posix, with_a_thread)
{
    enum { BATCHES = 60 };
    unsigned n = 0;

    r.options.max_bytes = 16 << 20;
    cr_assert(queue_rig_open_threads(&r));
    for (unsigned tag = 1; tag <= BATCHES || n < BATCHES; sched_yield()) {
        if (tag <= BATCHES) {
            queue_rig_put(&r, tag, tag % 4 ? 500 : 100 * 1024);
            tag++;
        }
        if (r.has_answer)
            queue_rig_start_get(&r);
        queue_tick(r.queue, r.now_ms += 20);
        pool_reap(r.writer);
        if (r.got) {
            queue_settle(r.queue, queue_rig_drop_got(&r));
            n++;
        }
    }
    for (unsigned tag = 1; tag <= BATCHES; tag++)
        cr_expect_eq(r.n_got[tag], 1, "%u", tag);
    cr_assert(queue_rig_close(&r));
}

/* --- somebody deletes it --------------------------------------------------------------------- */

/* What comes afterwards is durable again, and what is lost is told, once nothing can send it. */
Test(queue_posix, a_directory_that_is_deleted_is_made_anew)
{
    r.keeps = true;
    cr_assert(queue_rig_open(&r));
    for (unsigned tag = 1; tag <= 2; tag++)
        queue_rig_put(&r, tag, 500);
    queue_rig_reap(&r);
    temp_dir_remove(directory);
    queue_rig_put(&r, 3, 500);
    queue_rig_reap(&r);
    cr_expect_neq(r.number[3], 0, "%s: %s", r.why.where, r.why.what);
    cr_expect(queue_rig_said(&r, "was deleted, and is made anew"));
    cr_expect_eq(access(below("lock"), F_OK), 0, "nobody else takes it meanwhile");
    queue_settle(r.queue, r.number[1]);
    cr_expect(queue_rig_close(&r));
    cr_expect(queue_rig_said(&r, "0000000001.segment"));
    cr_expect(queue_rig_said(&r, "was deleted: 1 record in it, not sent yet, is lost"));
    r.keeps = false;
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_stats(r.queue)->records, 1);
    cr_expect_eq(queue_rig_drain(&r), 1);
    cr_expect_eq(r.n_got[3], 1);
}

Test(queue_posix, a_file_that_is_deleted_is_written_again)
{
    cr_assert(queue_rig_open(&r));
    queue_rig_put(&r, 1, 500);
    queue_rig_reap(&r);
    cr_assert_eq(unlink(below("0000000001.segment")), 0);
    queue_rig_put(&r, 2, 500);
    queue_rig_reap(&r);
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 1, "what was put after that is there");
    cr_expect_eq(r.n_got[2], 1);
}
