/* One dead letter, found among all of them and shown to a person.
 *
 * Owner:  the caller's storage, zeroed; one_fini frees what it holds. Thread: main's. */
#ifndef SHIP_VERBS_DEAD_ONE_H
#define SHIP_VERBS_DEAD_ONE_H

#include <stdint.h>

#include "parsers/json_scan.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/delivery/letter_files.h"

struct one {
    const char *want; /* a number, an event's id or how one begins; NULL: the newest */
    int64_t number;   /* wanted; 0: it is an id */
    uint64_t n_seen;  /* letters in all */
    uint64_t at;      /* which of them it is, from 1; 0: none was found */
    const char *path; /* borrowed from the list */
    const char *file; /* the one being read */
    struct buffer line;
    struct json_object scan;
};

/* Of several that `want` fits, the newest. 0; -1 and *e. */
int one_find(struct one *o, const char *want, const struct letter_files *files, struct err *e);
void one_render(struct one *o, struct buffer *out);
void one_fini(struct one *o);

#endif
