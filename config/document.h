/* YAML text as a tree of nodes that know where they stand.
 *
 * Owner:  the caller's storage; document_free wipes and frees. `origin` is borrowed: it stands for
 *         the file in messages.
 * Errors: ERR_CONFIG, "origin:line:column: path" and "...; not starting".
 * Thread: one at a time. */
#ifndef SHIP_CONFIG_DOCUMENT_H
#define SHIP_CONFIG_DOCUMENT_H

#include <stdbool.h>

#include <yaml.h>

#include "shipper/base/error.h"
#include "shipper/base/slice.h"

struct document {
    yaml_document_t yaml;
    yaml_node_t *root; /* a map */
    const char *origin;
};

/* -1 and *e: not YAML, not UTF-8, empty, several documents, no map. */
int document_parse(struct document *d, struct slice text, const char *origin, struct err *e);
void document_free(struct document *d);

/* What a pair or a list item points at; aliases are followed. */
yaml_node_t *document_node(const struct document *d, int index);

/* The text of a scalar; "" for a null; without the line ends at the end of a block, which `|` adds
 * and nobody means. False: it is none. */
bool document_text(const yaml_node_t *node, struct slice *out);
/* A scalar behind | or >. */
bool document_is_block(const yaml_node_t *node);
/* "a map", "a list", "a text" */
const char *document_kind(const yaml_node_t *node);

/* Fills *e: what, at this node, about the option `path` (may be empty). Returns -1. */
int document_fail(const struct document *d, const yaml_node_t *at, const char *path, struct err *e,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same for an error that is there already: `what` stays and gets its end, `where` is written
 * anew. */
int document_locate(const struct document *d, const yaml_node_t *at, const char *path,
                    struct err *e);

#endif
