#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ev.h>
#include <sqlite3.h>

#include "outputs/local_options.h"
#include "outputs/local_record.h"
#include "outputs/local_store.h"
#include "outputs/output.h"
#include "parsers/parser.h"
#include "shipper/pipeline/event.h"
#include "tests/support/failing_malloc.h"

struct world {
    char directory[64];
    char path[96];
    atomic_bool is_stopping;
};

static struct world world_new(void)
{
    struct world w = {.directory = "/tmp/ship-local-XXXXXX"};

    cr_assert(mkdtemp(w.directory));
    snprintf(w.path, sizeof w.path, "%s/store.db", w.directory);
    return w;
}

static void world_free(struct world *w)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", w->directory);
    cr_expect_eq(system(command), 0);
}

static struct local_store *open_store(struct world *w)
{
    struct err e = {0};
    struct local_store *s = local_store_open(w->path, &w->is_stopping, &e);

    cr_assert(s, "%s: %s", e.where, e.what);
    return s;
}

/* The answer of a query as text; NULL values are "-". */
static void expect_answer(struct world *w, const char *sql, const char *want)
{
    struct err e = {0};
    sqlite3 *db = local_store_read(w->path, &e);
    sqlite3_stmt *st;
    char got[1024] = "";

    cr_assert(db, "%s: %s", e.where, e.what);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const char *text = (const char *)sqlite3_column_text(st, i);
            size_t len = strlen(got);

            snprintf(got + len, sizeof got - len, "%s%s", len ? " " : "", text ? text : "-");
        }
    sqlite3_finalize(st);
    sqlite3_close(db);
    cr_expect_str_eq(got, want, "%s", sql);
}

static struct local_record record_of(const char *id, const char *message)
{
    static char document[256];

    snprintf(document, sizeof document, "{\"message\":\"%s\"}", message);
    return (struct local_record){
        .time_ns = 1791535951616000000,
        .id = slice_str(id),
        .function = slice_str("checkout"),
        .request = slice_str("c3a671a2-f923-4468-b891-b9fb880b2fcc"),
        .trace = slice_str("6ac8ab4fae5826b066ea5a523671a7c4"),
        .level = slice_str("error"),
        .message = slice_str(message),
        .document = slice_str(document),
    };
}

static enum local_result put(struct local_store *s, const struct local_record *r)
{
    enum local_result result = local_store_begin(s, NULL);

    cr_assert_eq(result, LOCAL_OK);
    result = local_store_add(s, r, NULL);
    cr_assert_eq(local_store_commit(s, NULL), LOCAL_OK);
    return result;
}

Test(local_store, a_row_and_its_words)
{
    struct world w = world_new();
    struct local_store *s = open_store(&w);
    struct local_record r = record_of("aaaaaaaaaaaaaaaaaaaaaa", "card declined by the bank");

    cr_expect_eq(put(s, &r), LOCAL_OK);
    expect_answer(&w, "SELECT id, time, function, request, trace, init, level, action FROM events",
                  "aaaaaaaaaaaaaaaaaaaaaa 1791535951616000000 checkout "
                  "c3a671a2-f923-4468-b891-b9fb880b2fcc 6ac8ab4fae5826b066ea5a523671a7c4 - error "
                  "-");
    expect_answer(&w,
                  "SELECT events.message FROM events JOIN events_text ON seq = events_text.rowid"
                  " WHERE events_text MATCH 'declined card'",
                  "card declined by the bank");
    expect_answer(&w, "SELECT count(*) FROM events_text WHERE events_text MATCH 'refused'", "0");
    local_store_close(s);
    world_free(&w);
}

Test(local_store, the_same_event_is_known)
{
    struct world w = world_new();
    struct local_store *s = open_store(&w);
    struct local_record r = record_of("aaaaaaaaaaaaaaaaaaaaaa", "one");
    struct local_record none = r;
    struct local_record moved = r;

    cr_expect_eq(put(s, &r), LOCAL_OK);
    cr_expect_eq(put(s, &r), LOCAL_KNOWN);
    none.id = slice_str("");
    moved.offset++;
    cr_expect_eq(put(s, &none), LOCAL_OK);
    cr_expect_eq(put(s, &none), LOCAL_OK, "without an id every one is new");
    cr_expect_eq(put(s, &moved), LOCAL_OK, "no two offsets have one id: kept, in doubt");
    local_store_close(s);
    s = open_store(&w);
    cr_expect_eq(put(s, &r), LOCAL_KNOWN, "also by another ship, later");
    expect_answer(&w, "SELECT count(*), count(id) FROM events", "4 2");
    expect_answer(&w, "SELECT count(*) FROM events_text WHERE events_text MATCH 'one'", "4");
    local_store_close(s);
    world_free(&w);
}

