#include "config/scope.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/expand.h"
#include "config/keep.h"
#include "config/lookup.h"
#include "config/text_file.h"
#include "config/values.h"

/* A name that was found: in which part, as which option, and the key behind a map's name. */
struct found {
    struct scope_part *part;
    const struct option *option;
    struct slice key;
    char name[SCOPE_PATH_MAX]; /* "tls.ca_file", "hosts[1]" */
};

/* --- messages --- */

static void join(const struct scope *s, const char *name, char *path, size_t cap)
{
    snprintf(path, cap, "%s%s%s", s->path, *s->path && *name ? "." : "", name);
}

int scope_fail(const struct scope *s, const yaml_node_t *at, const char *name, struct err *e,
               const char *fmt, ...)
{
    char path[2 * SCOPE_PATH_MAX];
    char what[sizeof e->what];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    join(s, name, path, sizeof path);
    return document_fail(s->document, at, path, e, "%s", what);
}

int scope_locate(const struct scope *s, const yaml_node_t *at, const char *name, struct err *e)
{
    char path[2 * SCOPE_PATH_MAX];

    join(s, name, path, sizeof path);
    return document_locate(s->document, at, path, e);
}

static const yaml_node_t *item_of(const struct scope *s, const yaml_node_t *list, const char *index)
{
    const yaml_node_item_t *items = list->data.sequence.items.start;
    unsigned long i = strtoul(index, NULL, 10);

    if (i < (size_t)(list->data.sequence.items.top - items))
        return document_node(s->document, items[i]);
    return list;
}

static const yaml_node_t *value_of(const struct scope *s, const yaml_node_t *map, struct slice name)
{
    struct slice key;

    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++)
        if (document_text(document_node(s->document, p->key), &key) && slice_eq(key, name))
            return document_node(s->document, p->value);
    return NULL;
}

/* Where "hosts[1]", "parser.types.latency" or "outputs[0].memory" stands, below the node of its
 * first part; the nearest one around it if it is not so precise. `rest` begins with the bracket or
 * the dot. */
static const yaml_node_t *descend(const struct scope *s, const yaml_node_t *node, const char *rest)
{
    for (;;) {
        if (*rest == '.' && node->type == YAML_MAPPING_NODE) {
            struct slice name = slice_of(rest + 1, strcspn(rest + 1, ".["));
            const yaml_node_t *value = value_of(s, node, name);

            if (!value)
                return node;
            node = value;
            rest += 1 + name.len;
        } else if (*rest == '[' && node->type == YAML_SEQUENCE_NODE) {
            node = item_of(s, node, rest + 1);
            rest += strcspn(rest, "]");
            rest += *rest == ']';
        } else {
            return node;
        }
    }
}

int scope_locate_option(const struct scope *s, struct err *e)
{
    char name[SCOPE_PATH_MAX];
    size_t len;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(e->where, ":"), e->where);
    len = strcspn(name, "[");
    for (size_t p = 0; p < s->n_parts; p++) {
        const struct scope_part *part = &s->parts[p];
        const struct option *o = lookup_option(part->table, slice_of(name, len), NULL);
        const yaml_node_t *at = o ? part->seen[o - part->table->options] : NULL;

        if (at)
            return scope_locate(s, descend(s, at, name + len), name, e);
    }
    len = strcspn(name, ".[");
    for (size_t i = 0; i < s->n_words; i++) {
        const struct scope_word *w = &s->words[i];

        if (w->value && slice_is(slice_of(name, len), w->name))
            return scope_locate(s, descend(s, w->value, name + len), name, e);
    }
    return scope_locate(s, s->map, name, e);
}

static int fail_unknown(struct scope *s, const yaml_node_t *at, const char *name, struct err *e)
{
    struct nearest near;
    struct buffer what = {0};
    int rc;

    if (strcmp(name, "<<") == 0)
        return scope_fail(s, at, "", e, "\"<<\" (merging of maps) is not supported; write it out");
    nearest_init(&near, slice_str(name));
    for (size_t p = 0; p < s->n_parts; p++)
        lookup_offer(s->parts[p].table, &near);
    for (size_t i = 0; i < s->n_words; i++)
        nearest_offer(&near, s->words[i].name);
    value_quote(slice_str(name), &what);
    if (near.name)
        buffer_printf(&what, "; did you mean \"%s\"?", near.name);
    else
        buffer_printf(&what, "; `ship help %s` lists what there is", s->help);
    rc = scope_fail(s, at, "", e, "there is no option %.*s", SLICE_ARG(buffer_slice(&what)));
    buffer_free(&what);
    return rc;
}

/* --- values --- */

/* The tag itself is not told: a password that begins with ! is one, to YAML. */
static int check_tag(const struct scope *s, const yaml_node_t *node, const char *name,
                     struct err *e)
{
    struct slice standard = SLICE_LIT("tag:yaml.org,2002:");

