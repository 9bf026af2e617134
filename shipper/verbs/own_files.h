/* What ship writes itself: read as logs it would grow for ever.
 *
 * Owner:  the caller, of the list and its texts. Thread: any; reads no files. */
#ifndef SHIP_VERBS_OWN_FILES_H
#define SHIP_VERBS_OWN_FILES_H

#include "shipper/base/option.h"

struct agent_plan;

/* The state directory, that of the dead letters, the files that outputs write, and their queues, as
 * they are configured. Empty when memory is out. */
void own_files_init(struct option_list *list, const struct agent_plan *plan);
void own_files_fini(struct option_list *list);

#endif
