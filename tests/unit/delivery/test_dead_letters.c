/* The file of dead letters: appended, whole lines only, and nothing settled before they are there.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shipper/delivery/dead_letters.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/stream.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/temp_dir.h"

struct rig {
    char base[TEMP_DIR_MAX];
    char directory[TEMP_DIR_MAX + 16];
    struct budget budget;
    struct pool *writer;
    struct dead_letters *dead;
    struct stream stream;
    struct chunk chunk;
    struct batch *batch; /* came back */
    struct err why;
    unsigned n_done;
};

static void on_wake(void *ctx)
{
    (void)ctx;
}

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    temp_dir_make(r->base);
    snprintf(r->directory, sizeof r->directory, "%s/state/dead", r->base);
    budget_init(&r->budget, 1 << 20);
    r->writer = pool_new(0, on_wake, NULL, NULL);
    r->dead = dead_letters_new(r->directory, r->writer, NULL);
    cr_assert_not_null(r->dead);
    r->chunk.stream = &r->stream;
    r->chunk.is_read = true;
}

static void rig_fini(struct rig *r)
{
    pool_free(r->writer);
    dead_letters_free(r->dead);
    batch_free(r->batch);
    temp_dir_remove(r->base);
    cr_expect_eq(budget_held(&r->budget), 0);
}

static void on_done(void *ctx, struct batch *b, const struct err *why)
{
    struct rig *r = ctx;

    r->batch = b;
    r->why = *why;
    r->n_done++;
}

/* Events {"n":first} and on, of which each second is rejected. */
static void put(struct rig *r, int first, int n)
{
    enum verdict verdicts[64];
    struct rejection rejections[64];
    char reasons[64][16];
    struct sink_reply reply = {
        .outcome = SINK_ITEMS, .verdicts = verdicts, .rejections = rejections};
    struct batch *b = batch_new(0, &r->budget);

    for (int i = 0; i < n; i++) {
        size_t from = b->body.len;

        buffer_printf(&b->body, "{\"create\":{}}\n{\"n\":%d}\n", first + i);
        cr_assert(batch_commit(b, from, &r->chunk, 0, 0));
        verdicts[i] = i % 2 ? VERDICT_REJECTED : VERDICT_DELIVERED;
        snprintf(reasons[i], sizeof reasons[i], "reason %d", first + i);
        if (i % 2)
            rejections[reply.n_rejections++] =
                (struct rejection){(size_t)i, 400, "type", reasons[i]};
    }
    batch_recount(b);
    batch_free(r->batch);
    r->batch = NULL;
    dead_letters_put(r->dead, b, &reply, "es", on_done, r);
}

/* The n of each letter, after checking that it is whole and has its own reason. */
static const char *letters(struct rig *r)
{
    static char text[256];
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(dead_letters_path(r->dead), "r");

    text[0] = '\0';
    while (f && getline(&line, &cap, f) > 0) {
        json_t *letter = json_loads(line, 0, NULL);
        int n = (int)json_integer_value(json_object_get(json_object_get(letter, "document"), "n"));
        char reason[32];

        snprintf(reason, sizeof reason, "reason %d", n);
        if (letter)
            cr_expect_str_eq(json_string_value(json_object_get(letter, "reason")), reason);
        snprintf(text + strlen(text), sizeof text - strlen(text), letter ? "%d " : "? ", n);
        json_decref(letter);
    }
    free(line);
    if (f)
        fclose(f);
    return text;
}

Test(dead_letters, only_what_was_rejected)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    cr_expect_eq(stat(r.directory, &st), -1, "nothing is made for nothing");
    put(&r, 10, 4);
    cr_expect_eq(r.n_done, 0, "never from inside");
    pool_reap(r.writer);
    cr_expect_eq(r.n_done, 1);
    cr_expect_eq(r.why.code, ERR_NONE, "%s", r.why.what);
    cr_expect_str_eq(letters(&r), "11 13 ");
    cr_expect_eq(dead_letters_count(r.dead), 2);
    put(&r, 20, 2);
    pool_reap(r.writer);
    cr_expect_str_eq(letters(&r), "11 13 21 ", "appended");
    cr_assert_eq(stat(dead_letters_path(r.dead), &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600, "they hold what users said");
    rig_fini(&r);
}

Test(dead_letters, a_torn_line_does_not_spoil_the_next)
{
    struct rig r;
    FILE *f;

    rig_init(&r);
    put(&r, 10, 2);
    pool_reap(r.writer);
    f = fopen(dead_letters_path(r.dead), "a");
    fputs("{\"time\":\"2026-01-01", f); /* a power cut */
    fclose(f);
    put(&r, 20, 2);
    pool_reap(r.writer);
    cr_expect_str_eq(letters(&r), "11 ? 21 ");
    rig_fini(&r);
}

static void set_disk(size_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(dead_letters, a_disk_that_fills)
{
    struct rig r;
    struct stat st;

    rig_init(&r);
    put(&r, 10, 2);
    pool_reap(r.writer);
    cr_assert_eq(stat(dead_letters_path(r.dead), &st), 0);
    set_disk((size_t)st.st_size + 50);
    put(&r, 20, 2);
    pool_reap(r.writer);
    set_disk(0);
    cr_expect_eq(r.why.code, ERR_STORE);
    cr_expect_str_eq(r.why.where, dead_letters_path(r.dead));
    cr_expect_eq(dead_letters_count(r.dead), 1);
    cr_expect_str_eq(letters(&r), "11 ", "half a letter is worse than none");
    put(&r, 20, 2);
    pool_reap(r.writer);
    cr_expect_str_eq(letters(&r), "11 21 ");
    rig_fini(&r);
}

Test(dead_letters, a_place_that_is_none)
{
    struct rig r;
    FILE *f;

    rig_init(&r);
    snprintf(r.directory, sizeof r.directory, "%s/state", r.base);
    f = fopen(r.directory, "w");
    fclose(f);
    put(&r, 10, 2);
    pool_reap(r.writer);
    cr_expect_eq(r.why.code, ERR_STORE);
    cr_expect_eq(r.n_done, 1);
    rig_fini(&r);
}

/* A batch may be refused while a worker still makes what its letters are read from. */
Test(dead_letters, wait_for_their_chunk)
{
    struct rig r;

    rig_init(&r);
    r.chunk.is_read = false;
    put(&r, 10, 2);
    pool_reap(r.writer);
    dead_letters_tick(r.dead);
    pool_reap(r.writer);
    cr_expect_eq(r.n_done, 0);
    r.chunk.is_read = true;
    dead_letters_tick(r.dead);
    pool_reap(r.writer);
    cr_expect_eq(r.n_done, 1);
    cr_expect_str_eq(letters(&r), "11 ");
    rig_fini(&r);
}

Test(dead_letters, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct rig r;
        unsigned n_done;

        rig_init(&r);
        put(&r, 0, 2); /* the worker's room is warm */
        pool_reap(r.writer);
        n_done = r.n_done;
        put(&r, 10, 2);
        failing_malloc_at(n);
        pool_reap(r.writer);
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        cr_expect_eq(r.n_done, n_done + 1);
        if (r.why.code != ERR_NONE) {
            cr_expect(r.why.what[0]);
            cr_expect_str_eq(letters(&r), "1 ");
        } else {
            cr_expect_str_eq(letters(&r), "1 11 ");
        }
        rig_fini(&r);
    }
}
