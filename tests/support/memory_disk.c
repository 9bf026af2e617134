#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/failing_malloc.h"
#include "tests/support/memory_disk.h"

/* --- faults ---------------------------------------------------------------------------------- */

/* This call is one of those that fail. */
static bool is_hit(struct memory_disk *d, enum disk_call call)
{
    if (!(d->calls & call))
        return false;
    d->n_calls++;
    if (!d->fail_at || d->n_calls < d->fail_at || d->n_calls >= d->fail_at + d->fail_for)
        return false;
    d->has_failed = true;
    return true;
}

/* 0, or what the call answers instead. */
static int fault(struct memory_disk *d, enum disk_call call)
{
    return is_hit(d, call) && !d->is_short ? d->error : 0;
}

static void record(struct memory_disk *d, const struct disk_step *step)
{
    struct disk_step copy = *step;

    if (!d->is_recording)
        return;
    if (d->n_steps == d->steps_cap) {
        d->steps_cap = d->steps_cap ? 2 * d->steps_cap : 64;
        d->steps = realloc(d->steps, d->steps_cap * sizeof *d->steps);
        cr_assert(d->steps);
    }
    if (copy.bytes.len) {
        char *bytes = malloc(copy.bytes.len);

        memcpy(bytes, copy.bytes.ptr, copy.bytes.len);
        copy.bytes.ptr = bytes;
    }
    d->steps[d->n_steps++] = copy;
}

static struct disk_step step_named(enum disk_call call, const char *name, const char *to)
{
    struct disk_step step = {.call = call};

    snprintf(step.name, sizeof step.name, "%s", name);
    snprintf(step.to, sizeof step.to, "%s", to ? to : "");
    return step;
}

/* --- names and files ------------------------------------------------------------------------- */

static size_t name_place(const struct memory_disk *d, const char *name)
{
    size_t i = 0;

    while (i < MEMORY_DISK_NAMES && strcmp(d->names[i].name, name) != 0)
        i++;
    return i;
}

static size_t new_file(struct memory_disk *d)
{
    unsigned failing = failing_malloc_suspend();

    d->files = realloc(d->files, (d->n_files + 1) * sizeof *d->files);
    cr_assert(d->files);
    failing_malloc_resume(failing);
    d->files[d->n_files] = (struct buffer){0};
    return d->n_files++;
}

static void set_name(struct memory_disk *d, const char *name, size_t file)
{
    size_t i = name_place(d, name);

    if (i == MEMORY_DISK_NAMES)
        i = name_place(d, "");
    cr_assert_lt(i, MEMORY_DISK_NAMES, "room for the name %s", name);
    snprintf(d->names[i].name, sizeof d->names[i].name, "%s", name);
    d->names[i].file = file;
}

static void write_to(struct buffer *file, struct slice bytes, uint64_t offset)
{
    size_t end = (size_t)offset + bytes.len;
    unsigned failing = failing_malloc_suspend();

    if (end > file->len) {
        cr_assert(buffer_reserve(file, end - file->len));
        memset(file->ptr + file->len, 0, end - file->len);
        file->len = end;
    }
    if (bytes.len)
        memcpy(file->ptr + offset, bytes.ptr, bytes.len);
    failing_malloc_resume(failing);
}

static void set_len(struct buffer *file, uint64_t len)
{
    if (len > file->len)
        write_to(file, (struct slice){0}, len);
    file->len = (size_t)len;
}

static void rename_to(struct memory_disk *d, const char *from, const char *to)
{
    size_t i = name_place(d, from);

    if (i == MEMORY_DISK_NAMES)
        return; /* after a power cut: it was never there */
    d->names[i].name[0] = '\0';
    set_name(d, to, d->names[i].file);
}

static void forget_name(struct memory_disk *d, const char *name)
{
    size_t i = name_place(d, name);

    if (i < MEMORY_DISK_NAMES)
        d->names[i].name[0] = '\0';
}

