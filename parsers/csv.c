/* Lines of columns (RFC 4180, but for line breaks in a column: a line is a record). */
#include "parsers/csv.h"

#include <stdlib.h>

#include "parsers/fill.h"
#include "parsers/json_scan.h"
#include "parsers/parser.h"

enum { MOST_COLUMNS = 1000 };

struct column {
    struct fill_name name;
    struct slice plain; /* as the header has it */
    bool is_unwanted;
};

struct csv {
    struct column *columns;
    size_t n_columns;
    struct buffer keys; /* the JSON-escaped names */
    char delimiter;
    char quote; /* '\0': none */
};

/* ------------------------------------------------------------------ a line */

/* Cuts the next column off: *is_last is set with the line's end. False: its quote is not closed, or
 * something stands behind it. */
static bool cut(const struct csv *csv, struct slice *rest, struct slice *column, bool *is_quoted,
                bool *is_last)
{
    size_t n = 0;

    *is_quoted = csv->quote && rest->len && *rest->ptr == csv->quote;
    if (*is_quoted)
        for (n = 1; n < rest->len; n++) {
            if (rest->ptr[n] != csv->quote)
                continue;
            if (n + 1 == rest->len || rest->ptr[n + 1] != csv->quote)
                break;
            n++;
        }
    else
        while (n < rest->len && rest->ptr[n] != csv->delimiter)
            n++;
    *column = slice_of(rest->ptr, n);
    if (*is_quoted) {
        if (n >= rest->len)
            return false;
        *column = slice_from(*column, 1);
        n++;
    }
    *is_last = n == rest->len;
    if (!*is_last && rest->ptr[n] != csv->delimiter)
        return false;
    *rest = slice_from(*rest, *is_last ? n : n + 1);
    return true;
}

/* "a ""b""" with its doubled quotes as one. */
static struct slice undouble(const struct csv *csv, struct slice text, struct buffer *out)
{
    size_t from = out->len;
    struct slice part;

    while (slice_cut(&text, csv->quote, &part)) {
        buffer_add_slice(out, part);
        buffer_add_char(out, csv->quote);
        if (text.len)
            text = slice_from(text, 1);
    }
    buffer_add_slice(out, text);
    return slice_from(buffer_slice(out), from);
}

/* The line that names the columns says nothing about anything else. */
static bool is_header(const struct csv *csv, struct slice line)
{
    bool is_last = false;

    for (size_t i = 0; i < csv->n_columns; i++) {
        struct slice text;
        bool is_quoted;

        if (is_last || !cut(csv, &line, &text, &is_quoted, &is_last) ||
            (!csv->columns[i].is_unwanted && !slice_eq(text, csv->columns[i].plain)))
            return false;
    }
    return is_last;
}

static bool csv_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                      struct record *out)
{
    const struct csv *csv = self;
    struct slice rest = line;
    struct filling f;
    bool is_last = false;

    if (is_header(csv, line)) {
        out->message = value_text(line);
        return true;
    }
    if ((csv->quote && !buffer_reserve(&scratch->text, line.len)) ||
        !fill_start(&f, scratch, out, csv->n_columns))
        return false;
    for (size_t i = 0; i < csv->n_columns; i++) {
        const struct column *column = &csv->columns[i];
        struct slice text;
        bool is_quoted;

        if (is_last || !cut(csv, &rest, &text, &is_quoted, &is_last))
            return false;
        if (is_quoted && memchr(text.ptr, csv->quote, text.len))
            text = undouble(csv, text, &scratch->text);
        if (!column->is_unwanted)
            fill_put(&f, &column->name, text);
    }
    return is_last;
}

/* ------------------------------------------------------------------ the options */

static void csv_free(void *self)
{
    struct csv *csv = self;

    if (!csv)
        return;
    free(csv->columns);
    buffer_free(&csv->keys);
    free(csv);
}

static int read_character(const char *option, const char *text, char *out, struct err *e)
{
    bool is_tab = strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0;

    *out = is_tab ? '\t' : *text;
    if (is_tab || (strlen(text) == 1 && (uint8_t)*text < 0x80))
        return 0;
    err_set(e, ERR_CONFIG, "\"%.20s\" is not one ASCII character, tab%s", text,
            strcmp(option, "quote") == 0 ? " or none" : "");
    return err_at(e, "%s", option);
}

static const char *type_of(const struct csv_options *o, const char *name)
{
    for (size_t i = 0; i < o->types.n_items; i++)
        if (strcmp(o->types.keys[i], name) == 0)
            return o->types.values[i];
    return "string";
}

