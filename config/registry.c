#include <string.h>

#include "config/registry.h"

const struct input_ops *const registry_inputs[] = {&input_file, &input_stdin, NULL};

const struct parser_ops *const registry_parsers[] = {
    &parser_auto,   &parser_json,  &parser_logfmt, &parser_kv,  &parser_csv, &parser_syslog,
    &parser_access, &parser_regex, &parser_grok,   &parser_raw, NULL,
};

const struct output_ops *const registry_outputs[] = {&output_elasticsearch, &output_stdout,
                                                     &output_local, NULL};

const char *const registry_kind_names[REGISTRY_KINDS] = {"input", "parser", "output"};

bool registry_entry(enum registry_kind kind, size_t i, struct registry_entry *out)
{
    const struct input_ops *in = kind == REGISTRY_INPUT ? registry_inputs[i] : NULL;
    const struct parser_ops *parser = kind == REGISTRY_PARSER ? registry_parsers[i] : NULL;
    const struct output_ops *output = kind == REGISTRY_OUTPUT ? registry_outputs[i] : NULL;

    if (in)
        *out = (struct registry_entry){in->name, in->help, &in->options};
    else if (parser)
        *out = (struct registry_entry){parser->name, parser->help, &parser->options};
    else if (output)
        *out = (struct registry_entry){output->name, output->help, &output->options};
    return in || parser || output;
}

const struct input_ops *registry_input(const char *name)
{
    for (size_t i = 0; registry_inputs[i]; i++)
        if (strcmp(registry_inputs[i]->name, name) == 0)
            return registry_inputs[i];
    return NULL;
}

const struct parser_ops *registry_parser(const char *name)
{
    for (size_t i = 0; registry_parsers[i]; i++)
        if (strcmp(registry_parsers[i]->name, name) == 0)
            return registry_parsers[i];
    return NULL;
}

const struct output_ops *registry_output(const char *name)
{
    for (size_t i = 0; registry_outputs[i]; i++)
        if (strcmp(registry_outputs[i]->name, name) == 0)
            return registry_outputs[i];
    return NULL;
}
