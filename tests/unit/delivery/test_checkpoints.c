#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shipper/delivery/checkpoints.h"
#include "tests/support/temp_dir.h"

struct store {
    char directory[TEMP_DIR_MAX];
    struct pool *writer;
    struct checkpoints *checkpoints;
    int64_t now_ms;
};

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void open_store(struct store *s)
{
    struct err e = {0};

    s->writer = pool_new(0, on_wake, NULL, NULL);
    s->checkpoints = checkpoints_open(s->directory, s->writer, &e);
    cr_assert_not_null(s->checkpoints, "%s: %s", e.where, e.what);
}

static int close_store(struct store *s, struct err *e)
{
    int rc;

    pool_free(s->writer);
    rc = checkpoints_close(s->checkpoints, e);
    s->writer = NULL;
    s->checkpoints = NULL;
    return rc;
}

static void store_init(struct store *s)
{
    *s = (struct store){.now_ms = 1000};
    temp_dir_make(s->directory);
    open_store(s);
}

static void store_fini(struct store *s)
{
    if (s->checkpoints)
        cr_expect_eq(close_store(s, NULL), 0);
    temp_dir_remove(s->directory);
}

static void put(struct store *s, const char *key, uint64_t position)
{
    checkpoints_put(s->checkpoints, &(struct checkpoint){.key = key,
                                                         .path = "/var/log/a.log",
                                                         .position = position,
                                                         .state = SLICE_LIT("st\0ate")});
}

/* As a busy loop does: ticks far more often than anything is due. */
static void tick_for(struct store *s, int64_t ms)
{
    for (int64_t until = s->now_ms + ms; s->now_ms < until; s->now_ms += 10) {
        checkpoints_tick(s->checkpoints, s->now_ms);
        pool_reap(s->writer);
    }
}

/* What a killed ship would find again: read past the store, as another process would. -1: no row.
 */
static int64_t on_disk(const struct store *s, const char *key)
{
    char path[128];
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t position = -1;

    snprintf(path, sizeof path, "%s/checkpoints.db", s->directory);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(
        sqlite3_prepare_v2(db, "SELECT position FROM checkpoints WHERE key = ?1", -1, &st, NULL),
        SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_step(st) == SQLITE_ROW)
        position = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return position;
}

/* The loop ticks far more often than a write is due; each tick once put it off. */
Test(checkpoints, are_written_while_the_loop_is_busy)
{
    struct store s;

    store_init(&s);
    for (int n = 0; n < 6; n++) {
        put(&s, "file:0", (uint64_t)n); /* the first ones are written sooner */
        tick_for(&s, 500);
    }
    put(&s, "file:1", 77);
    tick_for(&s, CHECKPOINT_EVERY_MS - 20);
    cr_expect_eq(on_disk(&s, "file:1"), -1, "several are gathered into one transaction");
    tick_for(&s, 50);
    cr_expect_eq(on_disk(&s, "file:1"), 77);
    put(&s, "file:1", 78);
    tick_for(&s, CHECKPOINT_EVERY_MS + 20);
    cr_expect_eq(on_disk(&s, "file:1"), 78);
    store_fini(&s);
}

Test(checkpoints, tick_says_when_it_wants_to_be_called)
{
    struct store s;

    store_init(&s);
    cr_expect_eq(checkpoints_tick(s.checkpoints, 5000), INT64_MAX, "nothing to write");
    for (int n = 0; n < 6; n++) {
        put(&s, "file:0", n);
        checkpoints_tick(s.checkpoints, 6000 + n * 300);
        checkpoints_tick(s.checkpoints, 6000 + n * 300 + CHECKPOINT_EVERY_MS);
        pool_reap(s.writer);
    }
    put(&s, "file:1", 1);
    cr_expect_eq(checkpoints_tick(s.checkpoints, 9000), 9000 + CHECKPOINT_EVERY_MS);
    cr_expect_eq(checkpoints_tick(s.checkpoints, 9100), 9000 + CHECKPOINT_EVERY_MS);
    cr_expect_eq(checkpoints_tick(s.checkpoints, 9250), INT64_MAX, "being written");
    put(&s, "file:1", 2);
    checkpoints_tick(s.checkpoints, 9300);
    pool_reap(s.writer);
    cr_expect_eq(on_disk(&s, "file:1"), 1);
    cr_expect_eq(checkpoints_tick(s.checkpoints, 9550), INT64_MAX, "what came meanwhile is next");
    pool_reap(s.writer);
    cr_expect_eq(on_disk(&s, "file:1"), 2);
    store_fini(&s);
}

