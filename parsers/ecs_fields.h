/* The fields of ECS (9.4) that a parser may put at the document's root, beside those that struct
 * record has as members, and which text fits them.
 *
 * What does not fit stays one of the application's own keys, so that no event is refused for a
 * value that its mapping does not take. Thread: any; const. */
#ifndef SHIP_PARSERS_ECS_FIELDS_H
#define SHIP_PARSERS_ECS_FIELDS_H

#include <stdbool.h>

#include "parsers/record.h"
#include "shipper/base/slice.h"

enum ecs_type {
    ECS_KEYWORD, /* text that an index term has room for */
    ECS_LONG,    /* an integer */
    ECS_IP,      /* IPv4 or IPv6, without a port or zone */
    ECS_OBJECT,  /* a flat JSON object, which the template maps as one field; never from text */
};

struct ecs_field {
    struct slice name;
    enum ecs_type type;
};

/* NULL: not one of them. ship's own fields (log.level, faas.*, ...) are none. */
const struct ecs_field *ecs_field_find(struct slice name);

/* False: the text is not what the field's type wants ("-" and "" are never); *out is untouched. */
bool ecs_field_value(const struct ecs_field *field, struct slice text, struct value *out);

/* An IPv4 or IPv6 address and nothing else. */
bool ecs_is_ip(struct slice text);
/* A JSON integer that fits an int64. */
bool ecs_is_integer(struct slice text);

#endif
