/* A JSON reader that is pushed bytes as they arrive, in constant memory.
 *
 * For replies of servers: it knows the path of object keys it is in, and hands over scalar values.
 * It is lenient about what it does not need (number syntax), strict about structure.
 * Owner:  the caller's storage; nothing is allocated.
 * Thread: one at a time. */
#ifndef SHIP_OUTPUTS_JSON_PUSH_H
#define SHIP_OUTPUTS_JSON_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/slice.h"

enum {
    JSON_PUSH_DEPTH = 64, /* deeper is an error */
    JSON_PUSH_KEY = 64,   /* longer keys are cut */
    JSON_PUSH_TEXT = 512, /* longer values are cut */
};

enum json_push_event {
    JSON_PUSH_VALUE, /* a string, number, true, false or null: in `text` */
    JSON_PUSH_OPEN,  /* { or [ */
    JSON_PUSH_CLOSE, /* } or ] */
};

struct json_push;
/* `depth` is how many containers are open around it (for OPEN and CLOSE: not counting itself). The
 * key of the container level d is json_push_key(p, d); within arrays it is empty. */
typedef void json_push_fn(void *ctx, const struct json_push *p, enum json_push_event event,
                          unsigned depth, struct slice text);

struct json_push {
    json_push_fn *on_event;
    void *ctx;
    enum {
        PUSH_WANT_VALUE,
        PUSH_WANT_KEY_OR_END,
        PUSH_WANT_KEY,
        PUSH_WANT_COLON,
        PUSH_WANT_COMMA,
        PUSH_WANT_VALUE_OR_END,
        PUSH_IN_STRING,
        PUSH_IN_ESCAPE,
        PUSH_IN_UNICODE,
        PUSH_IN_WORD,
        PUSH_DONE,
        PUSH_BROKEN,
    } state;
    bool is_key; /* the string being read is one */
    unsigned depth;
    char kinds[JSON_PUSH_DEPTH]; /* '{' or '[' */
    char keys[JSON_PUSH_DEPTH][JSON_PUSH_KEY];
    uint8_t key_lens[JSON_PUSH_DEPTH];
    char text[JSON_PUSH_TEXT];
    size_t text_len;
    unsigned unicode; /* of a \u escape */
    int unicode_digits;
};

void json_push_init(struct json_push *p, json_push_fn *on_event, void *ctx);
/* False when the bytes are no JSON; it stays false. */
bool json_push(struct json_push *p, struct slice bytes);
/* One whole value was read, and only blanks behind it. */
bool json_push_is_complete(const struct json_push *p);
/* A value at this depth has just ended: the next byte that counts is a comma or a bracket. */
bool json_push_is_behind_value(const struct json_push *p, unsigned depth);
/* The key under which the value or container at this depth stands (depth >= 1). */
struct slice json_push_key(const struct json_push *p, unsigned depth);

#endif