Test(checkpoints, the_first_words_are_written_soon) /* G4 */
{
    static const int64_t after_ms[] = {
        0, 25, 50, 100, 200, CHECKPOINT_EVERY_MS, CHECKPOINT_EVERY_MS};
    struct store s;
    int64_t now_ms = 5000;

    store_init(&s);
    for (size_t i = 0; i < sizeof after_ms / sizeof after_ms[0]; i++) {
        put(&s, "file:1", i + 1);
        if (after_ms[i])
            cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), now_ms + after_ms[i], "%zu", i);
        now_ms += after_ms[i];
        cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), INT64_MAX, "%zu", i);
        pool_reap(s.writer);
        cr_expect_eq(on_disk(&s, "file:1"), (int64_t)i + 1);
    }
    store_fini(&s);
}

Test(checkpoints, a_stream_that_was_just_met_is_written_soon)
{
    struct store s;
    int64_t now_ms = 5000;

    store_init(&s);
    for (uint64_t n = 0; n < 6; n++) {
        put(&s, "file:0", n);
        checkpoints_tick(s.checkpoints, now_ms);
        now_ms += CHECKPOINT_EVERY_MS;
        checkpoints_tick(s.checkpoints, now_ms);
        pool_reap(s.writer);
    }
    put(&s, "file:0", 7);
    cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), now_ms + CHECKPOINT_EVERY_MS);
    put(&s, "file:1", 0);
    checkpoints_hurry(s.checkpoints);
    cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), now_ms + 25, "the one that is due too");
    now_ms += 25;
    cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), INT64_MAX);
    pool_reap(s.writer);
    cr_expect_eq(on_disk(&s, "file:1"), 0);
    put(&s, "file:2", 0);
    checkpoints_hurry(s.checkpoints);
    cr_expect_eq(checkpoints_tick(s.checkpoints, now_ms), now_ms + 25, "before the first tick");
    store_fini(&s);
}

static void compare(void *ctx, const struct checkpoint *c)
{
    const struct checkpoint *want = ctx;

    cr_expect_str_eq(c->key, want->key);
    cr_expect_str_eq(c->path, want->path);
    cr_expect_eq(c->position, want->position);
    cr_expect_eq(c->head_hash, want->head_hash);
    cr_expect_eq(c->is_finished, want->is_finished);
    cr_expect_eq(c->seen_s, want->seen_s);
    cr_expect(slice_eq(c->state, want->state));
}

Test(checkpoints, come_back_as_they_were)
{
    static const char state[] = "st\0ate\xff";
    struct checkpoint c = {.key = "file:fd01:20:ffffffffffffffff:1",
                           .path = "/var/log/not utf-8 \xe4.log",
                           .position = UINT64_C(0xfffffffffffffff0),
                           .head_hash = UINT64_C(0x8000000000000001),
                           .is_finished = true,
                           .seen_s = 1767225600,
                           .state = {state, sizeof state}};
    struct store s;
    struct err e;

    store_init(&s);
    checkpoints_put(s.checkpoints, &c);
    put(&s, "gone", 3);
    cr_expect_eq(close_store(&s, &e), 0, "written at the end, due or not");
    open_store(&s);
    checkpoints_remove(s.checkpoints, "gone");
    cr_expect_eq(close_store(&s, &e), 0);
    open_store(&s);
    cr_expect_eq(checkpoints_each(s.checkpoints, compare, &c, &e), 0);
    store_fini(&s);
}

static void expect_refused(const char *directory, const char *why)
{
    struct pool *writer = pool_new(0, on_wake, NULL, NULL);
    struct err e = {0};

    cr_expect_null(checkpoints_open(directory, writer, &e));
    cr_expect_eq(e.code, ERR_STORE);
    cr_expect(strstr(e.what, why), "\"%s\" says nothing of \"%s\"", e.what, why);
    cr_expect(strstr(e.where, directory), "\"%s\" does not name %s", e.where, directory);
    pool_free(writer);
}

