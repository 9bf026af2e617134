#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_own.h"
#include "tests/sim/sim_vfs.h"
#include "tests/support/failing_malloc.h"

/* --- files and names ------------------------------------------------------------------------- */

static struct sim_own_file *use(struct sim_own_file *f)
{
    if (f)
        f->n_uses++;
    return f;
}

static void drop(struct sim_own_file *f)
{
    if (!f || --f->n_uses)
        return;
    sim_bytes_free(&f->bytes);
    free(f);
}

static struct sim_own_name *find(struct sim_own_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->names[i].name, name) == 0)
            return &names->names[i];
    return NULL;
}

static void forget_name(struct sim_own_names *names, const char *name)
{
    struct sim_own_name *found = find(names, name);

    if (!found)
        return;
    drop(found->file);
    *found = names->names[--names->n];
}

static void apply(struct sim_own_names *names, const struct sim_own_change *c)
{
    struct sim_own_file *file = use(c->file);

    if (c->from[0])
        forget_name(names, c->from);
    forget_name(names, c->to);
    if (!file)
        return;
    cr_assert_lt(names->n, (size_t)SIM_OWN_NAMES, "too many names");
    snprintf(names->names[names->n].name, SIM_OWN_NAME_MAX, "%s", c->to);
    names->names[names->n++].file = file;
}

static void change(struct sim_own_dir *d, const char *from, const char *to,
                   struct sim_own_file *file)
{
    struct sim_own_change *c;

    cr_assert_lt(d->n_changes, (size_t)SIM_OWN_CHANGES, "too many changes without a sync");
    c = &d->changes[d->n_changes++];
    snprintf(c->from, sizeof c->from, "%s", from);
    snprintf(c->to, sizeof c->to, "%s", to);
    c->file = use(file);
    apply(&d->now, c);
}

/* The first n changes reach the disk, the others never do. */
static void settle_names(struct sim_own_dir *d, size_t n)
{
    for (size_t i = 0; i < d->n_changes; i++) {
        if (i < n)
            apply(&d->durable, &d->changes[i]);
        drop(d->changes[i].file);
    }
    d->n_changes = 0;
}

static void clear_names(struct sim_own_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        drop(names->names[i].file);
    names->n = 0;
}

static struct sim_own_dir *find_dir(const struct sim_own *o, const char *path)
{
    for (int i = 0; i < SIM_OWN_DIRS; i++)
        if (strcmp(o->dirs[i].path, path) == 0)
            return (struct sim_own_dir *)&o->dirs[i];
    return NULL;
}

/* --- faults ---------------------------------------------------------------------------------- */

/* 0, or what a call says that did nothing. */
static int fault(struct sim_own *o)
{
    if (sim_chance(o->random, o->faults_permille))
        return -EIO;
    return o->faults_permille && sim_chance(o->random, 100) ? -EINTR : 0;
}

/* The same of a call that changes something; a dead process changes nothing. */
static int write_fault(struct sim_own *o)
{
    return sim_vfs_may_write() ? fault(o) : -EIO;
}

/* --- struct disk ----------------------------------------------------------------------------- */

static int new_handle(struct sim_own *o, struct sim_own_dir *dir, struct sim_own_file *file,
                      bool is_writable)
{
    int h = 0;

    while (h < SIM_OWN_HANDLES && o->handles[h].dir)
        h++;
    cr_assert_lt(h, SIM_OWN_HANDLES, "too many open files");
    o->handles[h] =
        (struct sim_own_handle){.dir = dir, .file = use(file), .is_writable = is_writable};
    o->n_open++;
    return h;
}

static int own_open_dir(void *ctx, const char *path, bool make, struct err *e)
{
    struct sim_own *o = ctx;
    struct sim_own_dir *d = find_dir(o, path);
    int rc = o->is_blocked ? -ENOTDIR : d ? 0 : make ? write_fault(o) : -ENOENT;

    if (rc == -EINTR)
        rc = 0;
    if (rc == 0 && !d && sim_vfs_is_full())
        rc = -ENOSPC;
    if (rc < 0) {
        err_set(e, ERR_STORE, "%s", strerror(-rc));
        err_at(e, "%s", path);
        return rc;
    }
    if (!d) {
        d = find_dir(o, "");
        cr_assert_not_null(d, "too many directories");
        snprintf(d->path, sizeof d->path, "%s", path);
    }
    return new_handle(o, d, NULL, false);
}

