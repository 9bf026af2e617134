#include <stdlib.h>

#include "parsers/grok.h"
#include "parsers/parser.h"
#include "tests/fuzz/targets.h"
#include "tests/support/document_check.h"
#include "tests/support/document_rig.h"

static const char *text_of(struct slice s, struct buffer *b)
{
    buffer_add_slice(b, s);
    buffer_add_char(b, '\0');
    return b->ptr;
}

/* The first line is a definition, the second a pattern, the others are lines. */
int fuzz_grok(const uint8_t *data, size_t size)
{
    struct slice lines = slice_of((const char *)data, size);
    struct slice parts[2];
    struct buffer texts[2] = {{0}, {0}};
    const char *key = "MINE";
    const char *definition;
    const char *match;
    struct grok_options options = {
        .match = {&match, 1}, .patterns = {&key, &definition, 1}, .match_limit = 1000};
    struct parser parser = {&parser_grok, NULL};
    struct err e = {0};

    if (!slice_cut(&lines, '\n', &parts[0]) || !slice_cut(&lines, '\n', &parts[1]))
        return 0;
    definition = text_of(parts[0], &texts[0]);
    match = text_of(parts[1], &texts[1]);
    parser.self = parser_grok.make(&options, &e);
    if (!parser.self && !e.what[0])
        abort();
    if (parser.self) {
        struct document_rig rig = {.parser = &parser, .max_line_bytes = 2000, .now_ns = 1};
        struct buffer documents = {0};

        documents_of(&rig, lines, &documents);
        documents_check(buffer_slice(&documents));
        buffer_free(&documents);
        parser_free(&parser);
    }
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    return 0;
}
