#define _DEFAULT_SOURCE /* explicit_bzero */
#include "config/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parsers/utf8.h"

enum { DEPTH_MAX = 32, ANCHORS_MAX = 100 };

static const char ending[] = "; not starting";

/* --- messages --- */

/* The ending must survive the cut of a long text. */
static void end_what(struct err *e)
{
    size_t len = strlen(e->what);
    size_t most = sizeof e->what - sizeof ending;

    if (len > most)
        len = most;
    memcpy(e->what + len, ending, sizeof ending);
}

static int locate(const char *origin, size_t line, size_t column, const char *path, struct err *e)
{
    e->code = ERR_CONFIG;
    end_what(e);
    snprintf(e->where, sizeof e->where, "%.300s:%zu:%zu%s%.150s", origin, line, column,
             *path ? ": " : "", path);
    return -1;
}

int document_locate(const struct document *d, const yaml_node_t *at, const char *path,
                    struct err *e)
{
    yaml_mark_t mark = at ? at->start_mark : (yaml_mark_t){0};

    return locate(d->origin, mark.line + 1, mark.column + 1, path, e);
}

int document_fail(const struct document *d, const yaml_node_t *at, const char *path, struct err *e,
                  const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->what, sizeof e->what, fmt, ap);
    va_end(ap);
    return document_locate(d, at, path, e);
}

/* --- what is no YAML --- */

/* Lines and columns from 1, columns in characters, as libyaml counts. */
static void count_lines(struct slice before, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < before.len; i++) {
        if (before.ptr[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)before.ptr[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

/* The text from libyaml's mark on, which counts characters. */
static struct slice text_at(struct slice text, size_t index)
{
    size_t i = 0;

    for (; i < text.len && index > 0; index--)
        do
            i++;
        while (i < text.len && ((unsigned char)text.ptr[i] & 0xc0) == 0x80);
    return slice_from(text, i);
}

/* libyaml tells of the last byte that it looked at. */
static size_t first_bad_byte(struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    const uint8_t *end = p + text.len;
    bool is_valid = true;
    size_t i = 0;

    while (i < text.len) {
        size_t len = p[i] < 0x80 ? 1 : utf8_step(p + i, end, &is_valid);

        if (!is_valid)
            break;
        i += len;
    }
    return i;
}

/* The reader refuses bytes that are no UTF-8, and control characters. */
static int not_text(const yaml_parser_t *p, struct slice text, const char *origin, struct err *e)
{
    size_t bad = first_bad_byte(text);
    size_t line;
    size_t column;

    if (bad < text.len) {
        count_lines(slice_of(text.ptr, bad), &line, &column);
        err_set(e, ERR_CONFIG, "not UTF-8 (byte 0x%02x); save the file as UTF-8",
                (unsigned char)text.ptr[bad]);
    } else {
        size_t offset = p->problem_offset < text.len ? p->problem_offset : text.len;

        count_lines(slice_of(text.ptr, offset), &line, &column);
        err_set(e, ERR_CONFIG, "a control character (U+%04X); YAML takes none",
                (unsigned)p->problem_value);
    }
    return locate(origin, line, column, "", e);
}

/* What libyaml's words mean to somebody who writes a configuration; NULL: no better words. */
static const char *in_other_words(const yaml_parser_t *p, struct slice text)
{
    struct slice rest = text_at(text, p->problem_mark.index);
    const char *problem = p->problem ? p->problem : "";
    bool is_reference = rest.len && *rest.ptr == '{' && rest.ptr > text.ptr && rest.ptr[-1] == '$';

    if (p->error == YAML_MEMORY_ERROR)
        return "out of memory";
    if (is_reference)
        return "between [ ] or { }, a text with ${...} needs quotes: \"${NAME}\"";
    if (rest.len && *rest.ptr == '\t' && p->error == YAML_SCANNER_ERROR)
        return "a tab; YAML is indented with spaces";
    if (strstr(problem, "cannot start any token"))
        return "a text that begins with @, % or ` needs quotes";
    if (strstr(problem, "mapping values are not allowed"))
        return "a colon too many, or a wrong indentation; a text with \": \" in it needs quotes";
    if (p->context && strstr(p->context, "scanning a tag"))
        return "a text that begins with ! needs quotes";
    if (p->context && strstr(p->context, "scanning an a")) /* an alias, an anchor */
        return "a text that begins with * or & needs quotes";
    if (strstr(problem, "undefined alias"))
        return "there is no such anchor; a text that begins with * needs quotes";
    return NULL;
}

static int not_yaml(const yaml_parser_t *p, struct slice text, const char *origin, struct err *e)
{
    const yaml_mark_t *mark = &p->problem_mark;
    const char *words = in_other_words(p, text);
    size_t len;

    if (p->error == YAML_READER_ERROR)
        return not_text(p, text, origin, e);
    err_set(e, ERR_CONFIG, "%s%s", words ? "" : "not YAML: ",
            words        ? words
            : p->problem ? p->problem
                         : "broken");
    len = strlen(e->what);
    if (!words && p->context)
        snprintf(e->what + len, sizeof e->what - len, ", %s (from line %zu on)", p->context,
                 p->context_mark.line + 1);
    return locate(origin, mark->line + 1, mark->column + 1, "", e);
}

/* --- parsing --- */

static int check_root(struct document *d, struct err *e)
{
    struct slice text;

    d->root = yaml_document_get_root_node(&d->yaml);
    if (!d->root || (document_text(d->root, &text) && text.len == 0))
        return document_fail(d, NULL, "", e,
                             "the file is empty; want inputs and outputs (see `ship help config`)");
    if (d->root->type == YAML_MAPPING_NODE)
        return 0;
    return document_fail(d, d->root, "", e, "this is %s; want a map with inputs and outputs",
                         document_kind(d->root));
}

static int check_single(yaml_parser_t *p, const struct document *d, struct slice text,
                        struct err *e)
{
    yaml_document_t next;
    yaml_node_t *root;
    int rc = 0;

    if (!yaml_parser_load(p, &next))
        return not_yaml(p, text, d->origin, e);
    root = yaml_document_get_root_node(&next);
    if (root)
        rc = document_fail(d, root, "", e, "a second document (behind ---); want one");
    yaml_document_delete(&next);
    return rc;
}

static int begin(yaml_parser_t *parser, struct slice text, struct err *e)
{
    if (!yaml_parser_initialize(parser))
        return err_set(e, ERR_NOMEM, "out of memory");
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text.ptr, text.len);
    return 0;
}

/* How the event changes the depth; counts anchors. */
static int step(const yaml_event_t *event, unsigned *n_anchors)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
        *n_anchors += event->data.mapping_start.anchor != NULL;
        return 1;
    case YAML_SEQUENCE_START_EVENT:
        *n_anchors += event->data.sequence_start.anchor != NULL;
        return 1;
    case YAML_SCALAR_EVENT:
        *n_anchors += event->data.scalar.anchor != NULL;
        return 0;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return -1;
    default:
        return 0;
    }
}

