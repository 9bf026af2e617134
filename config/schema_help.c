/* The option tables as text for a terminal. */
#include <string.h>

#include "config/config.h"
#include "config/registry.h"
#include "config/schema.h"
#include "config/values.h"

enum { COLUMNS = 80 };

/* Words of the text, broken at spaces: the first line behind `first` spaces, the others behind
 * `rest`. */
static void add_wrapped(struct buffer *out, int first, int rest, struct slice text)
{
    size_t column = 0;
    int indent = first;

    while (text.len) {
        struct slice word = text;
        size_t end = 0;

        while (end < text.len && text.ptr[end] != ' ')
            end++;
        word.len = end;
        text = slice_from(text, end < text.len ? end + 1 : end);
        if (column && column + 1 + word.len > COLUMNS) {
            buffer_add_char(out, '\n');
            column = 0;
            indent = rest;
        }
        if (column == 0) {
            buffer_printf(out, "%*s", indent, "");
            column = (size_t)indent;
        } else {
            buffer_add_char(out, ' ');
            column++;
        }
        buffer_add_slice(out, word);
        column += word.len;
    }
    buffer_add_char(out, '\n');
}

static void help_option(const struct option *o, struct buffer *out)
{
    struct buffer line = {0};

    buffer_printf(&line, "%s: ", o->name);
    value_describe(o, &line);
    if (o->is_required)
        buffer_add_lit(&line, "; required");
    if (o->fallback)
        buffer_printf(&line, "; default %s", o->fallback);
    add_wrapped(out, 2, 6, buffer_slice(&line));
    add_wrapped(out, 6, 6, slice_str(o->help));
    if (line.failed)
        out->failed = true;
    buffer_free(&line);
}

void schema_help(const struct option_table *table, struct buffer *out)
{
    for (size_t i = 0; i < table->n_options; i++)
        help_option(&table->options[i], out);
}

static void list_types(struct buffer *out)
{
    struct registry_entry entry;

    for (enum registry_kind kind = 0; kind < REGISTRY_KINDS; kind++) {
        buffer_printf(out, "%ss:\n", registry_kind_names[kind]);
        for (size_t i = 0; registry_entry(kind, i, &entry); i++) {
            struct buffer line = {0};

            buffer_printf(&line, "%-14s %s", entry.name, entry.help);
            add_wrapped(out, 2, 17, buffer_slice(&line));
            buffer_free(&line);
        }
    }
}

void schema_help_file(struct buffer *out)
{
    buffer_add_lit(out,
                   "A configuration is YAML: options, a list of inputs, a list of outputs.\n\n"
                   "  inputs:\n"
                   "    - type: file\n"
                   "      paths: [/var/log/functions/*.log]\n"
                   "  outputs:\n"
                   "    - type: elasticsearch\n"
                   "      hosts: [https://es:9200]\n"
                   "      api_key: ${file:/run/credentials/ship/es_api_key}\n\n"
                   "In values, ${NAME}, ${NAME:-default} and ${file:/path} (its first line)\n"
                   "are filled in; between [ ] or { } such a value needs quotes. A value that\n"
                   "is empty then is as if it were not there. $${ is a plain ${.\n"
                   "A name with a dot may also be a map: `limits: {memory: 64MiB}`.\n\n");
    list_types(out);
    buffer_add_lit(out, "`ship help TYPE` lists the options of each.\n\noptions:\n");
    schema_help(&global_table, out);
}

static void help_type(enum registry_kind kind, const struct registry_entry *entry,
                      struct buffer *out)
{
    static const struct option_table *const common[REGISTRY_KINDS] = {
        [REGISTRY_INPUT] = &input_common_table,
        [REGISTRY_PARSER] = &parser_common_table,
        [REGISTRY_OUTPUT] = &output_common_table,
    };

    buffer_printf(out, "%s (%s)\n", entry->name, registry_kind_names[kind]);
    add_wrapped(out, 2, 2, slice_str(entry->help));
    if (entry->options->n_options)
        buffer_add_lit(out, "\noptions:\n");
    schema_help(entry->options, out);
    if (kind == REGISTRY_INPUT)
        buffer_add_lit(out, "  parser: the name of a parser, or a map of its type and options; "
                            "default auto\n"
                            "      of a list of them, the first that accepts the line reads it\n");
    if (common[kind]) {
        buffer_printf(out, "\noptions of every %s:\n", registry_kind_names[kind]);
        schema_help(common[kind], out);
    }
}

bool schema_help_type(const char *type, struct buffer *out)
{
    struct registry_entry entry;
    bool is_known = false;

    for (enum registry_kind kind = 0; kind < REGISTRY_KINDS; kind++)
        for (size_t i = 0; registry_entry(kind, i, &entry); i++) {
            if (strcmp(entry.name, type) != 0)
                continue;
            if (is_known)
                buffer_add_char(out, '\n');
            help_type(kind, &entry, out);
            is_known = true;
        }
    return is_known;
}