Test(checkpoints, a_second_ship_is_kept_out)
{
    struct store s;

    store_init(&s);
    expect_refused(s.directory, "another ship uses this state directory");
    put(&s, "file:1", 5);
    cr_expect_eq(close_store(&s, NULL), 0, "and the first has not noticed");
    open_store(&s);
    cr_expect_eq(on_disk(&s, "file:1"), 5);
    store_fini(&s);
}

static void spoil(const struct store *s, long from, size_t len)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/checkpoints.db", s->directory);
    f = fopen(path, "r+");
    cr_assert_not_null(f);
    fseek(f, from, SEEK_SET);
    for (size_t i = 0; i < len; i++)
        fputc("spoilt"[i % 6], f);
    fclose(f);
}

static void ignore(void *ctx, const struct checkpoint *c)
{
    (void)ctx;
    (void)c;
}

Test(checkpoints, a_damaged_store_is_left_alone_and_told)
{
    struct store s;
    struct err e = {0};

    store_init(&s);
    for (int i = 0; i < 500; i++) {
        char key[32];

        snprintf(key, sizeof key, "file:%d", i);
        put(&s, key, 5);
    }
    cr_expect_eq(close_store(&s, NULL), 0);
    spoil(&s, 4096, 8192);
    s.writer = pool_new(0, on_wake, NULL, NULL);
    s.checkpoints = checkpoints_open(s.directory, s.writer, &e);
    if (s.checkpoints) /* the damage may not show before the rows are read */
        cr_expect_eq(checkpoints_each(s.checkpoints, ignore, NULL, &e), -1);
    cr_expect(strstr(e.what, "damaged"), "%s", e.what);
    cr_expect(strstr(e.what, "Move it away"), "it says what to do: %s", e.what);
    close_store(&s, NULL);
    spoil(&s, 0, 100);
    expect_refused(s.directory, "damaged (file is not a database)");
    store_fini(&s);
}

/* SQLite goes on in a deleted file without a word, and the next start would find nothing. */
Test(checkpoints, a_store_that_is_put_elsewhere_is_told_until_it_is_back)
{
    struct store s;
    char path[128];
    char elsewhere[136];

    store_init(&s);
    snprintf(path, sizeof path, "%s/checkpoints.db", s.directory);
    snprintf(elsewhere, sizeof elsewhere, "%s.away", path);
    put(&s, "file:0", 1);
    tick_for(&s, CHECKPOINT_EVERY_MS + 20);
    cr_expect_eq(checkpoints_trouble(s.checkpoints)->code, ERR_NONE);
    cr_assert_eq(rename(path, elsewhere), 0);
    put(&s, "file:0", 2);
    tick_for(&s, CHECKPOINT_EVERY_MS + 20);
    cr_expect_eq(checkpoints_trouble(s.checkpoints)->code, ERR_STORE);
    cr_expect(strstr(checkpoints_trouble(s.checkpoints)->what, "was deleted"));
    cr_expect_str_eq(checkpoints_trouble(s.checkpoints)->where, path);
    cr_assert_eq(rename(elsewhere, path), 0);
    tick_for(&s, 6000);
    cr_expect_eq(checkpoints_trouble(s.checkpoints)->code, ERR_NONE, "it is tried again");
    cr_expect_eq(on_disk(&s, "file:0"), 2);
    put(&s, "file:0", 3);
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(close_store(&s, NULL), -1, "the last word is lost");
    store_fini(&s);
}

static void ignore_had(void *ctx, const char *key, struct slice had)
{
    (void)ctx;
    (void)key;
    (void)had;
}

