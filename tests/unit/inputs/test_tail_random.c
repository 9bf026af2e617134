/* Lives drawn from a seed: files grow, rotate, are truncated, ship stalls and restarts. Each line
 * must come out, and always under the same id. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/file_rig.h"

enum { N_FILES = 3, N_STEPS = 60, N_SEEDS = 150, LINES_MAX = 2000, NAME_MAX_LEN = 64 };

struct life {
    struct rig rig;
    const char *pattern;
    uint64_t random;
    unsigned n_lines;
    unsigned n_rotated[N_FILES];
    bool is_blocked;
    bool has_open_line[N_FILES];
    char story[N_STEPS * 24];
};

static unsigned draw(struct life *l, unsigned n)
{
    l->random = l->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(l->random >> 33) % n;
}

static void name_of(char *name, unsigned file, unsigned age)
{
    if (age)
        snprintf(name, NAME_MAX_LEN, "f%u.log.%u", file, age);
    else
        snprintf(name, NAME_MAX_LEN, "f%u.log", file);
}

static void append(struct life *l, unsigned file)
{
    unsigned n = 1 + draw(l, 5);
    char name[NAME_MAX_LEN];
    char line[64];

    name_of(name, file, 0);
    for (unsigned i = 0; i < n && l->n_lines < LINES_MAX; i++) {
        if (!l->has_open_line[file]) {
            snprintf(line, sizeof line, "line-%u", l->n_lines++);
            rig_append(&l->rig, name, line);
        }
        l->has_open_line[file] = i + 1 == n && draw(l, 3) == 0;
        if (!l->has_open_line[file])
            rig_append(&l->rig, name, "\n");
    }
}

static void end_line(struct life *l, unsigned file)
{
    char name[NAME_MAX_LEN];

    name_of(name, file, 0);
    if (l->has_open_line[file])
        rig_append(&l->rig, name, "\n");
    l->has_open_line[file] = false;
}

static void rotate(struct life *l, unsigned file)
{
    char from[NAME_MAX_LEN];
    char to[NAME_MAX_LEN];

    end_line(l, file);
    name_of(from, file, 0);
    if (access(rig_path(&l->rig, from), F_OK) != 0)
        return;
    for (unsigned age = l->n_rotated[file]++ + 1; age > 0; age--) {
        name_of(from, file, age - 1);
        name_of(to, file, age);
        rig_rename(&l->rig, from, to);
    }
    rig_append(&l->rig, from, ""); /* as logrotate's `create` */
}

static void unblock(struct life *l)
{
    if (l->is_blocked)
        budget_add(&l->rig.budget, -l->rig.budget.limit_bytes);
    l->is_blocked = false;
}

/* What is cut off must have been read, or it is lost for everyone. */
static void truncate_file(struct life *l, unsigned file)
{
    char name[NAME_MAX_LEN];

    end_line(l, file);
    unblock(l);
    rig_run(&l->rig, 60000);
    name_of(name, file, 0);
    if (access(rig_path(&l->rig, name), F_OK) == 0)
        rig_truncate(&l->rig, name, 0);
}

static void restart(struct life *l)
{
    unblock(l);
    if (draw(l, 2)) { /* killed: what was not acknowledged comes again */
        while (l->rig.kept) {
            struct batch *b = l->rig.kept;

            l->rig.kept = b->next;
            batch_free(b);
        }
    }
    rig_close(&l->rig);
    for (unsigned n = draw(l, 3); n > 0; n--) {
        append(l, draw(l, N_FILES));
        if (draw(l, 3) == 0)
            rotate(l, draw(l, N_FILES));
    }
    rig_open(&l->rig, l->pattern);
}

static void step(struct life *l)
{
    unsigned file = draw(l, N_FILES);
    unsigned what = draw(l, 20);
    size_t at = strlen(l->story);

    snprintf(l->story + at, sizeof l->story - at, "%u/%u ", what, file);
    if (what < 9)
        append(l, file);
    else if (what < 12)
        rotate(l, file);
    else if (what == 12)
        truncate_file(l, file);
    else if (what == 13)
        l->rig.is_stalled = true;
    else if (what == 14)
        rig_release(&l->rig);
    else if (what == 15)
        restart(l);
    else if (what == 16 && !l->is_blocked && (l->is_blocked = true))
        budget_add(&l->rig.budget, l->rig.budget.limit_bytes);
    else if (what == 17)
        unblock(l);
    rig_run(&l->rig, draw(l, 2) ? 50 : 50 + draw(l, 4000));
}

static void check(struct life *l, unsigned seed)
{
    static char ids[LINES_MAX][HASH_TEXT_LEN];
    static bool seen[LINES_MAX];
    const char *text = l->rig.out.ptr;
    const char *id = l->rig.ids.ptr;
    unsigned n_seen = 0;

    memset(seen, 0, sizeof seen);
    buffer_add_char(&l->rig.out, '\0');
    text = l->rig.out.ptr;
    for (unsigned n; text && sscanf(text, "line-%u", &n) == 1; id += HASH_TEXT_LEN + 1) {
        cr_assert_lt(n, l->n_lines);
        if (seen[n])
            cr_expect_eq(memcmp(ids[n], id, HASH_TEXT_LEN), 0, "seed %u: line %u under two ids: %s",
                         seed, n, l->story);
        n_seen += !seen[n];
        seen[n] = true;
        memcpy(ids[n], id, HASH_TEXT_LEN);
        text = strchr(text, '\n');
        text += text != NULL;
    }
    for (unsigned n = 0; n < l->n_lines && n_seen < l->n_lines; n++)
        cr_expect(seen[n], "seed %u: line %u is lost: %s", seed, n, l->story);
    cr_expect_eq(n_seen, l->n_lines, "seed %u", seed);
}

static void live(unsigned seed, const char *pattern)
{
    struct life l = {.pattern = pattern, .random = seed * 7919u + 1};

    rig_init(&l.rig);
    l.rig.n_may_open = seed % 3 ? -1 : 40;
    for (unsigned file = 0; file < N_FILES; file++)
        append(&l, file); /* a generation that nobody ever saw is followed by none */
    rig_open(&l.rig, pattern);
    rig_run(&l.rig, 50);
    for (int i = 0; i < N_STEPS; i++)
        step(&l);
    for (unsigned file = 0; file < N_FILES; file++)
        end_line(&l, file);
    unblock(&l);
    rig_release(&l.rig);
    rig_run(&l.rig, 120000);
    cr_expect_eq(input_file.stats(l.rig.input)->lost_bytes, 0, "seed %u", seed);
    check(&l, seed);
    rig_fini(&l.rig);
}

Test(tail_random, current_names_only, .timeout = 300)
{
    for (unsigned seed = 1; seed <= N_SEEDS; seed++)
        live(seed, "*.log");
}

Test(tail_random, rotated_names_too, .timeout = 300)
{
    for (unsigned seed = 1; seed <= N_SEEDS; seed++)
        live(seed, "*.log*");
}
