/* Inputs that would read the same. Thread: any. */
#ifndef SHIP_VERBS_OVERLAP_H
#define SHIP_VERBS_OVERLAP_H

#include <stddef.h>

#include "config/config.h"
#include "shipper/base/error.h"

/* 0, or -1 and *e, which names two inputs and what both have. */
int overlap_check(const struct input_config *inputs, size_t n_inputs, struct err *e);

#endif
