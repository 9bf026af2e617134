/* The JSON schema of the configuration, from the option tables.
 *
 * It accepts what the loader accepts, as far as a schema can say it: dotted names flat and as maps,
 * ${...} in the place of any value, and an empty value for an option that is not required. */
#include "config/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/config.h"
#include "config/registry.h"
#include "config/values.h"

enum { OPTIONS_MAX = 64 };

/* The options that may stand in one map; `name` is what is left of it there. */
struct member {
    const char *name;
    const struct option *option;
};
struct members {
    struct member list[OPTIONS_MAX];
    size_t n;
};

static const char reference[] = "^$|\\$\\{";

/* --- one value --- */

static void set_type(json_t *schema, const struct option *o, const char *const *types)
{
    json_t *list = json_array();

    for (; *types; types++)
        json_array_append_new(list, json_string(*types));
    if (!o->is_required)
        json_array_append_new(list, json_string("null"));
    json_object_set_new(schema, "type", list);
}

static json_t *any_text(void)
{
    return json_pack("{s:[s,s,s,s]}", "type", "string", "number", "boolean", "null");
}

static void describe_text(json_t *schema, const struct option *o)
{
    static const char *const types[] = {"string", "number", "boolean", NULL};

    set_type(schema, o, types);
    if (o->is_required)
        json_object_set_new(schema, "minLength", json_integer(1));
}

static void describe_bool(json_t *schema, const struct option *o)
{
    static const char *const types[] = {"boolean", "string", NULL};

    set_type(schema, o, types);
    json_object_set_new(schema, "pattern",
                        json_string("^(true|false|True|False|TRUE|FALSE)?$|\\$\\{"));
}

/* Bounds hold for what is written as a number; the text forms are checked by their letters. */
static void describe_number(json_t *schema, const struct option *o)
{
    static const char *const types[] = {"integer", "string", NULL};
    static const char *const patterns[] = {
        [OPTION_INT] = "^[0-9]*$|\\$\\{",
        [OPTION_BYTES] = "^([0-9]+( ?([KkMmGg][Ii]?)?[Bb])?)?$|\\$\\{",
        [OPTION_DURATION] = "^(0|[0-9]+ ?(ms|s|m|h|d))?$|\\$\\{",
    };
    bool has_bounds = o->min || o->max;
    json_int_t max = o->type == OPTION_DURATION ? 0 : (json_int_t)o->max; /* no unit, but for 0 */

    set_type(schema, o, types);
    json_object_set_new(schema, "minimum", json_integer(o->min));
    if (has_bounds || o->type == OPTION_DURATION)
        json_object_set_new(schema, "maximum", json_integer(max));
    json_object_set_new(schema, "pattern", json_string(patterns[o->type]));
}

static void describe_choice(json_t *schema, const struct option *o)
{
    json_t *choices = json_array();

    for (size_t i = 0; o->choices[i]; i++)
        json_array_append_new(choices, json_string(o->choices[i]));
    if (!o->is_required)
        json_array_append_new(choices, json_null());
    json_object_set_new(
        schema, "anyOf",
        json_pack("[{s:o},{s:s,s:s}]", "enum", choices, "type", "string", "pattern", reference));
}

static void describe_list(json_t *schema, const struct option *o)
{
    static const char *const types[] = {"array", "string", "number", "boolean", NULL};

    set_type(schema, o, types);
    json_object_set_new(schema, "items", any_text());
    if (o->is_required) {
        json_object_set_new(schema, "minItems", json_integer(1));
        json_object_set_new(schema, "minLength", json_integer(1));
    }
}

static void describe_map(json_t *schema, const struct option *o)
{
    static const char *const types[] = {"object", NULL};

    set_type(schema, o, types);
    json_object_set_new(schema, "additionalProperties", any_text());
}

static json_t *default_of(const struct option *o)
{
    if (o->type == OPTION_BOOL)
        return json_boolean(strcmp(o->fallback, "true") == 0);
    if (o->type == OPTION_INT)
        return json_integer(strtoll(o->fallback, NULL, 10));
    return json_string(o->fallback);
}

