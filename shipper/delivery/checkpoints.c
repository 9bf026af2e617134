#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "shipper/base/path.h"
#include "shipper/delivery/checkpoints.h"
#include "shipper/delivery/row_table.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS checkpoints ("
    " key TEXT PRIMARY KEY, path TEXT NOT NULL, position INTEGER NOT NULL,"
    " head_hash INTEGER NOT NULL, is_finished INTEGER NOT NULL, seen_s INTEGER NOT NULL,"
    " state BLOB NOT NULL) WITHOUT ROWID";

enum { SCHEMA_VERSION = 1, RETRY_MS = 5000, CHECKPOINT_SOON_MS = 25 };

struct checkpoints {
    struct job job; /* first; the write under way */
    sqlite3 *db;
    sqlite3_stmt *put;
    sqlite3_stmt *remove;
    sqlite3_stmt *remove_had; /* NULL: no life before this one left any */
    int lock_fd;
    char *path;
    dev_t device; /* of the file that was opened ... */
    ino_t inode;  /* ... as which it is known */
    struct pool *writer;
    struct row_table waiting; /* the loop's */
    struct row_table writing; /* the writer's while is_writing */
    struct row_table had;     /* keys, and what was had as their state */
    bool forgets_had;
    bool is_writing;
    bool has_due;           /* `waiting` wants to be written, ... */
    bool is_due_new;        /* ... counted from the next tick on, since a put knows no time ... */
    int64_t due_ms;         /* ... at this time */
    int64_t every_ms;       /* how long the next write waits for more */
    int64_t now_ms;         /* of the last tick */
    struct err trouble;     /* of the last write; the loop's */
    struct err job_trouble; /* the writer's */
};

static int set_sqlite(struct checkpoints *s, struct err *e)
{
    err_set(e, ERR_STORE, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
    return err_at(e, "%s", s->path);
}

/* A damaged store is no reason to begin anew unasked, since that could skip
 * what is there (read_from: end). */
static int set_damaged(struct checkpoints *s, const char *how, struct err *e)
{
    err_set(e, ERR_STORE,
            "the positions of all files are in it, and it is damaged (%s). Move it away to begin "
            "as at the first start: events that were sent have the same ids again",
            how);
    return err_at(e, "%s", s->path);
}

/* The same as set_sqlite, when opening. */
static int set_sqlite_open(struct checkpoints *s, struct err *e)
{
    int code = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_NOMEM;

    if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB)
        return set_sqlite(s, e);
    return set_damaged(s, sqlite3_errmsg(s->db), e);
}

/* A text that must be there and is not: no memory for it, or the table is none of ours. */
static int set_missing(struct checkpoints *s, struct err *e)
{
    if ((sqlite3_errcode(s->db) & 0xff) == SQLITE_NOMEM)
        return set_sqlite(s, e);
    return set_damaged(s, "a row without a key or a path", e);
}

/* One ship to a state directory: two would each move the other's positions. */
static int take_lock(struct checkpoints *s, const char *directory, struct err *e)
{
    char *path = path_join(directory, "lock");
    int rc = -1;

    if (!path)
        return err_set(e, ERR_NOMEM, "out of memory");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        err_set(e, ERR_STORE, "cannot be written: %s", strerror(errno));
    else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        rc = 0;
    else if (errno == EWOULDBLOCK)
        err_set(e, ERR_STORE, "another ship uses this state directory; give each its own `state`");
    else
        err_set(e, ERR_STORE, "cannot be locked: %s", strerror(errno));
    if (rc < 0)
        err_at(e, "%s", path);
    free(path);
    return rc;
}

/* A store that is there is not written: ship starts, and sends, on a full disk too. */
static int set_version(struct checkpoints *s, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int version = -1;

    if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        version = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    if (version < 0)
        return set_sqlite_open(s, e);
    if (version > SCHEMA_VERSION) {
        err_set(e, ERR_STORE, "made by a newer ship (version %d, this one knows %d)", version,
                SCHEMA_VERSION);
        return err_at(e, "%s", s->path);
    }
    if (version < SCHEMA_VERSION &&
        sqlite3_exec(s->db, "PRAGMA user_version=1", NULL, NULL, NULL) != SQLITE_OK)
        return set_sqlite_open(s, e);
    return 0;
}

/* SQLite goes on in a file that was deleted as if it were there. */
static int check_place(const struct checkpoints *s, struct err *e)
{
    struct stat st;

    if (stat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode)
        return 0;
    err_set(e, ERR_STORE, "was deleted, or is another file than the one that was opened");
    return err_at(e, "%s", s->path);
}

/* For ship alone, whatever the directory's mode: correlation quotes the logs. SQLite would take the
 * umask's; its -wal and -shm take the file's. */
static int make_file(struct checkpoints *s, struct err *e)
{
    int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        err_set(e, ERR_STORE, "cannot be written: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return err_at(e, "%s", s->path);
    }
    s->device = st.st_dev;
    s->inode = st.st_ino;
    close(fd);
    return 0;
}

