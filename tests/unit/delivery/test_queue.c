#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shipper/base/hash.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/queue_rig.h"

static struct queue_rig r;

static void set_up(void)
{
    queue_rig_init(&r);
    cr_assert(queue_rig_open(&r), "%s: %s", r.why.where, r.why.what);
}

static void tear_down(void)
{
    if (r.queue)
        cr_expect(queue_rig_close(&r), "%s: %s", r.why.where, r.why.what);
    queue_rig_fini(&r);
}

TestSuite(queue, .init = set_up, .fini = tear_down);

static void put(unsigned tag)
{
    queue_rig_put(&r, tag, 300);
    queue_rig_reap(&r);
    cr_assert_neq(r.number[tag], 0, "%s: %s", r.why.where, r.why.what);
}

static void reopen(void)
{
    cr_assert(queue_rig_close(&r));
    cr_assert(queue_rig_open(&r), "%s: %s", r.why.where, r.why.what);
}

Test(queue, what_is_put_comes_back)
{
    for (unsigned tag = 1; tag <= 5; tag++)
        put(tag);
    cr_expect_eq(r.number[1], 1);
    cr_expect_eq(r.number[5], 5);
    cr_expect_eq(queue_stats(r.queue)->records, 5);
    cr_expect_eq(queue_stats(r.queue)->events, 5 * QUEUE_RIG_ITEMS);
    cr_expect(queue_has_more(r.queue));
    for (unsigned tag = 1; tag <= 5; tag++) {
        cr_assert(queue_rig_get(&r));
        cr_expect_eq(r.got_tag, tag, "in the order in which they were put");
        cr_expect_eq(r.got->number, tag);
    }
    cr_expect_not(queue_has_more(r.queue));
    cr_expect_not(queue_rig_get(&r));
    cr_expect_eq(r.why.code, ERR_NONE);
    cr_expect_eq(queue_stats(r.queue)->records, 5, "got is not settled");
}

Test(queue, an_earlier_life_left_it)
{
    for (unsigned tag = 1; tag <= 5; tag++)
        put(tag);
    reopen();
    cr_expect_eq(queue_stats(r.queue)->records, 5);
    cr_expect_eq(queue_stats(r.queue)->events, 5 * QUEUE_RIG_ITEMS);
    put(6);
    cr_expect_eq(r.number[6], 6, "numbers ascend for ever");
    cr_expect_eq(queue_rig_drain(&r), 6);
    cr_expect_eq(queue_stats(r.queue)->records, 0);
    cr_expect_eq(queue_stats(r.queue)->events, 0);
    reopen();
    cr_expect_eq(queue_rig_drain(&r), 0);
    cr_expect_null(memory_disk_find(&r.disk, ".segment", 0), "what is through is gone");
    put(7);
    cr_expect_eq(r.number[7], 7, "for ever");
    cr_expect_eq(r.log.len, 0, "%.*s", (int)r.log.len, r.log.ptr);
}

Test(queue, many_share_an_fsync)
{
    memory_disk_fault(&r.disk, DISK_CALL_SYNC, 0, 0, 0);
    for (unsigned tag = 1; tag <= 50; tag++)
        queue_rig_put(&r, tag, 300);
    queue_rig_reap(&r);
    cr_expect_eq(r.number[50], 50);
    cr_expect_leq(r.disk.n_calls, 2, "%u: one for the first, one for all that came meanwhile",
                  r.disk.n_calls);
}

Test(queue, what_is_kept_is_not_given_out)
{
    r.keeps = true;
    put(1);
    put(2);
    r.keeps = false;
    put(3);
    r.keeps = true;
    put(4);
    cr_assert(queue_rig_get(&r));
    cr_expect_eq(r.got_tag, 3);
    cr_expect_not(queue_has_more(r.queue));
    queue_give_back(r.queue, r.number[2]);
    cr_expect(queue_has_more(r.queue));
    cr_assert(queue_rig_get(&r));
    cr_expect_eq(r.got_tag, 2, "what goes back is got again, though it is behind");
    cr_expect_not(queue_rig_get(&r));
    queue_settle(r.queue, r.number[1]);
    queue_settle(r.queue, r.number[2]);
    queue_settle(r.queue, r.number[4]);
    cr_expect_eq(queue_stats(r.queue)->records, 1);
    cr_expect_eq(queue_stats(r.queue)->events, QUEUE_RIG_ITEMS);
    queue_rig_run(&r, 300);
    reopen();
    cr_expect_eq(queue_rig_drain(&r), 1);
    cr_expect_eq(r.n_got[3], 2, "it was not settled");
}

