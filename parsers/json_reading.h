/* One JSON line on its way into the record; between parsers/json.c and json_shapes.c.
 *
 * Owner: the stack of json.c's parse, for one line. Thread: a worker's. */
#ifndef SHIP_PARSERS_JSON_READING_H
#define SHIP_PARSERS_JSON_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/json_names.h"
#include "parsers/json_scan.h"
#include "parsers/parser.h"

enum {
    READING_MOST_GROUPS = 8, /* objects of a line that are looked into */
    READING_RANK_NONE = UINT8_MAX,
};

struct group_seen {
    enum json_group group;
    struct json_member *member;
};

/* - owner[slot] is the member of the line that fills the slot; it alone carries is_taken for it.
 *   NULL with a rank that is not READING_RANK_NONE: filled from within an object, and not given up.
 */
struct reading {
    struct parse_scratch *scratch;
    struct record *out;
    struct slice line;
    struct json_member *owner[JSON_N_SLOTS];
    uint8_t rank[JSON_N_SLOTS];
    struct group_seen groups[READING_MOST_GROUPS];
    size_t n_groups;
    size_t n_left; /* fields made of what groups left over, at the start of scratch->fields */
    bool has_text_room;
    uint8_t shape; /* the first JSON_GROUP_* that names a cloud's shape; 0: none was seen */
};

/* Room in scratch->text for all that one line can need, at once: slices into it must not move. */
bool json_reading_has_text_room(struct reading *r);

/* What is not taken of scratch->nested becomes fields of the application, under prefix and key; for
 * at most 2 * READING_MOST_GROUPS objects of a line. False, and nothing done, where such a key
 * exists already (a key twice in one document is refused by Elasticsearch), or for very many. */
bool json_reading_leave_rest(struct reading *r, const char *prefix);

#endif