static int own_list(void *ctx, int dir, disk_entry_fn *fn, void *arg)
{
    struct sim_own *o = ctx;
    struct sim_own_names names = o->handles[dir].dir->now; /* it may change meanwhile */
    int rc = fault(o);

    if (rc == -EIO)
        return rc;
    for (size_t i = 0; i < names.n; i++)
        if (!fn(arg, names.names[i].name))
            break;
    return 0;
}

static bool is_synced(const struct sim_own *o, const struct sim_own_dir *d)
{
    return !o->unsynced || !slice_ends(slice_str(d->path), slice_str(o->unsynced));
}

static int own_sync_dir(void *ctx, int dir)
{
    struct sim_own *o = ctx;
    struct sim_own_dir *d = o->handles[dir].dir;
    int rc = write_fault(o);

    if (rc == -EIO && !sim_vfs_is_dead())
        settle_names(d, d->n_changes); /* it says that it failed, and did it */
    if (rc == 0 && is_synced(o, d))
        settle_names(d, d->n_changes);
    return rc;
}

static int own_rename(void *ctx, int dir, const char *from, const char *to)
{
    struct sim_own *o = ctx;
    struct sim_own_dir *d = o->handles[dir].dir;
    struct sim_own_name *found = find(&d->now, from);
    int rc = write_fault(o);

    if (rc == -EIO)
        return rc;
    if (!found)
        return -ENOENT;
    if (strcmp(from, to) != 0)
        change(d, from, to, found->file);
    return 0;
}

static int own_remove(void *ctx, int dir, const char *name)
{
    struct sim_own *o = ctx;
    struct sim_own_dir *d = o->handles[dir].dir;
    int rc = write_fault(o);

    if (rc == -EIO)
        return rc;
    if (!find(&d->now, name))
        return -ENOENT;
    change(d, "", name, NULL);
    return 0;
}

static struct sim_own_file *make_file(void)
{
    unsigned left = failing_malloc_suspend();
    struct sim_own_file *f = calloc(1, sizeof *f);

    cr_assert_not_null(f);
    failing_malloc_resume(left);
    return f;
}

static int own_open(void *ctx, int dir, const char *name, unsigned flags)
{
    struct sim_own *o = ctx;
    struct sim_own_dir *d = o->handles[dir].dir;
    const struct sim_own_name *found = find(&d->now, name);
    int rc = flags & DISK_CREATE && !found ? write_fault(o) : fault(o);

    if (rc < 0)
        return rc;
    if (found)
        return flags & DISK_CREATE ? -EEXIST : new_handle(o, d, found->file, flags & DISK_WRITE);
    if (!(flags & DISK_CREATE))
        return -ENOENT;
    if (sim_vfs_is_full())
        return -ENOSPC;
    change(d, "", name, make_file());
    return new_handle(o, d, find(&d->now, name)->file, true);
}

static int own_lock(void *ctx, int file)
{
    struct sim_own *o = ctx;
    struct sim_own_handle *h = &o->handles[file];

    if (h->file->is_locked && !h->has_lock)
        return -EWOULDBLOCK;
    h->file->is_locked = h->has_lock = true;
    return 0;
}

static int own_is_named(void *ctx, int dir, const char *name, int file)
{
    struct sim_own *o = ctx;
    const struct sim_own_name *found = find(&o->handles[dir].dir->now, name);

    return found && found->file == o->handles[file].file;
}

static int64_t own_size(void *ctx, int file)
{
    return (int64_t)((struct sim_own *)ctx)->handles[file].file->bytes.now.len;
}

/* Sometimes fewer than were wanted, never none. */
static size_t some_of(struct sim_own *o, size_t len)
{
    if (len > 1 && o->faults_permille && sim_draw(o->random, 3) == 0)
        return 1 + sim_draw(o->random, (unsigned)len - 1);
    return len;
}

static ssize_t own_pread(void *ctx, int file, void *buf, size_t len, uint64_t offset)
{
    struct sim_own *o = ctx;
    const struct buffer *b = &o->handles[file].file->bytes.now;
    size_t left = offset < b->len ? b->len - (size_t)offset : 0;
    int rc = fault(o);

    if (rc < 0)
        return rc;
    len = some_of(o, left < len ? left : len);
    if (len)
        memcpy(buf, b->ptr + offset, len);
    return (ssize_t)len;
}