Test(queue, what_was_settled_is_not_sent_again_after_a_kill)
{
    for (unsigned tag = 1; tag <= 6; tag++)
        put(tag);
    for (unsigned tag = 1; tag <= 5; tag++) {
        cr_assert(queue_rig_get(&r));
        if (tag != 2)
            queue_settle(r.queue, queue_rig_drop_got(&r));
    }
    queue_rig_run(&r, 240);
    cr_expect_null(memory_disk_file(&r.disk, "settled"), "not at once");
    queue_rig_run(&r, 40);
    cr_expect(memory_disk_file(&r.disk, "settled"), "but soon");
    queue_rig_kill(&r);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_stats(r.queue)->records, 2);
    cr_expect_eq(queue_rig_drain(&r), 2);
    cr_expect_eq(r.n_got[2], 2);
    cr_expect_eq(r.n_got[6], 1);
}

Test(queue, without_its_memory_all_is_sent_again)
{
    for (unsigned tag = 1; tag <= 3; tag++)
        put(tag);
    cr_assert(queue_rig_get(&r));
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
    cr_assert(queue_rig_close(&r));
    memory_disk_file(&r.disk, "settled")->ptr[9] ^= 1;
    cr_assert(queue_rig_open(&r));
    cr_expect(queue_rig_said(&r, "/queue/es/settled: is damaged"));
    cr_expect_eq(queue_rig_drain(&r), 3);
}

/* Somebody puts files of another queue there, with numbers that were settled here. */
Test(queue, a_file_that_was_put_there_is_not_taken_as_settled)
{
    struct buffer settled = {0};

    for (unsigned tag = 1; tag <= 3; tag++)
        put(tag);
    cr_assert(queue_rig_get(&r));
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
    cr_assert(queue_rig_close(&r));
    buffer_add_slice(&settled, buffer_slice(memory_disk_file(&r.disk, "settled")));
    memory_disk_fini(&r.disk);
    memory_disk_init(&r.disk);
    cr_assert(queue_rig_open(&r));
    put(11);
    put(12);
    cr_assert(queue_rig_close(&r));
    memory_disk_file(&r.disk, "settled")->len = 0;
    buffer_add_slice(memory_disk_file(&r.disk, "settled"), buffer_slice(&settled));
    buffer_free(&settled);
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 2);
    cr_expect_eq(r.n_got[11], 1);
    put(13);
    cr_expect_eq(r.number[13], 4, "behind what either knew");
}

Test(queue, segments_end_and_go)
{
    size_t n = 0;

    cr_assert(queue_rig_close(&r));
    r.options.max_bytes = 16 << 20; /* segments of 1 MiB */
    cr_assert(queue_rig_open(&r));
    for (unsigned tag = 1; tag <= 40; tag++) {
        queue_rig_put(&r, tag, 100 * 1024);
        queue_rig_reap(&r);
    }
    while (memory_disk_find(&r.disk, ".segment", n))
        n++;
    cr_expect(n >= 4 && n <= 5, "%zu", n);
    for (unsigned tag = 1; tag <= 25; tag++) {
        cr_assert(queue_rig_get(&r));
        if (tag != 12)
            queue_settle(r.queue, queue_rig_drop_got(&r));
    }
    queue_rig_run(&r, 300);
    cr_expect_null(memory_disk_file(&r.disk, "0000000001.segment"));
    cr_expect(memory_disk_file(&r.disk, "0000000002.segment"), "one of it is not settled");
    cr_expect_lt(queue_stats(r.queue)->bytes, 33 * 103 * 1024);
    reopen();
    cr_expect_eq(queue_rig_drain(&r), 16);
    cr_expect_eq(r.n_got[12], 2);
    queue_rig_run(&r, 300);
    cr_expect_null(memory_disk_find(&r.disk, ".segment", 0));
}

