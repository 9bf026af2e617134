#include "tests/support/document_check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/json_scan.h"

static void must(bool holds, const char *what, struct slice document)
{
    if (holds)
        return;
    fprintf(stderr, "document_check: %s:\n%.*s\n", what, SLICE_ARG(document));
    abort();
}

/* What jansson does not take: numbers that no double holds, keys with \u0000. */
static bool is_beyond_jansson(const json_error_t *e)
{
    return json_error_code(e) == json_error_numeric_overflow ||
           json_error_code(e) == json_error_null_byte_in_key;
}

static void check_members(const json_t *doc, struct slice text)
{
    const char *id = json_string_value(json_object_get(doc, "event.id"));

    must(json_is_object(doc), "no object", text);
    must(json_is_string(json_object_get(doc, "@timestamp")), "no time", text);
    must(json_is_string(json_object_get(doc, "message")), "no message", text);
    must(json_is_integer(json_object_get(doc, "log.offset")), "no offset", text);
    must(id && strlen(id) == 22, "no id", text);
}

static void check_document(struct slice text)
{
    struct json_object o = {0};
    json_error_t e;
    json_t *doc = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);

    must(json_scan(text, &o) == JSON_OK, "no JSON", text);
    for (size_t i = 0; i < o.n_members; i++)
        must(!o.members[i].is_shadowed && !o.members[i].is_unsafe, "a key twice, or unsafe", text);
    must(doc || is_beyond_jansson(&e), e.text, text);
    if (doc)
        check_members(doc, text);
    json_decref(doc);
    json_object_free(&o);
}

void documents_check(struct slice documents)
{
    struct slice line;

    while (slice_cut(&documents, '\n', &line))
        check_document(line);
    must(documents.len == 0, "a document without its newline", documents);
}
