#include <stdlib.h>

#include "parsers/kv.h"
#include "parsers/parser.h"
#include "tests/fuzz/targets.h"
#include "tests/support/document_check.h"
#include "tests/support/document_rig.h"

static void check(const struct parser *parser, struct slice lines)
{
    struct document_rig rig = {.parser = parser, .max_line_bytes = 2000, .now_ns = 1};
    struct buffer documents = {0};

    documents_of(&rig, lines, &documents);
    documents_check(buffer_slice(&documents));
    buffer_free(&documents);
}

/* The first bytes are a kv's separators; the lines are logfmt too. */
int fuzz_pairs(const uint8_t *data, size_t size)
{
    struct slice lines = slice_of((const char *)data, size);
    struct slice how;
    char pair[2] = "";
    char assign[2] = "";
    char quote[2] = "";
    struct kv_options options = {pair, assign, quote, size % 2 ? "p\"." : NULL};
    struct parser logfmt = {&parser_logfmt, NULL};
    struct parser kv = {&parser_kv, NULL};
    struct err e = {0};

    if (!slice_cut(&lines, '\n', &how) || how.len < 3)
        return 0;
    *pair = how.ptr[0];
    *assign = how.ptr[1];
    *quote = how.ptr[2];
    logfmt.self = parser_logfmt.make(NULL, &e);
    check(&logfmt, lines);
    parser_free(&logfmt);
    kv.self = parser_kv.make(&options, &e);
    if (!kv.self && !e.what[0])
        abort();
    if (kv.self) {
        check(&kv, lines);
        parser_free(&kv);
    }
    return 0;
}
