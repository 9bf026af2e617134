#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "outputs/local_record.h"
#include "outputs/local_store.h"

enum {
    APPLICATION_ID = 0x73686970, /* "ship"; file(1) and we tell our files by it */
    BUSY_STEP_MS = 5,
    BUSY_LIMIT_MS = 5000,
};

/* message is read out of the document, where it is: it takes no room.
 * events_id: ids are random, and an index of them alone would write a page for each new row once it
 * is larger than the cache. Behind origin and offset new rows stand side by side.
 * columnsize=0: nothing here ranks by length. */
static const char schema[] =
    "CREATE TABLE events ("
    " seq INTEGER PRIMARY KEY," /* in the order of arrival */
    " time INTEGER NOT NULL,"   /* nanoseconds since 1970 */
    " function TEXT, request TEXT, trace TEXT, init TEXT, level TEXT, action TEXT,"
    " id TEXT, origin INTEGER NOT NULL, offset INTEGER NOT NULL,"
    " document TEXT NOT NULL,"
    " message TEXT AS (json_extract(document, '$.message')));"
    "CREATE UNIQUE INDEX events_id ON events (origin, offset, id) WHERE id IS NOT NULL;"
    "CREATE INDEX events_time ON events (time);"
    "CREATE INDEX events_function ON events (function, time) WHERE function IS NOT NULL;"
    "CREATE INDEX events_request ON events (request) WHERE request IS NOT NULL;"
    "CREATE INDEX events_trace ON events (trace) WHERE trace IS NOT NULL;"
    "CREATE INDEX events_init ON events (init) WHERE init IS NOT NULL;"
    "CREATE INDEX events_failed ON events (time) WHERE action = 'invocation' AND level = 'error';"
    "CREATE VIRTUAL TABLE events_text USING"
    " fts5 (message, content='events', content_rowid='seq', columnsize=0);"
    "PRAGMA application_id = 0x73686970; PRAGMA user_version = 1;";

static const char insert_event[] =
    "INSERT INTO events (time, function, request, trace, init, level, action, id, document,"
    " origin, offset) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT DO NOTHING";
static const char insert_text[] = "INSERT INTO events_text (rowid, message) VALUES (?1, ?2)";

struct local_store {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback, *event, *text;
    char *path;
    const atomic_bool *is_stopping;
};

static enum local_result trouble(struct local_store *s, struct err *e)
{
    int code = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;

    err_set(e, ERR_STORE, "%s", s->db ? sqlite3_errmsg(s->db) : "out of memory");
    err_at(e, "local store %s", s->path);
    return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_NOMEM ? LOCAL_BUSY
                                                                                : LOCAL_STUCK;
}

/* Another writer is at work: wait for it a while, unless we are to end. */
static int on_busy(void *ctx, int n_calls)
{
    struct local_store *s = ctx;
    struct timespec step = {0, BUSY_STEP_MS * 1000000L};

    if (atomic_load(s->is_stopping) || n_calls >= BUSY_LIMIT_MS / BUSY_STEP_MS)
        return 0;
    nanosleep(&step, NULL);
    return 1;
}

static int read_pragma(sqlite3 *db, const char *sql, int *value)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        *value = sqlite3_column_int(st, 0);
        rc = sqlite3_finalize(st);
    } else {
        rc = rc == SQLITE_OK ? sqlite3_finalize(st) : rc;
        rc = rc == SQLITE_OK ? SQLITE_ERROR : rc;
    }
    return rc;
}

/* 1: a store of ours; 0: an empty database; -1 and *e: neither. The caller sees to it that nobody
 * makes one meanwhile: what is read belongs together. */
