/* A dead letter out of any bytes (the second line), mended as any words say (the first): what is
 * read can be written again, and what is mended is JSON. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/json_scan.h"
#include "shipper/delivery/letter.h"
#include "shipper/inputs/letter_fix.h"
#include "tests/fuzz/targets.h"

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static json_t *read_strictly(struct slice text)
{
    return json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
}

static void check_renewed(const struct json_object *scan, const struct letter *letter)
{
    struct letter_reason why = {0, 400, "a_type", "a \"reason\""};
    struct json_object again = {0};
    struct buffer line = {0};
    struct letter renewed;

    letter_renew(scan, &why, 1700000000000000000, &line);
    must(line.len && line.ptr[line.len - 1] == '\n' && !memchr(line.ptr, '\n', line.len - 1),
         "a line");
    must(letter_read(slice_of(line.ptr, line.len - 1), &again, &renewed), "it can be read again");
    must(slice_eq(renewed.document, letter->document) && slice_eq(renewed.id, letter->id) &&
             slice_eq(renewed.output, letter->output) && slice_eq(renewed.path, letter->path) &&
             renewed.offset == letter->offset && renewed.origin == letter->origin,
         "and is the same letter");
    must(slice_is(renewed.type, "a_type") && renewed.status == 400, "with another reason");
    json_object_free(&again);
    buffer_free(&line);
}

static void check_mended(const struct letter_fix *fix, struct slice document)
{
    json_t *before = read_strictly(document);
    struct json_object scan = {0};
    struct buffer out = {0};

    must(letter_fix_apply(fix, document, &out), "there is memory");
    must(json_scan(buffer_slice(&out), &scan) == JSON_OK, "what is mended can be scanned");
    if (before) {
        json_t *after = json_loadb(out.ptr, out.len, JSON_ALLOW_NUL, NULL);

        must(after, "what is mended is JSON");
        json_decref(after);
    }
    json_decref(before);
    json_object_free(&scan);
    buffer_free(&out);
}

int fuzz_letter(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct json_object scan = {0};
    struct letter_fix fix;
    struct letter letter;
    struct slice words;
    struct slice line;
    char text[128];
    bool has_fix;

    if (!slice_cut(&rest, '\n', &words) || words.len >= sizeof text)
        return 0;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(words));
    has_fix = letter_fix_parse(text, &fix, NULL) == 0;
    if (!slice_cut(&rest, '\n', &line))
        line = rest;
    if (letter_read(line, &scan, &letter)) {
        check_renewed(&scan, &letter);
        if (has_fix)
            check_mended(&fix, letter.document);
    }
    json_object_free(&scan);
    return 0;
}
