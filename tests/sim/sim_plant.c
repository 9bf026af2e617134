#include <string.h>

#include "outputs/es_reply.h"
#include "outputs/es_verdict.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/engine.h"
#include "shipper/delivery/letter_files.h"
#include "shipper/delivery/retry.h"
#include "shipper/delivery/tracker.h"
#include "shipper/inputs/file_input.h"
#include "shipper/pipeline/budget.h"
#include "tests/sim/sim_plant.h"

static enum sim_plant chosen;

static const char *const names[PLANTS] = {
    [PLANT_NONE] = "none",
    [PLANT_POSITION_BEFORE_ACK] = "position-before-ack",
    [PLANT_CONFLICT_IS_FAILURE] = "conflict-is-failure",
    [PLANT_NO_RESUME] = "no-resume",
    [PLANT_LOST_WAKE_UP] = "lost-wake-up",
    [PLANT_NO_FSYNC_CHECKPOINTS] = "no-fsync-checkpoints",
    [PLANT_NO_FSYNC_LETTERS] = "no-fsync-letters",
    [PLANT_NO_FSYNC_QUEUE] = "no-fsync-queue",
    [PLANT_INODE_REUSE] = "inode-reuse",
    [PLANT_NO_CORRELATION] = "no-correlation",
    [PLANT_SHORT_REPLY] = "short-reply",
    [PLANT_LETTER_ERROR_IGNORED] = "letter-error-ignored",
    [PLANT_MEMORY_NOT_ASKED_FOR] = "memory-not-asked-for",
    [PLANT_MEMORY_NOT_GIVEN_BACK] = "memory-not-given-back",
    [PLANT_COUNT_WRONG] = "count-wrong",
    [PLANT_PARTIAL_RETRY_WHOLE] = "partial-retry-whole",
};

const char *sim_plant_name(enum sim_plant plant)
{
    return names[plant];
}

enum sim_plant sim_plant_find(const char *name)
{
    int i = 0;

    while (i < PLANTS && strcmp(names[i], name) != 0)
        i++;
    return (enum sim_plant)i;
}

void sim_plant_choose(enum sim_plant plant)
{
    chosen = plant;
}

enum sim_plant sim_plant_chosen(void)
{
    return chosen;
}

/* --- the linker's names for what it wraps ---------------------------------------------------- */

#define WRAPPED(type, name, ...)                                                                   \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

WRAPPED(void, tracker_read, struct tracker *t, struct chunk *chunk);
WRAPPED(enum verdict, es_item_verdict, int status, struct slice type, struct slice reason);
WRAPPED(int64_t, retry_delay_ms, unsigned failures, int64_t initial_ms, int64_t max_ms,
        int64_t retry_after_ms, uint64_t random);
WRAPPED(int64_t, engine_tick, struct engine *en, int64_t now_ms);
WRAPPED(bool, file_row_fits, struct input *in, const struct known *k, const char *path,
        const struct file_stat *st);
WRAPPED(bool, source_file_lacks_mark, const struct files *files, int fd, uint64_t offset,
        uint64_t mark);
WRAPPED(void, source_file_expect, struct source_file *s, uint64_t offset, uint64_t mark);
WRAPPED(void, checkpoints_put, struct checkpoints *s, const struct checkpoint *c);
WRAPPED(bool, es_reply_is_whole, const struct es_reply *r);
WRAPPED(int, letter_files_append, const struct disk *disk, const char *directory,
        struct slice lines, int64_t rotate_bytes, int64_t now_ns, struct err *e);
WRAPPED(void, engine_on_reply, void *ctx, struct batch *b, const struct sink_reply *reply);
WRAPPED(bool, budget_try, struct budget *b, int64_t bytes);
WRAPPED(void, budget_add, struct budget *b, int64_t bytes);

void __wrap_tracker_read(struct tracker *t, struct chunk *chunk)
{
    if (chosen == PLANT_POSITION_BEFORE_ACK && t->on_moved && !chunk->stream->is_stand_in)
        t->on_moved(t->ctx, chunk->stream, chunk->end, buffer_slice(&chunk->state));
    __real_tracker_read(t, chunk);
}