static int judge_kind(sqlite3 *db, struct err *e)
{
    int application = 0;
    int version = 0;
    int n_tables = 0;

    if (read_pragma(db, "PRAGMA application_id", &application) != SQLITE_OK ||
        read_pragma(db, "PRAGMA user_version", &version) != SQLITE_OK ||
        read_pragma(db, "SELECT count(*) FROM sqlite_schema", &n_tables) != SQLITE_OK) {
        return err_set(e, ERR_STORE, "%s",
                       sqlite3_errcode(db) == SQLITE_NOTADB
                           ? "is no ship store (and no SQLite database)"
                           : sqlite3_errmsg(db));
    }
    if (application == APPLICATION_ID && version == LOCAL_STORE_VERSION)
        return 1;
    if (application == 0 && version == 0 && n_tables == 0)
        return 0;
    if (application != APPLICATION_ID)
        return err_set(e, ERR_STORE,
                       "is a database of another program, no ship store; left as it is");
    return err_set(e, ERR_STORE, "made by %s ship (version %d, this one knows %d); left as it is",
                   version > LOCAL_STORE_VERSION ? "a newer" : "another", version,
                   LOCAL_STORE_VERSION);
}

static int check_kind(sqlite3 *db, struct err *e)
{
    int kind;

    sqlite3_exec(db, "SAVEPOINT kind", NULL, NULL, NULL); /* one moment for all that is read */
    kind = judge_kind(db, e);
    sqlite3_exec(db, "RELEASE kind", NULL, NULL, NULL);
    return kind;
}

static int check_own(struct local_store *s, struct err *e)
{
    int kind = check_kind(s->db, e);

    return kind < 0 ? err_at(e, "local store %s", s->path) : kind;
}

