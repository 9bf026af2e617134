#define _XOPEN_SOURCE 700 /* nftw */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/delivery/checkpoints.h"
#include "shipper/inputs/handover.h"
#include "tests/support/file_rig.h"

enum { STEP_MS = 50 };

/* --- parser and output ----------------------------------------------------------------------- */

static bool raw_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                      struct record *out)
{
    (void)self;
    (void)scratch;
    out->message = (struct value){line, VALUE_TEXT};
    return true;
}

static const struct parser_ops raw_ops = {.name = "raw", .parse = raw_parse};

static void raw_encode(const void *options, const struct event *event, struct buffer *body)
{
    (void)options;
    buffer_add(body, event->id, HASH_TEXT_LEN);
    if (event->request_id.len)
        buffer_printf(body, "[%.*s] ", SLICE_ARG(event->request_id));
    if (event->invocation)
        buffer_printf(body, "invocation of %llx:%llu", (unsigned long long)event->origin,
                      (unsigned long long)event->offset);
    buffer_add_slice(body, event->line);
    buffer_add_char(body, '\n');
}

static const struct output_ops raw_output = {.name = "raw", .encode = raw_encode};

static void settle(struct rig *r, struct batch *b)
{
    tracker_settle_items(&r->tracker, 0, b->items, b->n_items);
    batch_free(b);
}

static void on_ready(void *ctx, struct batch *b)
{
    struct rig *r = ctx;

    for (size_t i = 0; i < b->n_items; i++) {
        const char *item = b->body.ptr + b->items[i].body_offset;

        buffer_add(&r->ids, item, HASH_TEXT_LEN);
        buffer_add_char(&r->ids, '\n');
        buffer_add(&r->out, item + HASH_TEXT_LEN, b->items[i].body_len - HASH_TEXT_LEN);
    }
    if (!r->is_stalled) {
        settle(r, b);
        return;
    }
    b->next = r->kept;
    r->kept = b;
}

void rig_release(struct rig *r)
{
    r->is_stalled = false;
    while (r->kept) {
        struct batch *b = r->kept;

        r->kept = b->next;
        settle(r, b);
    }
}

void rig_drop_kept(struct rig *r)
{
    while (r->kept) {
        struct batch *b = r->kept;

        r->kept = b->next;
        batch_free(b);
    }
}

/* --- the world ------------------------------------------------------------------------------- */

static int64_t rig_mono(void *ctx)
{
    return ((struct rig *)ctx)->now_ms;
}

static int64_t rig_wall(void *ctx)
{
    const struct rig *r = ctx;

    return r->wall_ns + r->now_ms * 1000000;
}

static int rig_open_file(void *ctx, const char *path, bool *missing, struct err *e)
{
    struct rig *r = ctx;
    int fd;

    *missing = false;
    if (r->denied && strcmp(path, r->denied) == 0)
        return err_set(e, ERR_INPUT, "Permission denied");
    if (r->n_may_open >= 0 && r->n_opened >= r->n_may_open)
        return err_set(e, ERR_BUSY, "Too many open files");
    fd = files_posix.open(NULL, path, missing, e);
    r->n_opened += fd >= 0;
    return fd;
}

static void rig_close_file(void *ctx, int fd)
{
    ((struct rig *)ctx)->n_opened--;
    files_posix.close(NULL, fd);
}

/* What happens on the loop while a worker still has the chunk, happens here. */
static ssize_t rig_pread(void *ctx, int fd, void *buf, size_t cap, uint64_t offset, struct err *e)
{
    struct rig *r = ctx;
    ssize_t n = files_posix.pread(NULL, fd, buf, cap, offset, e);
    void (*on_end)(struct rig *) = r->on_end;

    if (r->unreadable_from && offset >= r->unreadable_from)
        return err_set(e, ERR_INPUT, "Input/output error");
    if (n == 0 && on_end) {
        r->on_end = NULL;
        on_end(r);
    }
    return n;
}

