/* Any text as a configuration: it is taken, or refused with a word and a place. */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "tests/fuzz/targets.h"

int fuzz_config(const uint8_t *data, size_t size)
{
    static const char end[] = "; not starting";
    struct err e = {0};
    struct config *c;
    size_t len;

    /* A file that it names is not for us to read. */
    if (size >= 6 && memmem(data, size, "${file", 6))
        return 0;
    c = config_parse((const char *)data, size, "f.yaml", &e);
    len = strlen(e.what);
    if (!c && (e.code != ERR_CONFIG || strncmp(e.where, "f.yaml", 6) != 0 || len < sizeof end ||
               strcmp(e.what + len - (sizeof end - 1), end) != 0)) {
        fprintf(stderr, "broken: refused with \"%s: %s\"\n", e.where, e.what);
        abort();
    }
    if (c && !(c->n_inputs && c->n_outputs)) {
        fprintf(stderr, "broken: nothing to read, or nowhere to send it\n");
        abort();
    }
    config_free(c);
    return 0;
}
