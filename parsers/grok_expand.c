#include "parsers/grok_expand.h"

#include <stdio.h>
#include <string.h>

#include "parsers/grok_library.h"
#include "shipper/base/nearest.h"

enum { DEEPEST = 32 };

struct expansion {
    const struct option_map *definitions;
    struct arena *arena;
    struct buffer *plain;
    struct regex_types *types;
    struct slice open[DEEPEST]; /* the definitions that we are in */
    size_t n_open;
    struct err *e;
};

/* %{NAME:field:type}, in parts. */
struct reference {
    struct slice name;
    struct slice field; /* empty: it makes no field */
    struct slice type;
};

static const char *find(const struct option_map *definitions, struct slice name)
{
    for (size_t i = 0; i < definitions->n_items; i++)
        if (slice_is(name, definitions->keys[i]))
            return definitions->values[i];
    return grok_library_find(name);
}

static int fail_unknown(const struct expansion *x, struct slice name)
{
    struct nearest near;

    nearest_init(&near, name);
    for (size_t i = 0; i < x->definitions->n_items; i++)
        nearest_offer(&near, x->definitions->keys[i]);
    for (size_t i = 0; i < grok_library_len; i++)
        nearest_offer(&near, grok_library[i].name);
    if (near.name)
        return err_set(x->e, ERR_CONFIG, "there is no pattern \"%.*s\"; did you mean \"%s\"?",
                       (int)(name.len < 60 ? name.len : 60), name.ptr, near.name);
    return err_set(x->e, ERR_CONFIG, "there is no pattern \"%.*s\"; `patterns` may define it",
                   (int)(name.len < 60 ? name.len : 60), name.ptr);
}

/* ------------------------------------------------------------------ fields */

static bool is_field_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_.@-", c));
}

/* "[source][ip]", which is how Logstash has it, as "source.ip"; empty when memory is out. */
static struct slice without_brackets(struct expansion *x, struct slice field)
{
    char *text = arena_alloc(x->arena, field.len);
    size_t len = 0;

    for (size_t i = 0; text && i < field.len; i++) {
        if (field.ptr[i] == '[' && len)
            text[len++] = '.';
        else if (field.ptr[i] != '[' && field.ptr[i] != ']')
            text[len++] = field.ptr[i];
    }
    return slice_of(text, len);
}

static int read_field(struct expansion *x, struct slice *field)
{
    struct slice said = *field;

    if (said.len && *said.ptr == '[')
        *field = without_brackets(x, said);
    for (size_t i = 0; i < field->len; i++)
        if (!is_field_char(field->ptr[i]))
            field->len = 0;
    if (field->len && field->len <= 255)
        return 0;
    return err_set(x->e, ERR_CONFIG,
                   "\"%.*s\" is no name of a field: letters, digits, _ . @ and - make one",
                   (int)(said.len < 60 ? said.len : 60), said.ptr);
}

/* Those of Elasticsearch's grok too. */
static int read_type(struct expansion *x, struct slice text, enum group_type *type)
{
    static const struct {
        const char *name;
        enum group_type type;
    } more[] = {{"long", GROUP_INT},
                {"integer", GROUP_INT},
                {"double", GROUP_FLOAT},
                {"boolean", GROUP_BOOL}};

    if (group_type_parse(text, type))
        return 0;
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (slice_is(text, more[i].name)) {
            *type = more[i].type;
            return 0;
        }
    return err_set(x->e, ERR_CONFIG, "type \"%.*s\" is not one of string, int, float, bool",
                   (int)(text.len < 40 ? text.len : 40), text.ptr);
}

/* Begins the group "(?<g7>" and lists it. */
static int open_group(struct expansion *x, const struct reference *ref)
{
    struct typed_group group = {.field = ref->field};
    char name[24];

    if (read_field(x, &group.field) < 0 ||
        (ref->type.len && read_type(x, ref->type, &group.type) < 0))
        return -1;
    snprintf(name, sizeof name, "g%zu", x->types->n_groups + 1);
    group.name = arena_copy(x->arena, slice_str(name));
    if (!group.name.ptr)
        return err_set(x->e, ERR_NOMEM, "out of memory");
    buffer_printf(x->plain, "(?<%s>", name);
    return regex_types_add(x->types, &group, x->e);
}

/* ------------------------------------------------------------------ references */

static int expand(struct expansion *x, const char *pattern);

static int expand_name(struct expansion *x, struct slice name)
{
    const char *text = find(x->definitions, name);

    if (!text)
        return fail_unknown(x, name);
    for (size_t i = 0; i < x->n_open; i++)
        if (slice_eq(x->open[i], name))
            return err_set(x->e, ERR_CONFIG, "the pattern \"%.*s\" is made of itself",
                           (int)(name.len < 60 ? name.len : 60), name.ptr);
    if (x->n_open == DEEPEST)
        return err_set(x->e, ERR_CONFIG, "patterns within patterns, more than %d deep", DEEPEST);
    x->open[x->n_open++] = name;
    if (expand(x, text) < 0)
        return -1;
    x->n_open--;
    return 0;
}

static int expand_reference(struct expansion *x, const struct reference *ref)
{
    if (!ref->field.len)
        buffer_add_lit(x->plain, "(?:");
    else if (open_group(x, ref) < 0)
        return -1;
    if (expand_name(x, ref->name) < 0)
        return -1;
    buffer_add_char(x->plain, ')');
    return 0;
}

/* At "%{": how long it is; 0 if it is never closed. */
static size_t read_reference(const char *p, struct reference *out)
{
    size_t len = strcspn(p, "}");
    struct slice rest = slice_of(p + 2, p[len] ? len - 2 : 0);

    *out = (struct reference){.name = rest};
    if (!p[len])
        return 0;
    if (!slice_cut(&rest, ':', &out->name))
        return len + 1;
    out->field = rest;
    if (slice_cut(&rest, ':', &out->field))
        out->type = rest;
    else
        out->field = rest;
    return len + 1;
}

/* Up to the next reference; what a backslash stands before is none. */
static size_t plain_len(const char *p)
{
    size_t n = 0;

    while (p[n] && (p[n] != '%' || p[n + 1] != '{'))
        n += p[n] == '\\' && p[n + 1] ? 2 : 1;
    return n;
}

static int expand(struct expansion *x, const char *pattern)
{
    for (const char *p = pattern; *p;) {
        struct reference ref;
        size_t len = plain_len(p);

        buffer_add(x->plain, p, len);
        p += len;
        if (!*p)
            break;
        len = read_reference(p, &ref);
        if (!len)
            return err_set(x->e, ERR_CONFIG, "a %%{ is never closed: \"%.40s\"", p);
        if (expand_reference(x, &ref) < 0)
            return -1;
        p += len;
        if (x->plain->len > GROK_EXPANDED_MAX)
            return err_set(x->e, ERR_CONFIG, "written out it is longer than %d bytes",
                           GROK_EXPANDED_MAX);
    }
    return 0;
}

int grok_expand(const char *pattern, const struct option_map *definitions, struct arena *arena,
                struct buffer *plain, struct regex_types *types, struct err *e)
{
    struct expansion x = {
        .definitions = definitions, .arena = arena, .plain = plain, .types = types, .e = e};

    if (expand(&x, pattern) < 0)
        return -1;
    return plain->failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}