enum verdict __wrap_es_item_verdict(int status, struct slice type, struct slice reason)
{
    if (status == 409 && chosen == PLANT_CONFLICT_IS_FAILURE)
        return VERDICT_REJECTED;
    if (status == 409 && chosen == PLANT_COUNT_WRONG)
        return VERDICT_DELIVERED;
    return __real_es_item_verdict(status, type, reason);
}

int64_t __wrap_retry_delay_ms(unsigned failures, int64_t initial_ms, int64_t max_ms,
                              int64_t retry_after_ms, uint64_t random)
{
    if (chosen == PLANT_NO_RESUME && failures == 5)
        return INT64_MAX / 4;
    return __real_retry_delay_ms(failures, initial_ms, max_ms, retry_after_ms, random);
}

int64_t __wrap_engine_tick(struct engine *en, int64_t now_ms)
{
    int64_t due = __real_engine_tick(en, now_ms);

    return chosen == PLANT_LOST_WAKE_UP ? INT64_MAX : due;
}

/* With generations of 0, which the disk gives (sim_disk.c), three ways to tell remain. */
bool __wrap_file_row_fits(struct input *in, const struct known *k, const char *path,
                          const struct file_stat *st)
{
    return chosen == PLANT_INODE_REUSE || __real_file_row_fits(in, k, path, st);
}

bool __wrap_source_file_lacks_mark(const struct files *files, int fd, uint64_t offset,
                                   uint64_t mark)
{
    return chosen != PLANT_INODE_REUSE && __real_source_file_lacks_mark(files, fd, offset, mark);
}

void __wrap_source_file_expect(struct source_file *s, uint64_t offset, uint64_t mark)
{
    if (chosen != PLANT_INODE_REUSE)
        __real_source_file_expect(s, offset, mark);
}

void __wrap_checkpoints_put(struct checkpoints *s, const struct checkpoint *c)
{
    struct checkpoint bare = *c;

    bare.state = (struct slice){0};
    __real_checkpoints_put(s, chosen == PLANT_NO_CORRELATION ? &bare : c);
}

bool __wrap_es_reply_is_whole(const struct es_reply *r)
{
    if (chosen == PLANT_SHORT_REPLY && r->n_items && r->n_items < r->n_sent) {
        for (size_t i = r->n_items; i < r->n_sent; i++)
            r->verdicts[i] = VERDICT_DELIVERED;
        return true;
    }
    return __real_es_reply_is_whole(r);
}

int __wrap_letter_files_append(const struct disk *disk, const char *directory, struct slice lines,
                               int64_t rotate_bytes, int64_t now_ns, struct err *e)
{
    int rc = __real_letter_files_append(disk, directory, lines, rotate_bytes, now_ns, e);

    if (rc == 0 || chosen != PLANT_LETTER_ERROR_IGNORED)
        return rc;
    *e = (struct err){0};
    return 0;
}

void __wrap_engine_on_reply(void *ctx, struct batch *b, const struct sink_reply *reply)
{
    bool goes_again = false;

    for (size_t i = 0; reply->outcome == SINK_ITEMS && i < b->n_items; i++)
        goes_again |= reply->verdicts[i] == VERDICT_RETRY;
    for (size_t i = 0; goes_again && i < b->n_items; i++)
        if (chosen == PLANT_PARTIAL_RETRY_WHOLE)
            reply->verdicts[i] = VERDICT_RETRY;
    __real_engine_on_reply(ctx, b, reply);
}

bool __wrap_budget_try(struct budget *b, int64_t bytes)
{
    if (chosen != PLANT_MEMORY_NOT_ASKED_FOR)
        return __real_budget_try(b, bytes);
    __real_budget_add(b, bytes);
    return true;
}

void __wrap_budget_add(struct budget *b, int64_t bytes)
{
    if (chosen == PLANT_MEMORY_NOT_GIVEN_BACK && bytes < 0 && bytes % 64 == 0)
        bytes += 8;
    __real_budget_add(b, bytes);
}
