#include "parsers/pairs.h"

#include "parsers/fill.h"
#include "parsers/json_scan.h"
#include "parsers/json_string.h"
#include "parsers/quoted.h"

struct pair {
    struct slice key;
    struct slice value;
    bool has_value; /* else it is a word by itself */
    bool is_quoted;
    bool has_escapes;
};

/* One line on its way. */
struct reading {
    const struct pair_rules *rules;
    struct parse_scratch *scratch;
    struct slice line;
    struct filling filling;
    size_t n_pairs;
    size_t n_words;
    bool has_text_room;
    bool is_out_of_memory;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim(struct slice s)
{
    while (s.len && is_blank(*s.ptr))
        s = slice_from(s, 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static size_t run_len(struct slice s, const bool *until, const bool *or_until)
{
    size_t n = 0;

    while (n < s.len && !until[(uint8_t)s.ptr[n]] && !or_until[(uint8_t)s.ptr[n]])
        n++;
    return n;
}

/* ------------------------------------------------------------------ cutting */

/* Up to the next separator, or, if it is quoted, behind its quote. False: a quote is not closed, or
 * something clings to it. */
static bool cut_value(const struct pair_rules *rules, struct slice *rest, struct pair *out)
{
    size_t blanks = 0;

    /* "name = value", where a blank does not separate. */
    while (blanks < rest->len && is_blank(rest->ptr[blanks]) && !rules->separates[' '])
        blanks++;
    if (blanks < rest->len && rules->quotes[(uint8_t)rest->ptr[blanks]]) {
        struct slice quoted = slice_from(*rest, blanks);

        if (quoted_cut(&quoted, &out->value, &out->has_escapes)) {
            size_t more = run_len(quoted, rules->separates, rules->separates);

            out->is_quoted = true;
            *rest = slice_from(quoted, more);
            return more == 0 || !rules->is_strict;
        }
        if (rules->is_strict)
            return false;
    }
    out->value = slice_of(rest->ptr, run_len(*rest, rules->separates, rules->separates));
    *rest = slice_from(*rest, out->value.len);
    out->value = trim(out->value);
    return true;
}

/* False: the line is not of this form. */
static bool cut_pair(const struct pair_rules *rules, struct slice *rest, struct pair *out)
{
    size_t len = run_len(*rest, rules->separates, rules->assigns);

    *out = (struct pair){.key = trim(slice_of(rest->ptr, len))};
    *rest = slice_from(*rest, len);
    if (!rest->len || !rules->assigns[(uint8_t)*rest->ptr])
        return true;
    *rest = slice_from(*rest, 1);
    out->has_value = true;
    return cut_value(rules, rest, out);
}

/* ------------------------------------------------------------------ names */

/* Bytes that no logger puts into a name: with one of them a line is prose, or code. */
static bool is_name_byte(char c)
{
    static const bool is_other[256] = {
        ['"'] = true, ['\''] = true, ['\\'] = true, ['{'] = true, ['}'] = true, ['('] = true,
        [')'] = true, ['<'] = true,  ['>'] = true,  [','] = true, [';'] = true, [0x7F] = true,
    };

    return (uint8_t)c > ' ' && !is_other[(uint8_t)c];
}

static bool is_name(struct slice key)
{
    if (!key.len || key.len > PAIRS_KEY_MAX)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (!is_name_byte(key.ptr[i]))
            return false;
    return true;
}

static bool is_ascii(struct slice s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;

    return json_plain_end(p, p + s.len) == p + s.len;
}

/* ------------------------------------------------------------------ one pair into the record */

/* Room in scratch->text for all that one line can need, at once: slices into it must not move. A
 * byte of a name may become three. */
static bool has_text_room(struct reading *r)
{
    size_t need = 3 * r->line.len + PAIRS_MAX * r->rules->prefix.len;

    if (!r->has_text_room && !buffer_reserve(&r->scratch->text, need))
        r->is_out_of_memory = true;
    r->has_text_room = true;
    return !r->is_out_of_memory;
}

static struct slice escaped(struct reading *r, struct slice key, struct slice prefix)
{
    struct buffer *text = &r->scratch->text;
    size_t from = text->len;

    if (!has_text_room(r))
        return key;
    buffer_add_slice(text, prefix);
    json_escape(key, text);
    return slice_from(buffer_slice(text), from);
}

static struct slice decoded(struct reading *r, const struct pair *p)
{
    struct buffer *text = &r->scratch->text;
    size_t from = text->len;

    if (!p->has_escapes || !has_text_room(r))
        return p->value;
    quoted_decode(p->value, text);
    return slice_from(buffer_slice(text), from);
}

static void find_name(struct reading *r, struct slice key, enum group_type type,
                      struct fill_name *out)
{
    const struct json_name *known = r->n_pairs < JSON_NAME_MEMOS
                                        ? json_name_recall(&r->scratch->memos[r->n_pairs], key)
                                        : json_name_find(key);

    *out = (struct fill_name){.key = key, .type = type};
    if (known && known->slot) {
        out->slot = (enum json_slot)known->slot;
        out->rank = known->rank;
    } else {
        out->ecs = ecs_field_find(key);
    }
    if (!is_ascii(key) || r->rules->prefix.len)
        out->key = escaped(r, key, r->rules->prefix);
}

static void put_pair(struct reading *r, const struct pair *p)
{
    struct fill_name name;

    find_name(r, p->key, p->is_quoted ? GROUP_STRING : GROUP_LITERAL, &name);
    if (p->has_value)
        fill_put(&r->filling, &name, decoded(r, p));
    else /* a word says that it is so, and nothing that a member of the record could hold */
        fill_own(&r->filling, name.key, (struct value){slice_str("true"), VALUE_JSON});
}

/* False: the line is not of this form. */
static bool take(struct reading *r, const struct pair *p)
{
    bool is_named = is_name(p->key);

    if (!r->rules->is_strict) {
        if (!p->has_value || !is_named)
            return true;
        r->n_pairs++;
    } else {
        /* "dGVzdA==" is no pair. */
        if (!is_named || (p->value.len && !p->is_quoted && *p->value.ptr == '='))
            return false;
        r->n_pairs += p->has_value;
        r->n_words += !p->has_value;
    }
    if (r->n_pairs + r->n_words > PAIRS_MAX)
        return false;
    put_pair(r, p);
    return true;
}

/* What can be said before anything is written: the first word is a pair. */
static bool may_be_strict(const struct pair_rules *rules, struct slice line)
{
    size_t len = run_len(line, rules->separates, rules->assigns);

    return len > 0 && len < line.len && rules->assigns[(uint8_t)line.ptr[len]];
}

bool pairs_parse(const struct pair_rules *rules, struct parse_scratch *scratch, struct slice line,
                 struct record *out)
{
    struct reading r = {.rules = rules, .scratch = scratch, .line = line};
    struct slice rest = slice_trim(line);
    struct pair pair;

    if ((rules->is_strict && !may_be_strict(rules, rest)) ||
        !fill_start(&r.filling, scratch, out, PAIRS_MAX))
        return false;
    while (rest.len) {
        if (rules->separates[(uint8_t)*rest.ptr]) {
            rest = slice_from(rest, 1);
            continue;
        }
        if (!cut_pair(rules, &rest, &pair) || !take(&r, &pair))
            return false;
    }
    /* A line with more words than pairs is prose that mentions a pair. */
    return r.n_pairs > 0 && r.n_pairs >= r.n_words && !r.is_out_of_memory;
}
