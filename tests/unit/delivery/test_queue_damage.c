/* A queue whose files are torn or damaged at any byte: all else is delivered, and it is told. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/queue_rig.h"

enum { RECORDS = 4, SEGMENT_HEAD = 64 };
#define SEGMENT "0000000001.segment"

static struct queue_rig r;
static struct memory_disk image;       /* of a queue with RECORDS records, closed */
static size_t record_end[RECORDS + 1]; /* in its file; [0] is where the first begins */

static void set_up(void)
{
    queue_rig_init(&r);
    cr_assert(queue_rig_open(&r));
    record_end[0] = SEGMENT_HEAD;
    for (unsigned tag = 1; tag <= RECORDS; tag++) {
        queue_rig_put(&r, tag, 30);
        queue_rig_reap(&r);
        record_end[tag] = memory_disk_file(&r.disk, SEGMENT)->len;
    }
    cr_assert(queue_rig_close(&r));
    memory_disk_copy(&r.disk, &image);
}

static void tear_down(void)
{
    memory_disk_fini(&image);
    queue_rig_fini(&r);
}

TestSuite(queue_damage, .init = set_up, .fini = tear_down);

static void begin_anew(void)
{
    memory_disk_fini(&r.disk);
    memory_disk_copy(&image, &r.disk);
    memset(r.n_got, 0, sizeof r.n_got);
    r.log.len = 0;
}

/* Those records that are not in `lost` (bits, by tag) come, once each; the others do not. */
static void expect_all_but(unsigned lost, const char *how, size_t at)
{
    for (unsigned tag = 1; tag <= RECORDS; tag++)
        cr_expect_eq(r.n_got[tag], !(lost >> tag & 1), "%s at %zu: record %u came %u times", how,
                     at, tag, r.n_got[tag]);
}

static void open_and_drain(const char *how, size_t at)
{
    cr_assert(queue_rig_open(&r), "%s at %zu: %s", how, at, r.why.what);
    queue_rig_drain(&r);
    cr_expect_eq(queue_stats(r.queue)->records, 0, "%s at %zu", how, at);
    cr_expect_eq(queue_stats(r.queue)->events, 0, "%s at %zu", how, at);
}

Test(queue_damage, cut_at_every_byte)
{
    size_t len = memory_disk_file(&image, SEGMENT)->len;

    for (size_t cut = 0; cut < len; cut++) {
        unsigned lost = 0;
        unsigned whole = 0;

        for (unsigned tag = 1; tag <= RECORDS; tag++)
            lost |= (unsigned)(record_end[tag] > cut) << tag;
        while (whole < RECORDS && record_end[whole + 1] <= cut)
            whole++;
        begin_anew();
        memory_disk_file(&r.disk, SEGMENT)->len = cut;
        open_and_drain("cut", cut);
        expect_all_but(lost, "cut", cut);
        /* Between records nothing is torn; and of a torn head no record is known. */
        cr_expect_eq(queue_stats(r.queue)->damaged_records,
                     cut > SEGMENT_HEAD && cut != record_end[whole], "cut at %zu", cut);
        cr_assert(queue_rig_close(&r));
    }
}

/* A life after one that was cut off does not bring the torn record back, or lose what it puts. */
Test(queue_damage, a_life_after_a_torn_one)
{
    begin_anew();
    memory_disk_file(&r.disk, SEGMENT)->len -= 10;
    cr_assert(queue_rig_open(&r));
    cr_expect(queue_rig_said(&r, "/queue/es/" SEGMENT ":"), "%.*s", (int)r.log.len, r.log.ptr);
    cr_expect(queue_rig_said(&r, "1 record lost"), "%.*s", (int)r.log.len, r.log.ptr);
    queue_rig_put(&r, 9, 100);
    queue_rig_reap(&r);
    cr_assert(queue_rig_close(&r));
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(queue_rig_drain(&r), RECORDS);
    expect_all_but(1u << RECORDS, "cut", 10);
    cr_expect_eq(r.n_got[9], 1);
    cr_assert(queue_rig_close(&r));
}

/* Which record the byte belongs to; 0: the head. */
static unsigned tag_at(size_t at)
{
    unsigned tag = 0;

    while (tag < RECORDS && at >= record_end[tag])
        tag++;
    return tag;
}

