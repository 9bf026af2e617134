/* Where `ship trace` reads: what the outputs stored, asked the same questions everywhere.
 *
 * Owner:  an archive belongs to who opened it, until close.
 * Errors: ERR_STORE, ERR_NET, ERR_REFUSED, ERR_CONFIG, ERR_NOMEM; -1 and *e.
 * Thread: the verb's; these calls block. */
#ifndef SHIP_VERBS_TRACE_ARCHIVE_H
#define SHIP_VERBS_TRACE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "shipper/base/error.h"
#include "shipper/base/slice.h"
#include "shipper/verbs/trace/names.h"

/* What ties events together: faas.execution, trace.id, labels.init_id. */
enum archive_key { ARCHIVE_REQUEST, ARCHIVE_TRACE, ARCHIVE_INIT, ARCHIVE_N_KEYS };

enum {
    ARCHIVE_MAX_NAMES = 1000, /* that one question answers */
    ARCHIVE_MAX_EVENTS = 5000 /* of one story; servers give at most 10000 at once */
};

struct archive;

/* One event as its JSON document; borrowed for the call. */
typedef void archive_event_fn(void *ctx, struct slice document);

struct archive_ops {
    /* The values of `key` that begin with `prefix`, in order, at most `max` of them. */
    int (*find)(struct archive *a, enum archive_key key, const char *prefix, size_t max,
                struct names *out, struct err *e);
    /* The values of `key` that stand in events whose `given` is one of `in`. */
    int (*values)(struct archive *a, enum archive_key key, enum archive_key given,
                  const struct names *in, struct names *out, struct err *e);
    /* The events that have one of these, by time; at most ARCHIVE_MAX_EVENTS, the earliest.
     * *is_cut: there are more. */
    int (*events)(struct archive *a, const struct names in[ARCHIVE_N_KEYS],
                  archive_event_fn *on_event, void *ctx, bool *is_cut, struct err *e);
    /* The newest events with all of these words in their message ("of a phrase", begin*); with NULL
     * the newest summaries of invocations that failed. */
    int (*search)(struct archive *a, const char *words, size_t max, archive_event_fn *on_event,
                  void *ctx, struct err *e);
    void (*close)(struct archive *a);
};

struct archive {
    const struct archive_ops *ops;
};

/* For an output of the configuration that can be asked; ERR_CONFIG if it is none. `output` is
 * borrowed. NULL and *e. */
struct archive *archive_open(const struct output_config *output, struct err *e);

/* By the kind of output. */
struct archive *archive_local_open(const char *path, struct err *e);
struct archive *archive_elastic_open(const void *es_options, struct err *e);

#endif
