#include "config/lookup.h"

static bool is_below(struct slice name, struct slice parent)
{
    return name.len > parent.len + 1 && slice_starts(name, parent) && name.ptr[parent.len] == '.';
}

const struct option *lookup_option(const struct option_table *table, struct slice name,
                                   struct slice *key)
{
    for (size_t i = 0; i < table->n_options; i++) {
        const struct option *o = &table->options[i];
        struct slice own = slice_str(o->name);

        if (key)
            *key = slice_of(name.ptr, 0);
        if (slice_eq(name, own))
            return o;
        if (key && o->type == OPTION_MAP && is_below(name, own)) {
            *key = slice_from(name, own.len + 1);
            return o;
        }
    }
    return NULL;
}

bool lookup_is_group(const struct option_table *table, struct slice name)
{
    for (size_t i = 0; i < table->n_options; i++)
        if (is_below(slice_str(table->options[i].name), name))
            return true;
    return false;
}

void lookup_offer(const struct option_table *table, struct nearest *near)
{
    for (size_t i = 0; i < table->n_options; i++)
        nearest_offer(near, table->options[i].name);
}
