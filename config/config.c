/* The life of a configuration. Reading one from a file: loader.c. */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "config/finish.h"
#include "config/keep.h"
#include "config/lookup.h"
#include "config/registry.h"
#include "config/times.h"
#include "config/values.h"
#include "shipper/base/nearest.h"

static int out_of_memory(struct err *e)
{
    return err_set(e, ERR_NOMEM, "out of memory for the configuration");
}

struct config *config_new(void)
{
    struct config *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->keep = keep_new();
    if (c->keep && values_default(c->keep, &global_table, &c->global, NULL) == 0)
        return c;
    config_free(c);
    return NULL;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_inputs; i++) {
        struct input_config *in = &c->inputs[i];

        if (!in->parser_is_lent)
            parser_free(&in->parser);
        for (size_t p = 0; p < in->n_parsers; p++)
            time_rules_free(in->parsers[p].times);
    }
    free(c->inputs);
    free(c->outputs);
    keep_free(c->keep);
    free(c);
}

/* A type's options at their defaults; NULL and *e. */
static void *make_options(struct config *c, const struct option_table *table, struct err *e)
{
    void *options = keep_alloc(c->keep, table->size);

    if (!options)
        out_of_memory(e);
    else if (values_default(c->keep, table, options, e) < 0)
        return NULL;
    return options;
}

static int unknown_type(enum registry_kind kind, const char *type, struct err *e)
{
    struct registry_entry entry;
    struct nearest near;
    struct buffer b = {0};

    nearest_init(&near, slice_str(type));
    value_quote(slice_str(type), &b);
    buffer_printf(&b, " is no %s; want one of ", registry_kind_names[kind]);
    for (size_t i = 0; registry_entry(kind, i, &entry); i++) {
        buffer_printf(&b, "%s%s", i ? ", " : "", entry.name);
        nearest_offer(&near, entry.name);
    }
    if (near.name)
        buffer_printf(&b, "; did you mean \"%s\"?", near.name);
    err_set(e, ERR_CONFIG, "%.*s", SLICE_ARG(buffer_slice(&b)));
    buffer_free(&b);
    return -1;
}

struct input_config *config_add_input(struct config *c, const char *type, struct err *e)
{
    struct input_config in = {.ops = registry_input(type)};
    struct input_config *grown;

    if (!in.ops) {
        unknown_type(REGISTRY_INPUT, type, e);
        return NULL;
    }
    in.options = make_options(c, &in.ops->options, e);
    if (!in.options || config_set_parser(c, &in, parser_auto.name, e) < 0 ||
        values_default(c->keep, &input_common_table, &in.common, e) < 0)
        return NULL;
    grown = realloc(c->inputs, (c->n_inputs + 1) * sizeof *grown);
    if (!grown) {
        out_of_memory(e);
        return NULL;
    }
    c->inputs = grown;
    grown[c->n_inputs] = in;
    return &grown[c->n_inputs++];
}

struct output_config *config_add_output(struct config *c, const char *type, struct err *e)
{
    struct output_config out = {.ops = registry_output(type)};
    struct output_config *grown;

    if (!out.ops) {
        unknown_type(REGISTRY_OUTPUT, type, e);
        return NULL;
    }
    out.options = make_options(c, &out.ops->options, e);
    if (!out.options || values_default(c->keep, &output_common_table, &out.common, e) < 0)
        return NULL;
    grown = realloc(c->outputs, (c->n_outputs + 1) * sizeof *grown);
    if (!grown) {
        out_of_memory(e);
        return NULL;
    }
    c->outputs = grown;
    grown[c->n_outputs] = out;
    return &grown[c->n_outputs++];
}

int config_add_parser(struct config *c, struct input_config *in, const char *type, struct err *e)
{
    struct parser_config added = {.ops = registry_parser(type)};
    struct parser_config *grown;

    if (!added.ops)
        return unknown_type(REGISTRY_PARSER, type, e);
    added.options = make_options(c, &added.ops->options, e);
    if (!added.options)
        return -1;
    grown = keep_alloc(c->keep, (in->n_parsers + 1) * sizeof *grown);
    if (!grown)
        return out_of_memory(e);
    if (in->n_parsers)
        memcpy(grown, in->parsers, in->n_parsers * sizeof *grown);
    grown[in->n_parsers] = added;
    in->parsers = grown;
    in->n_parsers++;
    return 0;
}

int config_set_parser(struct config *c, struct input_config *in, const char *type, struct err *e)
{
    struct input_config fresh = {.n_parsers = 0};

    if (config_add_parser(c, &fresh, type, e) < 0)
        return -1;
    in->parsers = fresh.parsers;
    in->n_parsers = fresh.n_parsers;
    return 0;
}

int config_set(struct config *c, const struct option_table *table, void *options, const char *name,
               const char *value, struct err *e)
{
    struct slice key;
    const struct option *o = lookup_option(table, slice_str(name), &key);
    int rc;

    if (!o)
        return err_set(e, ERR_CONFIG, "there is no option \"%.60s\"", name);
    rc = key.len ? value_add_pair(c->keep, o, options, key, slice_str(value), e)
                 : value_set(c->keep, o, options, slice_str(value), e);
    return rc < 0 ? err_at(e, "%s", name) : 0;
}

int config_finish(struct config *c, struct err *e)
{
    for (size_t i = 0; i < c->n_inputs; i++)
        if (finish_input(c, &c->inputs[i], e) < 0)
            return err_at(e, "%s", c->inputs[i].ops->name);
    for (size_t i = 0; i < c->n_outputs; i++)
        if (finish_output(c, &c->outputs[i], e) < 0)
            return err_at(e, "%s", c->outputs[i].ops->name);
    return finish_whole(c, e);
}
