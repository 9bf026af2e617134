#include "parsers/parser.h"
#include "tests/fuzz/targets.h"
#include "tests/support/document_check.h"
#include "tests/support/document_rig.h"

int fuzz_access(const uint8_t *data, size_t size)
{
    static const struct parser parser = {&parser_access, NULL};
    struct document_rig rig = {.parser = &parser, .max_line_bytes = 4000, .now_ns = 1};
    struct buffer documents = {0};

    documents_of(&rig, slice_of((const char *)data, size), &documents);
    documents_check(buffer_slice(&documents));
    buffer_free(&documents);
    return 0;
}
