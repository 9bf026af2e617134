#include "parsers/fill.h"
#include "parsers/regex_fill.h"

void fill_name_find(struct slice key, enum group_type type, struct fill_name *out)
{
    const struct json_name *known = json_name_find(key);

    *out = (struct fill_name){.key = key, .type = type};
    if (known && known->slot) {
        out->slot = (enum json_slot)known->slot;
        out->rank = known->rank;
    } else {
        out->ecs = ecs_field_find(key);
    }
}

bool fill_start(struct filling *f, struct parse_scratch *scratch, struct record *out, size_t n_most)
{
    f->scratch = scratch;
    f->out = out;
    f->fields = parse_scratch_fields(scratch, n_most);
    f->keys = 0;
    f->filled = 0;
    out->fields = f->fields;
    out->root = scratch->root;
    return f->fields != NULL;
}

/* Which bit a key has in the filter. */
static uint64_t bit_of(struct slice key)
{
    uint64_t n = key.len * 7;

    if (key.len)
        n += (uint8_t)key.ptr[0] + 3 * (uint8_t)key.ptr[key.len / 2] +
             5 * (uint8_t)key.ptr[key.len - 1];
    return UINT64_C(1) << (n & 63);
}

static bool has_key(const struct filling *f, struct slice key)
{
    for (size_t i = 0; i < f->out->n_fields; i++)
        if (slice_eq(f->fields[i].key, key))
            return true;
    return false;
}

void fill_own(struct filling *f, struct slice key, struct value value)
{
    uint64_t bit = bit_of(key);

    if (f->keys & bit && has_key(f, key))
        return;
    f->keys |= bit;
    f->fields[f->out->n_fields++] = (struct field){key, value};
}

/* Puts the text into its slot unless a better one is there; what was there becomes one of the
 * application's own. */
static bool offer(struct filling *f, const struct fill_name *name, struct slice text)
{
    struct fill_owner *owner = &f->owners[name->slot];
    bool is_held = f->filled & 1u << name->slot;

    if ((is_held && owner->rank <= name->rank) ||
        !regex_fill(name->slot, &f->scratch->times, text, f->out))
        return false;
    if (is_held)
        fill_own(f, owner->key, regex_typed(owner->type, owner->text));
    f->filled |= 1u << name->slot;
    *owner = (struct fill_owner){name->key, text, name->type, name->rank};
    return true;
}

static bool has_root(const struct record *r, const struct ecs_field *field)
{
    for (size_t i = 0; i < r->n_root; i++)
        if (r->root[i].key.ptr == field->name.ptr)
            return true;
    return false;
}

void fill_put(struct filling *f, const struct fill_name *name, struct slice text)
{
    if (name->slot && offer(f, name, text))
        return;
    if (name->ecs && !has_root(f->out, name->ecs) && fill_root(f->out, f->scratch, name->ecs, text))
        return;
    fill_own(f, name->key, regex_typed(name->type, text));
}

bool fill_root_value(struct record *out, struct parse_scratch *scratch,
                     const struct ecs_field *field, struct value value)
{
    if (out->n_root == PARSE_ROOT_MAX)
        return false;
    scratch->root[out->n_root++] = (struct field){field->name, value};
    out->root = scratch->root;
    return true;
}

bool fill_root(struct record *out, struct parse_scratch *scratch, const struct ecs_field *field,
               struct slice text)
{
    struct value value;

    return ecs_field_value(field, text, &value) && fill_root_value(out, scratch, field, value);
}
