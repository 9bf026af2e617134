/* What all inputs share: the options beside their own. */
#include "shipper/inputs/input.h"
#include "shipper/pipeline/document_app.h"

static int check_name(struct slice name, const char *what, struct err *e)
{
    if (document_name_is_free(name))
        return 0;
    return err_set(e, ERR_CONFIG,
                   "\"%.*s\" is no name for %s; want letters, digits, _ and -, parts joined by "
                   "dots, and none that ship writes itself",
                   SLICE_ARG(name), what);
}

static bool is_below(const char *name, const char *space)
{
    size_t len = strlen(space);

    return strncmp(name, space, len) == 0 && (name[len] == '.' || name[len] == '\0');
}

static bool is_label(const struct input_common *common, const char *name)
{
    if (strncmp(name, "labels.", 7) != 0)
        return false;
    for (size_t i = 0; i < common->labels.n_items; i++)
        if (strcmp(common->labels.keys[i], name + 7) == 0)
            return true;
    return false;
}

static int check_lift(const struct input_common *common, size_t at, struct err *e)
{
    const struct option_map *lift = &common->lift;
    const char *name = lift->values[at];

    if (check_name(slice_str(name), "a field", e) < 0)
        return -1;
    if (is_below(name, common->namespace))
        return err_set(e, ERR_CONFIG, "\"%s\" is below %s, which is one field", name,
                       common->namespace);
    if (is_label(common, name))
        return err_set(e, ERR_CONFIG, "\"%s\" is one of the labels", name);
    for (size_t i = 0; i < at; i++)
        if (strcmp(name, lift->values[i]) == 0)
            return err_set(e, ERR_CONFIG, "\"%s\" is where %s goes already", name, lift->keys[i]);
    return 0;
}

int input_common_validate(const struct input_common *common, struct err *e)
{
    struct slice space = slice_str(common->namespace);

    if (check_name(space, "the application's keys", e) < 0)
        return err_at(e, "namespace");
    if (memchr(space.ptr, '.', space.len)) {
        err_set(e, ERR_CONFIG, "\"%s\" has a dot; want one word", common->namespace);
        return err_at(e, "namespace");
    }
    for (size_t i = 0; i < common->lift.n_items; i++)
        if (check_lift(common, i, e) < 0)
            return err_at(e, "lift.%s", common->lift.keys[i]);
    return 0;
}

struct stream_options input_stream_options(const struct input_common *common,
                                           const struct parser *parser,
                                           const struct input_world *world)
{
    return (struct stream_options){
        .parser = parser,
        .times = common->times,
        .max_line_bytes = common->max_line_bytes,
        .chunk_bytes = common->chunk_bytes,
        .with_invocations = common->with_invocations,
        .join = common->join,
        .is_live = !world->is_replay,
    };
}

int64_t input_reserve_bytes(int64_t chunk_bytes, const struct input_world *world)
{
    return chunk_bytes * (1 + (int64_t)lanes_count(world->lanes));
}

void input_profile_parts(const struct input_common *common, struct profile_parts *out)
{
    *out = (struct profile_parts){
        .dataset = slice_str(common->dataset),
        .label_keys = common->labels.keys,
        .label_values = common->labels.values,
        .n_labels = common->labels.n_items,
        .has_id = common->id_mode != ID_NONE,
        .with_original = common->with_original,
        .namespace = slice_str(common->namespace),
        .lift_keys = common->lift.keys,
        .lift_names = common->lift.values,
        .n_lifts = common->lift.n_items,
    };
}