/* --- the table ------------------------------------------------------------------------------- */

static int take_handle(struct memory_disk *d)
{
    for (int i = 0; i < MEMORY_DISK_HANDLES; i++)
        if (!d->handles[i].is_open) {
            d->handles[i].is_open = true;
            return i;
        }
    return -EMFILE;
}

static struct buffer *file_of(struct memory_disk *d, int handle)
{
    cr_assert(handle >= 0 && handle < MEMORY_DISK_HANDLES && d->handles[handle].is_open &&
                  !d->handles[handle].is_dir,
              "handle %d is an open file", handle);
    return &d->files[d->handles[handle].file];
}

static int memory_open_dir(void *ctx, const char *path, bool make, struct err *e)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_OPEN);
    int handle = rc < 0 ? rc : take_handle(d);

    (void)make;
    if (handle < 0) {
        err_set(e, ERR_STORE, "%s", strerror(-handle));
        err_at(e, "%s", path);
        return handle;
    }
    d->handles[handle].is_dir = true;
    d->handles[handle].has_lock = false;
    return handle;
}

static int memory_list(void *ctx, int dir, disk_entry_fn *fn, void *arg)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_LIST);

    (void)dir;
    for (size_t i = 0; rc == 0 && i < MEMORY_DISK_NAMES; i++)
        if (d->names[i].name[0] && !fn(arg, d->names[i].name))
            break;
    return rc;
}

static int memory_sync_dir(void *ctx, int dir)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_SYNC_DIR);

    cr_assert(d->handles[dir].is_dir);
    if (rc == 0)
        record(d, &(struct disk_step){.call = DISK_CALL_SYNC_DIR});
    return rc;
}

static int memory_rename(void *ctx, int dir, const char *from, const char *to)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_RENAME);
    struct disk_step step = step_named(DISK_CALL_RENAME, from, to);

    (void)dir;
    if (rc < 0)
        return rc;
    if (name_place(d, from) == MEMORY_DISK_NAMES)
        return -ENOENT;
    rename_to(d, from, to);
    record(d, &step);
    return 0;
}

static int memory_remove(void *ctx, int dir, const char *name)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_REMOVE);
    struct disk_step step = step_named(DISK_CALL_REMOVE, name, NULL);

    (void)dir;
    if (rc < 0)
        return rc;
    if (name_place(d, name) == MEMORY_DISK_NAMES)
        return -ENOENT;
    forget_name(d, name);
    record(d, &step);
    return 0;
}

static int open_name(struct memory_disk *d, const char *name, unsigned flags)
{
    size_t i = name_place(d, name);
    struct disk_step step = step_named(DISK_CALL_OPEN, name, NULL);

    if (flags & DISK_CREATE) {
        if (i < MEMORY_DISK_NAMES)
            return -EEXIST;
        step.file = new_file(d);
        set_name(d, name, step.file);
        record(d, &step);
        return 0;
    }
    return i < MEMORY_DISK_NAMES ? 0 : -ENOENT;
}

static int memory_open(void *ctx, int dir, const char *name, unsigned flags)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_OPEN);
    int handle;

    (void)dir;
    if (rc == 0)
        rc = open_name(d, name, flags);
    if (rc < 0)
        return rc;
    handle = take_handle(d);
    if (handle < 0)
        return handle;
    d->handles[handle].is_dir = false;
    d->handles[handle].has_lock = false;
    d->handles[handle].flags = flags;
    d->handles[handle].file = d->names[name_place(d, name)].file;
    return handle;
}

static int memory_lock(void *ctx, int file)
{
    struct memory_disk *d = ctx;

    file_of(d, file);
    for (int i = 0; i < MEMORY_DISK_HANDLES; i++)
        if (i != file && d->handles[i].is_open && d->handles[i].has_lock &&
            d->handles[i].file == d->handles[file].file)
            return -EWOULDBLOCK;
    d->handles[file].has_lock = true;
    return 0;
}

