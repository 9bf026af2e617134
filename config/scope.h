/* One map of the file into the option structs that its names belong to.
 *
 * A name is looked up in each part's table in turn. "tls.ca_file: x" and "tls: {ca_file: x}" are
 * the same. Thread: one at a time. */
#ifndef SHIP_CONFIG_SCOPE_H
#define SHIP_CONFIG_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/document.h"
#include "shipper/base/error.h"
#include "shipper/base/option.h"

enum { SCOPE_PARTS = 2, SCOPE_WORDS = 2, SCOPE_PATH_MAX = 160 };

struct scope_part {
    const struct option_table *table;
    void *options;
    const yaml_node_t **seen; /* scope_read's: where each option was given */
};

/* A name whose value the caller reads himself. */
struct scope_word {
    const char *name;
    const yaml_node_t *value; /* NULL: it is not there */
};

struct scope {
    const struct document *document;
    struct config *config; /* which keeps the values, and notes where secrets are */
    const char *help;      /* "file": `ship help file` lists the names */
    const yaml_node_t *map;
    char path[SCOPE_PATH_MAX]; /* "outputs[0]"; "" for the top */
    struct scope_part parts[SCOPE_PARTS];
    size_t n_parts;
    struct scope_word words[SCOPE_WORDS];
    size_t n_words;
};

/* Finds the words alone, so that the parts can be chosen by them. -1 and *e: one is there twice. */
int scope_find_words(struct scope *s, struct err *e);
/* Reads all other names. -1 and *e. */
int scope_read(struct scope *s, struct err *e);

/* The text of a node, expanded and NUL-terminated, in s->config->keep. NULL and *e. */
const char *scope_text(const struct scope *s, const yaml_node_t *node, const char *name,
                       struct err *e);
/* document_fail about "path.name". */
int scope_fail(const struct scope *s, const yaml_node_t *at, const char *name, struct err *e,
               const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* document_locate about "path.name". */
int scope_locate(const struct scope *s, const yaml_node_t *at, const char *name, struct err *e);
/* An error about this scope's map as a whole, whose `where` begins with the name of an option:
 * finds the place where that option was given, else takes the map's. */
int scope_locate_option(const struct scope *s, struct err *e);

#endif