static void flip(size_t at, bool after_open)
{
    unsigned tag = tag_at(at);
    const struct queue_stats *stats;

    begin_anew();
    if (after_open)
        cr_assert(queue_rig_open(&r));
    memory_disk_file(&r.disk, SEGMENT)->ptr[at] ^= (char)(at % 3 ? 0xFF : 1 << at % 8);
    if (after_open)
        queue_rig_drain(&r);
    else
        open_and_drain("flipped", at);
    stats = queue_stats(r.queue);
    expect_all_but(tag ? 1u << tag : 0, after_open ? "flipped while open" : "flipped", at);
    cr_expect_eq(stats->damaged_records, tag != 0, "flipped at %zu", at);
    cr_expect_eq(stats->damaged_bytes > 0, tag || !after_open, "flipped at %zu", at);
    cr_expect_eq(r.log.len > 0, tag || !after_open, "flipped at %zu", at);
    cr_expect_eq(stats->records, 0);
    cr_expect_eq(stats->events, 0);
    cr_assert(queue_rig_close(&r));
    cr_expect_null(memory_disk_find(&r.disk, ".segment", 0), "and the file can go");
}

Test(queue_damage, every_byte_is_flipped)
{
    for (size_t at = 0; at < memory_disk_file(&image, SEGMENT)->len; at++)
        flip(at, false);
}

Test(queue_damage, every_byte_is_flipped_while_it_is_open)
{
    for (size_t at = 0; at < memory_disk_file(&image, SEGMENT)->len; at++)
        flip(at, true);
}

Test(queue_damage, what_is_damaged_is_set_aside)
{
    size_t from = record_end[1];
    size_t len = record_end[3] - from; /* two records, zeroed */
    char name[64];
    struct buffer *aside;

    begin_anew();
    memset(memory_disk_file(&r.disk, SEGMENT)->ptr + from, 'z', len);
    open_and_drain("zeroed", from);
    expect_all_but(1u << 2 | 1u << 3, "zeroed", from);
    cr_expect_eq(queue_stats(r.queue)->damaged_records, 2, "their numbers are missing");
    cr_expect_eq(queue_stats(r.queue)->damaged_bytes, (int64_t)len);
    snprintf(name, sizeof name, "0000000001-%010zu.damaged", from);
    aside = memory_disk_file(&r.disk, name);
    cr_assert(aside, "%s", name);
    cr_expect_eq(aside->len, len);
    cr_expect_eq(aside->ptr[0], 'z');
    cr_expect(queue_rig_said(&r, name), "%.*s", (int)r.log.len, r.log.ptr);
    cr_assert(queue_rig_close(&r));
    cr_expect(memory_disk_file(&r.disk, name), "also after the segment is gone");
}

/* Bytes are missing in the middle, so all behind them is at another offset than it says. */
Test(queue_damage, a_file_that_was_shortened_in_the_middle)
{
    struct buffer *file;

    begin_anew();
    file = memory_disk_file(&r.disk, SEGMENT);
    memmove(file->ptr + record_end[1] + 5, file->ptr + record_end[1] + 15,
            file->len - record_end[1] - 15);
    file->len -= 10;
    open_and_drain("shortened", record_end[1]);
    cr_expect_eq(r.n_got[1], 1);
    cr_expect_gt(queue_stats(r.queue)->damaged_records, 0);
    cr_assert(queue_rig_close(&r));
}

/* Damage of what was settled already is nobody's loss. */
Test(queue_damage, what_was_settled_is_not_missed)
{
    begin_anew();
    cr_assert(queue_rig_open(&r));
    for (int i = 0; i < 2; i++) {
        cr_assert(queue_rig_get(&r));
        queue_settle(r.queue, queue_rig_drop_got(&r));
    }
    queue_rig_run(&r, 300);
    cr_assert(queue_rig_close(&r));
    memory_disk_file(&r.disk, SEGMENT)->ptr[record_end[1] + 3] ^= 1;
    r.log.len = 0;
    cr_assert(queue_rig_open(&r));
    cr_expect_eq(r.log.len, 0, "%.*s", (int)r.log.len, r.log.ptr);
    cr_expect_eq(queue_rig_drain(&r), 2);
    cr_assert(queue_rig_close(&r));
}