/* Whoever made a table of this name: what it holds is not taken on trust. */
Test(checkpoints, rows_without_their_texts_are_damage)
{
    static const char *const tables[] = {
        "DROP TABLE checkpoints;"
        "CREATE TABLE checkpoints (key, path, position, head_hash, is_finished, seen_s, state);"
        "INSERT INTO checkpoints (position) VALUES (1)",
        "CREATE TABLE had (key, had); INSERT INTO had VALUES (NULL, x'00')"};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct store s;
        struct err e = {0};
        char path[128];
        sqlite3 *db;

        store_init(&s);
        close_store(&s, NULL);
        snprintf(path, sizeof path, "%s/checkpoints.db", s.directory);
        cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, tables[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        open_store(&s);
        cr_expect_eq(i ? checkpoints_each_had(s.checkpoints, ignore_had, NULL, &e)
                       : checkpoints_each(s.checkpoints, ignore, NULL, &e),
                     -1);
        cr_expect(strstr(e.what, "damaged (a row without a key or a path)"), "%s", e.what);
        store_fini(&s);
    }
}

Test(checkpoints, what_a_newer_ship_wrote_is_refused)
{
    struct store s;
    char path[128];
    sqlite3 *db;

    store_init(&s);
    close_store(&s, NULL);
    snprintf(path, sizeof path, "%s/checkpoints.db", s.directory);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    expect_refused(s.directory, "made by a newer ship");
    store_fini(&s);
}

Test(checkpoints, a_place_that_is_none)
{
    char directory[TEMP_DIR_MAX];
    char below[TEMP_DIR_MAX + 16];
    FILE *f;

    temp_dir_make(directory);
    snprintf(below, sizeof below, "%s/file", directory);
    f = fopen(below, "w");
    fclose(f);
    expect_refused(below, "ot a directory");
    temp_dir_remove(directory);
}