Test(queue, it_is_bounded)
{
    struct batch *small = queue_rig_batch(&r, 1, 100);
    struct batch *huge = queue_rig_batch(&r, 2, 5 << 20);
    struct batch *large = queue_rig_batch(&r, 3, 500 * 1024);
    unsigned tag = 3;

    cr_assert(queue_rig_close(&r));
    r.options.max_bytes = 4 << 20;
    cr_assert(queue_rig_open(&r));
    cr_expect(queue_has_room(r.queue, huge), "what is larger than all fits when there is nothing");
    for (; queue_has_room(r.queue, large); tag++) {
        queue_rig_put(&r, tag, 500 * 1024); /* what waits for the disk counts */
        if (tag % 3 == 0)
            queue_rig_reap(&r);
    }
    queue_rig_reap(&r);
    cr_expect_eq(tag, 3 + 8, "%u", tag);
    cr_expect_leq(queue_stats(r.queue)->bytes, 4 << 20);
    cr_expect(queue_has_room(r.queue, small));
    cr_expect_not(queue_has_room(r.queue, huge));
    for (tag = 0; tag < 3; tag++) {
        cr_assert(queue_rig_get(&r));
        queue_settle(r.queue, queue_rig_drop_got(&r));
    }
    queue_rig_run(&r, 300);
    cr_expect(queue_has_room(r.queue, large), "a segment went");
    queue_rig_drain(&r);
    cr_expect(queue_has_room(r.queue, huge));
    batch_free(small);
    batch_free(huge);
    batch_free(large);
}

Test(queue, a_small_queue_goes_round_and_round)
{
    cr_assert(queue_rig_close(&r));
    r.options.max_bytes = 1 << 20;
    cr_assert(queue_rig_open(&r));
    for (unsigned tag = 1; tag <= 100; tag++) {
        struct batch *b = queue_rig_batch(&r, tag, 300 * 1024);

        for (int i = 0; i < 100 && !queue_has_room(r.queue, b); i++) {
            if (queue_rig_get(&r))
                queue_settle(r.queue, queue_rig_drop_got(&r));
            queue_rig_run(&r, 100);
        }
        cr_assert(queue_has_room(r.queue, b), "at %u", tag);
        batch_free(b);
        queue_rig_put(&r, tag, 300 * 1024);
        queue_rig_reap(&r);
        cr_assert_leq(queue_stats(r.queue)->bytes, (1 << 20) + 4096);
    }
}

Test(queue, a_second_ship_is_kept_out)
{
    struct queue_rig second;

    queue_rig_init(&second);
    second.options.disk = &r.disk.disk;
    cr_expect_not(queue_rig_open(&second));
    cr_expect_eq(second.why.code, ERR_STORE);
    cr_expect(strstr(second.why.what, "another ship uses this queue"), "%s", second.why.what);
    cr_expect_str_eq(second.why.where, "/queue/es");
    put(1);
    cr_assert(queue_rig_close(&r));
    cr_expect(queue_rig_open(&second));
    cr_expect_eq(queue_rig_drain(&second), 1);
    queue_rig_close(&second);
    queue_rig_fini(&second);
}

static void give_head(uint32_t version, const char *type)
{
    struct buffer *file = memory_disk_file(&r.disk, "0000000001.segment");
    uint64_t sum;

    memcpy(file->ptr + 8, &version, sizeof version);
    memset(file->ptr + 32, 0, 24);
    memcpy(file->ptr + 32, type, strlen(type));
    sum = hash64(slice_of(file->ptr, 56));
    memcpy(file->ptr + 56, &sum, sizeof sum);
}