/* A log line that holds a whole record, to be found behind damage, is text. */
Test(queue_damage, a_record_within_a_record_is_no_record)
{
    struct buffer *file;
    struct buffer inner = {0};
    size_t at;

    buffer_add(&inner, memory_disk_file(&image, SEGMENT)->ptr + record_end[0],
               record_end[1] - record_end[0]);
    memory_disk_fini(&r.disk);
    memory_disk_init(&r.disk);
    memset(r.n_got, 0, sizeof r.n_got);
    cr_assert(queue_rig_open(&r));
    queue_rig_put(&r, 5, 6000);
    queue_rig_put(&r, 6, 30);
    queue_rig_reap(&r);
    cr_assert(queue_rig_close(&r));
    file = memory_disk_file(&r.disk, SEGMENT);
    for (at = SEGMENT_HEAD + 300; at + inner.len < 4000; at += inner.len)
        memcpy(file->ptr + at, inner.ptr, inner.len);
    file->ptr[SEGMENT_HEAD] ^= 1;
    open_and_drain("record in record", at);
    cr_expect_eq(r.n_got[1], 0);
    cr_expect_eq(r.n_got[6], 1);
    cr_expect_eq(queue_stats(r.queue)->damaged_records, 1);
    cr_assert(queue_rig_close(&r));
    buffer_free(&inner);
}

/* Thousands of damaged stretches: a few lines, a bounded copy. */
Test(queue_damage, a_disk_that_is_all_rotten)
{
    size_t bytes = 0;
    unsigned n_lines = 0;

    memory_disk_fini(&r.disk);
    memory_disk_init(&r.disk);
    cr_assert(queue_rig_open(&r));
    for (unsigned tag = 100; tag < 700; tag++)
        queue_rig_put(&r, tag, 50 * 1024);
    queue_rig_reap(&r);
    cr_assert(queue_rig_close(&r));
    for (size_t i = 0; memory_disk_find(&r.disk, ".segment", i); i++) {
        struct buffer *file = memory_disk_file(&r.disk, memory_disk_find(&r.disk, ".segment", i));

        for (size_t at = SEGMENT_HEAD + 10; at < file->len; at += 20 * 1024)
            file->ptr[at] ^= 0x10;
    }
    r.log.len = 0;
    cr_assert(queue_rig_open(&r));
    queue_rig_drain(&r);
    cr_expect_eq(queue_stats(r.queue)->records, 0);
    for (size_t i = 0; i < r.log.len; i++)
        n_lines += r.log.ptr[i] == '\n';
    cr_expect_gt(n_lines, 0);
    for (size_t i = 0; memory_disk_find(&r.disk, ".damaged", i); i++)
        bytes += memory_disk_file(&r.disk, memory_disk_find(&r.disk, ".damaged", i))->len;
    cr_expect(bytes > 0 && bytes <= 16 << 20, "%zu", bytes);
    cr_assert(queue_rig_close(&r));
}

/* It cannot be read for now: that is no damage, and it is there when it can. */
Test(queue_damage, a_disk_that_does_not_answer_for_a_while)
{
    begin_anew();
    cr_assert(queue_rig_open(&r));
    memory_disk_fault(&r.disk, DISK_CALL_READ, -EIO, 1, 1u << 30);
    for (int i = 0; i < 100; i++) {
        cr_expect_not(queue_rig_get(&r));
        cr_expect_eq(r.why.code, ERR_STORE);
        cr_expect_eq(queue_stats(r.queue)->records, RECORDS);
    }
    memory_disk_fault(&r.disk, 0, 0, 0, 0);
    cr_expect_eq(queue_rig_drain(&r), RECORDS);
    cr_assert(queue_rig_close(&r));
}

/* A sector is bad for ever: what is behind it is not held up for ever. */
Test(queue_damage, a_record_that_can_never_be_read)
{
    begin_anew();
    cr_assert(queue_rig_open(&r));
    memory_disk_fault(&r.disk, DISK_CALL_READ, -EIO, 1, 1u << 30);
    for (int i = 0; i < 10; i++) {
        queue_rig_get(&r);
        queue_rig_run(&r, 5000);
    }
    cr_expect_eq(queue_stats(r.queue)->records, RECORDS);
    queue_rig_run(&r, 20000);
    queue_rig_get(&r);
    cr_expect_eq(queue_stats(r.queue)->records, RECORDS - 1);
    cr_expect_eq(queue_stats(r.queue)->damaged_records, 1);
    cr_expect(queue_rig_said(&r, "record 1 cannot be read"), "%.*s", (int)r.log.len, r.log.ptr);
    memory_disk_fault(&r.disk, 0, 0, 0, 0);
    cr_expect_eq(queue_rig_drain(&r), RECORDS - 1);
    queue_rig_run(&r, 1000);
    cr_expect_eq(queue_stats(r.queue)->events, 0, "its events wait no more, ...");
    cr_expect_gt(queue_stats(r.queue)->damaged_events, 0, "... and are counted");
    cr_assert(queue_rig_close(&r));
}
