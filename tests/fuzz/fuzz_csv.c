#include <stdlib.h>

#include "parsers/csv.h"
#include "parsers/parser.h"
#include "tests/fuzz/targets.h"
#include "tests/support/document_check.h"
#include "tests/support/document_rig.h"

/* The first byte is the delimiter, the second the quote, what follows a name. */
int fuzz_csv(const uint8_t *data, size_t size)
{
    struct slice lines = slice_of((const char *)data, size);
    struct slice how;
    char delimiter[2] = "";
    char quote[2] = "";
    struct buffer name = {0};
    const char *columns[] = {"time", "level", "source.ip", ""};
    struct csv_options options = {
        .columns = {columns, 4}, .delimiter = delimiter, .quote = size % 3 ? quote : "none"};
    struct parser parser = {&parser_csv, NULL};
    struct err e = {0};

    if (!slice_cut(&lines, '\n', &how) || how.len < 3)
        return 0;
    *delimiter = how.ptr[0];
    *quote = how.ptr[1];
    buffer_add_slice(&name, slice_from(how, 2));
    buffer_add_char(&name, '\0');
    columns[3] = name.ptr;
    parser.self = parser_csv.make(&options, &e);
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
    buffer_free(&name);
    return 0;
}
