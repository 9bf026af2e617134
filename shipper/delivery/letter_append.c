/* Appending to dead.ndjson, and putting it aside: through a struct disk, since what a power cut or
 * a full disk makes of it must be tried thousands of times. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shipper/base/clock.h"
#include "shipper/delivery/letter_files.h"

enum { NAME_MAX_LEN = 64 };

/* The directory, open. */
struct place {
    const struct disk *disk;
    const char *path;
    int dir;
};

static int fail(const struct place *p, const char *name, int rc, struct err *e)
{
    err_set(e, ERR_STORE, "%s", strerror(-rc));
    return err_at(e, "%s/%s", p->path, name);
}

/* A directory that is there is not synced into its own each time. -errno and *e. */
static int open_place(struct place *p, bool make, struct err *e)
{
    p->dir = p->disk->open_dir(p->disk->ctx, p->path, false, e);
    if (p->dir == -ENOENT && make)
        p->dir = p->disk->open_dir(p->disk->ctx, p->path, true, e);
    return p->dir;
}

static void close_handle(const struct place *p, int handle)
{
    if (handle >= 0)
        p->disk->close(p->disk->ctx, handle);
}

/* Opens dead.ndjson for one process alone: another one may have put it aside in the meantime.
 * -errno. */
static int open_alone(const struct place *p, bool make)
{
    const struct disk *d = p->disk;

    for (;;) {
        int file = disk_open(d, p->dir, LETTER_FILE, DISK_WRITE);
        int is_named;

        if (file == -ENOENT && make)
            file = disk_open(d, p->dir, LETTER_FILE, DISK_WRITE | DISK_CREATE);
        if (file == -EEXIST)
            continue;
        if (file < 0)
            return file;
        (void)disk_wait_lock(d, file); /* where there are no locks, it goes without */
        is_named = d->is_named(d->ctx, p->dir, LETTER_FILE, file);
        if (is_named > 0)
            return file;
        close_handle(p, file);
        if (is_named < 0)
            return is_named;
    }
}

/* --- putting it aside ------------------------------------------------------------------------ */

static void name_aside(char name[NAME_MAX_LEN], int64_t now_ns)
{
    time_t now_s = (time_t)(now_ns / 1000000000);
    struct tm utc;
    char day[32];

    gmtime_r(&now_s, &utc);
    strftime(day, sizeof day, "%Y%m%dT%H%M%S", &utc);
    snprintf(name, NAME_MAX_LEN, "dead-%s.%09" PRId64 "Z.ndjson", day, now_ns % 1000000000);
}

/* Under the file's lock, so that nobody else puts it aside. */
static int put_aside(const struct place *p, int64_t now_ns, struct err *e)
{
    char aside[NAME_MAX_LEN];
    int rc;

    for (;; now_ns++) {
        int taken;

        name_aside(aside, now_ns);
        taken = disk_open(p->disk, p->dir, aside, DISK_READ);
        if (taken == -ENOENT)
            break;
        if (taken < 0)
            return fail(p, aside, taken, e);
        close_handle(p, taken);
    }
    rc = p->disk->rename(p->disk->ctx, p->dir, LETTER_FILE, aside);
    if (rc == 0)
        rc = disk_sync_dir(p->disk, p->dir);
    return rc < 0 ? fail(p, aside, rc, e) : 0;
}

int letter_files_put_aside(const char *directory, struct err *e)
{
    struct place p = {&disk_posix, directory, -1};
    struct err why = {0};
    int file;
    int rc;

    if (open_place(&p, false, &why) < 0) {
        if (e)
            *e = why;
        return p.dir == -ENOENT ? 0 : -1;
    }
    file = open_alone(&p, false);
    if (file < 0)
        rc = file == -ENOENT ? 0 : fail(&p, LETTER_FILE, file, e);
    else
        rc = put_aside(&p, clock_wall_ns(&clock_real), e);
    close_handle(&p, file);
    close_handle(&p, p.dir);
    return rc;
}

/* --- appending ------------------------------------------------------------------------------- */

/* A file that nobody finds after a power cut is lost, and so is one in such a directory. It is done
 * before the first letter, so that a file with letters in it has a name, whoever wrote them. */
static int sync_names(const struct place *p)
{
    struct err why = {0};
    int made = p->disk->open_dir(p->disk->ctx, p->path, true, &why); /* and syncs its own name */

    if (made < 0)
        return made;
    close_handle(p, made);
    return disk_sync_dir(p->disk, p->dir);
}

/* A last line that a power cut tore is ended here, so that the next letter stands on its own. */
static int end_torn_line(const struct place *p, int file, uint64_t *end)
{
    char last = '\n';
    ssize_t n = *end ? disk_read(p->disk, file, &last, 1, *end - 1) : 0;
    int rc;

    if (n < 0 || last == '\n')
        return n < 0 ? (int)n : 0;
    rc = disk_write(p->disk, file, slice_str("\n"), *end);
    *end += rc == 0;
    return rc;
}

/* On failure what was written of the lines is cut off again. *is_doubtful: that failed too, and
 * nobody can say what the disk has at the file's end, whatever is read there. -errno. */
static int append_to(const struct place *p, int file, uint64_t before, struct slice lines,
                     bool *is_doubtful)
{
    uint64_t end = before;
    int rc = before ? 0 : sync_names(p);

    if (rc == 0)
        rc = end_torn_line(p, file, &end);
    if (rc == 0)
        rc = disk_write(p->disk, file, lines, end);
    if (rc == 0)
        rc = disk_sync(p->disk, file);
    *is_doubtful =
        rc < 0 && (disk_truncate(p->disk, file, before) < 0 || disk_sync(p->disk, file) < 0);
    return rc;
}

static int append(const struct place *p, struct slice lines, int64_t rotate_bytes, int64_t now_ns,
                  struct err *e)
{
    for (;;) {
        int file = open_alone(p, true);
        int64_t before = file < 0 ? file : p->disk->size(p->disk->ctx, file);
        bool is_doubtful = false;
        int rc;

        if (before > 0 && before + (int64_t)lines.len > rotate_bytes) {
            rc = put_aside(p, now_ns, e);
            close_handle(p, file);
            if (rc < 0)
                return -1;
            continue;
        }
        rc = before < 0 ? (int)before : append_to(p, file, (uint64_t)before, lines, &is_doubtful);
        if (is_doubtful) /* the next letter does not stand behind it: it could be a part of it */
            put_aside(p, now_ns, NULL);
        close_handle(p, file);
        return rc < 0 ? fail(p, LETTER_FILE, rc, e) : 0;
    }
}

int letter_files_append(const struct disk *disk, const char *directory, struct slice lines,
                        int64_t rotate_bytes, int64_t now_ns, struct err *e)
{
    struct place p = {disk, directory, -1};
    struct err why = {0};
    int rc;

    if (open_place(&p, true, &why) < 0) {
        if (e)
            *e = why;
        return -1;
    }
    rc = append(&p, lines, rotate_bytes, now_ns, e);
    close_handle(&p, p.dir);
    return rc;
}
