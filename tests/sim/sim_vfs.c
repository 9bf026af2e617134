#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_bytes.h"
#include "tests/sim/sim_plant.h"
#include "tests/sim/sim_vfs.h"

enum { FILES_MAX = 8, SHM_REGIONS = 8, SECTOR = 512 };

struct disk_file {
    char *path; /* NULL: free */
    struct sim_bytes bytes;
    void *shm[SHM_REGIONS];
};

/* An open one. */
struct handle {
    sqlite3_file base; /* first */
    struct disk_file *file;
    bool is_gone_at_close;
};

static struct {
    struct random *random;
    struct disk_file files[FILES_MAX];
    bool is_full;
    bool is_dead;
    unsigned die_at;
} disk;

/* --- files ----------------------------------------------------------------------------------- */

static struct disk_file *find(const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].path && strcmp(disk.files[i].path, path) == 0)
            return &disk.files[i];
    return NULL;
}

static struct disk_file *make(const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *f = &disk.files[i];

        if (f->path)
            continue;
        f->path = strdup(path);
        return f;
    }
    cr_assert_fail("SQLite wants more than %d files", FILES_MAX);
    return NULL;
}

static void drop_shm(struct disk_file *f)
{
    for (int i = 0; i < SHM_REGIONS; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
}

static void drop(struct disk_file *f)
{
    drop_shm(f);
    sim_bytes_free(&f->bytes);
    free(f->path);
    f->path = NULL;
}

/* --- one open file --------------------------------------------------------------------------- */

static struct disk_file *file_of(sqlite3_file *base)
{
    return ((struct handle *)base)->file;
}

bool sim_vfs_may_write(void)
{
    if (disk.die_at && --disk.die_at == 0)
        disk.is_dead = true;
    return !disk.is_dead;
}

static int vfs_close(sqlite3_file *base)
{
    struct handle *h = (struct handle *)base;

    if (h->is_gone_at_close)
        drop(h->file);
    return SQLITE_OK;
}

static int vfs_read(sqlite3_file *base, void *out, int len, sqlite3_int64 offset)
{
    const struct buffer *b = &file_of(base)->bytes.now;
    size_t at = (size_t)offset;
    size_t n = at < b->len ? b->len - at : 0;

    if (n > (size_t)len)
        n = (size_t)len;
    if (n)
        memcpy(out, b->ptr + at, n);
    memset((char *)out + n, 0, (size_t)len - n);
    return n == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 offset)
{
    struct disk_file *f = file_of(base);

    if (!sim_vfs_may_write())
        return SQLITE_IOERR_WRITE;
    if (disk.is_full)
        return SQLITE_FULL;
    sim_bytes_write(&f->bytes, (size_t)offset, slice_of(bytes, (size_t)len));
    return SQLITE_OK;
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct disk_file *f = file_of(base);

    if (!sim_vfs_may_write())
        return SQLITE_IOERR_TRUNCATE;
    sim_bytes_truncate(&f->bytes, (size_t)size);
    return SQLITE_OK;
}

static int vfs_sync(sqlite3_file *base, int flags)
{
    struct disk_file *f = file_of(base);

    (void)flags;
    if (!sim_vfs_may_write())
        return SQLITE_IOERR_FSYNC;
    if (sim_plant_chosen() != PLANT_NO_FSYNC_CHECKPOINTS)
        sim_bytes_sync(&f->bytes);
    return SQLITE_OK;
}

static int vfs_file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)file_of(base)->bytes.now.len;
    return SQLITE_OK;
}

/* One process, one connection: nobody to lock out. */
static int vfs_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int vfs_check_reserved(sqlite3_file *base, int *out)
{
    (void)base;
    *out = 0;
    return SQLITE_OK;
}

static int vfs_file_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int vfs_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

static int vfs_characteristics(sqlite3_file *base)
{
    (void)base;
    return 0;
}

static int vfs_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    struct disk_file *f = file_of(base);

    cr_assert_lt(region, SHM_REGIONS);
    if (!f->shm[region] && extend)
        f->shm[region] = calloc(1, (size_t)size);
    *out = f->shm[region];
    return SQLITE_OK;
}

static int vfs_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    (void)base;
    (void)offset;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void vfs_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static int vfs_shm_unmap(sqlite3_file *base, int delete)
{
    (void)delete;
    drop_shm(file_of(base)); /* the only connection is gone: so is what it shared */
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_lock,
    .xCheckReservedLock = vfs_check_reserved,
    .xFileControl = vfs_file_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_characteristics,
    .xShmMap = vfs_shm_map,
    .xShmLock = vfs_shm_lock,
    .xShmBarrier = vfs_shm_barrier,
    .xShmUnmap = vfs_shm_unmap,
};

/* --- the file system ------------------------------------------------------------------------- */

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                    int *out_flags)
{
    struct handle *h = (struct handle *)base;
    const char *name = path ? path : "(temporary)";
    struct disk_file *f = find(name);

    (void)vfs;
    memset(h, 0, sizeof *h);
    if (!f && (disk.is_dead || !(flags & SQLITE_OPEN_CREATE)))
        return SQLITE_CANTOPEN;
    h->file = f ? f : make(name);
    h->is_gone_at_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    h->base.pMethods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    struct disk_file *f = find(path);

    (void)vfs;
    (void)sync;
    if (!sim_vfs_may_write())
        return SQLITE_IOERR_DELETE;
    if (f)
        drop(f);
    return f ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    (void)vfs;
    (void)flags;
    *out = find(path) != NULL;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int cap, char *out)
{
    (void)vfs;
    sqlite3_snprintf(cap, out, "%s", path);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    memset(out, 7,
           (size_t)len); /* asked for once in a process: it must not take from a life's dice */
    return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = INT64_C(212641632000000);
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int cap, char *out)
{
    (void)vfs;
    (void)cap;
    (void)out;
    return 0;
}

static sqlite3_vfs vfs = {
    .iVersion = 2,
    .szOsFile = sizeof(struct handle),
    .mxPathname = 512,
    .zName = "ship-sim",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_path,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xGetLastError = vfs_last_error,
    .xCurrentTimeInt64 = vfs_time,
};

/* --- its life -------------------------------------------------------------------------------- */

void sim_vfs_init(struct random *random)
{
    disk.random = random;
    disk.is_full = disk.is_dead = false;
    disk.die_at = 0;
    cr_assert_eq(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}

void sim_vfs_fini(void)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (disk.files[i].path)
            drop(&disk.files[i]);
    sqlite3_vfs_unregister(&vfs);
}

void sim_vfs_set_full(bool is_full)
{
    disk.is_full = is_full;
}

bool sim_vfs_is_full(void)
{
    return disk.is_full;
}

void sim_vfs_die_at(unsigned n)
{
    disk.die_at = n;
}

void sim_vfs_die(void)
{
    disk.is_dead = true;
}

bool sim_vfs_is_dead(void)
{
    return disk.is_dead;
}

void sim_vfs_revive(bool is_power_cut)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *f = &disk.files[i];

        if (!f->path)
            continue;
        drop_shm(f);
        if (is_power_cut)
            sim_bytes_cut_power(&f->bytes, disk.random);
    }
    disk.is_dead = false;
    disk.die_at = 0;
}