Test(local_store, is_its_owners_alone)
{
    struct world w = world_new();
    struct local_store *s;
    struct stat st;

    umask(0);
    s = open_store(&w);
    cr_assert_eq(stat(w.path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
    local_store_close(s);
    world_free(&w);
}

static void make_database(struct world *w, const char *sql)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(w->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void make_text(struct world *w, const char *text)
{
    FILE *f = fopen(w->path, "w");

    for (int i = 0; i < 200; i++)
        fputs(text, f);
    fclose(f);
}

Test(local_store, what_is_no_store_is_left_alone)
{
    static const struct {
        const char *sql;  /* makes a database ... */
        const char *text; /* ... or else a file */
        const char *want;
    } rows[] = {
        {"PRAGMA application_id=0x73686970; PRAGMA user_version=2; CREATE TABLE events (x);", NULL,
         "made by a newer ship (version 2, this one knows 1); left as it is"},
        {"CREATE TABLE friends (name);", NULL, "is a database of another program"},
        {NULL, "START RequestId: 1\n", "is no ship store (and no SQLite database)"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w = world_new();
        struct err e = {0};

        if (rows[i].sql)
            make_database(&w, rows[i].sql);
        else
            make_text(&w, rows[i].text);
        cr_expect_null(local_store_open(w.path, &w.is_stopping, &e));
        cr_expect_eq(e.code, ERR_STORE);
        cr_expect(strstr(e.what, rows[i].want), "\"%s\" is not in \"%s\"", rows[i].want, e.what);
        cr_expect(strstr(e.where, w.path), "%s", e.where);
        e = (struct err){0};
        cr_expect_null(local_store_read(w.path, &e));
        cr_expect(strstr(e.what, rows[i].want), "reading: \"%s\"", e.what);
        world_free(&w);
    }
}

Test(local_store, reading_makes_nothing)
{
    struct world w = world_new();
    struct err e = {0};

    cr_expect_null(local_store_read(w.path, &e));
    cr_expect_eq(e.code, ERR_STORE);
    cr_expect_eq(access(w.path, F_OK), -1);
    world_free(&w);
}

/* Without waiting for BUSY_LIMIT_MS: ship is to end. */
Test(local_store, another_writer)
{
    struct world w = world_new();
    struct local_store *a = open_store(&w);
    struct local_store *b = open_store(&w);
    struct local_record r = record_of("aaaaaaaaaaaaaaaaaaaaaa", "one");
    struct err e = {0};

    cr_assert_eq(local_store_begin(a, NULL), LOCAL_OK);
    atomic_store(&w.is_stopping, true);
    cr_expect_eq(local_store_begin(b, &e), LOCAL_BUSY);
    cr_expect(strstr(e.what, "locked"), "%s", e.what);
    cr_expect_eq(local_store_add(a, &r, NULL), LOCAL_OK);
    expect_answer(&w, "SELECT count(*) FROM events", "0");
    cr_expect_eq(local_store_commit(a, NULL), LOCAL_OK);
    cr_expect_eq(put(b, &r), LOCAL_KNOWN);
    local_store_close(a);
    local_store_close(b);
    world_free(&w);
}

/* --- as an output --- */

static struct stream_profile profile = {.static_json = SLICE_LIT(",\"ecs.version\":\"9.4.0\""),
                                        .has_id = true};

static void add_event(struct batch *b, const struct event *event)
{
    size_t from = b->body.len;

    output_local.encode(NULL, event, &b->body);
    cr_assert(batch_commit(b, from, NULL, 0, 0));
}

struct answer {
    struct ev_loop *loop;
    bool has_come;
    enum sink_outcome outcome;
    enum verdict verdicts[4];
    struct err why;
};

static void on_sent(void *ctx, struct batch *batch, const struct sink_reply *reply)
{
    struct answer *a = ctx;

    a->has_come = true;
    a->outcome = reply->outcome;
    a->why = reply->why;
    if (reply->outcome == SINK_ITEMS)
        memcpy(a->verdicts, reply->verdicts, batch->n_items * sizeof a->verdicts[0]);
    batch_free(batch);
    ev_break(a->loop, EVBREAK_ALL);
}

static struct answer send_batch(struct sink *sink, struct ev_loop *loop, struct batch *b)
{
    struct answer a = {.loop = loop};

    output_local.send(sink, b, on_sent, &a);
    cr_expect_not(a.has_come, "never from inside");
    ev_run(loop, 0);
    return a;
}

static struct batch *two_events(struct budget *budget)
{
    struct record record = {.coldstart = -1, .message = value_text(slice_str("card declined"))};
    struct event event = {.record = &record,
                          .stream = &profile,
                          .time_ns = 1000,
                          .coldstart = -1,
                          .level = LEVEL_WARN,
                          .init_id = 255,
                          .function = slice_str("payment"),
                          .request_id = slice_str("r-1")};
    struct batch *b = batch_new(0, budget);

    memcpy(event.id, "aaaaaaaaaaaaaaaaaaaaaa", sizeof event.id);
    add_event(b, &event);
    add_event(b, &event);
    return b;
}

Test(local, delivers_once)
{
    struct world w = world_new();
    struct local_options options = {w.path};
    struct ev_loop *loop = ev_loop_new(0);
    struct sink_world sink_world = {.clock = &clock_real, .loop = loop};
    struct err e = {0};
    struct sink *sink = output_local.open(&options, &sink_world, &e);
    struct budget budget;
    struct answer a;

    budget_init(&budget, 1 << 20);
    cr_assert(sink, "%s: %s", e.where, e.what);
    cr_expect(strstr(output_local.where(sink), w.path));
    a = send_batch(sink, loop, two_events(&budget));
    cr_expect_eq(a.outcome, SINK_ITEMS, "%s", a.why.what);
    cr_expect_eq(a.verdicts[0], VERDICT_DELIVERED);
    cr_expect_eq(a.verdicts[1], VERDICT_DUPLICATE, "the same id within one batch");
    expect_answer(&w, "SELECT id, time, function, request, init, level, message FROM events",
                  "aaaaaaaaaaaaaaaaaaaaaa 1000 payment r-1 00000000000000ff warn card declined");
    expect_answer(&w, "SELECT json_extract(document, '$.\"event.id\"') FROM events",
                  "aaaaaaaaaaaaaaaaaaaaaa");
    output_local.close(sink);
    ev_loop_destroy(loop);
    world_free(&w);
}

/* The answer never comes from inside, not even when there is no room for it. */
Test(local, without_memory_for_the_verdicts)
{
    struct world w = world_new();
    struct local_options options = {w.path};
    struct ev_loop *loop = ev_loop_new(0);
    struct sink_world sink_world = {.clock = &clock_real, .loop = loop};
    struct sink *sink = output_local.open(&options, &sink_world, NULL);
    struct budget budget;
    struct batch *b;
    struct answer a;

    budget_init(&budget, 1 << 20);
    cr_assert(sink);
    b = two_events(&budget);
    failing_malloc_at(1);
    a = send_batch(sink, loop, b);
    cr_expect(failing_malloc_has_failed());
    cr_expect_eq(a.outcome, SINK_RETRY);
    cr_expect_eq(a.why.code, ERR_NOMEM);
    expect_answer(&w, "SELECT count(*) FROM events", "0");
    output_local.close(sink);
    ev_loop_destroy(loop);
    world_free(&w);
}

Test(local_record, what_is_cut_off_is_no_record)
{
    struct budget budget;
    struct batch *b;
    struct local_record r;

    budget_init(&budget, 1 << 20);
    b = two_events(&budget);
    for (size_t len = 0; len < b->items[0].body_len; len++)
        cr_expect_not(local_record_decode(slice_of(b->body.ptr, len), &r), "%zu", len);
    cr_expect(local_record_decode(slice_of(b->body.ptr, b->items[0].body_len), &r));
    cr_expect(slice_is(r.message, "card declined"));
    batch_free(b);
}