static ssize_t own_pwrite(void *ctx, int file, const void *buf, size_t len, uint64_t offset)
{
    struct sim_own *o = ctx;
    const struct sim_own_handle *h = &o->handles[file];
    int rc = write_fault(o);

    if (!h->is_writable)
        return -EBADF;
    if (rc < 0)
        return rc;
    /* A disk that fills takes a part of the last write. */
    if (sim_vfs_is_full() && (len < 2 || sim_draw(o->random, 2)))
        return -ENOSPC;
    len = sim_vfs_is_full() ? 1 + sim_draw(o->random, (unsigned)len - 1) : some_of(o, len);
    sim_bytes_write(&h->file->bytes, (size_t)offset, slice_of(buf, len));
    return (ssize_t)len;
}

static int own_truncate(void *ctx, int file, uint64_t len)
{
    struct sim_own *o = ctx;
    const struct sim_own_handle *h = &o->handles[file];
    int rc = write_fault(o);

    if (!h->is_writable)
        return -EBADF;
    if (rc == 0)
        sim_bytes_truncate(&h->file->bytes, (size_t)len);
    return rc;
}

static int own_sync(void *ctx, int file)
{
    struct sim_own *o = ctx;
    const struct sim_own_handle *h = &o->handles[file];
    int rc = write_fault(o);

    if (rc == -EIO && !sim_vfs_is_dead())
        sim_bytes_sync_fails(&h->file->bytes, o->random);
    if (rc == 0 && is_synced(o, h->dir))
        sim_bytes_sync(&h->file->bytes);
    return rc;
}

static void own_close(void *ctx, int handle)
{
    struct sim_own *o = ctx;
    struct sim_own_handle *h;

    if (handle < 0)
        return;
    h = &o->handles[handle];
    cr_assert(h->dir, "a handle that is not open is closed");
    if (h->has_lock)
        h->file->is_locked = false;
    drop(h->file);
    *h = (struct sim_own_handle){0};
    o->n_open--;
}

/* --- its life -------------------------------------------------------------------------------- */

void sim_own_init(struct sim_own *o, struct random *random)
{
    memset(o, 0, sizeof *o);
    o->random = random;
    o->disk = (struct disk){
        .open_dir = own_open_dir,
        .list = own_list,
        .sync_dir = own_sync_dir,
        .rename = own_rename,
        .remove = own_remove,
        .open = own_open,
        .lock = own_lock,
        .wait_lock = own_lock,
        .is_named = own_is_named,
        .size = own_size,
        .pread = own_pread,
        .pwrite = own_pwrite,
        .truncate = own_truncate,
        .sync = own_sync,
        .close = own_close,
        .ctx = o,
    };
}

void sim_own_fini(struct sim_own *o)
{
    for (int h = 0; h < SIM_OWN_HANDLES; h++)
        if (o->handles[h].dir)
            own_close(o, h);
    for (int i = 0; i < SIM_OWN_DIRS; i++) {
        settle_names(&o->dirs[i], 0);
        clear_names(&o->dirs[i].now);
        clear_names(&o->dirs[i].durable);
    }
}

static void cut_names(struct sim_own *o, struct sim_own_dir *d)
{
    settle_names(d, sim_draw(o->random, (unsigned)d->n_changes + 1));
    clear_names(&d->now);
    for (size_t i = 0; i < d->durable.n; i++)
        use(d->durable.names[i].file);
    d->now = d->durable;
}

void sim_own_revive(struct sim_own *o, bool is_power_cut)
{
    for (int h = 0; h < SIM_OWN_HANDLES; h++)
        if (o->handles[h].dir)
            own_close(o, h);
    for (int i = 0; is_power_cut && i < SIM_OWN_DIRS; i++) {
        struct sim_own_dir *d = &o->dirs[i];

        cut_names(o, d);
        for (size_t n = 0; n < d->now.n; n++)
            sim_bytes_cut_power(&d->now.names[n].file->bytes, o->random);
    }
}

void sim_own_each(const struct sim_own *o, const char *dir, sim_own_file_fn *fn, void *ctx)
{
    const struct sim_own_dir *d = find_dir(o, dir);

    for (size_t i = 0; d && i < d->now.n; i++)
        fn(ctx, d->now.names[i].name, buffer_slice(&d->now.names[i].file->bytes.now));
}
