/* Dead letters counted: by output, status and type, with the time between the first and the last.
 *
 * Owner:  the caller's storage, zeroed; tally_fini frees what it holds. Beyond TALLY_KINDS kinds,
 * the rest is one kind. Thread: main's. */
#ifndef SHIP_VERBS_DEAD_TALLY_H
#define SHIP_VERBS_DEAD_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "parsers/json_scan.h"
#include "shipper/base/buffer.h"
#include "shipper/base/error.h"
#include "shipper/delivery/letter_files.h"

enum { TALLY_KINDS = 200 };

struct tally_kind {
    char *output; /* plain, as type and reason */
    char *type;
    char *reason; /* of the newest */
    int64_t status;
    int64_t first_ns, last_ns;
    uint64_t n_letters;
    size_t n_files;
    size_t last_file; /* counted in n_files */
};

struct tally_file {
    const char *path; /* borrowed from the list */
    uint64_t n_letters;
    uint64_t bytes;
};

struct tally {
    struct tally_kind kinds[TALLY_KINDS]; /* in the order that they were met in */
    size_t n_kinds;
    struct tally_file *files;
    size_t n_files;
    uint64_t n_letters;
    struct json_object scan;
    bool is_out_of_memory;
};

/* What a line that is no letter counts as, and what `ship dead drop --type` calls it. */
#define TALLY_UNREADABLE "unreadable"

int tally_files(struct tally *t, const struct letter_files *files, struct err *e);
/* The page that `ship dead list` shows. */
void tally_render(const struct tally *t, const char *directory, struct buffer *out);
void tally_fini(struct tally *t);

#endif
