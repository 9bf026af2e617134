/* The keys that loggers give to what a record holds (aws.md 1.4 to 1.7, ECS, pino, bunyan, zap,
 * logback, Serilog, structlog, tracing, GCP), in any case.
 *
 * Thread: any; a memo is one worker's. */
#ifndef SHIP_PARSERS_JSON_NAMES_H
#define SHIP_PARSERS_JSON_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "shipper/base/slice.h"

/* Where a value belongs in struct record. */
enum json_slot {
    JSON_SLOT_NONE,
    JSON_SLOT_TIME,
    JSON_SLOT_LEVEL,
    JSON_SLOT_MESSAGE,
    JSON_SLOT_REQUEST_ID,
    JSON_SLOT_TRACE,
    JSON_SLOT_SPAN,
    JSON_SLOT_LOGGER,
    JSON_SLOT_SERVICE,
    JSON_SLOT_FAAS_NAME,
    JSON_SLOT_FAAS_VERSION,
    JSON_SLOT_FAAS_ARN,
    JSON_SLOT_CORRELATION,
    JSON_SLOT_COLDSTART,
    JSON_SLOT_ERROR_TYPE,
    JSON_SLOT_ERROR_MESSAGE,
    JSON_SLOT_ERROR_STACK,
    JSON_N_SLOTS,
};

/* Objects whose members are looked up too, under the group's prefix: "error" holds "error.type". */
enum json_group {
    JSON_GROUP_NONE,
    JSON_GROUP_ERROR,
    JSON_GROUP_EXCEPTION,
    JSON_GROUP_STACK_TRACE,
    JSON_GROUP_LOG,
    JSON_GROUP_TRACE,
    JSON_GROUP_SPAN,
    JSON_GROUP_FAAS,
    JSON_GROUP_SERVICE,
    JSON_GROUP_FIELDS,
    JSON_GROUP_AWS,
    /* No objects but marks of a cloud's shape (json_shapes.h), in the order of its table. */
    JSON_GROUP_GOOGLE,
    JSON_GROUP_AZURE,
    JSON_GROUP_AZURE_RECORD,
    JSON_GROUP_CLOUDFLARE,
    JSON_GROUP_VERCEL,
    JSON_GROUP_OPENWHISK,
    JSON_GROUP_NETLIFY,
    JSON_GROUP_HTTP_REQUEST,
    JSON_N_GROUPS,
};

struct json_name {
    const char *text; /* lower case */
    uint8_t slot;     /* of a value with this key */
    uint8_t rank;     /* of two keys for one slot, the lower counts */
    uint8_t group;    /* what an object with this key is */
};

struct json_group_rule {
    const char *prefix;
    bool is_ecs_only; /* elsewhere the word means too many things */
    bool is_kept;     /* read, but left whole: EMF must stay what it is */
};

/* The row for this key (as it stands between its quotes), or NULL. */
const struct json_name *json_name_find(struct slice key);

enum { JSON_NAME_LONGEST = 37, JSON_NAME_MEMOS = 64 };

/* A key, and what was found for it. Zeroed at birth. */
struct json_name_memo {
    char key[JSON_NAME_LONGEST];
    uint8_t len;
    const struct json_name *name;
};

/* The same as json_name_find. Lines of one logger have the same keys at the same places: a memo for
 * each place saves most of the looking. */
const struct json_name *json_name_recall(struct json_name_memo *memo, struct slice key);

/* The same for prefix + key. */
const struct json_name *json_name_find_in(enum json_group group, struct slice key);

const struct json_group_rule *json_group_rule(enum json_group group);

#endif