static int open_database(struct checkpoints *s, struct err *e)
{
    static const char begin[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                "PRAGMA wal_autocheckpoint=200; PRAGMA cache_size=-512;";

    if (make_file(s, e) < 0)
        return -1;
    if (sqlite3_open_v2(s->path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                        NULL) != SQLITE_OK)
        return set_sqlite_open(s, e);
    sqlite3_busy_timeout(s->db, 5000);
    if (sqlite3_exec(s->db, begin, NULL, NULL, NULL) != SQLITE_OK)
        return set_sqlite_open(s, e);
    if (set_version(s, e) < 0)
        return -1;
    if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s->db,
                           "INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                           -1, &s->put, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s->db, "DELETE FROM checkpoints WHERE key = ?1", -1, &s->remove, NULL) !=
            SQLITE_OK)
        return set_sqlite_open(s, e);
    sqlite3_prepare_v2(s->db, "DELETE FROM had WHERE key = ?1", -1, &s->remove_had, NULL);
    return 0;
}

static void destroy(struct checkpoints *s)
{
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->remove);
    sqlite3_finalize(s->remove_had);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    row_table_clear(&s->waiting);
    row_table_clear(&s->writing);
    row_table_clear(&s->had);
    free(s->path);
    free(s);
}

struct checkpoints *checkpoints_open(const char *directory, struct pool *writer, struct err *e)
{
    struct checkpoints *s = calloc(1, sizeof *s);

    if (!s || !(s->path = path_join(directory, "checkpoints.db"))) {
        free(s);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->writer = writer;
    s->lock_fd = -1;
    if (path_make_directories(directory, e) < 0 || take_lock(s, directory, e) < 0 ||
        open_database(s, e) < 0) {
        destroy(s);
        return NULL;
    }
    return s;
}

int checkpoints_each(struct checkpoints *s, checkpoint_fn *fn, void *ctx, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db,
                                "SELECT key, path, position, head_hash, is_finished, seen_s, state"
                                " FROM checkpoints",
                                -1, &st, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        struct checkpoint c;

        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW)
            break;
        c = (struct checkpoint){
            .key = (const char *)sqlite3_column_text(st, 0),
            .path = (const char *)sqlite3_column_text(st, 1),
            .position = (uint64_t)sqlite3_column_int64(st, 2),
            .head_hash = (uint64_t)sqlite3_column_int64(st, 3),
            .is_finished = sqlite3_column_int(st, 4),
            .seen_s = sqlite3_column_int64(st, 5),
            .state = slice_of(sqlite3_column_blob(st, 6), (size_t)sqlite3_column_bytes(st, 6)),
        };
        if (!c.key || !c.path)
            break;
        fn(ctx, &c);
    }
    if (rc == SQLITE_ROW)
        set_missing(s, e);
    else if (rc != SQLITE_DONE)
        set_sqlite_open(s, e);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* Nobody had anything, mostly: then the table is not even there. */
static bool has_had(struct checkpoints *s, sqlite3_stmt **st)
{
    return sqlite3_prepare_v2(s->db, "SELECT key, had FROM had", -1, st, NULL) == SQLITE_OK;
}

int checkpoints_each_had(struct checkpoints *s, checkpoint_had_fn *fn, void *ctx, struct err *e)
{
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_DONE;

    if (!has_had(s, &st))
        return 0;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(st, 0);

        if (!key)
            break;
        fn(ctx, key, slice_of(sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1)));
    }
    if (rc == SQLITE_ROW)
        set_missing(s, e);
    else if (rc != SQLITE_DONE)
        set_sqlite_open(s, e);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

void checkpoints_forget_had(struct checkpoints *s)
{
    sqlite3_stmt *st = NULL;

    row_table_clear(&s->had);
    s->forgets_had = has_had(s, &st) && sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
}

void checkpoints_put_had(struct checkpoints *s, const char *key, struct slice had)
{
    row_table_put(&s->had, key, &(struct checkpoint){.key = key, .path = "", .state = had});
}

static void note_put(struct checkpoints *s, bool is_noted)
{
    /* Without memory the position is not noted: after a crash more is sent again, no more. */
    if (is_noted && !s->has_due)
        s->has_due = s->is_due_new = true;
}

void checkpoints_put(struct checkpoints *s, const struct checkpoint *c)
{
    note_put(s, row_table_put(&s->waiting, c->key, c));
}

void checkpoints_remove(struct checkpoints *s, const char *key)
{
    note_put(s, row_table_put(&s->waiting, key, NULL));
}

void checkpoints_hurry(struct checkpoints *s)
{
    if (s->every_ms > CHECKPOINT_SOON_MS)
        s->every_ms = CHECKPOINT_SOON_MS;
    if (s->has_due && !s->is_due_new && s->due_ms > s->now_ms + CHECKPOINT_SOON_MS &&
        s->trouble.code == ERR_NONE)
        s->due_ms = s->now_ms + CHECKPOINT_SOON_MS;
}

