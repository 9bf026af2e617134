/* An event on its way into a document: the record, and all that ship knows about it.
 *
 * Owner:  the worker; lives while it is encoded, once for each output.
 * Memory: borrows everything. */
#ifndef SHIP_PIPELINE_EVENT_H
#define SHIP_PIPELINE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/record.h"
#include "shipper/base/buffer.h"
#include "shipper/base/hash.h"
#include "shipper/base/slice.h"

struct invocation;

enum request_id_source { REQUEST_ID_NONE, REQUEST_ID_LINE, REQUEST_ID_STREAM };

/* What is the same for every event of a stream; made when the stream is opened. */
struct stream_profile {
    struct slice path;        /* log.file.path; empty for standard input */
    struct slice host;        /* host.name */
    struct slice function;    /* faas.name unless line or stream know better; may be empty */
    struct slice dataset;     /* event.dataset */
    struct slice static_json; /* ready-made members: ,"host.name":"h","ecs.version":"9.4.0",... */
    struct slice static_path_json; /* ,"log.file.path":"..." or empty */
    struct slice namespace;        /* of the application's keys; "app" */
    const char *const *lift_keys;  /* of them, those that stand at the root ... */
    const char *const *lift_names; /* ... and as what */
    size_t n_lifts;
    bool has_id;        /* false: `id: none`, the server makes ids */
    bool with_original; /* event.original is written */
};

/* A document that was encoded before, and is sent again: a dead letter's. */
struct ready_document {
    struct slice json;    /* an object */
    struct slice action;  /* what document_action says of it; plain */
    struct slice message; /* as it stands between its quotes */
};

struct event {
    const struct record *record;
    const struct stream_profile *stream;
    struct slice line;      /* as it was read, without its line end */
    uint64_t offset;        /* of the line in its stream, in plain bytes */
    char id[HASH_TEXT_LEN]; /* no NUL; valid if stream->has_id */
    /* Of the stream that the id grew from. The same id always comes with the same origin and
     * offset, so a store may keep its ids in that order, where neighbours are near. */
    uint64_t origin;

    int64_t time_ns;  /* the event's own, or the best that the stream knows */
    enum level level; /* the record's, or what the kind implies */

    struct slice request_id; /* empty: none */
    enum request_id_source request_id_source;
    struct slice trace_id; /* 32 hex digits or empty */
    struct slice span_id;  /* 16 hex digits or empty */
    struct slice function; /* faas.name; may be empty. Plain text, to be escaped */
    struct slice function_version;
    struct slice cloud_region; /* plain; empty: unknown */
    struct slice cloud_account;
    int8_t coldstart; /* -1 unknown */
    bool is_init;     /* belongs to the environment's initialisation */
    uint64_t init_id; /* labels.init_id: ties an initialisation to its first request; 0 none */

    const struct invocation *invocation; /* the summary of a request; NULL for a line */
    const struct ready_document *ready;  /* NULL: the document is made of all the above */
};

/* Writes the event as one ECS document (a JSON object, no newline). with_id adds "event.id". */
void document_encode(const struct event *event, bool with_id, struct buffer *out);

/* What the line is to the platform: "start", "report", ..., "invocation"; empty for a plain line.
 */
struct slice document_action(const struct event *event);

/* "plain text that says it": the event's message as UTF-8 text without JSON escapes, appended; what
 * a person reads and full-text search finds. */
void document_message(const struct event *event, struct buffer *out);

#endif
