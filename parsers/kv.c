/* Pairs in a line, with separators of the user's choice; what stands between them is passed over.
 */
#include "parsers/kv.h"

#include <stdlib.h>

#include "parsers/json_scan.h"
#include "parsers/pairs.h"
#include "parsers/parser.h"

struct kv {
    struct pair_rules rules;
    struct buffer prefix; /* what rules.prefix is a slice of */
};

static void kv_free(void *self)
{
    struct kv *kv = self;

    if (kv)
        buffer_free(&kv->prefix);
    free(kv);
}

static int fail(struct err *e, const char *option, const char *what)
{
    err_set(e, ERR_CONFIG, "%s", what);
    return err_at(e, "%s", option);
}

/* The characters of `text`; "tab" is one. */
static void mark(const char *text, bool *set)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        text = "\t";
    for (; *text; text++)
        set[(uint8_t)*text] = true;
}

static int check_characters(const char *option, const char *text, struct err *e)
{
    for (; *text; text++)
        if ((uint8_t)*text >= 0x80 || *text == '\\')
            return fail(e, option, "only ASCII characters other than the backslash work");
    return 0;
}

static int check(const struct kv_options *o, const struct pair_rules *rules, struct err *e)
{
    for (int c = 0; c < 256; c++) {
        if (rules->separates[c] && rules->assigns[c])
            return fail(e, "separator", "a character of it is in pair_separator too");
        if (rules->quotes[c] && (rules->separates[c] || rules->assigns[c]))
            return fail(e, "quotes", "a character of it is a separator too");
    }
    if (check_characters("quotes", o->quotes, e) < 0 ||
        check_characters("separator", o->separator, e) < 0)
        return -1;
    if (o->prefix && strlen(o->prefix) > PAIRS_PREFIX_MAX)
        return fail(e, "prefix", "it is longer than 64 bytes");
    return 0;
}

static int build(struct kv *kv, const struct kv_options *o, struct err *e)
{
    mark(o->pair_separator, kv->rules.separates);
    mark(o->separator, kv->rules.assigns);
    if (strcmp(o->quotes, "none") != 0)
        mark(o->quotes, kv->rules.quotes);
    if (check(o, &kv->rules, e) < 0)
        return -1;
    json_escape(slice_str(o->prefix), &kv->prefix);
    if (kv->prefix.failed)
        return err_set(e, ERR_NOMEM, "out of memory");
    kv->rules.prefix = buffer_slice(&kv->prefix);
    return 0;
}

static void *kv_make(const void *options, struct err *e)
{
    struct kv *kv = calloc(1, sizeof *kv);

    if (!kv) {
        err_set(e, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (build(kv, options, e) == 0)
        return kv;
    kv_free(kv);
    return NULL;
}

static bool kv_parse(const void *self, struct parse_scratch *scratch, struct slice line,
                     struct record *out)
{
    const struct kv *kv = self;

    return pairs_parse(&kv->rules, scratch, line, out);
}

static const struct option options[] = {
    {.name = "pair_separator",
     .type = OPTION_STRING,
     .offset = offsetof(struct kv_options, pair_separator),
     .fallback = " ",
     .help = "each of its characters separates pairs; \"tab\" for a tab"},
    {.name = "separator",
     .type = OPTION_STRING,
     .offset = offsetof(struct kv_options, separator),
     .fallback = "=",
     .help = "each of its characters stands between a name and its value"},
    {.name = "quotes",
     .type = OPTION_STRING,
     .offset = offsetof(struct kv_options, quotes),
     .fallback = "\"'",
     .help = "each of its characters may stand around a value, with a backslash for itself; none"},
    {.name = "prefix",
     .type = OPTION_STRING,
     .offset = offsetof(struct kv_options, prefix),
     .help = "stands before the names of the fields that are the application's own"},
};

const struct parser_ops parser_kv = {
    .name = "kv",
    .help = "name=value pairs among other words, with separators and quotes of your choice",
    .options = {options, sizeof options / sizeof options[0], sizeof(struct kv_options)},
    .make = kv_make,
    .free = kv_free,
    .parse = kv_parse,
    .is_after_platform = true,
};