Test(queue, a_newer_version_is_left_alone)
{
    struct buffer before = {0};

    put(1);
    cr_assert(queue_rig_close(&r));
    give_head(2, "elasticsearch");
    buffer_add_slice(&before, buffer_slice(memory_disk_file(&r.disk, "0000000001.segment")));
    cr_expect_not(queue_rig_open(&r));
    cr_expect(strstr(r.why.what, "newer version"), "%s", r.why.what);
    cr_expect_str_eq(r.why.where, "/queue/es/0000000001.segment");
    cr_expect(slice_eq(buffer_slice(&before),
                       buffer_slice(memory_disk_file(&r.disk, "0000000001.segment"))));
    buffer_free(&before);
}

Test(queue, another_type_of_output_is_refused)
{
    put(1);
    cr_assert(queue_rig_close(&r));
    give_head(1, "logstash");
    cr_expect_not(queue_rig_open(&r));
    cr_expect(strstr(r.why.what, "type logstash, this one's is elasticsearch"), "%s", r.why.what);
    r.options.output_type = "logstash";
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), 1);
}

static void plant(const char *name)
{
    int file = r.disk.disk.open(&r.disk, 0, name, DISK_WRITE | DISK_CREATE);

    cr_assert_geq(file, 0);
    disk_write(&r.disk.disk, file, slice_str("text"), 0);
    r.disk.disk.close(&r.disk, file);
}

Test(queue, files_of_others_are_left_alone)
{
    static const char *const names[] = {"README", "1.segment", "0000000001.segment.bak"};

    put(1);
    cr_assert(queue_rig_close(&r));
    for (size_t i = 0; i < 3; i++)
        plant(names[i]);
    cr_assert(queue_rig_open(&r));
    for (size_t i = 0; i < 3; i++) {
        cr_expect(queue_rig_said(&r, names[i]), "%s", names[i]);
        cr_expect_eq(memory_disk_file(&r.disk, names[i])->len, 4);
    }
    cr_expect_eq(queue_rig_drain(&r), 1);
}

Test(queue, peek)
{
    struct queue_stats stats;
    struct err e = {0};

    for (unsigned tag = 1; tag <= 4; tag++)
        put(tag);
    cr_assert(queue_rig_get(&r));
    queue_settle(r.queue, queue_rig_drop_got(&r));
    queue_rig_run(&r, 300);
    cr_assert(queue_peek("/queue/es", &r.disk.disk, &stats, &e), "though it is in use");
    cr_expect_eq(stats.records, 3);
    cr_expect_eq(stats.events, 3 * QUEUE_RIG_ITEMS);
    cr_expect_eq(stats.bytes, queue_stats(r.queue)->bytes);
    cr_assert(queue_rig_close(&r));
    /* The first is for what was settled, which is only for speed. */
    memory_disk_fault(&r.disk, DISK_CALL_READ, -EIO, 2, 1);
    cr_expect_not(queue_peek("/queue/es", &r.disk.disk, &stats, &e));
    cr_expect_str_eq(e.where, "/queue/es/0000000001.segment");
    memory_disk_fini(&r.disk);
    memory_disk_init(&r.disk);
    cr_expect(queue_peek("/queue/es", &r.disk.disk, &stats, &e));
    cr_expect_eq(stats.records, 0);
}

/* Every allocation fails once: the batch is the caller's as it was, and the queue goes on. */
Test(queue, out_of_memory)
{
    unsigned tag = 1;
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++, tag++) {
        failing_malloc_at(n);
        queue_rig_put(&r, tag, 300);
        queue_rig_reap(&r);
        cr_expect(r.number[tag] || r.why.code == ERR_NOMEM);
        queue_rig_get(&r);
        if (r.got)
            queue_settle(r.queue, r.got->number);
        queue_rig_run(&r, 300);
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        if (!r.number[tag])
            put(tag);
        queue_rig_drain(&r);
        cr_expect_eq(r.n_got[tag], 1, "allocation %u", n);
        cr_assert_lt(n, 200);
    }
    cr_expect_gt(tag, 8, "%u: there were allocations", tag);
    cr_expect_eq(queue_stats(r.queue)->records, 0);
}
