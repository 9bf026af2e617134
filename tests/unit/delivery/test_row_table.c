#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "shipper/delivery/row_table.h"
#include "tests/support/failing_malloc.h"

static bool put(struct row_table *t, const char *key, uint64_t position)
{
    struct checkpoint c = {.key = key,
                           .path = "/p",
                           .position = position,
                           .head_hash = 7,
                           .is_finished = true,
                           .seen_s = 9,
                           .state = SLICE_LIT("st\0ate")};

    return row_table_put(t, key, &c);
}

static const struct row *find(const struct row_table *t, const char *key)
{
    const struct row *found = NULL;

    for (size_t i = 0; i < t->n_rows; i++)
        if (strcmp(t->rows[i].key, key) == 0) {
            cr_expect_null(found, "%s is there twice", key);
            found = &t->rows[i];
        }
    return found;
}

Test(row_table, the_newest_word_stays)
{
    struct row_table t = {0};
    const struct row *r;

    cr_expect(put(&t, "a", 1));
    cr_expect(put(&t, "b", 2));
    cr_expect(put(&t, "a", 3));
    cr_expect(row_table_put(&t, "b", NULL));
    cr_expect_eq(t.n_rows, 2);
    r = find(&t, "a");
    cr_expect_eq(r->position, 3);
    cr_expect_eq(r->head_hash, 7);
    cr_expect_eq(r->seen_s, 9);
    cr_expect(r->is_finished);
    cr_expect_not(r->is_removal);
    cr_expect_str_eq(r->path, "/p");
    cr_expect(slice_eq(slice_of(r->state, r->state_len), (struct slice)SLICE_LIT("st\0ate")));
    cr_expect(find(&t, "b")->is_removal);
    cr_expect(put(&t, "b", 4));
    cr_expect_not(find(&t, "b")->is_removal, "it came back");
    row_table_clear(&t);
    cr_expect_eq(t.n_rows, 0);
    cr_expect(put(&t, "a", 1), "and it can be used again");
    row_table_clear(&t);
}

Test(row_table, many_keys)
{
    enum { N = 20000 };
    struct row_table t = {0};
    char key[32];

    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < N; i++) {
            snprintf(key, sizeof key, "file:%d", i);
            cr_assert(put(&t, key, (uint64_t)(turn * N + i)));
        }
    cr_expect_eq(t.n_rows, N);
    for (int i = 0; i < N; i++) {
        snprintf(key, sizeof key, "file:%d", i);
        cr_expect_str_eq(t.rows[i].key, key, "in their order");
        cr_expect_eq(t.rows[i].position, (uint64_t)(N + i));
    }
    row_table_clear(&t);
}

/* A write that failed: what came meanwhile is newer. */
Test(row_table, older_words_give_way) /* G2: a write that failed is older than what came since */
{
    struct row_table t = {0};
    struct row_table older = {0};

    put(&older, "a", 1);
    put(&older, "b", 1);
    put(&older, "c", 1);
    row_table_put(&older, "d", NULL);
    put(&t, "b", 2);
    row_table_put(&t, "c", NULL);
    put(&t, "d", 2);
    row_table_merge_older(&t, &older);
    cr_expect_eq(t.n_rows, 4);
    cr_expect_eq(find(&t, "a")->position, 1);
    cr_expect_eq(find(&t, "b")->position, 2);
    cr_expect(find(&t, "c")->is_removal);
    cr_expect_not(find(&t, "d")->is_removal);
    cr_expect_eq(older.n_rows, 0);
    cr_expect_null(older.rows);
    row_table_merge_older(&t, &older);
    cr_expect_eq(t.n_rows, 4, "of nothing");
    row_table_clear(&t);
}

Test(row_table, memory_that_runs_out)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        struct row_table t = {0};
        char key[32];
        bool is_put = true;
        int i;

        failing_malloc_at(n);
        for (i = 0; i < 200 && is_put; i++) {
            snprintf(key, sizeof key, "file:%d", i);
            is_put = put(&t, key, 5);
        }
        has_failed = failing_malloc_has_failed();
        failing_malloc_at(0);
        cr_expect_neq(has_failed, is_put);
        cr_expect_eq(t.n_rows, (size_t)(is_put ? 200 : i - 1), "all before it are there");
        cr_expect(put(&t, "last", 6), "and it goes on");
        cr_expect_eq(find(&t, "last")->position, 6);
        row_table_clear(&t);
    }
}
