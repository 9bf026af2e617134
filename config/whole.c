/* What the parts of a configuration must agree on. */
#include "config/finish.h"

/* A line as long as may be is read, and then stands in a document for each output, before any of
 * it can go. */
static int check_longest_line(const struct config *c, size_t i, struct err *e)
{
    int64_t most = c->global.memory_bytes / (1 + (int64_t)c->n_outputs);

    if (c->inputs[i].common.max_line_bytes <= most)
        return 0;
    err_set(e, ERR_CONFIG,
            "a line of %lld bytes and its documents for %zu output%s do not fit into limits.memory "
            "(%lld bytes); want at most %lld, or more memory",
            (long long)c->inputs[i].common.max_line_bytes, c->n_outputs,
            c->n_outputs == 1 ? "" : "s", (long long)c->global.memory_bytes, (long long)most);
    return err_at(e, "inputs[%zu].max_line", i);
}

static int share_memory(const struct config *c, size_t i, struct err *e)
{
    struct output_common *out = &c->outputs[i].common;
    int64_t all = c->global.memory_bytes;

    if (out->memory_bytes > all) {
        err_set(e, ERR_CONFIG, "%lld bytes are more than limits.memory, which has %lld",
                (long long)out->memory_bytes, (long long)all);
        return err_at(e, "outputs[%zu].memory", i);
    }
    if (out->memory_bytes)
        return 0;
    out->memory_bytes = out->on_full == ON_FULL_BLOCK ? all : all / ((int64_t)c->n_outputs + 1);
    return 0;
}

static int finish_delivery(const struct config *c, size_t i, struct err *e)
{
    struct output_common *out = &c->outputs[i].common;

    if (out->on_full == ON_FULL_AUTO)
        out->on_full = ON_FULL_BLOCK;
    return share_memory(c, i, e);
}

int finish_whole(struct config *c, struct err *e)
{
    for (size_t i = 0; i < c->n_inputs; i++)
        if (check_longest_line(c, i, e) < 0)
            return -1;
    for (size_t i = 0; i < c->n_outputs; i++)
        if (finish_delivery(c, i, e) < 0)
            return -1;
    return 0;
}