/* Two may make the same store at once: who comes second finds it made. */
static int make_tables(struct local_store *s, struct err *e)
{
    int kind;

    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        goto fail;
    kind = check_own(s, e);
    if (kind < 0)
        return -1;
    if (kind == 0 && sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        goto fail;
    if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return 0;
fail:
    trouble(s, e);
    return -1;
}

/* Changing to WAL does not ask on_busy, so it is asked here. */
static int set_journal(struct local_store *s, struct err *e)
{
    static const char settings[] =
        "PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=4096;"
        "PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY;";
    int rc;

    for (int n = 0;; n++) {
        rc = sqlite3_exec(s->db, "PRAGMA page_size=8192;PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if (rc != SQLITE_BUSY || !on_busy(s, n))
            break;
    }
    if (rc == SQLITE_OK && sqlite3_exec(s->db, settings, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    trouble(s, e);
    return -1;
}

static int prepare(struct local_store *s, struct err *e)
{
    const struct {
        const char *sql;
        sqlite3_stmt **out;
    } rows[] = {
        {"BEGIN IMMEDIATE", &s->begin}, {"COMMIT", &s->commit},  {"ROLLBACK", &s->rollback},
        {insert_event, &s->event},      {insert_text, &s->text},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (sqlite3_prepare_v3(s->db, rows[i].sql, -1, SQLITE_PREPARE_PERSISTENT, rows[i].out,
                               NULL) != SQLITE_OK) {
            trouble(s, e);
            return -1;
        }
    return 0;
}

/* SQLite would make the file with the umask's mode; its -wal and -shm take the file's. */
static int make_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        err_set(e, ERR_STORE, "%s", strerror(errno));
        return err_at(e, "local store %s", path);
    }
    close(fd);
    return 0;
}

struct local_store *local_store_open(const char *path, const atomic_bool *is_stopping,
                                     struct err *e)
{
    struct local_store *s;
    int kind;

    if (make_file(path, e) < 0)
        return NULL;
    s = calloc(1, sizeof *s);
    if (!s || !(s->path = strdup(path))) {
        free(s);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->is_stopping = is_stopping;
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        trouble(s, e);
        goto fail;
    }
    sqlite3_busy_handler(s->db, on_busy, s);
    kind = check_own(s, e);
    if (kind < 0 || set_journal(s, e) < 0 || (kind == 0 && make_tables(s, e) < 0) ||
        prepare(s, e) < 0)
        goto fail;
    return s;
fail:
    local_store_close(s);
    return NULL;
}

void local_store_close(struct local_store *s)
{
    if (!s)
        return;
    sqlite3_finalize(s->begin);
    sqlite3_finalize(s->commit);
    sqlite3_finalize(s->rollback);
    sqlite3_finalize(s->event);
    sqlite3_finalize(s->text);
    sqlite3_close(s->db);
    free(s->path);
    free(s);
}

static int run(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    return rc;
}

static enum local_result undo(struct local_store *s, struct err *e)
{
    enum local_result result = trouble(s, e);

    /* SQLite may have rolled back by itself, as on a full disk; then this does nothing. */
    run(s->rollback);
    return result;
}

enum local_result local_store_begin(struct local_store *s, struct err *e)
{
    return run(s->begin) == SQLITE_DONE ? LOCAL_OK : trouble(s, e);
}

static void bind_text(sqlite3_stmt *st, int at, struct slice text)
{
    if (text.len)
        sqlite3_bind_text64(st, at, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
    else
        sqlite3_bind_null(st, at);
}

static void bind_event(sqlite3_stmt *st, const struct local_record *r)
{
    const struct slice texts[] = {r->function, r->request, r->trace, r->init,
                                  r->level,    r->action,  r->id,    r->document};

    sqlite3_bind_int64(st, 1, r->time_ns);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        bind_text(st, (int)i + 2, texts[i]);
    sqlite3_bind_int64(st, 10, (sqlite3_int64)r->origin);
    sqlite3_bind_int64(st, 11, (sqlite3_int64)r->offset);
}

enum local_result local_store_add(struct local_store *s, const struct local_record *r,
                                  struct err *e)
{
    bind_event(s->event, r);
    if (run(s->event) != SQLITE_DONE)
        return undo(s, e);
    if (sqlite3_changes(s->db) == 0)
        return LOCAL_KNOWN;
    if (r->message.len == 0)
        return LOCAL_OK;
    sqlite3_bind_int64(s->text, 1, sqlite3_last_insert_rowid(s->db));
    bind_text(s->text, 2, r->message);
    return run(s->text) == SQLITE_DONE ? LOCAL_OK : undo(s, e);
}

enum local_result local_store_commit(struct local_store *s, struct err *e)
{
    return run(s->commit) == SQLITE_DONE ? LOCAL_OK : undo(s, e);
}

/* SQLite wants to make files beside it even to read it. Where we may not, and nobody is writing
 * (there is no log), it is read as what does not change. */
static bool stands_still(const char *path)
{
    struct buffer name = {0};
    bool is_still;

    buffer_printf(&name, "%s-wal", path);
    buffer_add_char(&name, '\0');
    is_still = !name.failed && access(name.ptr, F_OK) < 0 && errno == ENOENT;
    if (is_still) {
        char *slash = strrchr(name.ptr, '/');

        if (slash)
            slash[1] = '\0';
        is_still = access(slash ? name.ptr : ".", W_OK) < 0;
    }
    buffer_free(&name);
    return is_still;
}

static int open_to_read(const char *path, sqlite3 **db)
{
    struct buffer uri = {0};
    int rc;

    if (!stands_still(path))
        return sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL);
    buffer_printf(&uri, "file:");
    for (; *path; path++) {
        if (strchr("%?#", *path))
            buffer_printf(&uri, "%%%02X", (unsigned char)*path);
        else
            buffer_add_char(&uri, *path);
    }
    buffer_printf(&uri, "?immutable=1");
    buffer_add_char(&uri, '\0');
    rc = uri.failed ? SQLITE_NOMEM
                    : sqlite3_open_v2(uri.ptr, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    buffer_free(&uri);
    return rc;
}

struct sqlite3 *local_store_read(const char *path, struct err *e)
{
    sqlite3 *db = NULL;
    struct stat st;
    int kind;

    errno = 0;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0 || S_ISDIR(st.st_mode)) {
        err_set(e, ERR_STORE, "%s", strerror(errno ? errno : EISDIR));
        goto fail;
    }
    if (open_to_read(path, &db) != SQLITE_OK) {
        err_set(e, ERR_STORE, "%s", db ? sqlite3_errmsg(db) : "out of memory");
        goto fail;
    }
    sqlite3_busy_timeout(db, BUSY_LIMIT_MS);
    kind = check_kind(db, e);
    if (kind > 0)
        return db;
    if (kind == 0)
        err_set(e, ERR_STORE, "is empty: nothing was stored in it yet");
fail:
    err_at(e, "local store %s", path);
    sqlite3_close(db);
    return NULL;
}
