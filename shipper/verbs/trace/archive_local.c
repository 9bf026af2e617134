/* Reading the embedded store, also while ship writes into it. */
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "outputs/local_store.h"
#include "parsers/json_scan.h"
#include "shipper/base/buffer.h"
#include "shipper/verbs/trace/archive.h"

struct local {
    struct archive base; /* first */
    sqlite3 *db;
    char *path;
};

/* The columns of enum archive_key. */
static const char *const columns[ARCHIVE_N_KEYS] = {"request", "trace", "init"};

static int trouble(struct local *l, struct err *e)
{
    err_set(e, ERR_STORE, "%s", sqlite3_errmsg(l->db));
    return err_at(e, "local store %s", l->path);
}

static sqlite3_stmt *prepare(struct local *l, const struct buffer *sql, struct err *e)
{
    sqlite3_stmt *st = NULL;

    if (sql->failed)
        err_set(e, ERR_NOMEM, "out of memory");
    else if (sqlite3_prepare_v2(l->db, sql->ptr, (int)sql->len, &st, NULL) != SQLITE_OK)
        trouble(l, e);
    return st;
}

/* Ends a statement that was stepped to its end, or not. */
static int finish(struct local *l, sqlite3_stmt *st, int rc, struct err *e)
{
    bool is_done = rc == SQLITE_DONE || rc == SQLITE_ROW;

    if (!is_done)
        trouble(l, e);
    sqlite3_finalize(st);
    return is_done ? 0 : -1;
}

static struct slice column(sqlite3_stmt *st)
{
    const char *text = (const char *)sqlite3_column_text(st, 0);

    return slice_of(text, (size_t)sqlite3_column_bytes(st, 0));
}

/* --- names --- */

static int add_names(struct local *l, sqlite3_stmt *st, struct names *out, struct err *e)
{
    int rc;

    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        if (!names_add(out, column(st))) {
            sqlite3_finalize(st);
            return err_set(e, ERR_NOMEM, "out of memory");
        }
    return finish(l, st, rc, e);
}

/* Jumps from value to value in the index, however many events share one. */
static int find(struct archive *a, enum archive_key key, const char *prefix, size_t max,
                struct names *out, struct err *e)
{
    struct local *l = (struct local *)a;
    struct buffer sql = {0};
    sqlite3_stmt *st;

    buffer_printf(&sql,
                  "WITH RECURSIVE v (x) AS ("
                  " SELECT min(%s) FROM events WHERE %s >= ?1"
                  " UNION ALL"
                  " SELECT (SELECT min(%s) FROM events WHERE %s > v.x) FROM v"
                  " WHERE substr(v.x, 1, length(?1)) = ?1)"
                  " SELECT x FROM v WHERE substr(x, 1, length(?1)) = ?1 LIMIT ?2",
                  columns[key], columns[key], columns[key], columns[key]);
    st = prepare(l, &sql, e);
    buffer_free(&sql);
    if (!st)
        return -1;
    sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)max);
    return add_names(l, st, out, e);
}

/* ["a","b"], for json_each. */
static void add_list(struct buffer *out, const struct names *in)
{
    buffer_add_char(out, '[');
    for (size_t i = 0; i < in->n_items; i++) {
        buffer_add_slice(out, slice_str(i ? ",\"" : "\""));
        json_escape(slice_str(in->items[i]), out);
        buffer_add_char(out, '"');
    }
    buffer_add_char(out, ']');
}

static void bind_list(sqlite3_stmt *st, int at, const struct names *in)
{
    struct buffer list = {0};

    add_list(&list, in);
    sqlite3_bind_text64(st, at, list.ptr, list.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    buffer_free(&list);
}

static int values(struct archive *a, enum archive_key key, enum archive_key given,
                  const struct names *in, struct names *out, struct err *e)
{
    struct local *l = (struct local *)a;
    struct buffer sql = {0};
    sqlite3_stmt *st;

    buffer_printf(&sql,
                  "SELECT DISTINCT %s FROM events WHERE %s IN (SELECT value FROM json_each(?1))"
                  " AND %s IS NOT NULL LIMIT %d",
                  columns[key], columns[given], columns[key], ARCHIVE_MAX_NAMES);
    st = prepare(l, &sql, e);
    buffer_free(&sql);
    if (!st)
        return -1;
    bind_list(st, 1, in);
    return add_names(l, st, out, e);
}

/* --- events --- */

static int each(struct local *l, sqlite3_stmt *st, size_t max, archive_event_fn *on_event,
                void *ctx, bool *is_cut, struct err *e)
{
    size_t n = 0;
    int rc;

    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (n++ == max) {
            *is_cut = true;
            break;
        }
        on_event(ctx, column(st));
    }
    return finish(l, st, rc, e);
}