static int memory_is_named(void *ctx, int dir, const char *name, int file)
{
    struct memory_disk *d = ctx;
    size_t i = name_place(d, name);

    (void)dir;
    return i < MEMORY_DISK_NAMES && d->names[i].file == d->handles[file].file;
}

static int64_t memory_size(void *ctx, int file)
{
    return (int64_t)file_of(ctx, file)->len;
}

static ssize_t memory_pread(void *ctx, int file, void *buf, size_t len, uint64_t offset)
{
    struct memory_disk *d = ctx;
    const struct buffer *b = file_of(d, file);
    bool is_faulty = is_hit(d, DISK_CALL_READ);

    if (is_faulty && !d->is_short)
        return d->error;
    if (offset >= b->len)
        return 0;
    if (len > b->len - offset)
        len = b->len - (size_t)offset;
    if (is_faulty)
        len = (len + 1) / 2;
    memcpy(buf, b->ptr + offset, len);
    return (ssize_t)len;
}

static ssize_t memory_pwrite(void *ctx, int file, const void *buf, size_t len, uint64_t offset)
{
    struct memory_disk *d = ctx;
    bool is_faulty = is_hit(d, DISK_CALL_WRITE);
    struct slice bytes = {buf, is_faulty ? (len + 1) / 2 : len};

    cr_assert(d->handles[file].flags & DISK_WRITE);
    if (is_faulty && d->error == -EINTR && !d->is_short)
        return -EINTR;
    write_to(file_of(d, file), bytes, offset);
    record(d, &(struct disk_step){.call = DISK_CALL_WRITE,
                                  .file = d->handles[file].file,
                                  .offset = offset,
                                  .bytes = bytes});
    return is_faulty && !d->is_short ? d->error : (ssize_t)bytes.len;
}

static int memory_truncate(void *ctx, int file, uint64_t len)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_TRUNCATE);

    cr_assert(d->handles[file].flags & DISK_WRITE);
    if (rc < 0)
        return rc;
    set_len(file_of(d, file), len);
    record(d, &(struct disk_step){
                  .call = DISK_CALL_TRUNCATE, .file = d->handles[file].file, .offset = len});
    return 0;
}

static int memory_sync(void *ctx, int file)
{
    struct memory_disk *d = ctx;
    int rc = fault(d, DISK_CALL_SYNC);

    file_of(d, file);
    if (rc == 0)
        record(d, &(struct disk_step){.call = DISK_CALL_SYNC, .file = d->handles[file].file});
    return rc;
}

static void memory_close(void *ctx, int handle)
{
    struct memory_disk *d = ctx;

    cr_assert(handle >= 0 && d->handles[handle].is_open, "closed once");
    d->handles[handle].is_open = false;
}

/* --- its life -------------------------------------------------------------------------------- */

void memory_disk_init(struct memory_disk *d)
{
    *d = (struct memory_disk){.disk = {.open_dir = memory_open_dir,
                                       .list = memory_list,
                                       .sync_dir = memory_sync_dir,
                                       .rename = memory_rename,
                                       .remove = memory_remove,
                                       .open = memory_open,
                                       .lock = memory_lock,
                                       .wait_lock = memory_lock,
                                       .is_named = memory_is_named,
                                       .size = memory_size,
                                       .pread = memory_pread,
                                       .pwrite = memory_pwrite,
                                       .truncate = memory_truncate,
                                       .sync = memory_sync,
                                       .close = memory_close},
                              .fail_for = 1};
    d->disk.ctx = d;
}

void memory_disk_fini(struct memory_disk *d)
{
    for (size_t i = 0; i < d->n_files; i++)
        buffer_free(&d->files[i]);
    for (size_t i = 0; i < d->n_steps; i++)
        free(d->steps[i].bytes.len ? (void *)d->steps[i].bytes.ptr : NULL);
    free(d->files);
    free(d->steps);
    d->files = NULL;
    d->steps = NULL;
    d->n_files = 0;
    d->n_steps = 0;
}