/* libyaml takes time by the square of depth and of anchors: no more of them than anyone wants. */
static int check_shape(struct slice text, const char *origin, struct err *e)
{
    yaml_parser_t parser;
    yaml_event_t event = {.type = YAML_NO_EVENT};
    unsigned n_anchors = 0;
    int depth = 0;
    int rc = begin(&parser, text, e);

    if (rc < 0)
        return rc;
    while (rc == 0 && event.type != YAML_STREAM_END_EVENT) {
        if (!yaml_parser_parse(&parser, &event)) {
            rc = not_yaml(&parser, text, origin, e);
            break;
        }
        depth += step(&event, &n_anchors);
        if (depth > DEPTH_MAX || n_anchors > ANCHORS_MAX) {
            err_set(e, ERR_CONFIG,
                    depth > DEPTH_MAX ? "more than %d maps and lists in each other"
                                      : "more than %d anchors",
                    depth > DEPTH_MAX ? DEPTH_MAX : ANCHORS_MAX);
            rc = locate(origin, event.start_mark.line + 1, event.start_mark.column + 1, "", e);
        }
        if (event.type == YAML_SCALAR_EVENT)
            explicit_bzero(event.data.scalar.value, event.data.scalar.length);
        if (event.type != YAML_STREAM_END_EVENT)
            yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return rc;
}

static int load(struct document *d, struct slice text, struct err *e)
{
    yaml_parser_t parser;
    int rc = begin(&parser, text, e);

    if (rc < 0)
        return rc;
    if (!yaml_parser_load(&parser, &d->yaml)) {
        rc = not_yaml(&parser, text, d->origin, e);
        memset(&d->yaml, 0, sizeof d->yaml);
    } else {
        rc = check_root(d, e);
        if (rc == 0)
            rc = check_single(&parser, d, text, e);
        if (rc < 0)
            document_free(d);
    }
    yaml_parser_delete(&parser);
    return rc;
}

int document_parse(struct document *d, struct slice text, const char *origin, struct err *e)
{
    static const struct slice mark = SLICE_LIT("\xef\xbb\xbf");

    memset(d, 0, sizeof *d);
    d->origin = origin;
    if (slice_starts(text, mark))
        text = slice_from(text, mark.len);
    if (check_shape(text, origin, e) < 0)
        return -1;
    return load(d, text, e);
}

void document_free(struct document *d)
{
    for (yaml_node_t *n = d->yaml.nodes.start; n && n < d->yaml.nodes.top; n++)
        if (n->type == YAML_SCALAR_NODE)
            explicit_bzero(n->data.scalar.value, n->data.scalar.length);
    if (d->yaml.nodes.start)
        yaml_document_delete(&d->yaml);
    memset(d, 0, sizeof *d);
}

/* --- nodes --- */

yaml_node_t *document_node(const struct document *d, int index)
{
    return d->yaml.nodes.start + index - 1;
}

static bool is_null(struct slice text)
{
    return slice_is(text, "~") || slice_is(text, "null") || slice_is(text, "Null") ||
           slice_is(text, "NULL");
}

bool document_is_block(const yaml_node_t *node)
{
    return node->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
           node->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
}

bool document_text(const yaml_node_t *node, struct slice *out)
{
    if (node->type != YAML_SCALAR_NODE)
        return false;
    *out = slice_of((const char *)node->data.scalar.value, node->data.scalar.length);
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_null(*out))
        out->len = 0;
    while (document_is_block(node) && out->len && out->ptr[out->len - 1] == '\n')
        out->len--;
    return true;
}

const char *document_kind(const yaml_node_t *node)
{
    return node->type == YAML_MAPPING_NODE    ? "a map"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "a text";
}
