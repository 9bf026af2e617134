#include "config/values.h"

#include <stdio.h>
#include <string.h>

#include "config/units.h"
#include "shipper/base/nearest.h"

static void *field_of(const struct option *o, void *options)
{
    return (char *)options + o->offset;
}

static int out_of_memory(struct err *e)
{
    return err_set(e, ERR_CONFIG,
                   "the configuration takes more memory than there is, or than "
                   "%d MiB",
                   KEEP_MAX_BYTES / 1024 / 1024);
}

/* --- what is wanted, in words --- */

void value_quote(struct slice text, struct buffer *out)
{
    size_t len = text.len;

    if (len > VALUE_QUOTE_MAX) {
        len = VALUE_QUOTE_MAX;
        while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
            len--; /* no half character */
    }
    buffer_add_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        buffer_add_char(out, c < ' ' || c == 0x7f ? '?' : (char)c);
    }
    buffer_add_slice(out, slice_str(len < text.len ? "...\"" : "\""));
}

void value_list_choices(const struct option *o, struct buffer *out)
{
    buffer_add_slice(out, slice_str("one of "));
    for (size_t i = 0; o->choices[i]; i++)
        buffer_printf(out, "%s%s", i ? ", " : "", o->choices[i]);
}

static void describe_bounds(const struct option *o, struct buffer *out)
{
    char min[32];
    char max[32];

    if (o->min == 0 && o->max == 0)
        return;
    units_format(o->type, o->min, min, sizeof min);
    units_format(o->type, o->max, max, sizeof max);
    buffer_printf(out, " from %s to %s", min, max);
}

void value_describe(const struct option *o, struct buffer *out)
{
    static const char *const names[] = {
        [OPTION_STRING] = "text",          [OPTION_SECRET] = "text",
        [OPTION_PATH] = "a path",          [OPTION_BOOL] = "true or false",
        [OPTION_INT] = "a whole number",   [OPTION_BYTES] = "a size",
        [OPTION_DURATION] = "a duration",  [OPTION_ENUM] = "",
        [OPTION_LIST] = "a list of texts", [OPTION_MAP] = "a map of names to texts",
    };

    if (o->type == OPTION_ENUM) {
        value_list_choices(o, out);
        return;
    }
    buffer_add_slice(out, slice_str(names[o->type]));
    describe_bounds(o, out);
}

/* "\"x\" is not a whole number from 1 to 4"; `meant` (may be NULL) is what it may have been. */
static int refuse(const struct option *o, struct slice text, const char *meant, struct err *e)
{
    struct buffer b = {0};

    if (o->type == OPTION_SECRET)
        buffer_add_lit(&b, "this secret");
    else
        value_quote(text, &b);
    buffer_add_lit(&b, " is not ");
    value_describe(o, &b);
    if (o->type == OPTION_BYTES)
        buffer_add_lit(&b, ", as 4096, 512KiB or 1MiB");
    if (o->type == OPTION_DURATION)
        buffer_add_lit(&b, ", as 500ms, 1s, 5m or 2h");
    if (meant)
        buffer_printf(&b, "; did you mean \"%s\"?", meant);
    err_set(e, ERR_CONFIG, "%.*s", SLICE_ARG(buffer_slice(&b)));
    buffer_free(&b);
    return -1;
}

/* --- setting --- */

static int set_text(struct keep *k, const struct option *o, void *options, struct slice text,
                    struct err *e)
{
    char *copy;

