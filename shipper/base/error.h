/* What went wrong, travelling up to the edge that decides.
 *
 * Owner:  the caller's storage; nothing here allocates.
 * Thread: any. */
#ifndef SHIP_BASE_ERROR_H
#define SHIP_BASE_ERROR_H

enum err_code {
    ERR_NONE,
    ERR_CONFIG,  /* the user's configuration or command line: exit 2 */
    ERR_INPUT,   /* a source cannot be read, or a line is not what it claims */
    ERR_STORE,   /* our own state on disk: checkpoints, dead letters, local store */
    ERR_BUSY,    /* come back later */
    ERR_NET,     /* the far side cannot be reached */
    ERR_REFUSED, /* the far side said no */
    ERR_NOMEM,
};

struct err {
    enum err_code code; /* what the caller decides on */
    char what[512];     /* what went wrong, for a person */
    char where[512];    /* on which file, key, host or event; grows on the way up */
};

/* Fills *e (what, with an empty where) and returns -1, so that a failing function ends in
 * `return err_set(...)`. Longer texts are cut. e may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts more context in front of e->where ("new: old") and returns -1. */
int err_at(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "where: what", or "what" alone; valid until the next call with the same buffer. */
const char *err_text(const struct err *e, char *buf, unsigned long cap);

#endif
