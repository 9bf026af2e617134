#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_plant.h"
#include "tests/support/failing_malloc.h"

/* --- names and inodes ------------------------------------------------------------------------ */

static int slot_of(const struct sim_disk *d, const char *name)
{
    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (strcmp(d->names[i].name, name) == 0)
            return i;
    return -1;
}

struct sim_inode *sim_disk_find(const struct sim_disk *d, const char *name)
{
    int slot = slot_of(d, name);

    return slot < 0 ? NULL : d->names[slot].inode;
}

static struct sim_inode *make_inode(struct sim_disk *d)
{
    struct sim_inode *i = calloc(1, sizeof *i);

    cr_assert_not_null(i);
    i->number = d->reuses_numbers && d->n_free && sim_chance(d->random, 700)
                    ? d->free_numbers[--d->n_free]
                    : ++d->last_number;
    /* Birth times differ, since something happens between two births. */
    i->generation = d->has_birth_times ? (uint64_t)d->now_ns + ++d->n_born : 0;
    i->mtime_ns = d->now_ns;
    return i;
}

static void release(struct sim_disk *d, struct sim_inode *i)
{
    if (i->n_names || i->n_open)
        return;
    if (d->n_free < SIM_NAMES_MAX)
        d->free_numbers[d->n_free++] = i->number;
    buffer_free(&i->bytes);
    free(i);
}

static void unlink_slot(struct sim_disk *d, int slot)
{
    struct sim_inode *i = d->names[slot].inode;

    d->names[slot].name[0] = '\0';
    d->names[slot].inode = NULL;
    i->n_names--;
    release(d, i);
}

static void link_name(struct sim_disk *d, const char *name, struct sim_inode *i)
{
    int slot = slot_of(d, "");

    cr_assert_geq(slot, 0, "too many names");
    snprintf(d->names[slot].name, SIM_NAME_MAX, "%s", name);
    d->names[slot].inode = i;
    i->n_names++;
}

void sim_disk_append_to(struct sim_disk *d, struct sim_inode *i, const char *text)
{
    buffer_add_slice(&i->bytes, slice_str(text));
    i->mtime_ns = d->now_ns;
}

struct sim_inode *sim_disk_append(struct sim_disk *d, const char *name, const char *text)
{
    struct sim_inode *i = sim_disk_find(d, name);

    if (!i) {
        i = make_inode(d);
        link_name(d, name, i);
    }
    sim_disk_append_to(d, i, text);
    return i;
}

void sim_disk_remove(struct sim_disk *d, const char *name)
{
    int slot = slot_of(d, name);

    if (slot >= 0)
        unlink_slot(d, slot);
}

void sim_disk_rename(struct sim_disk *d, const char *from, const char *to)
{
    int slot = slot_of(d, from);

    if (slot < 0)
        return;
    sim_disk_remove(d, to);
    snprintf(d->names[slot].name, SIM_NAME_MAX, "%s", to);
}

void sim_disk_copy(struct sim_disk *d, const char *from, const char *to)
{
    struct sim_inode *source = sim_disk_find(d, from);
    struct sim_inode *copy;

    if (!source)
        return;
    sim_disk_remove(d, to);
    copy = sim_disk_append(d, to, "");
    copy->is_copy = true;
    buffer_add_slice(&copy->bytes, buffer_slice(&source->bytes));
}

void sim_disk_truncate(struct sim_disk *d, const char *name)
{
    struct sim_inode *i = sim_disk_find(d, name);

    if (!i)
        return;
    i->bytes.len = 0;
    i->mtime_ns = d->now_ns;
}

/* --- struct files ---------------------------------------------------------------------------- */

static const char *name_below(const char *path)
{
    size_t len = strlen(SIM_LOGS);

    return strncmp(path, SIM_LOGS "/", len + 1) == 0 ? path + len + 1 : NULL;
}

