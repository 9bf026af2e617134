#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/targets.h"
#include "tests/support/document_check.h"
#include "tests/support/document_rig.h"

static void must(bool holds, const char *what, struct slice document)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_parse_line: %s:\n%.*s\n", what, SLICE_ARG(document));
    abort();
}

/* Lines that say no time get the nearest that their chunk says; all else is the same however a file
 * is cut. */
static struct slice without_time(struct slice document)
{
    struct slice rest = document;
    struct slice time;

    return slice_cut(&rest, ',', &time) ? rest : document;
}

/* A summary's own start and end are times too, but those of its lines. */
static void check_same(struct slice a, struct slice b)
{
    struct slice one;
    struct slice other;

    while (slice_cut(&a, '\n', &one)) {
        must(slice_cut(&b, '\n', &other), "chunks lose an event", one);
        must(slice_eq(without_time(one), without_time(other)), "chunks make a difference", other);
    }
    must(b.len == 0, "chunks make an event more", b);
}

int fuzz_parse_line(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"a", "order", "n", "error.code", "k1"};
    static const char *const names[] = {"x.y", "x.z", "event.sequence", "error.code", "url.path"};
    struct document_rig rig = {
        .max_line_bytes = 700,
        .now_ns = 1,
        .chunk_bytes = (int64_t)size + 1024,
        .lift_keys = keys,
        .lift_names = names,
        .n_lifts = size % 3 ? 0 : sizeof keys / sizeof keys[0],
        .with_original = size % 5 == 0,
    };
    struct slice bytes = slice_of((const char *)data, size);
    struct buffer whole = {0};
    struct buffer cut = {0};

    documents_of(&rig, bytes, &whole);
    documents_check(buffer_slice(&whole));

    rig.chunk_bytes = 1 + (int64_t)(size * 7 % 300);
    rig.is_restarted = size % 2;
    documents_of(&rig, bytes, &cut);
    check_same(buffer_slice(&whole), buffer_slice(&cut));
    buffer_free(&whole);
    buffer_free(&cut);
    return 0;
}
