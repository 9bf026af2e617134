#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shipper/delivery/queue_damage.h"
#include "shipper/delivery/queue_format.h"

enum { BLOCK = 64 * 1024 };

void queue_damage_note(struct queue_damage *d, const char *name, const char *fmt, ...)
{
    struct err *note = &d->notes.items[d->notes.n];
    char text[sizeof note->what];
    va_list args;

    if (d->is_peek)
        return;
    if (d->notes.n == QUEUE_NOTES_MAX) {
        d->notes.n_left_out++;
        return;
    }
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(note, ERR_STORE, "%s", text);
    err_at(note, name ? "%s/%s" : "%s", d->directory, name);
    d->notes.n++;
}

/* 0, or a negative errno. */
static int copy_bytes(struct queue_damage *d, int from_file, int to_file, uint64_t from, size_t len)
{
    char *block = malloc(BLOCK);
    int rc = block ? 0 : -ENOMEM;

    for (size_t done = 0; rc == 0 && done < len;) {
        size_t left = len - done;
        ssize_t n = disk_read(d->disk, from_file, block, left < BLOCK ? left : BLOCK, from + done);

        if (n <= 0) {
            rc = n < 0 ? (int)n : -EIO;
            break;
        }
        rc = disk_write(d->disk, to_file, slice_of(block, (size_t)n), done);
        done += (size_t)n;
    }
    free(block);
    return rc;
}

/* How many bytes of the stretch are in `name` afterwards; 0: none, since it was not needed, there
 * is no room, or it could not be done. What an earlier life set aside is left as it is. */
static size_t set_aside(struct queue_damage *d, int file, const struct queue_stretch *s,
                        const char *name)
{
    uint64_t len = s->to - s->from;
    int64_t room = DAMAGE_ASIDE_MAX - d->aside_bytes;
    int aside;

    if (len > DAMAGE_COPY_MAX)
        len = DAMAGE_COPY_MAX;
    if (len == 0 || (int64_t)len > room || d->n_aside >= DAMAGE_FILES_MAX)
        return 0;
    aside = disk_open(d->disk, d->dir, name, DISK_WRITE | DISK_CREATE);
    if (aside < 0)
        return aside == -EEXIST ? (size_t)len : 0;
    if (copy_bytes(d, file, aside, s->from, (size_t)len) < 0) {
        d->disk->remove(d->disk->ctx, d->dir, name);
        len = 0;
    }
    d->disk->close(d->disk->ctx, aside);
    d->aside_bytes += (int64_t)len;
    d->n_aside += len > 0;
    return (size_t)len;
}

void queue_damage_take(struct queue_damage *d, int file, const struct queue_stretch *s)
{
    char segment[QUEUE_NAME_MAX];
    char aside[QUEUE_NAME_MAX];
    size_t kept;

    d->records += s->n_records;
    d->events += s->n_events;
    d->bytes += (int64_t)(s->to - s->from);
    if (d->is_peek)
        return;
    queue_segment_name(s->segment, segment);
    queue_damaged_name(s->segment, s->from, aside);
    kept = set_aside(d, file, s, aside);
    queue_damage_note(d, segment,
                      "%llu bytes at %llu are %s, %llu record%s lost; %zu bytes of them set aside "
                      "%s%s; going on behind them",
                      (unsigned long long)(s->to - s->from), (unsigned long long)s->from, s->what,
                      (unsigned long long)s->n_records, s->n_records == 1 ? "" : "s", kept,
                      kept ? "in " : "", kept ? aside : "(no room, or there are none)");
}
