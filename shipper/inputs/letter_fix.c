#include <stdlib.h>

#include "parsers/json_scan.h"
#include "shipper/inputs/letter_fix.h"

/* --- what was asked for ---------------------------------------------------------------------- */

/* As it stands between the quotes of a key, so that nothing has to be escaped. */
static bool is_plain_key(struct slice field)
{
    struct buffer escaped = {0};
    bool is_plain = !json_escape(field, &escaped) && slice_eq(buffer_slice(&escaped), field);

    buffer_free(&escaped);
    return is_plain;
}

static int check_field(struct slice field, const char *what, struct err *e)
{
    if (!field.ptr || field.len == 0)
        return err_set(e, ERR_CONFIG, "%s has no name", what);
    if (!is_plain_key(field))
        return err_set(
            e, ERR_CONFIG,
            "%s has a quote, backslash or control character in it, or bytes that are no UTF-8",
            what);
    return 0;
}

static int set_up(struct letter_fix *f, enum letter_fix_kind kind, struct slice field,
                  struct slice value, struct err *e)
{
    *f = (struct letter_fix){kind, field, value};
    if (kind == LETTER_FIX_RENAME && check_field(value, "the new field", e) < 0)
        return -1;
    return check_field(field, "the field", e);
}

/* What comes first decides: in a=b->c the value is "b->c". */
int letter_fix_parse(const char *text, struct letter_fix *out, struct err *e)
{
    static const struct slice arrow = SLICE_LIT("->");
    static const struct slice string = SLICE_LIT(":string");
    struct slice all = slice_str(text);
    ptrdiff_t equals = slice_find(all, (struct slice)SLICE_LIT("="));
    ptrdiff_t rename = slice_find(all, arrow);
    int rc;

    if (equals >= 0 && (rename < 0 || equals < rename))
        rc = set_up(out, LETTER_FIX_SET, slice_of(text, (size_t)equals),
                    slice_from(all, (size_t)equals + 1), e);
    else if (rename >= 0)
        rc = set_up(out, LETTER_FIX_RENAME, slice_of(text, (size_t)rename),
                    slice_from(all, (size_t)rename + arrow.len), e);
    else if (slice_ends(all, string))
        rc = set_up(out, LETTER_FIX_STRING, slice_of(text, all.len - string.len), (struct slice){0},
                    e);
    else if (slice_starts(all, (struct slice)SLICE_LIT("-")))
        rc = set_up(out, LETTER_FIX_REMOVE, slice_from(all, 1), (struct slice){0}, e);
    else
        rc = err_set(e, ERR_CONFIG, "want FIELD=VALUE, -FIELD, OLD->NEW or FIELD:string");
    return rc < 0 ? err_at(e, "\"%.60s\"", text) : 0;
}

/* --- taking a field out ---------------------------------------------------------------------- */

/* Something that stood in the document; slices into it. */
struct taken {
    struct slice below; /* of its key, behind the field: "" or ".x" */
    struct json_member member;
};

struct takings {
    struct taken *items;
    size_t n;
    bool failed;
};

static void take(struct takings *t, const struct json_member *m, struct slice below)
{
    struct taken *items = realloc(t->items, (t->n + 1) * sizeof *items);

    if (!items) {
        t->failed = true;
        return;
    }
    t->items = items;
    t->items[t->n++] = (struct taken){below, *m};
}

/* `path` is `above` with ".something" behind it. */
static bool is_below(struct slice path, struct slice above)
{
    return path.len > above.len && slice_starts(path, above) && path.ptr[above.len] == '.';
}

static void add_key(struct slice key, struct slice below, bool is_first, struct buffer *out)
{
    if (!is_first)
        buffer_add_char(out, ',');
    buffer_add_char(out, '"');
    buffer_add_slice(out, key);
    buffer_add_slice(out, below);
    buffer_add_lit(out, "\":");
}

static void add_value(const struct json_member *m, struct buffer *out)
{
    bool is_text = m->type == JSON_TYPE_STRING;

    if (is_text)
        buffer_add_char(out, '"');
    buffer_add_slice(out, m->value);
    if (is_text)
        buffer_add_char(out, '"');
}

/* Appends the object without the field and what is below it; both go to *t. */
static void take_out(struct slice object, struct slice field, struct takings *t, struct buffer *out)
{
    struct json_object scan = {0};
    bool is_first = true;

    if (json_scan(object, &scan) != JSON_OK)
        t->failed = true;
    buffer_add_char(out, '{');
    for (size_t i = 0; i < scan.n_members && !t->failed; i++) {
        const struct json_member *m = &scan.members[i];

        if (slice_eq(m->key, field) || is_below(m->key, field)) {
            take(t, m, slice_from(m->key, field.len));
            continue;
        }
        add_key(m->key, (struct slice){0}, is_first, out);
        is_first = false;
        if (m->type == JSON_TYPE_OBJECT && is_below(field, m->key))
            take_out(m->value, slice_from(field, m->key.len + 1), t, out);
        else
            add_value(m, out);
    }
    buffer_add_char(out, '}');
    json_object_free(&scan);
}

/* --- putting it back ------------------------------------------------------------------------- */

static void add_text(const struct json_member *m, struct buffer *out)
{
    if (m->type == JSON_TYPE_STRING || m->type == JSON_TYPE_NULL) {
        add_value(m, out);
        return;
    }
    buffer_add_char(out, '"');
    json_escape(m->value, out);
    buffer_add_char(out, '"');
}

static void put_back(const struct letter_fix *fix, const struct takings *t, struct buffer *out)
{
    struct slice key = fix->kind == LETTER_FIX_RENAME ? fix->value : fix->field;
    bool is_first;

    out->len--; /* the closing brace */
    is_first = out->ptr[out->len - 1] == '{';
    if (fix->kind == LETTER_FIX_SET) {
        add_key(key, (struct slice){0}, is_first, out);
        buffer_add_char(out, '"');
        json_escape(fix->value, out);
        buffer_add_char(out, '"');
    }
    for (size_t i = 0; i < t->n && fix->kind != LETTER_FIX_SET; i++) {
        add_key(key, t->items[i].below, is_first && i == 0, out);
        if (fix->kind == LETTER_FIX_STRING)
            add_text(&t->items[i].member, out);
        else
            add_value(&t->items[i].member, out);
    }
    buffer_add_char(out, '}');
}

/* What bears the new name already makes room. */
static void make_room(struct slice name, struct buffer *out, size_t from, struct takings *t)
{
    struct takings none = {0};
    struct buffer kept = {0};

    take_out(slice_from(buffer_slice(out), from), name, &none, &kept);
    t->failed |= none.failed || kept.failed;
    out->len = from;
    buffer_add_slice(out, buffer_slice(&kept));
    buffer_free(&kept);
    free(none.items);
}

bool letter_fix_apply(const struct letter_fix *fix, struct slice document, struct buffer *out)
{
    size_t from = out->len;
    struct takings t = {0};

    take_out(document, fix->field, &t, out);
    if (fix->kind == LETTER_FIX_RENAME && t.n && !out->failed)
        make_room(fix->value, out, from, &t);
    if (fix->kind != LETTER_FIX_REMOVE && !t.failed && !out->failed)
        put_back(fix, &t, out);
    free(t.items);
    return !t.failed && !out->failed;
}