static json_t *value_schema(const struct option *o)
{
    static void (*const describe[])(json_t *, const struct option *) = {
        [OPTION_STRING] = describe_text,     [OPTION_SECRET] = describe_text,
        [OPTION_PATH] = describe_text,       [OPTION_BOOL] = describe_bool,
        [OPTION_INT] = describe_number,      [OPTION_BYTES] = describe_number,
        [OPTION_DURATION] = describe_number, [OPTION_ENUM] = describe_choice,
        [OPTION_LIST] = describe_list,       [OPTION_MAP] = describe_map,
    };
    json_t *schema = json_pack("{s:s}", "description", o->help);

    describe[o->type](schema, o);
    if (o->fallback)
        json_object_set_new(schema, "default", default_of(o));
    return schema;
}

/* --- a map --- */

static void add_table(struct members *m, const struct option_table *table)
{
    for (size_t i = 0; i < table->n_options && m->n < OPTIONS_MAX; i++)
        m->list[m->n++] = (struct member){table->options[i].name, &table->options[i]};
}

static json_t *map_schema(const struct members *m);

/* "limits.memory" may also be `limits: {memory: ...}`. */
static void add_group(json_t *properties, const struct members *m, const char *prefix, size_t len)
{
    struct members inside = {.n = 0};
    char *name = strndup(prefix, len);

    for (size_t i = 0; i < m->n; i++)
        if (strncmp(m->list[i].name, prefix, len) == 0 && m->list[i].name[len] == '.')
            inside.list[inside.n++] = (struct member){m->list[i].name + len + 1, m->list[i].option};
    if (name && !json_object_get(properties, name)) {
        json_t *group = map_schema(&inside);

        json_object_set_new(group, "type", json_pack("[s,s]", "object", "null"));
        json_object_set_new(properties, name, group);
    }
    free(name);
}

/* "labels.team" may stand for `labels: {team: ...}`. */
static void add_pattern(json_t *patterns, const char *name)
{
    struct buffer pattern = {0};

    buffer_printf(&pattern, "^%s\\..", name); /* the names of maps are letters */
    buffer_add_char(&pattern, '\0');
    if (!pattern.failed)
        json_object_set_new(patterns, pattern.ptr, any_text());
    buffer_free(&pattern);
}

static json_t *map_schema(const struct members *m)
{
    json_t *properties = json_object();
    json_t *patterns = json_object();
    json_t *required = json_array();
    json_t *schema = json_pack("{s:s}", "type", "object");

    for (size_t i = 0; i < m->n; i++) {
        const struct member *member = &m->list[i];

        for (const char *dot = strchr(member->name, '.'); dot; dot = strchr(dot + 1, '.'))
            add_group(properties, m, member->name, (size_t)(dot - member->name));
        json_object_set_new(properties, member->name, value_schema(member->option));
        if (member->option->type == OPTION_MAP)
            add_pattern(patterns, member->name);
        /* A dotted one has two places to be; that it is in one of them is left to the loader. */
        if (member->option->is_required && !strchr(member->name, '.'))
            json_array_append_new(required, json_string(member->name));
    }
    json_object_set_new(schema, "properties", properties);
    if (json_object_size(patterns))
        json_object_set(schema, "patternProperties", patterns);
    json_decref(patterns);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}

/* --- types --- */

/* A map with `type: NAME`, the type's options, and those that all of its kind share. */
static json_t *type_schema(const struct registry_entry *entry, const struct option_table *common)
{
    struct members m = {.n = 0};
    json_t *schema;
    json_t *required;

    add_table(&m, entry->options);
    if (common)
        add_table(&m, common);
    schema = map_schema(&m);
    json_object_set_new(schema, "description", json_string(entry->help));
    json_object_set_new(json_object_get(schema, "properties"), "type",
                        json_pack("{s:s,s:s}", "const", entry->name, "description", entry->help));
    required = json_object_get(schema, "required");
    if (!required) {
        required = json_array();
        json_object_set_new(schema, "required", required);
    }
    json_array_insert_new(required, 0, json_string("type"));
    return schema;
}

