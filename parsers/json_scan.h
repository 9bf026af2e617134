/* The JSON scanner of the hot path: one pass over an object's bytes.
 *
 * It checks RFC 8259 and UTF-8, and says where the members of the outermost object stand; values
 * stay where they are. Held against jansson (JSON_ALLOW_NUL, numeric overflow aside) in tests: both
 * accept or both refuse.
 * Owner:  the caller owns the text and the json_object; json_object_free gives its array back.
 * Thread: one json_object per worker; it is used again for each line, so that a
 *         usual line needs no malloc; what only a huge one needed is given back. */
#ifndef SHIP_PARSERS_JSON_SCAN_H
#define SHIP_PARSERS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shipper/base/buffer.h"
#include "shipper/base/slice.h"

enum json_type {
    JSON_TYPE_NULL,
    JSON_TYPE_FALSE,
    JSON_TYPE_TRUE,
    JSON_TYPE_NUMBER,
    JSON_TYPE_STRING,
    JSON_TYPE_ARRAY,
    JSON_TYPE_OBJECT,
};

struct json_member {
    struct slice key;   /* between its quotes, escapes and all */
    struct slice value; /* the value's bytes; of a string, those between its quotes */
    uint8_t type;       /* enum json_type */
    bool key_escaped;   /* holds a backslash */
    bool value_escaped; /* a string that holds a backslash */
    bool is_shadowed;   /* the same key comes again later: the last one counts (as in jansson) */
    /* A value that not every reader takes: a key twice in one object, a key with \u0000, deeper
     * than JSON_SAFE_DEPTH, a number longer than JSON_SAFE_NUMBER. The encoder writes it as text.
     */
    bool is_unsafe;
    bool is_taken; /* the reader's own mark; the scan clears it */
};

enum {
    JSON_MAX_DEPTH = 2048,  /* deeper is refused, as jansson does (JSON_PARSER_MAX_DEPTH) */
    JSON_SAFE_DEPTH = 16,   /* Elasticsearch's `flattened` stops at 20 */
    JSON_SAFE_NUMBER = 400, /* bytes; Jackson stops at 1000 */
};

struct json_keys; /* json_keys.c's working memory */

struct json_object {
    struct json_member *members; /* of the outermost object, in order; duplicates included */
    size_t n_members;
    size_t cap;
    size_t error_at;        /* where the scan stopped */
    const char *error;      /* static text: what was wrong */
    struct json_keys *keys; /* the scan's own; made when a line first needs it */
};

enum json_status {
    JSON_OK,
    JSON_NOT_OBJECT,   /* does not begin with '{' (blanks aside) */
    JSON_INVALID,      /* not JSON; error and error_at say why and where */
    JSON_BAD_ENCODING, /* would be JSON, but for invalid UTF-8 or a lone surrogate escape */
    JSON_NOMEM,
};

/* Scans all of `text`: one object, blanks around it. The members point into text. */
enum json_status json_scan(struct slice text, struct json_object *out);

/* The member with this (unescaped) key that counts, or NULL. */
const struct json_member *json_find(const struct json_object *o, const char *key);

void json_object_free(struct json_object *o);

/* Appends `text` with each maximal invalid UTF-8 part, and each lone surrogate escape inside JSON
 * strings, replaced by U+FFFD: what was JSON_BAD_ENCODING scans JSON_OK afterwards. */
void json_repair(struct slice text, struct buffer *out);

/* Appends what a JSON string (the bytes between its quotes, checked) says, as UTF-8. */
void json_unescape(struct slice escaped, struct buffer *out);

/* Appends `text` escaped for a JSON string, without quotes: controls, quote and backslash escaped,
 * invalid UTF-8 replaced by U+FFFD. True if something was replaced. */
bool json_escape(struct slice text, struct buffer *out);

/* Calls on_item for each element of a checked JSON array (its bytes, brackets included). A string
 * element comes without its quotes. */
typedef void json_item_fn(void *ctx, enum json_type type, struct slice value);
void json_each(struct slice array, json_item_fn *on_item, void *ctx);

/* The length of the checked JSON string that text begins with, quotes included. */
size_t json_string_len(struct slice text);

/* Of all leaves of a checked value no deeper than JSON_SAFE_DEPTH, the longest together with the
 * keys that lead to it, in bytes as they stand there: what an index would have for one term. */
size_t json_longest_term(struct slice value);

#endif