    if (!node->tag || slice_starts(slice_str((const char *)node->tag), standard))
        return 0;
    return scope_fail(s, node, name, e, "a text that begins with ! needs quotes");
}

/* YAML would fold the lines into one: mostly a quote or a dash was forgotten, and what follows, a
 * secret perhaps, became a part of this value. */
static int check_lines(const struct scope *s, const yaml_node_t *node, const char *name,
                       struct err *e)
{
    if (document_is_block(node) || node->end_mark.line == node->start_mark.line)
        return 0;
    return scope_fail(s, node, name, e,
                      "this text goes on in line %zu: is a quote or a dash missing? (text of "
                      "several lines is written behind a |)",
                      node->end_mark.line + 1);
}

/* Fails for a map or list where a text is wanted. */
static int take_text(const struct scope *s, const yaml_node_t *node, const struct found *f,
                     struct slice *text, struct err *e)
{
    struct buffer want = {0};

    if (check_tag(s, node, f->name, e) < 0)
        return -1;
    if (document_text(node, text))
        return check_lines(s, node, f->name, e);
    if (f->option->type == OPTION_LIST || f->option->type == OPTION_MAP)
        buffer_add_lit(&want, "a text");
    else
        value_describe(f->option, &want);
    scope_fail(s, node, f->name, e, "this is %s; want %.*s", document_kind(node),
               SLICE_ARG(buffer_slice(&want)));
    buffer_free(&want);
    return -1;
}

static void note_file(void *ctx, const char *path)
{
    static const struct option files = {.name = "secret_files",
                                        .type = OPTION_LIST,
                                        .offset = offsetof(struct config, secret_files)};
    struct config *c = ctx;

    /* Without memory for it the value itself fails too. */
    value_set(c->keep, &files, c, slice_str(path), NULL);
}

/* "https://user:password@host" */
static bool has_credentials(struct slice text)
{
    ptrdiff_t mark = slice_find(text, slice_str("://"));
    struct slice user;

    if (mark < 0)
        return false;
    text = slice_from(text, (size_t)mark + 3);
    return slice_cut(&text, '@', &user) && !memchr(user.ptr, '/', user.len) &&
           memchr(user.ptr, ':', user.len);
}

static int set_scalar(const struct scope *s, const yaml_node_t *node, const struct found *f,
                      struct err *e)
{
    const struct option *o = f->option;
    struct expand_notes notes = {note_file, s->config, false};
    struct slice text;
    struct buffer value = {0};
    int rc;

    if (take_text(s, node, f, &text, e) < 0)
        return -1;
    rc = expand(text, o->type == OPTION_SECRET, &value, &notes, e);
    if (!notes.has_reference && text.len && (o->type == OPTION_SECRET || has_credentials(text)))
        s->config->has_plain_secret = true;
    if (rc == 0 && value.len) /* nothing is as if it were not there */
        rc = f->key.len ? value_add_pair(s->config->keep, o, f->part->options, f->key,
                                         buffer_slice(&value), e)
                        : value_set(s->config->keep, o, f->part->options, buffer_slice(&value), e);
    text_wipe(&value);
    return rc < 0 ? scope_locate(s, node, f->name, e) : 0;
}

static int set_list(const struct scope *s, const yaml_node_t *node, const struct found *f,
                    struct err *e)
{
    struct found item = *f;
    yaml_node_item_t *items = node->data.sequence.items.start;
    size_t n = (size_t)(node->data.sequence.items.top - items);

    if (node->type == YAML_MAPPING_NODE)
        return scope_fail(s, node, f->name, e, "this is a map; want a list of texts");
    value_clear(f->option, f->part->options);
    if (node->type == YAML_SCALAR_NODE)
        return set_scalar(s, node, f, e);
    for (size_t i = 0; i < n; i++) {
        snprintf(item.name, sizeof item.name, "%.120s[%zu]", f->name, i);
        if (set_scalar(s, document_node(s->document, items[i]), &item, e) < 0)
            return -1;
    }
    return 0;
}

static int set_map(const struct scope *s, const yaml_node_t *node, const struct found *f,
                   struct err *e)
{
    struct found item = *f;
    struct slice text;

    if (document_text(node, &text) && text.len == 0)
        return 0;
    if (node->type != YAML_MAPPING_NODE)
        return scope_fail(s, node, f->name, e, "this is %s; want a map of names to texts",
                          document_kind(node));
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = document_node(s->document, p->key);

        if (!document_text(key, &item.key) || item.key.len == 0)
            return scope_fail(s, key, f->name, e, "want a name in front of the colon");
        snprintf(item.name, sizeof item.name, "%.100s.%.*s", f->name,
                 item.key.len > 40 ? 40 : (int)item.key.len, item.key.ptr);
        if (set_scalar(s, document_node(s->document, p->value), &item, e) < 0)
            return -1;
    }
    return 0;
}

