/* What ship can read, understand and write to: the one place where each is listed.
 *
 * Thread: const. */
#ifndef SHIP_CONFIG_REGISTRY_H
#define SHIP_CONFIG_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "outputs/output.h"
#include "parsers/parser.h"
#include "shipper/inputs/input.h"

/* NULL-terminated. */
extern const struct input_ops *const registry_inputs[];
extern const struct parser_ops *const registry_parsers[];
extern const struct output_ops *const registry_outputs[];

/* The same for those who only want to tell what there is. */
enum registry_kind { REGISTRY_INPUT, REGISTRY_PARSER, REGISTRY_OUTPUT, REGISTRY_KINDS };
struct registry_entry {
    const char *name;
    const char *help; /* one line */
    const struct option_table *options;
};
/* "input", "parser", "output" */
extern const char *const registry_kind_names[REGISTRY_KINDS];
/* The i-th of its kind; false behind the last. */
bool registry_entry(enum registry_kind kind, size_t i, struct registry_entry *out);

/* NULL if there is none of that name. */
const struct input_ops *registry_input(const char *name);
const struct parser_ops *registry_parser(const char *name);
const struct output_ops *registry_output(const char *name);

#endif
