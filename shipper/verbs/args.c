#include <string.h>

#include "shipper/base/nearest.h"
#include "shipper/verbs/args.h"
#include "shipper/verbs/verbs.h"

/* The option that arg names, and behind "=" its value. */
static const struct arg_option *find(const char *arg, const struct arg_option *options,
                                     size_t n_options, const char **value)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < n_options; i++) {
        const struct arg_option *o = &options[i];

        if ((strlen(o->name) == len && strncmp(o->name, arg, len) == 0) ||
            (o->alias && strcmp(o->alias, arg) == 0))
            return o;
    }
    return NULL;
}

static int unknown(const char *verb, const char *arg, const struct arg_option *options,
                   size_t n_options)
{
    struct slice name = slice_of(arg, strcspn(arg, "=")); /* what is behind may be a secret */
    struct nearest near;

    if (name.len > 60)
        name.len = 60;
    nearest_init(&near, name);
    for (size_t i = 0; i < n_options; i++)
        nearest_offer(&near, options[i].name);
    if (near.name)
        return usage_error(verb, "unknown option \"%.*s\"; did you mean \"%s\"?", SLICE_ARG(name),
                           near.name);
    return usage_error(verb, "unknown option \"%.*s\"", SLICE_ARG(name));
}

int args_parse(const char *verb, int argc, char **argv, const struct arg_option *options,
               size_t n_options, int (*on_word)(void *ctx, const char *word), void *ctx)
{
    bool only_words = false;

    for (int i = 1; i < argc; i++) {
        const struct arg_option *o;
        const char *value;
        int rc;

        if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            rc = on_word(ctx, argv[i]);
            if (rc)
                return rc;
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        o = find(argv[i], options, n_options, &value);
        if (!o)
            return unknown(verb, argv[i], options, n_options);
        if (o->flag && value)
            return usage_error(verb, "%s takes no value", o->name);
        if (o->flag) {
            *o->flag = true;
            continue;
        }
        if (!value && i + 1 < argc)
            value = argv[++i];
        if (!value)
            return usage_error(verb, "%s wants a value", o->name);
        *o->value = value;
    }
    return 0;
}
