#define _DEFAULT_SOURCE /* lstat's S_ISLNK */
#include <errno.h>
#include <ev.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/base/hash.h"
#include "shipper/inputs/watch.h"

enum {
    DIRECTORY_EVENTS = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_MODIFY | IN_ATTRIB |
                       IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
    LINK_EVENTS = IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF,
    BITE_BYTES = 64 * 1024, /* of events in one callback */
};

/* One path under watch. Several paths that are the same inode share one wd. */
struct watched {
    struct watched *next_by_wd;
    struct watched *next_by_path;
    int wd;
    char path[];
};

struct watch {
    struct ev_loop *loop;
    ev_io readable;
    int fd;
    watch_changed_fn *changed;
    void *ctx;
    struct watched **by_wd; /* both tables have n_buckets, a power of two */
    struct watched **by_path;
    size_t n_buckets;
    size_t n_watched;
    char bite[BITE_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
};

static size_t wd_bucket(const struct watch *w, int wd)
{
    return (unsigned)wd & (w->n_buckets - 1);
}

static size_t path_bucket(const struct watch *w, const char *path)
{
    return (size_t)hash64(slice_str(path)) & (w->n_buckets - 1);
}

static void link_wd(struct watch *w, struct watched *p)
{
    struct watched **bucket = &w->by_wd[wd_bucket(w, p->wd)];

    p->next_by_wd = *bucket;
    *bucket = p;
}

static void unlink_wd(struct watch *w, struct watched *p)
{
    struct watched **at = &w->by_wd[wd_bucket(w, p->wd)];

    while (*at != p)
        at = &(*at)->next_by_wd;
    *at = p->next_by_wd;
    p->wd = -1;
}

static bool grow(struct watch *w)
{
    size_t n_old = w->n_buckets;
    struct watched **old = w->by_path;
    struct watched **by_path = calloc(n_old * 2, sizeof(struct watched *));
    struct watched **by_wd = calloc(n_old * 2, sizeof(struct watched *));

    if (!by_path || !by_wd) {
        free(by_path);
        free(by_wd);
        return false;
    }
    free(w->by_wd);
    w->by_path = by_path;
    w->by_wd = by_wd;
    w->n_buckets = n_old * 2;
    for (size_t i = 0; i < n_old; i++) {
        for (struct watched *p = old[i], *next; p; p = next) {
            size_t bucket = path_bucket(w, p->path);

            next = p->next_by_path;
            p->next_by_path = by_path[bucket];
            by_path[bucket] = p;
            if (p->wd >= 0)
                link_wd(w, p);
        }
    }
    free(old);
    return true;
}

static void remove_entry(struct watch *w, struct watched *p)
{
    struct watched **at = &w->by_path[path_bucket(w, p->path)];

    while (*at != p)
        at = &(*at)->next_by_path;
    *at = p->next_by_path;
    if (p->wd >= 0)
        unlink_wd(w, p);
    w->n_watched--;
    free(p);
}

/* The watch itself is gone (its directory was deleted or unmounted). */
static void forget_wd(struct watch *w, int wd)
{
    struct watched *next;

    for (struct watched *p = w->by_wd[wd_bucket(w, wd)]; p; p = next) {
        next = p->next_by_wd;
        if (p->wd == wd)
            remove_entry(w, p);
    }
}

/* The kernel need not watch what no path of ours leads to. */
static void drop_unused(struct watch *w, int wd)
{
    const struct watched *p = w->by_wd[wd_bucket(w, wd)];

    while (p && p->wd != wd)
        p = p->next_by_wd;
    if (!p)
        inotify_rm_watch(w->fd, wd);
}

static void tell(struct watch *w, const struct inotify_event *event)
{
    struct watched *next;

    if (event->mask & IN_Q_OVERFLOW) {
        w->changed(w->ctx, NULL, NULL, false);
        return;
    }
    for (struct watched *p = w->by_wd[wd_bucket(w, event->wd)]; p; p = next) {
        next = p->next_by_wd;
        if (p->wd == event->wd)
            w->changed(w->ctx, p->path, event->len ? event->name : NULL, event->mask & IN_ISDIR);
    }
    if (event->mask & IN_IGNORED)
        forget_wd(w, event->wd);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    struct watch *w = io->data;
    const struct inotify_event *event;
    ssize_t n = read(w->fd, w->bite, sizeof w->bite);

    (void)loop;
    (void)revents;
    for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof *event + event->len)) {
        event = (const struct inotify_event *)(const void *)(w->bite + at);
        tell(w, event);
    }
}