static int rig_stat(void *ctx, const char *path, struct file_stat *out, bool *missing,
                    struct err *e)
{
    int how = files_posix.stat(NULL, path, out, missing, e);

    if (how == 0 && ((struct rig *)ctx)->has_no_births)
        out->generation = 0;
    return how;
}

static int rig_fstat(void *ctx, int fd, struct file_stat *out, struct err *e)
{
    int how = files_posix.fstat(NULL, fd, out, e);

    if (how == 0 && ((struct rig *)ctx)->has_no_births)
        out->generation = 0;
    return how;
}

static int rig_list(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                    struct err *e)
{
    const struct rig *r = ctx;

    ((struct rig *)ctx)->n_listed++;
    *missing = false;
    if (r->denied_below && strncmp(dir, r->denied_below, strlen(r->denied_below)) == 0) {
        err_set(e, ERR_INPUT, "Permission denied");
        return err_at(e, "%s", dir);
    }
    return files_posix.list(NULL, dir, fn, arg, missing, e);
}

static void rig_log(void *ctx, const struct err *what)
{
    char text[1200];

    buffer_printf(&((struct rig *)ctx)->log, "%s\n", err_text(what, text, sizeof text));
}

static void on_wake(void *ctx)
{
    (void)ctx; /* rig_run reaps all the time */
}

static void on_moved(void *ctx, struct stream *s, uint64_t position, struct slice state)
{
    struct rig *r = ctx;
    const struct tail *t = s->owner;
    struct checkpoint c = {
        .key = s->key,
        .path = t->path,
        .position = position,
        .head_hash = s->head_hash,
        .seen_s = rig_wall(r) / 1000000000,
        .state = state,
    };

    if (s->key)
        checkpoints_put(r->checkpoints, &c);
}

