/* A configuration from YAML: the top, its inputs with their parsers, its outputs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/document.h"
#include "config/finish.h"
#include "config/keep.h"
#include "config/registry.h"
#include "config/scope.h"
#include "config/text_file.h"

enum { FILE_MAX_BYTES = 1024 * 1024, PARSERS_MAX = 32 };

struct loading {
    struct config *config;
    struct document document;
    struct err *e;
};

static struct scope make_scope(const struct loading *l, const yaml_node_t *map)
{
    return (struct scope){.document = &l->document, .config = l->config, .map = map};
}

static void add_part(struct scope *s, const struct option_table *table, void *options)
{
    s->parts[s->n_parts++] = (struct scope_part){table, options, NULL};
}

static const struct scope_word *add_word(struct scope *s, const char *name)
{
    s->words[s->n_words] = (struct scope_word){name, NULL};
    return &s->words[s->n_words++];
}

/* --- types --- */

/* Names of another kind, for "want one of". */
static int fail_missing_type(const struct scope *s, const yaml_node_t *at, enum registry_kind kind,
                             struct err *e)
{
    struct buffer names = {0};
    struct registry_entry entry;

    for (size_t i = 0; registry_entry(kind, i, &entry); i++)
        buffer_printf(&names, "%s%s", i ? ", " : "", entry.name);
    scope_fail(s, at, "type", e, "missing; want one of %.*s", SLICE_ARG(buffer_slice(&names)));
    buffer_free(&names);
    return -1;
}

static const char *read_type(const struct scope *s, const struct scope_word *word,
                             enum registry_kind kind, struct err *e)
{
    const char *type = word->value ? scope_text(s, word->value, "type", e) : "";

    if (!type || *type)
        return type;
    fail_missing_type(s, word->value ? word->value : s->map, kind, e);
    return NULL;
}

/* --- the parser of an input: its name, a map, or a list of these --- */

static int read_parser_map(struct loading *l, const char *path, const yaml_node_t *map,
                           struct input_config *in)
{
    struct scope s = make_scope(l, map);
    const struct scope_word *type_word = add_word(&s, "type");
    struct parser_config *added;
    const char *type;

    snprintf(s.path, sizeof s.path, "%s", path);
    if (scope_find_words(&s, l->e) < 0)
        return -1;
    type = read_type(&s, type_word, REGISTRY_PARSER, l->e);
    if (!type)
        return -1;
    if (config_add_parser(l->config, in, type, l->e) < 0)
        return scope_locate(&s, type_word->value, "type", l->e);
    added = &in->parsers[in->n_parsers - 1];
    s.help = added->ops->name;
    add_part(&s, &added->ops->options, added->options);
    add_part(&s, &parser_common_table, &added->common);
    return scope_read(&s, l->e);
}

/* `name` is "parser" or, of a list, "parser[1]". */
static int read_one_parser(struct loading *l, const struct scope *input, const char *name,
                           const yaml_node_t *node, struct input_config *in)
{
    char path[SCOPE_PATH_MAX];
    const char *type;

    snprintf(path, sizeof path, "%.120s.%s", input->path, name);
    if (node->type == YAML_MAPPING_NODE)
        return read_parser_map(l, path, node, in);
    if (node->type == YAML_SEQUENCE_NODE)
        return scope_fail(input, node, name, l->e,
                          "this is a list; want a parser's name, or a map with its type");
    type = scope_text(input, node, name, l->e);
    if (!type)
        return -1;
    if (!*type)
        type = parser_auto.name;
    return config_add_parser(l->config, in, type, l->e) < 0 ? scope_locate(input, node, name, l->e)
                                                            : 0;
}

/* The first that accepts a line wins. */
static int read_parser_list(struct loading *l, const struct scope *input, const yaml_node_t *list,
                            struct input_config *in)
{
    const yaml_node_item_t *items = list->data.sequence.items.start;
    size_t n = (size_t)(list->data.sequence.items.top - items);
    char name[40];

    if (n == 0)
        return scope_fail(input, list, "parser", l->e,
                          "the list is empty; want at least one parser");
    if (n > PARSERS_MAX)
        return scope_fail(input, list, "parser", l->e, "these are %zu parsers; at most %d work", n,
                          PARSERS_MAX);
    in->parser_is_list = true;
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "parser[%zu]", i);
        if (read_one_parser(l, input, name, document_node(&l->document, items[i]), in) < 0)
            return -1;
    }
    return 0;
}

static int read_parser(struct loading *l, const struct scope *input, const yaml_node_t *node,
                       struct input_config *in)
{
    in->n_parsers = 0; /* less the default */
    if (node->type == YAML_SEQUENCE_NODE)
        return read_parser_list(l, input, node, in);
    return read_one_parser(l, input, "parser", node, in);
}

/* --- inputs and outputs --- */

typedef int read_section_fn(struct loading *l, struct scope *s);