static bool has_column(const struct csv_options *o, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(o->columns.items[i], name) == 0)
            return true;
    return false;
}

static int check_types(const struct csv_options *o, struct err *e)
{
    enum group_type ignored;

    for (size_t i = 0; i < o->types.n_items; i++) {
        if (!group_type_parse(slice_str(o->types.values[i]), &ignored))
            err_set(e, ERR_CONFIG, "\"%.40s\" is not one of string, int, float, bool",
                    o->types.values[i]);
        else if (!has_column(o, o->types.keys[i], o->columns.n_items))
            err_set(e, ERR_CONFIG, "there is no column of that name");
        else
            continue;
        return err_at(e, "types.%.60s", o->types.keys[i]);
    }
    return 0;
}

static int check_columns(const struct csv_options *o, struct err *e)
{
    if (o->columns.n_items > MOST_COLUMNS) {
        err_set(e, ERR_CONFIG, "these are %zu columns; at most %d work", o->columns.n_items,
                MOST_COLUMNS);
        return err_at(e, "columns");
    }
    for (size_t i = 0; i < o->columns.n_items; i++) {
        const char *name = o->columns.items[i];

        if (strcmp(name, "-") != 0 && has_column(o, name, i)) {
            err_set(e, ERR_CONFIG, "\"%.60s\" is the name of a column before it", name);
            return err_at(e, "columns[%zu]", i);
        }
    }
    return 0;
}

static int check(const struct csv_options *o, struct csv *csv, struct err *e)
{
    if (check_columns(o, e) < 0 || check_types(o, e) < 0 ||
        read_character("delimiter", o->delimiter, &csv->delimiter, e) < 0)
        return -1;
    if (strcmp(o->quote, "none") != 0 && read_character("quote", o->quote, &csv->quote, e) < 0)
        return -1;
    if (csv->quote != csv->delimiter)
        return 0;
    err_set(e, ERR_CONFIG, "it is the delimiter too");
    return err_at(e, "quote");
}

/* A column with a type is the user's own, whatever its name. */
static void set_column(struct column *column, struct slice plain, struct slice key,
                       const char *type)
{
    enum group_type parsed = GROUP_STRING;

    group_type_parse(slice_str(type), &parsed);
    column->plain = plain;
    column->is_unwanted = slice_is(plain, "-");
    fill_name_find(plain, parsed, &column->name);
    column->name.key = key;
    if (parsed != GROUP_STRING)
        column->name.slot = JSON_SLOT_NONE;
}

static int build(struct csv *csv, const struct csv_options *o, struct err *e)
{
    size_t n = o->columns.n_items;
    size_t room = 0;

    if (check(o, csv, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        room += 6 * strlen(o->columns.items[i]);
    csv->columns = calloc(n, sizeof *csv->columns);
    if (!csv->columns || !buffer_reserve(&csv->keys, room + 1))
        return err_set(e, ERR_NOMEM, "out of memory");
    csv->n_columns = n;
    for (size_t i = 0; i < n; i++) {
        size_t from = csv->keys.len;

        json_escape(slice_str(o->columns.items[i]), &csv->keys);
        set_column(&csv->columns[i], slice_str(o->columns.items[i]),
                   slice_from(buffer_slice(&csv->keys), from), type_of(o, o->columns.items[i]));
    }
    return 0;
}

static void *csv_make(const void *options, struct err *e)
{
    struct csv *csv = calloc(1, sizeof *csv);

    if (!csv) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (build(csv, options, e) == 0)
        return csv;
    csv_free(csv);
    return NULL;
}

static const struct option options[] = {
    {.name = "columns",
     .type = OPTION_LIST,
     .offset = offsetof(struct csv_options, columns),
     .is_required = true,
     .help = "the names of all columns in their order; - for one that is not wanted"},
    {.name = "types",
     .type = OPTION_MAP,
     .offset = offsetof(struct csv_options, types),
     .help = "column: string, int, float or bool"},
    {.name = "delimiter",
     .type = OPTION_STRING,
     .offset = offsetof(struct csv_options, delimiter),
     .fallback = ",",
     .help = "one character, or tab"},
    {.name = "quote",
     .type = OPTION_STRING,
     .offset = offsetof(struct csv_options, quote),
     .fallback = "\"",
     .help = "one character around a column, doubled for itself; none"},
};

const struct parser_ops parser_csv = {
    .name = "csv",
    .help = "columns between commas, tabs or other delimiters; the configuration names them",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct csv_options)},
    .make = csv_make,
    .free = csv_free,
    .parse = csv_parse,
    .is_after_platform = true,
};