static int finish_row(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

/* The number of a deleted file is given out again: what outputs had of that one they have not had
 * of this one, though its key is the same where there are no birth times. */
static int remove_had(struct checkpoints *s, const struct row *r)
{
    if (!s->remove_had)
        return 0;
    sqlite3_bind_text(s->remove_had, 1, r->key, -1, SQLITE_STATIC);
    return finish_row(s->remove_had);
}

static int write_row(struct checkpoints *s, const struct row *r)
{
    sqlite3_stmt *st = r->is_removal ? s->remove : s->put;

    if ((r->is_removal || r->was_removed) && remove_had(s, r) < 0)
        return -1;
    sqlite3_bind_text(st, 1, r->key, -1, SQLITE_STATIC);
    if (!r->is_removal) {
        sqlite3_bind_text(st, 2, r->path, -1, SQLITE_STATIC);
        sqlite3_bind_int64(st, 3, (sqlite3_int64)r->position);
        sqlite3_bind_int64(st, 4, (sqlite3_int64)r->head_hash);
        sqlite3_bind_int(st, 5, r->is_finished);
        sqlite3_bind_int64(st, 6, r->seen_s);
        sqlite3_bind_blob(st, 7, r->state, (int)r->state_len, SQLITE_STATIC);
    }
    return finish_row(st);
}

static int write_had(struct checkpoints *s)
{
    static const char begin[] = "CREATE TABLE IF NOT EXISTS had (key TEXT PRIMARY KEY,"
                                " had BLOB NOT NULL) WITHOUT ROWID; DELETE FROM had";
    sqlite3_stmt *st = NULL;
    bool is_well =
        sqlite3_exec(s->db, begin, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(s->db, "INSERT INTO had VALUES (?1, ?2)", -1, &st, NULL) == SQLITE_OK;

    for (size_t i = 0; is_well && i < s->had.n_rows; i++) {
        const struct row *r = &s->had.rows[i];

        sqlite3_bind_text(st, 1, r->key, -1, SQLITE_STATIC);
        sqlite3_bind_blob(st, 2, r->state, (int)r->state_len, SQLITE_STATIC);
        is_well = sqlite3_step(st) == SQLITE_DONE;
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    return is_well ? 0 : -1;
}

/* All of `writing`, and what was had, in one transaction, or none; where the next start finds it.
 */
static int write_all(struct checkpoints *s, struct err *e)
{
    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return set_sqlite(s, e);
    for (size_t i = 0; i < s->writing.n_rows; i++)
        if (write_row(s, &s->writing.rows[i]) < 0)
            goto fail;
    if ((s->forgets_had || s->had.n_rows) && write_had(s) < 0)
        goto fail;
    if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return check_place(s, e);
fail:
    set_sqlite(s, e);
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return -1;
}

static void run_write(struct job *job, struct worker *w)
{
    struct checkpoints *s = (struct checkpoints *)job;

    (void)w;
    s->job_trouble = (struct err){0};
    write_all(s, &s->job_trouble);
}

static void done_write(struct job *job)
{
    struct checkpoints *s = (struct checkpoints *)job;

    s->is_writing = false;
    s->trouble = s->job_trouble;
    if (s->trouble.code == ERR_NONE) {
        row_table_clear(&s->writing);
        return;
    }
    row_table_merge_older(&s->waiting, &s->writing);
    s->has_due = true;
    s->is_due_new = false;
    s->due_ms = s->now_ms + RETRY_MS;
}

int64_t checkpoints_tick(struct checkpoints *s, int64_t now_ms)
{
    if (s->is_due_new) {
        s->due_ms = now_ms + s->every_ms;
        s->every_ms = s->every_ms ? s->every_ms * 2 : CHECKPOINT_SOON_MS;
        if (s->every_ms > CHECKPOINT_EVERY_MS)
            s->every_ms = CHECKPOINT_EVERY_MS;
    }
    s->is_due_new = false;
    s->now_ms = now_ms;
    if (!s->has_due || s->is_writing)
        return INT64_MAX;
    if (now_ms < s->due_ms)
        return s->due_ms;
    s->has_due = false;
    s->is_writing = true;
    s->writing = s->waiting;
    s->waiting = (struct row_table){0};
    s->job = (struct job){run_write, done_write, NULL, NULL};
    pool_submit(s->writer, &s->job, JOB_NORMAL);
    return INT64_MAX;
}

const struct err *checkpoints_trouble(const struct checkpoints *s)
{
    return &s->trouble;
}

int checkpoints_close(struct checkpoints *s, struct err *e)
{
    int rc;

    if (!s)
        return 0;
    /* The writer's thread is gone by now; what it did not finish is merged under the newer. */
    row_table_merge_older(&s->waiting, &s->writing);
    s->writing = s->waiting;
    s->waiting = (struct row_table){0};
    rc = s->writing.n_rows || s->forgets_had || s->had.n_rows ? write_all(s, e) : 0;
    destroy(s);
    return rc;
}
