/* Named texts of a line into its record: what a format without types of its own has (groups of a
 * pattern, pairs, columns).
 *
 * A name that loggers use for what a record holds fills that member (parsers/json_names.h); one of
 * ECS goes to the document's root (parsers/ecs_fields.h); all others are the application's own.
 * What does not fit its place stays one of the application's own, under its name: nothing is lost.
 * Owner:  the caller's storage, for one line; texts are borrowed as long as the record.
 * Thread: one worker's. */
#ifndef SHIP_PARSERS_FILL_H
#define SHIP_PARSERS_FILL_H

#include "parsers/ecs_fields.h"
#include "parsers/json_names.h"
#include "parsers/parser.h"
#include "parsers/record.h"
#include "parsers/regex_types.h"

/* What a name means; worked out once where names are known before the line. */
struct fill_name {
    struct slice key; /* JSON-escaped */
    enum json_slot slot;
    uint8_t rank; /* of two names for one slot, the lower counts; of equals the first */
    enum group_type type;
    const struct ecs_field *ecs; /* NULL: none */
};

/* What a text becomes in the application's own fields is for fill_name.type to say. */
void fill_name_find(struct slice key, enum group_type type, struct fill_name *out);

struct fill_owner {
    struct slice key;
    struct slice text;
    enum group_type type;
    uint8_t rank;
};

struct filling {
    struct parse_scratch *scratch;
    struct record *out;
    struct field *fields;
    uint64_t keys;   /* a filter: which keys there may be already */
    uint32_t filled; /* the slots of which owners are valid */
    struct fill_owner owners[JSON_N_SLOTS];
};

/* For at most n_most names. False: memory is out. */
bool fill_start(struct filling *f, struct parse_scratch *scratch, struct record *out,
                size_t n_most);
/* Of two texts with the same name the first counts. */
void fill_put(struct filling *f, const struct fill_name *name, struct slice text);
/* One of the application's own, as it is. */
void fill_own(struct filling *f, struct slice key, struct value value);

/* To the root, where it fits; else nothing. The caller gives a field at most once. */
bool fill_root(struct record *out, struct parse_scratch *scratch, const struct ecs_field *field,
               struct slice text);
bool fill_root_value(struct record *out, struct parse_scratch *scratch,
                     const struct ecs_field *field, struct value value);

#endif
