#include "config/finish.h"

#include <stdio.h>
#include <string.h>

#include "config/values.h"

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

static int make_parser(struct input_config *in, struct err *e)
{
    if (in->parser_is_lent || in->parser.ops)
        return 0;
    if (check_required(&in->parser_ops->options, in->parser_options, e) < 0)
        return below(e, "parser");
    if (in->parser_ops->make) {
        in->parser.self = in->parser_ops->make(in->parser_options, e);
        if (!in->parser.self)
            return below(e, "parser");
    }
    in->parser.ops = in->parser_ops;
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

int finish_input(struct config *c, struct input_config *in, struct err *e)
{
    if (check_required(&in->ops->options, in->options, e) < 0)
        return -1;
    if (in->ops->validate && in->ops->validate(in->options, e) < 0)
        return -1;
    if (!in->common.name)
        in->common.name = in->ops->name;
    if (add_global_labels(c, in, e) < 0)
        return -1;
    return make_parser(in, e);
}

int finish_output(struct output_config *out, struct err *e)
{
    if (check_required(&out->ops->options, out->options, e) < 0)
        return -1;
    if (out->ops->validate && out->ops->validate(out->options, e) < 0)
        return -1;
    if (!out->common.name)
        out->common.name = out->ops->name;
    return 0;
}