static int sim_open(void *ctx, const char *path, bool *missing, struct err *e)
{
    struct sim_disk *d = ctx;
    const char *name = name_below(path);
    struct sim_inode *i = name ? sim_disk_find(d, name) : NULL;
    int fd = 0;

    *missing = !i;
    if (!i)
        return err_set(e, ERR_INPUT, "No such file or directory");
    if (d->n_open >= d->n_may_open)
        return err_set(e, ERR_BUSY, "Too many open files");
    if (sim_chance(d->random, d->faults_permille))
        return err_set(e, ERR_INPUT, "Input/output error");
    while (d->fds[fd])
        fd++;
    d->fds[fd] = i;
    d->n_open++;
    i->n_open++;
    return fd;
}

static void sim_close(void *ctx, int fd)
{
    struct sim_disk *d = ctx;
    struct sim_inode *i = d->fds[fd];

    d->fds[fd] = NULL;
    d->n_open--;
    i->n_open--;
    release(d, i);
}

static ssize_t sim_pread(void *ctx, int fd, void *buf, size_t len, uint64_t offset, struct err *e)
{
    struct sim_disk *d = ctx;
    const struct buffer *bytes = &d->fds[fd]->bytes;
    size_t left = offset < bytes->len ? bytes->len - (size_t)offset : 0;

    if (sim_chance(d->random, d->faults_permille))
        return err_set(e, ERR_INPUT, "Input/output error");
    if (left < len)
        len = left;
    if (len)
        memcpy(buf, bytes->ptr + offset, len);
    return (ssize_t)len;
}

static void fill_stat(const struct sim_inode *i, struct file_stat *out)
{
    bool is_blind = sim_plant_chosen() == PLANT_INODE_REUSE;

    *out = (struct file_stat){.device = 1,
                              .inode = i->number,
                              .generation = is_blind ? 0 : i->generation,
                              .size = i->bytes.len,
                              .mtime_ns = i->mtime_ns,
                              .n_links = i->n_names,
                              .type = FILE_REGULAR};
}

static int sim_fstat(void *ctx, int fd, struct file_stat *out, struct err *e)
{
    (void)e;
    fill_stat(((struct sim_disk *)ctx)->fds[fd], out);
    return 0;
}

static int sim_stat(void *ctx, const char *path, struct file_stat *out, bool *missing,
                    struct err *e)
{
    struct sim_disk *d = ctx;
    const char *name = name_below(path);
    struct sim_inode *i = name ? sim_disk_find(d, name) : NULL;

    *missing = false;
    if (strcmp(path, SIM_LOGS) == 0 || strcmp(path, "/") == 0) {
        *out = (struct file_stat){.device = 1, .inode = 1, .n_links = 2, .type = FILE_DIRECTORY};
        return 0;
    }
    *missing = !i;
    if (!i)
        return err_set(e, ERR_INPUT, "No such file or directory");
    fill_stat(i, out);
    return 0;
}

static int sim_list(void *ctx, const char *dir, files_entry_fn *fn, void *arg, bool *missing,
                    struct err *e)
{
    struct sim_disk *d = ctx;
    unsigned turn = sim_draw(d->random, SIM_NAMES_MAX);

    *missing = strcmp(dir, SIM_LOGS) != 0;
    if (*missing)
        return err_set(e, ERR_INPUT, "No such file or directory");
    for (unsigned i = 0; i < SIM_NAMES_MAX; i++) {
        const char *name = d->names[(i + turn) % SIM_NAMES_MAX].name;

        if (name[0] && !fn(arg, name, FILE_REGULAR))
            break;
    }
    return 0;
}

void sim_disk_init(struct sim_disk *d, struct random *random)
{
    memset(d, 0, sizeof *d);
    d->files = (struct files){sim_open, sim_close, sim_pread, sim_fstat, sim_stat, sim_list, d};
    d->random = random;
    d->n_may_open = SIM_FDS_MAX - 1;
}

void sim_disk_fini(struct sim_disk *d)
{
    for (int i = 0; i < SIM_NAMES_MAX; i++)
        if (d->names[i].name[0])
            unlink_slot(d, i);
}
