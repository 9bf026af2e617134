/* The words after a verb: options with values, flags, and the rest.
 *
 * "--to WHERE", "--to=WHERE", "-c FILE"; "--" ends the options; a lone "-" is a word.
 * Owner:  the caller's storage; values point into argv. Thread: main's. */
#ifndef SHIP_VERBS_ARGS_H
#define SHIP_VERBS_ARGS_H

#include <stdbool.h>
#include <stddef.h>

struct arg_option {
    const char *name;   /* "--to" */
    const char *alias;  /* "-t" or NULL */
    const char **value; /* set to the option's value; NULL: it is a flag */
    bool *flag;         /* set to true */
};

/* Calls on_word for each word that is no option. Returns 0, or the exit code after an unknown
 * option or a missing value was told. */
int args_parse(const char *verb, int argc, char **argv, const struct arg_option *options,
               size_t n_options, int (*on_word)(void *ctx, const char *word), void *ctx);

#endif
