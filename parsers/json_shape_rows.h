/* The tables of parsers/json_shapes.c: which member of which cloud's line means what.
 *
 * Thread: const. */
#ifndef SHIP_PARSERS_JSON_SHAPE_ROWS_H
#define SHIP_PARSERS_JSON_SHAPE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "parsers/json_names.h"

/* How a value is taken. */
enum shape_how {
    SHAPE_SLOT,     /* into the record's slot */
    SHAPE_ROOT,     /* to the root, as the field of ECS */
    SHAPE_OBJECT,   /* its members have rows of their own; it may stand as JSON in a string */
    SHAPE_FIRST,    /* an array: its first element, as OBJECT or ROOT (with a field) */
    SHAPE_PAYLOAD,  /* a line of its own */
    SHAPE_SPAN,     /* 16 hex digits, or a decimal number */
    SHAPE_FUNCTION, /* "Functions.hello" */
    SHAPE_REGION,
    SHAPE_ACCOUNT,
    SHAPE_RESOURCE, /* Azure's path, with the subscription in it */
    SHAPE_ADDRESS,  /* client.ip, maybe with a port */
    SHAPE_PROTOCOL, /* "HTTP/1.1" */
    SHAPE_SECONDS,  /* "0.25s": event.duration */
    SHAPE_MS,       /* 250: event.duration */
    SHAPE_OUTCOME,  /* true, "ok", "success": event.outcome */
    SHAPE_STATUS,   /* an HTTP status; other numbers are not */
};

struct shape_row {
    const char *path; /* in any case; dots between objects */
    uint8_t how;      /* enum shape_how */
    uint8_t slot;     /* enum json_slot */
    const char *field;
};

struct shape {
    const char *provider; /* cloud.provider; NULL: none */
    const char *proof;    /* a member that must be there too; NULL: the marker is enough */
    const struct shape_row *rows;
    size_t n_rows;
};

/* NULL for a group that is no shape. */
const struct shape *json_shape_of(enum json_group group);

#endif