void memory_disk_fault(struct memory_disk *d, unsigned calls, int error, unsigned at,
                       unsigned how_many)
{
    d->calls = calls;
    d->error = error;
    d->fail_at = at;
    d->fail_for = how_many;
    d->is_short = false;
    d->has_failed = false;
    d->n_calls = 0;
}

void memory_disk_kill(struct memory_disk *d)
{
    memset(d->handles, 0, sizeof d->handles);
}

struct buffer *memory_disk_file(struct memory_disk *d, const char *name)
{
    size_t i = name_place(d, name);

    return i < MEMORY_DISK_NAMES ? &d->files[d->names[i].file] : NULL;
}

const char *memory_disk_find(const struct memory_disk *d, const char *ending, size_t n)
{
    const char *lowest = NULL;
    const char *above = "";

    for (size_t k = 0; k <= n; k++) {
        lowest = NULL;
        for (size_t i = 0; i < MEMORY_DISK_NAMES; i++) {
            const char *name = d->names[i].name;

            if (name[0] && slice_ends(slice_str(name), slice_str(ending)) &&
                strcmp(name, above) > 0 && (!lowest || strcmp(name, lowest) < 0))
                lowest = name;
        }
        if (!lowest)
            return NULL;
        above = lowest;
    }
    return lowest;
}

void memory_disk_copy(const struct memory_disk *from, struct memory_disk *to)
{
    memory_disk_init(to);
    memcpy(to->names, from->names, sizeof to->names);
    for (size_t i = 0; i < from->n_files; i++) {
        size_t file = new_file(to);

        buffer_add_slice(&to->files[file], buffer_slice(&from->files[i]));
    }
}

/* --- power ----------------------------------------------------------------------------------- */

static bool is_of_names(const struct disk_step *s)
{
    return s->call == DISK_CALL_OPEN || s->call == DISK_CALL_RENAME || s->call == DISK_CALL_REMOVE;
}

/* A sync among the n steps came after this one and covers it. */
static bool is_synced(const struct memory_disk *d, size_t step, size_t n)
{
    const struct disk_step *s = &d->steps[step];

    for (size_t i = step + 1; i < n; i++)
        if (is_of_names(s) ? d->steps[i].call == DISK_CALL_SYNC_DIR
                           : d->steps[i].call == DISK_CALL_SYNC && d->steps[i].file == s->file)
            return true;
    return false;
}

static void apply(struct memory_disk *to, const struct disk_step *s, enum step_fate fate)
{
    struct slice bytes = s->bytes;

    if (fate == STEP_TORN)
        bytes.len /= 2;
    switch (s->call) {
    case DISK_CALL_OPEN:
        set_name(to, s->name, s->file);
        return;
    case DISK_CALL_RENAME:
        rename_to(to, s->name, s->to);
        return;
    case DISK_CALL_REMOVE:
        forget_name(to, s->name);
        return;
    case DISK_CALL_WRITE:
        write_to(&to->files[s->file], bytes, s->offset);
        if (fate == STEP_ZEROED)
            memset(to->files[s->file].ptr + s->offset, 0, bytes.len);
        return;
    case DISK_CALL_TRUNCATE:
        set_len(&to->files[s->file], s->offset);
        return;
    default:
        return;
    }
}

void memory_disk_after_power_cut(const struct memory_disk *base, const struct memory_disk *d,
                                 size_t n, step_fate_fn *fate, void *ctx, struct memory_disk *to)
{
    memory_disk_copy(base, to);
    while (to->n_files < d->n_files)
        new_file(to);
    for (size_t i = 0; i < n; i++) {
        enum step_fate f = is_synced(d, i, n) ? STEP_KEPT : fate(ctx, i);

        if (f != STEP_DROPPED)
            apply(to, &d->steps[i], f);
    }
}
