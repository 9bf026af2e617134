#include "config/finish.h"

#include <stdio.h>
#include <string.h>

#include "config/keep.h"
#include "config/times.h"
#include "config/values.h"
#include "parsers/chain.h"
#include "shipper/observe/status_address.h"

static int check_required(const struct option_table *table, const void *options, struct err *e)
{
    for (size_t i = 0; i < table->n_options; i++) {
        const struct option *o = &table->options[i];
        struct buffer want = {0};

        if (!o->is_required || value_is_set(o, options))
            continue;
        value_describe(o, &want);
        err_set(e, ERR_CONFIG, "missing; want %.*s: %s", SLICE_ARG(buffer_slice(&want)), o->help);
        buffer_free(&want);
        return err_at(e, "%s", o->name);
    }
    return 0;
}

/* "pattern" becomes "parser.pattern". */
static int below(struct err *e, const char *parent)
{
    char old[sizeof e->where];

    snprintf(old, sizeof old, "%s", e->where);
    snprintf(e->where, sizeof e->where, "%s%s%.400s", parent, *old ? "." : "", old);
    return -1;
}

static int make_one(struct parser_config *from, struct parser *out, struct err *e)
{
    if (check_required(&from->ops->options, from->options, e) < 0)
        return -1;
    if (time_rules_make(from, e) < 0)
        return -1;
    if (from->ops->make && !(out->self = from->ops->make(from->options, e)))
        return -1;
    out->ops = from->ops;
    return 0;
}

static int make_chain(struct input_config *in, struct err *e)
{
    struct parser chain = {NULL, NULL};
    char name[40];

    if (chain_new(in->n_parsers, &chain) < 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < in->n_parsers; i++)
        if (make_one(&in->parsers[i], chain_link(&chain, i), e) < 0) {
            parser_free(&chain);
            snprintf(name, sizeof name, "parser[%zu]", i);
            return below(e, name);
        }
    for (size_t i = 0; i < in->n_parsers; i++)
        chain_set_times(&chain, i, in->parsers[i].times);
    in->parser = chain;
    return 0;
}

static int make_parser(struct input_config *in, struct err *e)
{
    if (in->parser_is_lent || in->parser.ops)
        return 0;
    if (in->parser_is_list)
        return make_chain(in, e);
    if (make_one(&in->parsers[0], &in->parser, e) < 0)
        return below(e, "parser");
    in->common.times = in->parsers[0].times;
    return 0;
}

static bool has_label(const struct option_map *labels, const char *key)
{
    for (size_t i = 0; i < labels->n_items; i++)
        if (strcmp(labels->keys[i], key) == 0)
            return true;
    return false;
}

static int add_global_labels(struct config *c, struct input_config *in, struct err *e)
{
    static const struct option labels = {
        .name = "labels", .type = OPTION_MAP, .offset = offsetof(struct input_common, labels)};
    const struct option_map *from = &c->global.labels;

    for (size_t i = 0; i < from->n_items; i++)
        if (!has_label(&in->common.labels, from->keys[i]) &&
            value_add_pair(c->keep, &labels, &in->common, slice_str(from->keys[i]),
                           slice_str(from->values[i]), e) < 0)
            return err_at(e, "labels");
    return 0;
}

/* --- names: each is there once, so that metrics and positions can tell them apart --- */

static int taken(const char *name, const char *kind, size_t by, struct err *e)
{
    err_set(e, ERR_CONFIG, "\"%.60s\" is the name of %ss[%zu] already", name, kind, by);
    return err_at(e, "name");
}

/* The type; behind it a number from the second of that type on. NULL and *e. */
static const char *default_name(struct config *c, const char *type, size_t n_before, struct err *e)
{
    char text[80];
    const char *name;

    if (n_before == 0)
        return type;
    snprintf(text, sizeof text, "%.60s-%zu", type, n_before + 1);
    name = keep_text(c->keep, slice_str(text));
    if (!name)
        err_set(e, ERR_NOMEM, "out of memory");
    return name;
}

static int name_input(struct config *c, struct input_config *in, struct err *e)
{
    size_t n_alike = 0;

    for (size_t i = 0; &c->inputs[i] != in; i++)
        n_alike += c->inputs[i].ops == in->ops;
    if (!in->common.name && !(in->common.name = default_name(c, in->ops->name, n_alike, e)))
        return -1;
    for (size_t i = 0; &c->inputs[i] != in; i++)
        if (strcmp(c->inputs[i].common.name, in->common.name) == 0)
            return taken(in->common.name, "input", i, e);
    return 0;
}

static int name_output(struct config *c, struct output_config *out, struct err *e)
{
    size_t n_alike = 0;

    for (size_t i = 0; &c->outputs[i] != out; i++)
        n_alike += c->outputs[i].ops == out->ops;
    out->common.has_own_name = out->common.name;
    if (!out->common.name && !(out->common.name = default_name(c, out->ops->name, n_alike, e)))
        return -1;
    for (size_t i = 0; &c->outputs[i] != out; i++)
        if (strcmp(c->outputs[i].common.name, out->common.name) == 0)
            return taken(out->common.name, "output", i, e);
    return 0;
}

/* --- the top level --- */

int finish_global(const struct config *c, struct err *e)
{
    struct status_address ignored;

    if (!c->global.status_listen)
        return 0;
    return status_address_parse(c->global.status_listen, &ignored, e) < 0
               ? err_at(e, "status.listen")
               : 0;
}

/* --- one section --- */

int finish_input(struct config *c, struct input_config *in, struct err *e)
{
    if (check_required(&in->ops->options, in->options, e) < 0)
        return -1;
    if (in->ops->validate && in->ops->validate(in->options, e) < 0)
        return -1;
    if (name_input(c, in, e) < 0 || add_global_labels(c, in, e) < 0 ||
        input_common_validate(&in->common, e) < 0)
        return -1;
    return make_parser(in, e);
}

int finish_output(struct config *c, struct output_config *out, struct err *e)
{
    if (check_required(&out->ops->options, out->options, e) < 0)
        return -1;
    if (out->ops->validate && out->ops->validate(out->options, e) < 0)
        return -1;
    return name_output(c, out, e);
}
