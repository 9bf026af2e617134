/* What ship can read, understand and write to: the one place where each is listed.
 *
 * Thread: const. */
#ifndef SHIP_CONFIG_REGISTRY_H
#define SHIP_CONFIG_REGISTRY_H

#include <stddef.h>

#include "outputs/output.h"
#include "parsers/parser.h"
#include "shipper/inputs/input.h"

/* NULL-terminated. */
extern const struct input_ops *const registry_inputs[];
extern const struct parser_ops *const registry_parsers[];
extern const struct output_ops *const registry_outputs[];

/* NULL if there is none of that name. */
const struct input_ops *registry_input(const char *name);
const struct parser_ops *registry_parser(const char *name);
const struct output_ops *registry_output(const char *name);

#endif
