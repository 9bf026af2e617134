/* The fuzz targets without a fuzzer: every file of the corpus, and a few thousand changed ones out
 * of a fixed seed. */
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "shipper/base/buffer.h"
#include "tests/fuzz/targets.h"

enum { MOST_FILES = 512, MOST_BYTES = 64 * 1024 };

static const struct {
    const char *name;
    int (*run)(const uint8_t *data, size_t size);
} targets[] = {
    {"access", fuzz_access},
    {"csv", fuzz_csv},
    {"grok", fuzz_grok},
    {"config", fuzz_config},
    {"es_reply", fuzz_es_reply},
    {"json", fuzz_json},
    {"json_record", fuzz_json_record},
    {"pairs", fuzz_pairs},
    {"letter", fuzz_letter},
    {"parse_line", fuzz_parse_line},
    {"queue_segment", fuzz_queue_segment},
    {"regex", fuzz_regex},
    {"syslog", fuzz_syslog},
    {"timestamp", fuzz_timestamp},
};

static struct buffer files[MOST_FILES];
static size_t n_files;

static int take_file(const char *path, const struct stat *st, int type)
{
    FILE *f;
    struct buffer *b = &files[n_files];
    int c;

    (void)st;
    if (type != FTW_F || n_files == MOST_FILES)
        return 0;
    f = fopen(path, "r");
    cr_assert(f, "%s", path);
    while ((c = fgetc(f)) != EOF && b->len < MOST_BYTES)
        buffer_add_char(b, (char)c);
    fclose(f);
    n_files++;
    return 0;
}

/* Tests run in the project's folder. */
static void take_files(void)
{
    cr_assert_eq(ftw("tests/fuzz/corpus", take_file, 8), 0);
    cr_assert_eq(ftw("tests/golden/documents", take_file, 8), 0);
    cr_assert_gt(n_files, 40, "the corpus is there");
    cr_assert_lt(n_files, MOST_FILES, "and not too large for this test");
}

/* Copies the bytes to a block of just their size, so that ASan sees a read of the byte behind. */
static void run_all(struct slice bytes)
{
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

    memcpy(copy, bytes.len ? bytes.ptr : "", bytes.len);
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        cr_expect_eq(targets[i].run(copy, bytes.len), 0, "%s", targets[i].name);
    free(copy);
}

Test(fuzz, corpus)
{
    take_files();
    for (size_t i = 0; i < n_files; i++) {
        run_all(buffer_slice(&files[i]));
        buffer_free(&files[i]);
    }
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One change: a byte, a piece left out, a piece of another file put in. */
static void change(struct buffer *b, const struct buffer *other, uint64_t *state)
{
    static const char odd[] = "\0\"\\{}[]:,\n\r\t\x80\xC3\xE2\xED\xFF";
    size_t at = b->len ? draw(state) % b->len : 0;
    size_t n = draw(state) % 40;

    switch (draw(state) % 4) {
    case 0:
        if (b->len)
            b->ptr[at] = odd[draw(state) % (sizeof odd - 1)];
        return;
    case 1:
        if (b->len)
            b->ptr[at] = (char)draw(state);
        return;
    case 2:
        n = n < b->len - at ? n : b->len - at;
        memmove(b->ptr + at, b->ptr + at + n, b->len - at - n);
        b->len -= n;
        return;
    default:
        if (other->len)
            buffer_add_slice(b, slice_from(buffer_slice(other), draw(state) % other->len));
        return;
    }
}

Test(fuzz, changed_corpus, .timeout = 300)
{
    uint64_t state = 88172645463325252u;
    struct buffer b = {0};

    take_files();
    for (int round = 0; round < 1500; round++) {
        b.len = 0;
        buffer_add_slice(&b, buffer_slice(&files[draw(&state) % n_files]));
        for (uint64_t i = 0; i <= draw(&state) % 4; i++)
            change(&b, &files[draw(&state) % n_files], &state);
        if (b.len > 8192)
            b.len = 8192;
        run_all(buffer_slice(&b));
    }
    for (size_t i = 0; i < n_files; i++)
        buffer_free(&files[i]);
    buffer_free(&b);
}
