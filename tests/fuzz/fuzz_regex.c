#include <stdio.h>
#include <stdlib.h>

#include "parsers/json_scan.h"
#include "parsers/parser.h"
#include "parsers/regex.h"
#include "tests/fuzz/targets.h"

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_regex: %s\n", what);
    abort();
}

static void check_value(const struct value *v, struct json_object *o)
{
    struct buffer text = {0};

    if (v->kind != VALUE_JSON)
        return;
    buffer_add_lit(&text, "{\"k\":");
    buffer_add_slice(&text, v->bytes);
    buffer_add_char(&text, '}');
    must(json_scan(buffer_slice(&text), o) == JSON_OK, "a typed group is no JSON");
    buffer_free(&text);
}

static void check_record(const struct record *r)
{
    struct json_object o = {0};

    for (size_t i = 0; i < r->n_fields; i++) {
        check_value(&r->fields[i].value, &o);
        for (size_t j = 0; j < i; j++)
            must(!slice_eq(r->fields[i].key, r->fields[j].key), "a field comes twice");
    }
    must(!(r->flags & RECORD_MATCH_LIMIT) || r->n_fields == 0,
         "a match that was given up has fields");
    json_object_free(&o);
}

int fuzz_regex(const uint8_t *data, size_t size)
{
    struct slice line = slice_of((const char *)data, size);
    struct slice pattern;
    struct buffer text = {0}; /* with its NUL */
    const char *pattern_text;
    struct regex_options options = {.pattern = {&pattern_text, 1}, .match_limit = 1000};
    struct parser parser = {&parser_regex, NULL};
    struct parse_scratch scratch = {0};
    struct record r;
    struct err e = {0};

    if (!slice_cut(&line, '\n', &pattern))
        return 0;
    buffer_add_slice(&text, pattern);
    buffer_add_char(&text, '\0');
    pattern_text = text.ptr;
    parser.self = parser_regex.make(&options, &e);
    must(parser.self || e.what[0], "refused without a word");
    if (parser.self) {
        parser_parse(&parser, &scratch, line, &r);
        check_record(&r);
        parser_regex.free(parser.self);
    }
    parse_scratch_free(&scratch);
    buffer_free(&text);
    return 0;
}
