/* What the option tables say, for people and for editors.
 *
 * Errors: memory out: out->failed, as everywhere with buffers. Thread: any. */
#ifndef SHIP_CONFIG_SCHEMA_H
#define SHIP_CONFIG_SCHEMA_H

#include <stdbool.h>

#include "shipper/base/buffer.h"
#include "shipper/base/option.h"

/* schema.c: the JSON schema (draft 2020-12) of the whole configuration file, indented. */
void schema_write(struct buffer *out);

/* schema_help.c, all of it plain text for a terminal of 80 columns.
 * One table: two lines an option: name with type, bounds and default; what it is for. */
void schema_help(const struct option_table *table, struct buffer *out);
/* The file as a whole: the options of the top level, and the types there are. */
void schema_help_file(struct buffer *out);
/* What is called `type`, whether input, parser or output: its options, and those that it shares
 * with its kind. False if there is none. */
bool schema_help_type(const char *type, struct buffer *out);

#endif