    for (size_t i = 0; o->type == OPTION_SECRET && i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return err_set(e, ERR_CONFIG, "there is a control character in this secret");
    copy = keep_text(k, text);
    if (!copy)
        return out_of_memory(e);
    *(const char **)field_of(o, options) = copy;
    return 0;
}

static int set_bool(const struct option *o, void *options, struct slice text, struct err *e)
{
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    static const struct {
        const char *word;
        const char *meant;
    } other[] = {{"yes", "true"}, {"on", "true"}, {"no", "false"}, {"off", "false"}};

    /* The spellings of YAML 1.2. */
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (slice_is(text, words[i])) {
            *(bool *)field_of(o, options) = i < 3;
            return 0;
        }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (slice_eq_nocase(text, slice_str(other[i].word)))
            return refuse(o, text, other[i].meant, e);
    return refuse(o, text, NULL, e);
}

static int set_number(const struct option *o, void *options, struct slice text, struct err *e)
{
    int64_t n;

    if (!units_parse(o->type, text, &n))
        return refuse(o, text, NULL, e);
    if ((o->min || o->max) && (n < o->min || n > o->max))
        return refuse(o, text, NULL, e);
    *(int64_t *)field_of(o, options) = n;
    return 0;
}

static int set_choice(const struct option *o, void *options, struct slice text, struct err *e)
{
    struct nearest near;

    nearest_init(&near, text);
    for (int i = 0; o->choices[i]; i++) {
        if (slice_is(text, o->choices[i])) {
            *(int *)field_of(o, options) = i;
            return 0;
        }
        nearest_offer(&near, o->choices[i]);
    }
    return refuse(o, text, near.name, e);
}

/* Arrays grow by doubling: one with n items has room for the next power of two. */
static const char **with_room(struct keep *k, const char **items, size_t n)
{
    const char **grown;

    if (n & (n - 1))
        return items;
    grown = keep_alloc(k, (n ? n * 2 : 1) * sizeof *grown);
    if (grown && n)
        memcpy(grown, items, n * sizeof *grown);
    return grown;
}

static int add_item(struct keep *k, const struct option *o, void *options, struct slice text,
                    struct err *e)
{
    struct option_list *list = field_of(o, options);
    const char **items = with_room(k, list->items, list->n_items);
    char *copy = keep_text(k, text);

    if (!items || !copy)
        return out_of_memory(e);
    items[list->n_items++] = copy;
    list->items = items;
    return 0;
}

int value_set(struct keep *k, const struct option *o, void *options, struct slice text,
              struct err *e)
{
    if (text.len == 0)
        return 0;
    if (memchr(text.ptr, '\0', text.len))
        return err_set(e, ERR_CONFIG, "there is a NUL in it");
    switch (o->type) {
    case OPTION_STRING:
    case OPTION_SECRET:
    case OPTION_PATH:
        return set_text(k, o, options, text, e);
    case OPTION_BOOL:
        return set_bool(o, options, text, e);
    case OPTION_INT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return set_number(o, options, text, e);
    case OPTION_ENUM:
        return set_choice(o, options, text, e);
    case OPTION_LIST:
        return add_item(k, o, options, text, e);
    case OPTION_MAP:
        break;
    }
    return refuse(o, text, NULL, e);
}

void value_clear(const struct option *o, void *options)
{
    memset(field_of(o, options), 0, sizeof(struct option_list));
}

int value_add_pair(struct keep *k, const struct option *o, void *options, struct slice key,
                   struct slice value, struct err *e)
{
    struct option_map *map = field_of(o, options);
    const char **keys;
    const char **values;
    char *key_copy;
    char *value_copy;

    if (key.len == 0)
        return err_set(e, ERR_CONFIG, "a name without a letter");
    if (memchr(key.ptr, '\0', key.len) || (value.len && memchr(value.ptr, '\0', value.len)))
        return err_set(e, ERR_CONFIG, "there is a NUL in it");
    for (size_t i = 0; i < map->n_items; i++)
        if (slice_is(key, map->keys[i]))
            return err_set(e, ERR_CONFIG, "given twice");
    if (map->n_items >= VALUE_PAIRS_MAX)
        return err_set(e, ERR_CONFIG, "more than %d names", VALUE_PAIRS_MAX);
    keys = with_room(k, map->keys, map->n_items);
    values = with_room(k, map->values, map->n_items);
    key_copy = keep_text(k, key);
    value_copy = keep_text(k, value);
    if (!keys || !values || !key_copy || !value_copy)
        return out_of_memory(e);
    keys[map->n_items] = key_copy;
    values[map->n_items] = value_copy;
    map->keys = keys;
    map->values = values;
    map->n_items++;
    return 0;
}

int values_default(struct keep *k, const struct option_table *table, void *options, struct err *e)
{
    for (size_t i = 0; i < table->n_options; i++) {
        const struct option *o = &table->options[i];

        if (o->fallback && value_set(k, o, options, slice_str(o->fallback), e) < 0)
            return err_at(e, "the default of %s", o->name);
    }
    return 0;
}

bool value_is_set(const struct option *o, const void *options)
{
    const char *field = (const char *)options + o->offset;

    switch (o->type) {
    case OPTION_STRING:
    case OPTION_SECRET:
    case OPTION_PATH:
        return *(const char *const *)(const void *)field != NULL;
    case OPTION_LIST:
        return ((const struct option_list *)(const void *)field)->n_items > 0;
    case OPTION_MAP:
        return ((const struct option_map *)(const void *)field)->n_items > 0;
    default:
        return true; /* a number or a choice is always something */
    }
}
