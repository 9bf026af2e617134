/* A record: what one line says. A parser fills it; correlation, enrichment and encoding read it.
 *
 * Owner:  the worker; one record is used again for every line.
 * Memory: every slice points into the line, into static text, or into the worker's scratch, and
 *         lives until the next line is parsed. Nothing is allocated per line after warm-up.
 * Thread: one worker's. */
#ifndef SHIP_PARSERS_RECORD_H
#define SHIP_PARSERS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/slice.h"

enum value_kind {
    VALUE_NONE,
    VALUE_TEXT,        /* bytes as they stood in the line: the encoder escapes and repairs them */
    VALUE_JSON_STRING, /* what stands between the quotes of a checked JSON string: escaped already
                        */
    VALUE_JSON,        /* any other checked JSON value, as its bytes: number, true, object, ... */
};

struct value {
    struct slice bytes;
    enum value_kind kind;
};

/* One of the application's own keys; `key` is JSON-escaped already. */
struct field {
    struct slice key;
    struct value value;
};

/* ECS log.level, lower case. Ordered: higher is worse. */
enum level {
    LEVEL_NONE,
    LEVEL_TRACE,
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARN,
    LEVEL_ERROR,
    LEVEL_FATAL,
};

/* What kind of line it is. Only the exact platform forms (aws.md 1.2, 1.4) get a platform kind;
 * user text that quotes one stays RECORD_LINE. */
enum record_kind {
    RECORD_LINE,           /* the function's own output */
    RECORD_INIT_START,     /* INIT_START, platform.initStart */
    RECORD_INIT_REPORT,    /* INIT_REPORT, platform.initReport, platform.initRuntimeDone */
    RECORD_RESTORE_START,  /* RESTORE_START, platform.restoreStart */
    RECORD_RESTORE_REPORT, /* RESTORE_REPORT, platform.restoreReport */
    RECORD_START,          /* START RequestId, platform.start */
    RECORD_RUNTIME_DONE,   /* platform.runtimeDone */
    RECORD_END,            /* END RequestId, platform.end */
    RECORD_REPORT,         /* REPORT RequestId, platform.report */
    RECORD_TIMEOUT,        /* "<time> <id> Task timed out after N seconds" */
    RECORD_EXIT,     /* "RequestId: <id> Error: Runtime exited ...", "... Process exited ..." */
    RECORD_XRAY,     /* "XRAY TraceId: ..." on a line of its own, after its REPORT */
    RECORD_PLATFORM, /* any other platform line: EXTENSION, TELEMETRY, LOGS, platform.* */
};

enum record_flag {
    RECORD_TRUNCATED = 1 << 0,   /* the line was longer than max_line */
    RECORD_REPAIRED = 1 << 1,    /* invalid UTF-8 or a lone surrogate became U+FFFD */
    RECORD_BAD_JSON = 1 << 2,    /* began like a JSON object and is none: kept as text */
    RECORD_MATCH_LIMIT = 1 << 3, /* the user's regex hit its limit: kept as text */
    RECORD_NO_MATCH = 1 << 4,    /* the configured parser refused the line: kept as text */
    RECORD_UNHANDLED = 1 << 5,   /* the runtime's own report of an error that ended the invocation
                                    ("Invoke Error", Python's "[ERROR] KeyError: ..."); no log.flag */
    RECORD_JOINED = 1 << 6,      /* made of several lines; log.flags calls it "multiline" */
};

/* The numbers of REPORT / platform.report and its kin; NAN where the line does not say. */
struct report {
    double duration_ms;
    double billed_ms;
    double memory_mb;
    double max_memory_mb;
    double init_ms;
    double restore_ms;
    double billed_restore_ms;
    struct slice status;     /* "timeout", "error", "success", "failure"; empty when absent */
    struct slice error_type; /* "Runtime.ExitError"; empty when absent */
};

struct record {
    enum record_kind kind;
    unsigned flags; /* enum record_flag */

    bool has_time;
    int16_t guessed_year; /* of a time that does not say its year; else 0 */
    int64_t time_ns;      /* since 1970 UTC, as fine as the source gives it */

    enum level level;
    struct slice level_text; /* a spelling that parsers/level.h does not know; then level is NONE */

    struct value message; /* VALUE_NONE: the encoder takes the whole line */

    struct slice request_id; /* as the line says it; empty when it says none */
    char trace_id[32];       /* valid if has_trace_id: lower-case hex */
    char span_id[16];        /* valid if has_span_id */
    bool has_trace_id;
    bool has_span_id;

    struct value logger;
    struct value service_name;
    struct value faas_name; /* from functionName, function_name, or the ARN */
    struct value faas_version;
    struct value faas_arn;       /* without version or alias; becomes faas.id */
    struct slice cloud_provider; /* empty: AWS */
    struct slice cloud_region;   /* of an ARN in the line: plain, or empty */
    struct slice cloud_account;
    struct value correlation_id;
    int8_t coldstart; /* -1 not said, 0, 1 */

    struct value error_type;
    struct value error_message;
    struct value error_stack; /* VALUE_JSON array of strings: the encoder joins it by newlines */

    struct report report;         /* for the REPORT kinds */
    struct slice runtime_version; /* INIT_START, RESTORE_START */
    struct slice init_type;       /* platform.initStart: on-demand, snap-start, ... */

    /* Fields of ECS that no member above holds (http.response.status_code, log.syslog.priority),
     * for the document's root. Which there are and what fits them: parsers/ecs_fields.h; each at
     * most once; parsers/fill.h puts them here. A record that is_ecs has none. */
    const struct field *root;
    size_t n_root;

    /* A line that is ECS already (ecs.version): its other keys stay at the root. */
    bool is_ecs;
    const struct field *fields; /* the keys that no member above took, in their order */
    size_t n_fields;
};

/* Empties it for the next line: zeros, report numbers NAN, coldstart -1. */
void record_reset(struct record *r);

static inline struct value value_text(struct slice s)
{
    return (struct value){s, VALUE_TEXT};
}

#endif
