/* What the option tables say, for people and for editors.
 *
 * Thread: any. */
#ifndef SHIP_CONFIG_SCHEMA_H
#define SHIP_CONFIG_SCHEMA_H

#include <stdbool.h>

#include "shipper/base/buffer.h"
#include "shipper/base/option.h"

/* The JSON schema (draft 2020-12) of the whole configuration file. */
void schema_write(struct buffer *out);
/* One table as help text: a line an option: name, type, default, help. */
void schema_help(const struct option_table *table, struct buffer *out);
/* Inputs, parsers and outputs with their one-line help; then for `type` (if not NULL) its options.
 * False if there is no such type. */
bool schema_help_type(const char *type, struct buffer *out);

#endif