void rig_init(struct rig *r)
{
    struct lane_options lane = {&raw_output, NULL, {1 << 20, 10000, 0}, "the rig's"};

    *r = (struct rig){.now_ms = 1000, .wall_ns = 1700000000000000000, .n_may_open = -1};
    strcpy(r->dir, "/tmp/ship-test-XXXXXX");
    cr_assert_not_null(mkdtemp(r->dir));
    r->clock = (struct clock){rig_mono, rig_wall, r};
    r->files = files_posix;
    r->files.open = rig_open_file;
    r->files.close = rig_close_file;
    r->files.pread = rig_pread;
    r->files.stat = rig_stat;
    r->files.fstat = rig_fstat;
    r->files.list = rig_list;
    r->files.ctx = r;
    budget_init(&r->budget, 8 << 20);
    tracker_init(&r->tracker, on_moved, r);
    r->pool = pool_new(0, on_wake, r, NULL);
    r->writer = pool_new(0, on_wake, r, NULL);
    r->lanes = lanes_new(&lane, 1, r->pool, &r->budget, &r->clock, on_ready, r, NULL);
    r->parser.ops = &raw_ops;
    r->options = (struct file_options){.poll_interval_ms = 1000, .watch = FILE_WATCH_POLL};
    r->common =
        (struct input_common){.name = "t", .max_line_bytes = 1 << 20, .chunk_bytes = 64 * 1024};
    r->world = (struct input_world){
        .clock = &r->clock,
        .files = &r->files,
        .pool = r->pool,
        .lanes = r->lanes,
        .budget = &r->budget,
        .tracker = &r->tracker,
        .host = "h",
        .log = rig_log,
        .log_ctx = r,
    };
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void end_input(struct rig *r, struct handover *to)
{
    input_file.stop(r->input);
    lanes_tick(r->lanes, r->now_ms, true);
    pool_reap(r->pool);
    rig_release(r);
    if (to) {
        checkpoints_forget_had(r->checkpoints);
        input_file.note_had(r->input);
        input_file.hand_over(r->input, to);
    }
    input_file.close(r->input);
}

static void close_store(struct rig *r)
{
    checkpoints_close(r->checkpoints, NULL);
    r->checkpoints = r->world.checkpoints = NULL;
}

void rig_reload(struct rig *r, const char *pattern)
{
    struct handover handover = {0};

    end_input(r, &handover);
    close_store(r);
    r->world.handover = &handover;
    rig_open(r, pattern);
    r->world.handover = NULL;
    handover_fini(&handover);
}

void rig_close(struct rig *r)
{
    if (r->input) {
        end_input(r, NULL);
        cr_expect_eq(r->n_opened, 0, "%d descriptors stayed open", r->n_opened);
        cr_expect_eq(budget_held(&r->budget), 0, "%lld bytes of budget stayed taken",
                     (long long)budget_held(&r->budget));
    }
    r->input = NULL;
    close_store(r);
}

void rig_fini(struct rig *r)
{
    rig_close(r);
    lanes_free(r->lanes);
    pool_free(r->pool);
    pool_free(r->writer);
    buffer_free(&r->out);
    buffer_free(&r->ids);
    buffer_free(&r->log);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- files ----------------------------------------------------------------------------------- */

const char *rig_path(struct rig *r, const char *name)
{
    static char paths[4][256];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", r->dir, name);
    return path;
}

static void put(struct rig *r, const char *name, const char *mode, const char *text)
{
    FILE *f = fopen(rig_path(r, name), mode);

    cr_assert_not_null(f, "%s", name);
    fputs(text, f);
    fclose(f);
}

void rig_write(struct rig *r, const char *name, const char *text)
{
    put(r, name, "w", text);
}

void rig_append(struct rig *r, const char *name, const char *text)
{
    put(r, name, "a", text);
}

void rig_rename(struct rig *r, const char *from, const char *to)
{
    cr_assert_eq(rename(rig_path(r, from), rig_path(r, to)), 0, "%s to %s", from, to);
}

void rig_truncate(struct rig *r, const char *name, long len)
{
    cr_assert_eq(truncate(rig_path(r, name), len), 0);
}

void rig_delete(struct rig *r, const char *name)
{
    cr_assert_eq(remove(rig_path(r, name)), 0);
}

/* --- running --------------------------------------------------------------------------------- */

static bool open_input(struct rig *r, const char *pattern, struct err *e)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", r->dir, pattern);
    r->paths[0] = path;
    r->options.paths = (struct option_list){r->paths, 1};
    r->input = input_file.open(&r->options, &r->common, &r->parser, &r->world, e);
    return r->input != NULL;
}

bool rig_open(struct rig *r, const char *pattern)
{
    struct err e = {0};
    bool is_open;

    r->checkpoints = checkpoints_open(rig_path(r, ".state"), r->writer, &e);
    cr_assert_not_null(r->checkpoints, "%s: %s", e.where, e.what);
    r->world.checkpoints = r->checkpoints;
    is_open = open_input(r, pattern, &e);
    cr_assert(is_open, "%s: %s", e.where, e.what);
    return is_open;
}

bool rig_replay(struct rig *r, const char *pattern, struct err *e)
{
    r->world.is_replay = true;
    r->options.recursive_directories = true;
    return open_input(r, pattern, e);
}

void rig_run(struct rig *r, int64_t ms)
{
    int64_t until = r->now_ms + ms;

    do {
        size_t n;

        do {
            n = 0;
            input_file.tick(r->input, r->now_ms);
            n += pool_reap(r->pool);
            lanes_tick(r->lanes, r->now_ms, true);
            n += pool_reap(r->pool);
        } while (n);
        if (r->checkpoints)
            checkpoints_tick(r->checkpoints, r->now_ms);
        pool_reap(r->writer);
        r->now_ms += STEP_MS;
    } while (r->now_ms < until);
}

void rig_expect(struct rig *r, const char *lines, const char *because)
{
    buffer_add_char(&r->out, '\0');
    cr_expect_str_eq(r->out.ptr, lines, "%s; it was: %s", because, r->out.ptr);
    r->out.len = 0;
}