static int read_input(struct loading *l, struct scope *s)
{
    const struct scope_word *type_word = add_word(s, "type");
    const struct scope_word *parser_word = add_word(s, "parser");
    struct input_config *in;
    const char *type;

    if (scope_find_words(s, l->e) < 0)
        return -1;
    type = read_type(s, type_word, REGISTRY_INPUT, l->e);
    if (!type)
        return -1;
    in = config_add_input(l->config, type, l->e);
    if (!in)
        return scope_locate(s, type_word->value, "type", l->e);
    s->help = in->ops->name;
    add_part(s, &in->ops->options, in->options);
    add_part(s, &input_common_table, &in->common);
    if (scope_read(s, l->e) < 0 ||
        (parser_word->value && read_parser(l, s, parser_word->value, in) < 0))
        return -1;
    return finish_input(l->config, in, l->e) < 0 ? scope_locate_option(s, l->e) : 0;
}

static int read_output(struct loading *l, struct scope *s)
{
    const struct scope_word *type_word = add_word(s, "type");
    struct output_config *out;
    const char *type;

    if (scope_find_words(s, l->e) < 0)
        return -1;
    type = read_type(s, type_word, REGISTRY_OUTPUT, l->e);
    if (!type)
        return -1;
    out = config_add_output(l->config, type, l->e);
    if (!out)
        return scope_locate(s, type_word->value, "type", l->e);
    s->help = out->ops->name;
    add_part(s, &out->ops->options, out->options);
    add_part(s, &output_common_table, &out->common);
    if (scope_read(s, l->e) < 0)
        return -1;
    return finish_output(l->config, out, l->e) < 0 ? scope_locate_option(s, l->e) : 0;
}

/* A list of maps, each with a type. */
static int read_sections(struct loading *l, const struct scope *top, const struct scope_word *word,
                         read_section_fn *read, const char *example)
{
    const yaml_node_t *list = word->value;
    struct slice text;
    const yaml_node_item_t *items;
    size_t n;

    if (!list || (document_text(list, &text) && text.len == 0))
        return scope_fail(top, list ? list : top->map, word->name, l->e,
                          "missing; want at least one, as `%s: [%s]`", word->name, example);
    if (list->type != YAML_SEQUENCE_NODE)
        return scope_fail(top, list, word->name, l->e, "this is %s; want a list, as `%s: [%s]`",
                          document_kind(list), word->name, example);
    items = list->data.sequence.items.start;
    n = (size_t)(list->data.sequence.items.top - items);
    if (n == 0)
        return scope_fail(top, list, word->name, l->e,
                          "the list is empty; want at least one, as `%s: [%s]`", word->name,
                          example);
    for (size_t i = 0; i < n; i++) {
        struct scope s = make_scope(l, document_node(&l->document, items[i]));

        snprintf(s.path, sizeof s.path, "%s[%zu]", word->name, i);
        if (s.map->type != YAML_MAPPING_NODE)
            return scope_fail(&s, s.map, "", l->e, "this is %s; want a map, as %s",
                              document_kind(s.map), example);
        if (read(l, &s) < 0)
            return -1;
    }
    return 0;
}

static int read_top(struct loading *l)
{
    struct scope top = make_scope(l, l->document.root);
    const struct scope_word *inputs = add_word(&top, "inputs");
    const struct scope_word *outputs = add_word(&top, "outputs");

    top.help = "config";
    add_part(&top, &global_table, &l->config->global);
    if (scope_find_words(&top, l->e) < 0 || scope_read(&top, l->e) < 0)
        return -1;
    if (finish_global(l->config, l->e) < 0)
        return scope_locate_option(&top, l->e);
    if (read_sections(l, &top, inputs, read_input, "{type: file, paths: [/var/log/app/*.log]}") < 0)
        return -1;
    if (read_sections(l, &top, outputs, read_output,
                      "{type: elasticsearch, hosts: [https://es:9200]}") < 0)
        return -1;
    return finish_whole(l->config, l->e) < 0 ? scope_locate_option(&top, l->e) : 0;
}

/* --- text and files --- */

struct config *config_parse(const char *text, size_t len, const char *origin, struct err *e)
{
    struct loading l = {.config = config_new(), .e = e};
    int rc;

    if (!l.config) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l.config->path = keep_text(l.config->keep, slice_str(origin));
    rc = document_parse(&l.document, slice_of(text, len), origin, e);
    if (rc == 0) {
        rc = read_top(&l);
        document_free(&l.document);
    }
    if (rc == 0)
        return l.config;
    config_free(l.config);
    return NULL;
}

struct config *config_load(const char *path, struct err *e)
{
    struct buffer text = {0};
    struct config *c = NULL;
    bool is_missing = access(path, F_OK) < 0 && errno == ENOENT;

    if (is_missing) {
        err_set(e, ERR_CONFIG,
                "no such file (`ship help config` shows what one looks like); not starting");
        err_at(e, "%.400s", path);
        return NULL;
    }
    if (text_file_read(path, FILE_MAX_BYTES, &text, e) == 0) {
        c = config_parse(text.ptr, text.len, path, e);
    } else {
        size_t len = strlen(e->what);

        snprintf(e->what + len, sizeof e->what - len, "; not starting");
        err_at(e, "%.400s", path);
    }
    text_wipe(&text);
    return c;
}