/* Adds each type as "input-file", and returns {"anyOf": [references to them]}. */
static json_t *kind_schema(enum registry_kind kind, const struct option_table *common,
                           json_t *definitions)
{
    json_t *any = json_array();
    struct registry_entry entry;

    for (size_t i = 0; registry_entry(kind, i, &entry); i++) {
        char name[64];
        char path[80];

        snprintf(name, sizeof name, "%s-%.40s", registry_kind_names[kind], entry.name);
        snprintf(path, sizeof path, "#/$defs/%s", name);
        json_object_set_new(definitions, name, type_schema(&entry, common));
        json_array_append_new(any, json_pack("{s:s}", "$ref", path));
    }
    return json_pack("{s:o}", "anyOf", any);
}

/* A parser that needs no options may be given by its name alone. */
static json_t *one_parser_schema(json_t *definitions)
{
    json_t *schema = kind_schema(REGISTRY_PARSER, &parser_common_table, definitions);
    json_t *names = json_pack("[n]");
    struct registry_entry entry;

    for (size_t i = 0; registry_entry(REGISTRY_PARSER, i, &entry); i++) {
        bool is_required = false;

        for (size_t o = 0; o < entry.options->n_options; o++)
            is_required |= entry.options->options[o].is_required;
        if (!is_required)
            json_array_append_new(names, json_string(entry.name));
    }
    json_array_append_new(json_object_get(schema, "anyOf"), json_pack("{s:o}", "enum", names));
    json_array_append_new(json_object_get(schema, "anyOf"),
                          json_pack("{s:s,s:s}", "type", "string", "pattern", reference));
    return schema;
}

/* One, or a list of them. */
static json_t *parser_schema(void)
{
    return json_pack("{s:[{s:s},{s:s,s:i,s:{s:s}}],s:s,s:s}", "anyOf", "$ref", "#/$defs/one-parser",
                     "type", "array", "minItems", 1, "items", "$ref", "#/$defs/one-parser",
                     "default", "auto", "description",
                     "how lines become fields; of a list, the first that accepts the line");
}

static void add_parser_to_inputs(json_t *definitions)
{
    const char *name;
    json_t *definition;

    json_object_foreach(definitions, name, definition) if (strncmp(name, "input-", 6) == 0)
        json_object_set_new(json_object_get(definition, "properties"), "parser",
                            json_pack("{s:s}", "$ref", "#/$defs/parser"));
}

static json_t *list_schema(const char *help, json_t *items)
{
    return json_pack("{s:s,s:s,s:i,s:o}", "description", help, "type", "array", "minItems", 1,
                     "items", items);
}

static json_t *whole_schema(void)
{
    struct members m = {.n = 0};
    json_t *definitions = json_object();
    json_t *schema;
    json_t *top;
    json_t *properties;

    add_table(&m, &global_table);
    schema = json_pack("{s:s,s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                       "title", "the configuration of ship");
    top = map_schema(&m);
    json_object_update(schema, top);
    json_decref(top);
    properties = json_object_get(schema, "properties");
    json_object_set_new(properties, "inputs",
                        list_schema("where logs come from",
                                    kind_schema(REGISTRY_INPUT, &input_common_table, definitions)));
    json_object_set_new(
        properties, "outputs",
        list_schema("where events go, each event to every one",
                    kind_schema(REGISTRY_OUTPUT, &output_common_table, definitions)));
    json_object_set_new(definitions, "one-parser", one_parser_schema(definitions));
    json_object_set_new(definitions, "parser", parser_schema());
    add_parser_to_inputs(definitions);
    json_object_set_new(schema, "required", json_pack("[s,s]", "inputs", "outputs"));
    json_object_set_new(schema, "$defs", definitions);
    return schema;
}

void schema_write(struct buffer *out)
{
    json_t *schema = whole_schema();
    char *text = json_dumps(schema, JSON_INDENT(2));

    json_decref(schema);
    if (!text) {
        out->failed = true;
        return;
    }
    buffer_add_slice(out, slice_str(text));
    buffer_add_char(out, '\n');
    free(text);
}