/* --- names --- */

static bool find(struct scope *s, struct slice name, struct found *f)
{
    for (size_t p = 0; p < s->n_parts; p++) {
        f->part = &s->parts[p];
        f->option = lookup_option(f->part->table, name, &f->key);
        if (f->option)
            return true;
    }
    return false;
}

static bool is_group(const struct scope *s, struct slice name)
{
    for (size_t p = 0; p < s->n_parts; p++)
        if (lookup_is_group(s->parts[p].table, name))
            return true;
    return false;
}

static int set_found(struct scope *s, const yaml_node_t *key, const yaml_node_t *value,
                     struct found *f, struct err *e)
{
    const yaml_node_t **seen = &f->part->seen[f->option - f->part->table->options];

    if (*seen && !f->key.len)
        return scope_fail(s, key, f->name, e, "given twice; the first is in line %zu",
                          (*seen)->start_mark.line + 1);
    if (!f->key.len)
        *seen = value;
    if (check_tag(s, value, f->name, e) < 0)
        return -1;
    if (f->option->type == OPTION_LIST)
        return set_list(s, value, f, e);
    if (f->option->type == OPTION_MAP && !f->key.len)
        return set_map(s, value, f, e);
    return set_scalar(s, value, f, e);
}

static bool is_word(const struct scope *s, const char *name)
{
    for (size_t i = 0; i < s->n_words; i++)
        if (strcmp(s->words[i].name, name) == 0)
            return true;
    return false;
}

static int read_group(struct scope *s, const yaml_node_t *map, const char *prefix, struct err *e);

static int read_pair(struct scope *s, const yaml_node_t *key, const yaml_node_t *value,
                     const char *prefix, struct err *e)
{
    struct found f = {0};
    struct slice text;
    struct slice name;

    if (!document_text(key, &text))
        return scope_fail(s, key, prefix, e, "this is %s; want a name in front of the colon",
                          document_kind(key));
    snprintf(f.name, sizeof f.name, "%s%s%.*s", prefix, *prefix ? "." : "",
             text.len > 60 ? 60 : (int)text.len, text.ptr);
    name = slice_str(f.name);
    if (!*prefix && is_word(s, f.name))
        return 0;
    if (find(s, name, &f))
        return set_found(s, key, value, &f, e);
    if (!is_group(s, name))
        return fail_unknown(s, key, f.name, e);
    if (document_text(value, &text) && text.len == 0)
        return 0;
    if (value->type != YAML_MAPPING_NODE)
        return scope_fail(s, value, f.name, e, "this is %s; want a map", document_kind(value));
    return read_group(s, value, f.name, e);
}

static int read_group(struct scope *s, const yaml_node_t *map, const char *prefix, struct err *e)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++)
        if (read_pair(s, document_node(s->document, p->key), document_node(s->document, p->value),
                      prefix, e) < 0)
            return -1;
    return 0;
}

int scope_read(struct scope *s, struct err *e)
{
    for (size_t p = 0; p < s->n_parts; p++) {
        struct scope_part *part = &s->parts[p];

        part->seen =
            keep_alloc(s->config->keep, (part->table->n_options + 1) * sizeof(yaml_node_t *));
        if (!part->seen)
            return scope_fail(s, s->map, "", e, "too large: out of memory");
    }
    return read_group(s, s->map, "", e);
}

/* --- words --- */

int scope_find_words(struct scope *s, struct err *e)
{
    const yaml_node_t *map = s->map;

    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const yaml_node_t *key = document_node(s->document, p->key);
        const yaml_node_t *value = document_node(s->document, p->value);
        struct slice text;

        for (size_t i = 0; document_text(key, &text) && i < s->n_words; i++) {
            struct scope_word *w = &s->words[i];

            if (!slice_is(text, w->name))
                continue;
            if (w->value)
                return scope_fail(s, key, w->name, e, "given twice; the first is in line %zu",
                                  w->value->start_mark.line + 1);
            w->value = value;
        }
    }
    return 0;
}

const char *scope_text(const struct scope *s, const yaml_node_t *node, const char *name,
                       struct err *e)
{
    struct buffer value = {0};
    struct slice text;
    const char *copy = NULL;

    if (!document_text(node, &text)) {
        scope_fail(s, node, name, e, "this is %s; want a text", document_kind(node));
        return NULL;
    }
    if (check_lines(s, node, name, e) < 0)
        return NULL;
    if (expand(text, false, &value, NULL, e) < 0)
        scope_locate(s, node, name, e);
    else if (!(copy = keep_text(s->config->keep, buffer_slice(&value))))
        scope_fail(s, node, name, e, "too large: out of memory");
    text_wipe(&value);
    return copy;
}
