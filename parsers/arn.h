/* Amazon resource names: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE (aws.md 1.4).
 *
 * Thread: any; pure. */
#ifndef SHIP_PARSERS_ARN_H
#define SHIP_PARSERS_ARN_H

#include <stdbool.h>

#include "shipper/base/slice.h"

struct arn {
    struct slice service;
    struct slice region;   /* lower case, digits and dashes; may be empty */
    struct slice account;  /* 12 digits, or empty */
    struct slice resource; /* "function:checkout:42" */
};

/* Fills *out with parts of `text`. False: it is none; *out is then undefined. */
bool arn_parse(struct slice text, struct arn *out);

#endif
