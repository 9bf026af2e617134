/* Bytes in, documents out: the real pipeline from framing to encoding, over a stream in memory,
 * with no threads, no loop and no output.
 *
 * Owner: nothing outlives the call. Thread: any, one call at a time. */
#ifndef SHIP_TESTS_SUPPORT_DOCUMENT_RIG_H
#define SHIP_TESTS_SUPPORT_DOCUMENT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/parser.h"
#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

struct document_rig {
    const struct parser *parser; /* NULL: auto */
    const char *host;            /* NULL: "h" */
    const char *path;            /* NULL: "/var/log/f.log" */
    const char *function;        /* NULL: "f" */
    int64_t chunk_bytes;         /* 0: the default */
    int64_t max_line_bytes;      /* 0: 1 MiB */
    int64_t mtime_ns;
    int64_t now_ns;
    uint64_t inode;
    const char *const *lift_keys, *const *lift_names;
    size_t n_lifts;
    bool with_original;
    bool is_live;
    bool without_invocations;
    bool is_restarted; /* between any two chunks the stream's state is saved and loaded */
};

/* Appends the documents, in their order, with event.id, a line each. */
void documents_of(const struct document_rig *rig, struct slice bytes, struct buffer *out);

#endif