struct watch *watch_new(struct ev_loop *loop, watch_changed_fn *changed, void *ctx, struct err *e)
{
    struct watch *w = calloc(1, sizeof *w);

    if (!w)
        goto nomem;
    w->fd = -1;
    w->n_buckets = 64;
    w->by_wd = calloc(w->n_buckets, sizeof(struct watched *));
    w->by_path = calloc(w->n_buckets, sizeof(struct watched *));
    if (!w->by_wd || !w->by_path)
        goto nomem;
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (w->fd < 0) {
        err_set(e, errno == EMFILE || errno == ENFILE ? ERR_BUSY : ERR_INPUT, "inotify: %s",
                strerror(errno));
        watch_free(w);
        return NULL;
    }
    w->changed = changed;
    w->ctx = ctx;
    w->loop = loop;
    ev_io_init(&w->readable, on_readable, w->fd, EV_READ);
    w->readable.data = w;
    ev_io_start(loop, &w->readable);
    return w;

nomem:
    err_set(e, ERR_NOMEM, "out of memory for inotify");
    watch_free(w);
    return NULL;
}

static struct watched *find(const struct watch *w, const char *path)
{
    struct watched *p = w->by_path[path_bucket(w, path)];

    while (p && strcmp(p->path, path) != 0)
        p = p->next_by_path;
    return p;
}

static struct watched *insert(struct watch *w, const char *path)
{
    size_t len = strlen(path) + 1;
    struct watched *p;
    size_t bucket;

    if (w->n_watched >= w->n_buckets && !grow(w))
        return NULL;
    p = malloc(sizeof *p + len);
    if (!p)
        return NULL;
    memcpy(p->path, path, len);
    p->wd = -1;
    bucket = path_bucket(w, path);
    p->next_by_path = w->by_path[bucket];
    w->by_path[bucket] = p;
    w->n_watched++;
    return p;
}

/* Asking the kernel again each time costs a system call and notices that the path leads elsewhere
 * now; the same inode gives the same wd. */
static int add(struct watch *w, const char *path, uint32_t events, struct err *e)
{
    int wd = inotify_add_watch(w->fd, path, events);
    struct watched *p = find(w, path);

    if (wd < 0) {
        err_set(e, errno == ENOSPC || errno == ENOMEM ? ERR_BUSY : ERR_INPUT, "inotify: %s",
                strerror(errno));
        return err_at(e, "%s", path);
    }
    if (!p)
        p = insert(w, path);
    if (!p)
        return err_set(e, ERR_NOMEM, "out of memory for inotify");
    if (p->wd != wd && p->wd >= 0) {
        int old = p->wd;

        unlink_wd(w, p);
        drop_unused(w, old);
    }
    if (p->wd < 0) {
        p->wd = wd;
        link_wd(w, p);
    }
    return 0;
}

int watch_add(struct watch *w, const char *path, struct err *e)
{
    return add(w, path, DIRECTORY_EVENTS, e);
}

int watch_add_link(struct watch *w, const char *path, struct err *e)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
        return 0;
    /* A directory may be watched already, and would from then on say less: a watch has one mask. */
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    return add(w, path, LINK_EVENTS, e);
}

void watch_remove(struct watch *w, const char *path)
{
    struct watched *p = find(w, path);
    int wd;

    if (!p)
        return;
    wd = p->wd;
    remove_entry(w, p);
    if (wd >= 0)
        drop_unused(w, wd);
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    if (w->loop)
        ev_io_stop(w->loop, &w->readable);
    if (w->fd >= 0)
        close(w->fd);
    for (size_t i = 0; w->by_path && i < w->n_buckets; i++) {
        for (struct watched *p = w->by_path[i], *next; p; p = next) {
            next = p->next_by_path;
            free(p);
        }
    }
    free(w->by_wd);
    free(w->by_path);
    free(w);
}
