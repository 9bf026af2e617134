/* The last step of a configuration: what its types say about their options as a whole.
 *
 * Errors: ERR_CONFIG; `where` begins with the name of the option, where there is one.
 * Thread: one at a time. */
#ifndef SHIP_CONFIG_FINISH_H
#define SHIP_CONFIG_FINISH_H

#include "config/config.h"
#include "shipper/base/error.h"

/* The options of the top level. */
int finish_global(const struct config *c, struct err *e);
/* What is required is there, the type is content, it has a name of its own, the global labels are
 * added, the parser (unless lent) is made. */
int finish_input(struct config *c, struct input_config *in, struct err *e);
int finish_output(struct config *c, struct output_config *out, struct err *e);
/* What inputs, outputs and limits must agree on, once all of them are there; the defaults of one
 * that come from another. `where` begins with "inputs[1]." or "outputs[0].". */
int finish_whole(struct config *c, struct err *e);

#endif