/* A limit on file sizes stands for the full disk: write(2) takes no more bytes. */
static void set_disk(size_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(checkpoints, a_full_disk_loses_no_word) /* G2 */
{
    struct store s;

    store_init(&s);
    put(&s, "file:1", 1);
    put(&s, "file:2", 1);
    tick_for(&s, 300);
    set_disk(1);
    put(&s, "file:1", 2);
    tick_for(&s, 300);
    cr_expect_neq(checkpoints_trouble(s.checkpoints)->code, ERR_NONE);
    cr_expect(strstr(checkpoints_trouble(s.checkpoints)->where, "checkpoints.db"));
    put(&s, "file:1", 3);
    put(&s, "file:3", 3);
    tick_for(&s, 2000);
    set_disk(0);
    cr_expect_eq(on_disk(&s, "file:1"), 1, "tried again slowly");
    tick_for(&s, 4000);
    cr_expect_eq(checkpoints_trouble(s.checkpoints)->code, ERR_NONE);
    cr_expect_eq(on_disk(&s, "file:1"), 3, "the newest word, not the one that failed");
    cr_expect_eq(on_disk(&s, "file:2"), 1);
    cr_expect_eq(on_disk(&s, "file:3"), 3);
    store_fini(&s);
}

Test(checkpoints, closing_on_a_full_disk_says_so)
{
    struct store s;
    struct err e = {0};

    store_init(&s);
    put(&s, "file:1", 1);
    set_disk(1);
    cr_expect_eq(close_store(&s, &e), -1);
    cr_expect_eq(e.code, ERR_STORE);
    set_disk(0);
    store_fini(&s);
}

/* --- killed ---------------------------------------------------------------------------------- */

enum { N_KEYS = 20 };

/* Puts the same position under every key, as fast as it can be written, until it is killed; says to
 * `to` how often it has been. */
static void write_without_end(struct store *s, int to)
{
    open_store(s);
    for (uint64_t n = 1;; n++) {
        for (int i = 0; i < N_KEYS; i++) {
            char key[32];

            snprintf(key, sizeof key, "file:%d", i);
            put(s, key, n);
        }
        checkpoints_tick(s->checkpoints, (int64_t)n * 1000);
        checkpoints_tick(s->checkpoints, (int64_t)n * 1000 + CHECKPOINT_EVERY_MS);
        pool_reap(s->writer);
        if (write(to, "w", 1) != 1)
            _exit(2);
    }
}

struct seen {
    uint64_t position;
    int n_rows;
};

static void see(void *ctx, const struct checkpoint *c)
{
    struct seen *seen = ctx;

    if (seen->n_rows++)
        cr_expect_eq(c->position, seen->position, "all of a write, or none of it");
    seen->position = c->position;
}

Test(checkpoints, killed_at_any_moment_all_rows_are_of_one_write, .timeout = 300) /* G2 */
{
    struct store s;
    uint64_t last = 0;

    store_init(&s);
    close_store(&s, NULL);
    for (int life = 0; life < 25; life++) {
        struct timespec pause = {0, 1000000L * (5 + life)};
        struct seen seen = {0};
        struct err e = {0};
        char words[3];
        int ends[2];
        pid_t child;

        cr_assert_eq(pipe(ends), 0);
        child = fork();
        if (child == 0)
            write_without_end(&s, ends[1]);
        if (life % 5 == 0) /* whatever the machine: not before something was written */
            for (int i = 0; i < 3; i++)
                cr_assert_eq(read(ends[0], words, 1), 1);
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(ends[0]);
        close(ends[1]);
        open_store(&s);
        cr_expect_eq(checkpoints_each(s.checkpoints, see, &seen, &e), 0, "%s", e.what);
        cr_expect(seen.n_rows == 0 || seen.n_rows == N_KEYS);
        last = seen.position > last ? seen.position : last;
        close_store(&s, NULL);
    }
    cr_expect_gt(last, 1, "something was written at all");
    store_fini(&s);
}

/* --- what outputs had behind the positions --- */

static void on_had(void *ctx, const char *key, struct slice had)
{
    buffer_printf(ctx, "%s=%.*s;", key, SLICE_ARG(had));
}

static void expect_had(struct store *s, const char *want)
{
    struct buffer found = {0};

    cr_assert_eq(checkpoints_each_had(s->checkpoints, on_had, &found, NULL), 0);
    cr_expect(slice_eq(buffer_slice(&found), slice_str(want)), "\"%.*s\", not \"%s\"",
              (int)found.len, found.ptr, want);
    buffer_free(&found);
}

/* All that the last life said at its end, and nothing of those before. */
Test(checkpoints, what_was_had_is_replaced_as_a_whole)
{
    struct store s;

    store_init(&s);
    expect_had(&s, "");
    put(&s, "one", 5);
    checkpoints_forget_had(s.checkpoints);
    checkpoints_put_had(s.checkpoints, "one", slice_str("1-2"));
    checkpoints_put_had(s.checkpoints, "two", slice_str("old"));
    checkpoints_put_had(s.checkpoints, "two", slice_str("3-4"));
    cr_expect_eq(on_disk(&s, "one"), -1, "both come with the close");
    cr_assert_eq(close_store(&s, NULL), 0);
    open_store(&s);
    expect_had(&s, "one=1-2;two=3-4;");
    cr_expect_eq(on_disk(&s, "one"), 5);
    cr_assert_eq(close_store(&s, NULL), 0);
    open_store(&s);
    expect_had(&s, "one=1-2;two=3-4;"); /* a life that said nothing, as one that does not start */
    checkpoints_forget_had(s.checkpoints);
    cr_assert_eq(close_store(&s, NULL), 0);
    open_store(&s);
    expect_had(&s, "");
    store_fini(&s);
}

/* Where there are no birth times, a new file may have the number, and so the key, of a deleted one.
 */
Test(checkpoints, what_was_had_of_a_stream_goes_with_its_row)
{
    struct store s;

    store_init(&s);
    put(&s, "deleted", 5);
    put(&s, "deleted and written", 5);
    put(&s, "other", 5);
    checkpoints_put_had(s.checkpoints, "deleted", slice_str("1-2"));
    checkpoints_put_had(s.checkpoints, "deleted and written", slice_str("3-4"));
    checkpoints_put_had(s.checkpoints, "other", slice_str("5-6"));
    cr_assert_eq(close_store(&s, NULL), 0);
    open_store(&s);
    checkpoints_remove(s.checkpoints, "deleted");
    tick_for(&s, 500);
    put(&s, "deleted", 1);
    checkpoints_remove(s.checkpoints, "deleted and written");
    put(&s, "deleted and written", 1);
    put(&s, "deleted and written", 2);
    put(&s, "other", 6);
    tick_for(&s, 500);
    expect_had(&s, "other=5-6;"); /* as a life finds it that comes after a kill */
    cr_expect_eq(on_disk(&s, "deleted"), 1);
    cr_expect_eq(on_disk(&s, "deleted and written"), 2);
    store_fini(&s);
}
