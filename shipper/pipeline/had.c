#include <stdlib.h>
#include <string.h>

#include "shipper/pipeline/batch.h"
#include "shipper/pipeline/chunk.h"
#include "shipper/pipeline/had.h"
#include "shipper/pipeline/lanes.h"
#include "shipper/pipeline/stream.h"

void had_free(struct had_list *list)
{
    for (unsigned i = 0; i < list->n_outputs; i++) {
        number_set_free(&list->outputs[i].lines);
        number_set_free(&list->outputs[i].summaries);
    }
    free(list->outputs);
    *list = (struct had_list){0};
}

/* NULL: out of memory. */
static struct had *had_of(struct had_list *list, unsigned output)
{
    struct had *grown;

    if (output < list->n_outputs)
        return &list->outputs[output];
    grown = realloc(list->outputs, (output + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    memset(grown + list->n_outputs, 0, (output + 1 - list->n_outputs) * sizeof *grown);
    list->outputs = grown;
    list->n_outputs = output + 1;
    return &grown[output];
}

/* --- noting ---------------------------------------------------------------------------------- */

void had_note(struct had_list *list, unsigned output, const struct batch_item *items, size_t n)
{
    struct had *had = had_of(list, output);
    uint64_t from = UINT64_MAX;
    uint64_t to = 0;

    if (!had)
        return;
    for (size_t i = 0; i < n; i++) {
        uint64_t place = chunk_item_place(&items[i]);

        if (batch_item_is_summary(&items[i])) {
            if (place != HAD_PLACE_UNKNOWN)
                number_set_add(&had->summaries, place, place + 1);
            continue;
        }
        if (from == UINT64_MAX)
            from = place;
        to = place + 1;
    }
    if (from != UINT64_MAX)
        number_set_add(&had->lines, from, to);
}

bool had_has(const struct had_list *list, unsigned output, bool is_summary, uint64_t place)
{
    const struct had *had = output < list->n_outputs ? &list->outputs[output] : NULL;

    return had && number_set_has(is_summary ? &had->summaries : &had->lines, place);
}

/* --- from one life to the next --------------------------------------------------------------- */

/* *to gets what `from` has from number `first` on. */
static void merge(struct number_set *to, const struct number_set *from, uint64_t first)
{
    for (size_t i = number_set_find(from, first); i < from->n; i++) {
        const struct number_range *r = &from->ranges[i];

        number_set_add(to, r->from > first ? r->from : first, r->to);
    }
}

/* At the settled position one summary may be held back, of a REPORT before it: the last of them. */
static void keep_held(struct number_set *to, const struct number_set *from, uint64_t settled)
{
    size_t i = number_set_find(from, settled);

    if (i < from->n && from->ranges[i].from < settled)
        number_set_add(to, settled - 1, settled);
    else if (i > 0)
        number_set_add(to, from->ranges[i - 1].to - 1, from->ranges[i - 1].to);
}

static void add_part(struct had *to, const struct had_list *from, unsigned output, uint64_t settled)
{
    if (output >= from->n_outputs)
        return;
    merge(&to->lines, &from->outputs[output].lines, settled);
    merge(&to->summaries, &from->outputs[output].summaries, settled);
    keep_held(&to->summaries, &from->outputs[output].summaries, settled);
}

static void add_set(struct buffer *out, const struct number_set *set)
{
    buffer_printf(out, " %zu", set->n);
    for (size_t i = 0; i < set->n; i++)
        buffer_printf(out, " %llu %llu", (unsigned long long)set->ranges[i].from,
                      (unsigned long long)(set->ranges[i].to - set->ranges[i].from));
}

/* "LEN IDENTITY N FROM COUNT ... N FROM COUNT ...\n": its lines, then its summaries. */
static void save_output(const struct had *had, const char *identity, struct buffer *out)
{
    if (!had->lines.n && !had->summaries.n)
        return;
    buffer_printf(out, "%zu ", strlen(identity));
    buffer_add_slice(out, slice_str(identity));
    add_set(out, &had->lines);
    add_set(out, &had->summaries);
    buffer_add_char(out, '\n');
}

void had_save(const struct stream *s, const struct lanes *lanes, struct buffer *out)
{
    for (unsigned i = 0; i < lanes_count(lanes); i++) {
        const char *identity = lanes_options(lanes, i)->identity;
        struct had_list had = {0};

        if (!identity)
            continue;
        had.outputs = &(struct had){0};
        add_part(had.outputs, &s->had, i, s->settled_position);
        for (const struct chunk *c = s->oldest; c; c = c->next)
            add_part(had.outputs, &c->had, i, s->settled_position);
        save_output(had.outputs, identity, out);
        number_set_free(&had.outputs->lines);
        number_set_free(&had.outputs->summaries);
    }
}

/* Digits, and the byte behind them. */
static bool take_number(struct slice *rest, uint64_t *n)
{
    size_t i = 0;

    for (*n = 0; i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9' && i < 20; i++)
        *n = *n * 10 + (uint64_t)(rest->ptr[i] - '0');
    if (i == 0 || i == rest->len)
        return false;
    *rest = slice_from(*rest, i + 1);
    return true;
}

static bool take_set(struct slice *rest, struct number_set *set)
{
    uint64_t n;
    uint64_t from;
    uint64_t count;

    if (!take_number(rest, &n))
        return false;
    for (; n; n--) {
        if (!take_number(rest, &from) || !take_number(rest, &count) || count > UINT64_MAX - from)
            return false;
        if (!number_set_add(set, from, from + count))
            return false;
    }
    return true;
}

/* The index of the output that says of itself to be this; the number of outputs: none does. */
static unsigned find_output(const struct lanes *lanes, struct slice identity)
{
    unsigned i = 0;

    for (; i < lanes_count(lanes); i++) {
        const char *own = lanes_options(lanes, i)->identity;

        if (own && slice_eq(slice_str(own), identity))
            break;
    }
    return i;
}

static bool load_output(struct stream *s, const struct lanes *lanes, struct slice *rest)
{
    struct had had = {0};
    struct had *to;
    uint64_t len;
    unsigned output;
    bool is_whole;

    if (!take_number(rest, &len) || len >= rest->len)
        return false;
    output = find_output(lanes, slice_of(rest->ptr, (size_t)len));
    *rest = slice_from(*rest, (size_t)len + 1);
    is_whole = take_set(rest, &had.lines) && take_set(rest, &had.summaries);
    to = is_whole && output < lanes_count(lanes) ? had_of(&s->had, output) : NULL;
    if (to) {
        merge(&to->lines, &had.lines, 0);
        merge(&to->summaries, &had.summaries, 0);
    }
    number_set_free(&had.lines);
    number_set_free(&had.summaries);
    return is_whole;
}

void had_load(struct stream *s, const struct lanes *lanes, struct slice bytes)
{
    while (bytes.len && load_output(s, lanes, &bytes))
        ;
}