static int events(struct archive *a, const struct names in[ARCHIVE_N_KEYS],
                  archive_event_fn *on_event, void *ctx, bool *is_cut, struct err *e)
{
    struct local *l = (struct local *)a;
    struct buffer sql = {0};
    sqlite3_stmt *st;

    buffer_add_lit(&sql, "SELECT document FROM events WHERE seq IN (");
    for (int k = 0; k < ARCHIVE_N_KEYS; k++)
        buffer_printf(&sql,
                      "%sSELECT seq FROM events WHERE %s IN (SELECT value FROM json_each(?%d))",
                      k ? " UNION " : "", columns[k], k + 1);
    buffer_printf(&sql, ") ORDER BY time, seq LIMIT %d", ARCHIVE_MAX_EVENTS + 1);
    st = prepare(l, &sql, e);
    buffer_free(&sql);
    if (!st)
        return -1;
    for (int k = 0; k < ARCHIVE_N_KEYS; k++)
        bind_list(st, k + 1, &in[k]);
    *is_cut = false;
    return each(l, st, ARCHIVE_MAX_EVENTS, on_event, ctx, is_cut, e);
}

/* --- search --- */

/* One word or "phrase" of the question as FTS5 has it: quoted, so that no character of it is an
 * operator; a star behind it stays one. */
static void add_term(struct buffer *out, struct slice term, bool is_prefix)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < term.len; i++)
        if (term.ptr[i] != '"')
            buffer_add_char(out, term.ptr[i]);
    buffer_add_slice(out, slice_str(is_prefix ? "\"* " : "\" "));
}

static struct slice cut_term(struct slice *rest, bool *is_prefix)
{
    bool is_phrase = rest->ptr[0] == '"';
    struct slice term;

    if (is_phrase)
        *rest = slice_from(*rest, 1);
    if (!slice_cut(rest, is_phrase ? '"' : ' ', &term)) {
        term = *rest;
        rest->len = 0;
    }
    *is_prefix = !is_phrase && term.len > 1 && term.ptr[term.len - 1] == '*';
    term.len -= *is_prefix;
    return term;
}

static void add_match(struct buffer *out, struct slice words)
{
    for (words = slice_trim(words); words.len; words = slice_trim(words)) {
        bool is_prefix;
        struct slice term = cut_term(&words, &is_prefix);

        if (term.len)
            add_term(out, term, is_prefix);
    }
    buffer_add_char(out, '\0');
}

static const char find_words[] =
    "SELECT document FROM events WHERE seq IN"
    " (SELECT rowid FROM events_text WHERE events_text MATCH ?1 ORDER BY rowid DESC LIMIT 10000)"
    " ORDER BY time DESC, seq DESC LIMIT ?2";
static const char find_failures[] = "SELECT document FROM events WHERE action = 'invocation'"
                                    " AND level = 'error' ORDER BY time DESC, seq DESC LIMIT ?2";

static int search(struct archive *a, const char *words, size_t max, archive_event_fn *on_event,
                  void *ctx, struct err *e)
{
    struct local *l = (struct local *)a;
    struct buffer sql = {0};
    struct buffer match = {0};
    sqlite3_stmt *st;
    bool is_cut;
    int rc;

    buffer_add_slice(&sql, slice_str(words ? find_words : find_failures));
    st = prepare(l, &sql, e);
    buffer_free(&sql);
    if (!st)
        return -1;
    if (words) {
        add_match(&match, slice_str(words));
        sqlite3_bind_text(st, 1, match.ptr, -1, SQLITE_STATIC);
    }
    sqlite3_bind_int64(st, 2, (sqlite3_int64)max);
    rc = each(l, st, max, on_event, ctx, &is_cut, e);
    buffer_free(&match);
    return rc;
}

static void close_local(struct archive *a)
{
    struct local *l = (struct local *)a;

    sqlite3_close(l->db);
    free(l->path);
    free(l);
}

static const struct archive_ops ops = {find, values, events, search, close_local};

struct archive *archive_local_open(const char *path, struct err *e)
{
    struct local *l = calloc(1, sizeof *l);

    if (!l || !(l->path = strdup(path))) {
        free(l);
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l->base.ops = &ops;
    l->db = local_store_read(path, e);
    if (!l->db) {
        close_local(&l->base);
        return NULL;
    }
    return &l->base;
}
